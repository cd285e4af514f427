/* cron_test.c - expressions of crontab(5), and when they are due. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "jobs/cron.h"
#include "jobs/timezone.h"

/* "2026-03-29 01:00:00", in UTC. */
static int64_t at(const char *text)
{
    struct tm tm = {0};

    if (sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec) < 3)
        fail_msg("\"%s\" is no time", text);
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm);
}

static int32_t utc(int64_t t, const void *ctx)
{
    (void)t;
    (void)ctx;
    return 0;
}

/* Central Europe in 2026: an hour ahead in winter; two from March 29th to October 25th, 1:00 UTC.
 */
static int32_t berlin(int64_t t, const void *ctx)
{
    (void)ctx;
    return t >= 1774746000 && t < 1792890000 ? 7200 : 3600;
}

/* Lord Howe Island: summer is half an hour. */
static int32_t lord_howe(int64_t t, const void *ctx)
{
    (void)ctx;
    return t >= at("2026-04-04 15:00:00") && t < at("2026-10-03 15:30:00") ? 37800 : 39600;
}

/* Where summer begins at midnight. */
static int32_t midnight(int64_t t, const void *ctx)
{
    (void)ctx;
    return t >= at("2026-09-06 04:00:00") ? -10800 : -14400;
}

static const struct due {
    const char *expression;
    cron_offset *offset;
    const char *after;
    const char *due; /* NULL: never */
} dues[] = {
    {"* * * * *",         utc,       "2026-11-27 01:35:00", "2026-11-27 01:36:00"},
    {"* * * * *",         utc,       "2026-11-27 01:35:59", "2026-11-27 01:36:00"},
    {"*/5 * * * *",       utc,       "2026-11-27 01:35:00", "2026-11-27 01:40:00"},
    {"*/5 * * * *",       utc,       "2026-12-31 23:55:01", "2027-01-01 00:00:00"},
    {"3-59/20 * * * *",   utc,       "2026-11-27 01:35:00", "2026-11-27 01:43:00"},
    {"50/5 * * * *",      utc,       "2026-11-27 01:51:00", "2026-11-27 01:55:00"},
    {"15 3 * * *",        utc,       "2026-11-27 03:15:00", "2026-11-28 03:15:00"},
    {"0 9-17/4 * * *",    utc,       "2026-11-27 09:00:00", "2026-11-27 13:00:00"},
    {"0 0 * * 1,3,fri",   utc,       "2026-11-27 00:00:00", "2026-11-30 00:00:00"},
    {"0 0 * * MON-WED",   utc,       "2026-11-26 00:00:00", "2026-11-30 00:00:00"},
    {"0 0 * * 7",         utc,       "2026-11-27 00:00:00", "2026-11-29 00:00:00"},
    {"0 0 * * 0",         utc,       "2026-11-27 00:00:00", "2026-11-29 00:00:00"},
    {"0 0 * * 6-7",       utc,       "2026-11-28 00:00:00", "2026-11-29 00:00:00"},
    {"0 0 1 jan *",       utc,       "2026-11-27 00:00:00", "2027-01-01 00:00:00"},
    {"0 0 31 * *",        utc,       "2026-11-27 00:00:00", "2026-12-31 00:00:00"},
    {"0 0 31 4,6,9,11 *", utc,       "2026-11-27 00:00:00", NULL                 },
    {"0 0 30 2 *",        utc,       "2026-11-27 00:00:00", NULL                 },
    {"0 0 29 2 *",        utc,       "2026-11-27 00:00:00", "2028-02-29 00:00:00"},
    {"0 0 29 feb *",      utc,       "2096-03-01 00:00:00", "2104-02-29 00:00:00"},
    {"@hourly",           utc,       "2026-11-27 01:35:00", "2026-11-27 02:00:00"},
    {"@daily",            utc,       "2026-11-27 01:35:00", "2026-11-28 00:00:00"},
    {"@midnight",         utc,       "2026-11-27 01:35:00", "2026-11-28 00:00:00"},
    {"@weekly",           utc,       "2026-11-27 01:35:00", "2026-11-29 00:00:00"},
    {"@monthly",          utc,       "2026-11-27 01:35:00", "2026-12-01 00:00:00"},
    {"@yearly",           utc,       "2026-11-27 01:35:00", "2027-01-01 00:00:00"},
    {"@annually",         utc,       "2026-11-27 01:35:00", "2027-01-01 00:00:00"},
    {"@every 5s",         utc,       "2026-11-27 01:35:03", "2026-11-27 01:35:05"},
    {"@every 2h",         utc,       "2026-11-27 02:00:00", "2026-11-27 04:00:00"},
    {" 0\t 12  * * * ",   utc,       "2026-11-27 01:35:00", "2026-11-27 12:00:00"},
 /* Days of both kinds: either. With a star, even with a step, only the other. */
    {"0 0 13 * fri",      utc,       "2026-11-12 00:00:00", "2026-11-13 00:00:00"},
    {"0 0 13 * fri",      utc,       "2026-11-13 00:00:00", "2026-11-20 00:00:00"},
    {"0 0 15 * fri",      utc,       "2026-11-13 00:00:00", "2026-11-15 00:00:00"},
    {"0 0 */2 * fri",     utc,       "2026-11-13 00:00:00", "2026-11-27 00:00:00"},
    {"0 0 13 * *",        utc,       "2026-11-13 00:00:00", "2026-12-13 00:00:00"},
    {"0 0 13 * */1",      utc,       "2026-11-13 00:00:00", "2026-12-13 00:00:00"},
 /* Local time. */
    {"0 0 * * *",         berlin,    "2026-01-10 12:00:00", "2026-01-10 23:00:00"},
    {"0 0 * * *",         berlin,    "2026-07-10 12:00:00", "2026-07-10 22:00:00"},
    {"0 0 1 * *",         berlin,    "2026-07-10 12:00:00", "2026-07-31 22:00:00"},
    {"0 0 * * mon",       berlin,    "2026-07-10 12:00:00", "2026-07-12 22:00:00"},
 /* 2:00 to 3:00 of March 29th is left out. */
    {"30 2 * * *",        berlin,    "2026-03-28 12:00:00", "2026-03-29 01:00:00"},
    {"30 2 * * *",        berlin,    "2026-03-29 01:00:00", "2026-03-30 00:30:00"},
    {"0,30 2 * * *",      berlin,    "2026-03-28 12:00:00", "2026-03-29 01:00:00"},
    {"0 3 * * *",         berlin,    "2026-03-28 12:00:00", "2026-03-29 01:00:00"},
    {"30 2 30 3 *",       berlin,    "2026-03-28 12:00:00", "2026-03-30 00:30:00"},
    {"*/15 * * * *",      berlin,    "2026-03-29 00:45:00", "2026-03-29 01:00:00"},
    {"30 * * * *",        berlin,    "2026-03-29 00:30:00", "2026-03-29 01:30:00"},
 /* 2:00 to 3:00 of October 25th is there twice. */
    {"30 2 * * *",        berlin,    "2026-10-24 12:00:00", "2026-10-25 00:30:00"},
    {"30 2 * * *",        berlin,    "2026-10-25 00:30:00", "2026-10-26 01:30:00"},
    {"0 3 * * *",         berlin,    "2026-10-24 12:00:00", "2026-10-25 02:00:00"},
    {"0 2 * * *",         berlin,    "2026-10-24 12:00:00", "2026-10-25 00:00:00"},
    {"0 2 * * *",         berlin,    "2026-10-25 00:00:00", "2026-10-26 01:00:00"},
    {"30 * * * *",        berlin,    "2026-10-25 00:30:00", "2026-10-25 01:30:00"},
    {"*/30 * * * *",      berlin,    "2026-10-25 01:00:00", "2026-10-25 01:30:00"},
 /* 1:30 to 2:00 twice; 2:00 to 2:30 left out. */
    {"45 1 5 4 *",        lord_howe, "2026-04-03 00:00:00", "2026-04-04 14:45:00"},
    {"45 1 * * *",        lord_howe, "2026-04-04 14:45:00", "2026-04-05 15:15:00"},
    {"15 2 * * *",        lord_howe, "2026-10-03 00:00:00", "2026-10-03 15:30:00"},
    {"0 0 * * *",         midnight,  "2026-09-05 12:00:00", "2026-09-06 04:00:00"},
    {"0 0 6 9 *",         midnight,  "2026-09-05 12:00:00", "2026-09-06 04:00:00"},
    {"0 0 * * *",         midnight,  "2026-09-06 04:00:00", "2026-09-07 03:00:00"},
 /* Before 1970 the calendar is the same. */
    {"0 0 29 2 *",        utc,       "1967-03-01 00:00:30", "1968-02-29 00:00:00"},
};

static void jobs_are_due_when_the_expression_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dues); i++) {
        const struct due *d = &dues[i];
        struct cron c;
        const char *why = "";
        int64_t next, expected = d->due != NULL ? at(d->due) : CRON_NEVER;

        if (!cron_parse(str_of(d->expression), &c, &why))
            fail_msg("\"%s\": %s", d->expression, why);
        next = cron_next(&c, at(d->after), d->offset, NULL);
        if (next != expected)
            fail_msg("\"%s\" after %s: %+lld s of %s", d->expression, d->after,
                     (long long)(next - expected), d->due != NULL ? d->due : "never");
    }
}

static void what_is_no_expression_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 0 *",
        "* * * 13 *",
        "* * * * 8",
        "-1 * * * *",
        "1- * * * *",
        "5-1 * * * *",
        "*/0 * * * *",
        "*/ * * * *",
        "*/60 * * * *",
        ", * * * *",
        "1, * * * *",
        "1,,2 * * * *",
        "a * * * *",
        "* * * foo *",
        "* * * janu *",
        "* * * * fri-mon",
        "@reboot",
        "@every",
        "@every 0s",
        "@every 25h",
        "@every 5",
        "@every 5d",
        "@every -1s",
        "@every 99999999999999999999s",
        "001 * * * *",
        "*5 * * * *",
        "1-2-3 * * * *",
        "@daily x",
        "+1 * * * *",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct cron c;
        const char *why = NULL;

        if (cron_parse(str_of(texts[i]), &c, &why))
            fail_msg("\"%s\" is accepted", texts[i]);
        assert_non_null(why);
    }
}

/* From wherever one looks, the next is the same: what is not due of itself is due behind a gap or
 * not at all. */
static void jumps_skip_nothing(void **state)
{
    static const char *const expressions[] = {"17 */7 * * *", "0 0 1,15 * tue", "59 23 28-31 * *",
                                              "*/7 1-3 * * sun"};
    struct cron c;
    const char *why;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expressions); i++) {
        int64_t t = at("2026-03-01 00:00:00"), due;

        assert_true(cron_parse(str_of(expressions[i]), &c, &why));
        due = cron_next(&c, t, berlin, NULL);
        for (; t < at("2026-11-10 00:00:00"); t += 61 * 60) {
            int64_t next = cron_next(&c, t, berlin, NULL);

            if (t >= due)
                due = next;
            assert_int_equal(next, due);
        }
    }
}

static void time_zones_are_the_systems(void **state)
{
    static const char *const none[] = {
        "", "Mars/Base", "../etc/passwd", "/etc/localtime", "CET;rm -r", "Europe/../../etc"};

    (void)state;
    assert_true(timezone_exists(STR("UTC")));
    for (size_t i = 0; i < COUNT_OF(none); i++)
        assert_false(timezone_exists(str_of(none[i])));
    timezone_set(STR("UTC"));
    assert_int_equal(timezone_offset(at("2026-07-01 00:00:00"), NULL), 0);
    if (!timezone_exists(STR("Europe/Berlin")))
        return;
    timezone_set(STR("Europe/Berlin"));
    for (int64_t t = at("2026-01-01 00:00:00"); t < at("2026-12-31 00:00:00"); t += 1800)
        assert_int_equal(timezone_offset(t, NULL), berlin(t, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_are_due_when_the_expression_says),
        cmocka_unit_test(what_is_no_expression_is_refused),
        cmocka_unit_test(jumps_skip_nothing),
        cmocka_unit_test(time_zones_are_the_systems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
