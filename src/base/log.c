/*
 * log.c - lines of JSON, logfmt or text.
 *
 * Thread:   any; the format is set before threads start, the level is atomic.
 * Memory:   a line is put together on the stack.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/log.h"

#define MAX_LINE ((size_t)8192)
/* Kept free for what closes a cut line: a quote, the mark, a brace and the newline. */
#define RESERVE ((size_t)32)

struct line {
    char data[MAX_LINE];
    size_t len;
    bool cut;
};

/* Relaxed: a level seen a moment late does no harm. */
static _Atomic int log_level = LOG_INFO;
static enum log_format log_format = LOG_FORMAT_TEXT;
static int log_fd = STDERR_FILENO;
static bool log_priorities;

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

/* syslog(3) */
static const char *const priorities[] = {
    [LOG_DEBUG] = "<7>",
    [LOG_INFO] = "<6>",
    [LOG_WARN] = "<4>",
    [LOG_ERROR] = "<3>",
};

/* All or nothing; nothing once the line is cut. */
static void put(struct line *l, const char *data, size_t len)
{
    if (l->cut || len > MAX_LINE - RESERVE - l->len) {
        l->cut = true;
        return;
    }
    memcpy(l->data + l->len, data, len);
    l->len += len;
}

static void put_cstr(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

static void put_printf(struct line *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void put_printf(struct line *l, const char *fmt, ...)
{
    char text[96];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < sizeof(text));
    put(l, text, (size_t)n);
}

/* Into the reserve: closes what was opened even if the line was cut. */
static void close_with(struct line *l, const char *s)
{
    size_t len = strlen(s);

    CHECK(len <= MAX_LINE - l->len);
    memcpy(l->data + l->len, s, len);
    l->len += len;
}

/*
 * The content of a quoted value, one form for all formats (JSON's escapes).
 * Controls never reach the terminal, C1 controls and DEL included; bytes that
 * are no UTF-8 are written as the code points of their values.
 */
static void put_escaped(struct line *l, struct str s)
{
    bool utf8 = str_is_utf8(s);

    for (size_t i = 0; i < s.len && !l->cut; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (c == '"' || c == '\\') {
            put(l, (const char[]){'\\', (char)c}, 2);
        } else if (c == '\n') {
            put(l, "\\n", 2);
        } else if (c == '\t') {
            put(l, "\\t", 2);
        } else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8)) {
            put_printf(l, "\\u%04x", c);
        } else if (c < 0x80) {
            put(l, s.data + i, 1);
        } else if (c == 0xc2 && (unsigned char)s.data[i + 1] < 0xa0) {
            put_printf(l, "\\u%04x", (unsigned char)s.data[++i]);
        } else {
            size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

            put(l, s.data + i, n);
            i += n - 1;
        }
    }
}

static void put_quoted(struct line *l, struct str s)
{
    put(l, "\"", 1);
    if (l->cut)
        return;
    put_escaped(l, s);
    close_with(l, "\"");
}

/* logfmt: quotes only where they are needed. */
static void put_bare(struct line *l, struct str s)
{
    bool bare = s.len > 0;

    for (size_t i = 0; i < s.len && bare; i++)
        bare = s.data[i] > ' ' && s.data[i] < 0x7f && s.data[i] != '"' && s.data[i] != '=' &&
               s.data[i] != '\\';
    if (bare)
        put(l, s.data, s.len);
    else
        put_quoted(l, s);
    /* A long bare word does not fit: show what of it does. */
    if (bare && l->cut && l->len < MAX_LINE - RESERVE) {
        size_t n = size_min(s.len, MAX_LINE - RESERVE - l->len);

        memcpy(l->data + l->len, s.data, n);
        l->len += n;
    }
}

static void put_value(struct line *l, const struct log_field *f)
{
    int64_t micros;

    switch (f->kind) {
    case LOG_FIELD_STR:
        if (log_format == LOG_FORMAT_JSON)
            put_quoted(l, f->text);
        else
            put_bare(l, f->text);
        break;
    case LOG_FIELD_INT:
        put_printf(l, "%lld", (long long)f->number);
        break;
    case LOG_FIELD_MS:
        micros = f->number / 1000;
        put_printf(l, "%s%lld.%03lld", micros < 0 ? "-" : "", (long long)llabs(micros / 1000),
                   (long long)llabs(micros % 1000));
        break;
    case LOG_FIELD_BOOL:
        put_cstr(l, f->number != 0 ? "true" : "false");
        break;
    }
}

static void put_field(struct line *l, const struct log_field *f)
{
    size_t start = l->len;

    if (l->cut)
        return;
    if (log_format == LOG_FORMAT_JSON) {
        put(l, ",\"", 2);
        put_cstr(l, f->key);
        put(l, "\":", 2);
    } else {
        put(l, " ", 1);
        put_cstr(l, f->key);
        put(l, "=", 1);
    }
    /* A key without room for its value is left out; a text needs at least its quotes. */
    if (!l->cut && MAX_LINE - RESERVE - l->len < 24)
        l->cut = true;
    if (l->cut)
        l->len = start;
    else
        put_value(l, f);
}

static void put_time(struct line *l)
{
    int64_t us = wall_clock_us();
    time_t seconds = (time_t)(us / 1000000);
    struct tm t;

    gmtime_r(&seconds, &t);
    put_printf(l, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
               t.tm_hour, t.tm_min, t.tm_sec, (int)(us / 1000 % 1000));
}

void log_setup(enum log_level level, enum log_format format, int fd)
{
    log_set_level(level);
    log_format = format;
    log_fd = fd;
    log_priorities = false;
}

void log_setup_journal(const char *stream)
{
    char own[64];
    struct stat st;

    /* The variable is inherited by programs whose output goes elsewhere, too. */
    if (stream == NULL || fstat(log_fd, &st) != 0)
        return;
    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    log_priorities = strcmp(own, stream) == 0;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&log_level, memory_order_relaxed);
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

static void put_head(struct line *l, enum log_level level, const char *msg)
{
    switch (log_format) {
    case LOG_FORMAT_JSON:
        put_cstr(l, "{\"ts\":\"");
        put_time(l);
        put_printf(l, "\",\"level\":\"%s\",\"msg\":", level_names[level]);
        put_quoted(l, str_of(msg));
        break;
    case LOG_FORMAT_LOGFMT:
        put_cstr(l, "ts=");
        put_time(l);
        put_printf(l, " level=%s msg=", level_names[level]);
        put_bare(l, str_of(msg));
        break;
    case LOG_FORMAT_TEXT:
        put_time(l);
        put_printf(l, " %-5s ", level_names[level]);
        put_escaped(l, str_of(msg));
        break;
    }
}

void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n)
{
    struct line l;
    ssize_t written;

    l.len = 0;
    l.cut = false;
    if (log_priorities)
        put_cstr(&l, priorities[level]);
    put_head(&l, level, msg);
    for (size_t i = 0; i < n; i++)
        put_field(&l, &fields[i]);
    if (l.cut)
        close_with(&l, log_format == LOG_FORMAT_JSON ? ",\"cut\":true" : " cut=true");
    close_with(&l, log_format == LOG_FORMAT_JSON ? "}\n" : "\n");
    /* A log that cannot be written is not worth stopping for. */
    written = write(log_fd, l.data, l.len);
    (void)written;
}
