/*
 * timezone.c - the system's database of time zones, through the C library.
 *
 * Thread:   as in the header.
 *
 * The library knows one time zone, by the variable TZ, and takes an unknown name for UTC without a
 * word; so names are looked for first. Nothing else in the process reads local time.
 */
#include <time.h>
#include <unistd.h>

#include "jobs/timezone.h"

#define MAX_NAME 64

bool timezone_exists(struct str name)
{
    static const char *const directories[] = {"/usr/share/zoneinfo", "/etc/zoneinfo"};
    char path[MAX_NAME + 32];

    if (str_is(name, "UTC"))
        return true;
    if (name.len == 0 || name.len > MAX_NAME || name.data[0] < 'A' || name.data[0] > 'Z')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/",
                   name.data[i]) == NULL)
            return false;
    for (size_t i = 0; i < COUNT_OF(directories); i++) {
        snprintf(path, sizeof(path), "%s/%.*s", directories[i], STR_ARG(name));
        if (access(path, R_OK) == 0)
            return true;
    }
    return false;
}

void timezone_set(struct str name)
{
    char text[MAX_NAME + 1];

    CHECK(name.len <= MAX_NAME);
    snprintf(text, sizeof(text), "%.*s", STR_ARG(name));
    CHECK(setenv("TZ", text, 1) == 0);
    tzset();
}

int32_t timezone_offset(int64_t utc, const void *unused)
{
    time_t t = (time_t)utc;
    struct tm tm;

    (void)unused;
    return localtime_r(&t, &tm) != NULL ? (int32_t)tm.tm_gmtoff : 0;
}
