/*
 * log.h - one structured line per event, on standard error or a descriptor.
 *
 * Thread:   any; one write() per line, no lock.
 * Memory:   none kept; a line longer than 8 KiB is cut.
 * Not here: what is worth logging; secrets are the caller's duty to leave out.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/str.h"

enum log_level {
    LOG_DEBUG,
    LOG_INFO,
    LOG_WARN,
    LOG_ERROR,
};

enum log_format {
    LOG_FORMAT_JSON,
    LOG_FORMAT_LOGFMT,
    LOG_FORMAT_TEXT,
};

enum log_field_kind {
    LOG_FIELD_STR,
    LOG_FIELD_INT,
    LOG_FIELD_MS, /* nanoseconds, printed as milliseconds with three decimals */
    LOG_FIELD_BOOL,
};

struct log_field {
    const char *key;
    enum log_field_kind kind;
    struct str text;
    int64_t number;
};

#define LOG_STR(key, s)  ((struct log_field){(key), LOG_FIELD_STR, (s), 0})
#define LOG_CSTR(key, s) ((struct log_field){(key), LOG_FIELD_STR, str_of(s), 0})
#define LOG_INT(key, n)  ((struct log_field){(key), LOG_FIELD_INT, {0}, (int64_t)(n)})
#define LOG_NS(key, n)   ((struct log_field){(key), LOG_FIELD_MS, {0}, (int64_t)(n)})
#define LOG_BOOL(key, v) ((struct log_field){(key), LOG_FIELD_BOOL, {0}, (v) ? 1 : 0})

/* LOG(LOG_WARN, "could not connect to database", LOG_STR("host", host), LOG_INT("attempt", 3)); */
#define LOG(level, msg, ...)                                               \
    do {                                                                   \
        if (log_enabled(level)) {                                          \
            const struct log_field fields_[] = {{0}, ##__VA_ARGS__};       \
            log_write((level), (msg), fields_ + 1, COUNT_OF(fields_) - 1); \
        }                                                                  \
    } while (0)

/* Once, before threads start. */
void log_setup(enum log_level level, enum log_format format, int fd);
/* Then: if $JOURNAL_STREAM says that the descriptor is systemd's journal, lines begin with their
 * priority, which the journal takes off (sd-daemon(3)). NULL is allowed. */
void log_setup_journal(const char *stream);
/* Any time; the level is atomic. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
const char *log_level_name(enum log_level level);
/* Values are escaped: a line is one line whatever they hold. */
void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n);

#endif
