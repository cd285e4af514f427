/*
 * options.h - the table of options: what a key means, in one row.
 *
 * Thread:   any; constant.
 * Not here: where values come from (config.c), what they mean to a module.
 *
 * A key is a dotted path. In patterns "*" stands for a name chosen by the user,
 * "[]" for the index of a list: "auth.claims.*.path", "auth.jwt.keys[].kid".
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/config.h"

/* RFC 7518 section 3.1, RFC 8037 */
#define CONFIG_JWT_ALGORITHMS \
    "HS256|HS384|HS512|RS256|RS384|RS512|PS256|PS384|PS512|ES256|ES384|ES512|EdDSA"

enum option_type {
    OPTION_STRING,    /* struct str */
    OPTION_STRINGS,   /* struct config_strings */
    OPTION_BOOL,      /* bool */
    OPTION_COUNT,     /* size_t */
    OPTION_BYTES,     /* size_t */
    OPTION_RATIO,     /* double, 0 to 1 */
    OPTION_DURATION,  /* uint64_t, milliseconds */
    OPTION_DURATIONS, /* two of them, ascending */
    OPTION_CHOICE,    /* an enum: the index in `choices` */
    OPTION_FLAG,      /* bool: the index in `choices` */
    OPTION_KEYWORD,   /* added to database_keywords under the name in `choices` */
    OPTION_PART,      /* of a pattern: put together by sections.c */
    OPTION_VERSION,   /* checked, not stored */
};

struct config_option {
    const char *key;
    enum option_type type;
    size_t offset;        /* in struct config */
    const char *fallback; /* default, as in the file; lists separated by ", "; NULL: not set */
    uint64_t min, max;    /* of numbers, in the unit stored; max 0: none */
    const char *choices;  /* "none|optional|required" */
    const char *sample;   /* shown in the sample, as a comment, where there is no default */
    bool secret;          /* never shown; key_file gives the name of a file that holds it */
    bool list;            /* OPTION_PART: a list of texts */
    bool live;            /* takes effect at a reload; else at a restart */
    const char *help;     /* sentences; '\n' between lines of the sample */
};

extern const struct config_option options_table[];
extern const size_t options_count;

/* By concrete key: "auth.claims.sub.path" finds the row of its pattern. NULL: none. */
const struct config_option *option_find(struct str key);
/* Is there an option below this key? */
bool option_is_section(struct str key);
/* The nearest key to an unknown one, in its own section first; empty if none is near. */
struct str option_suggest(struct str key);
/* "a size such as 64KiB, 1B to 16MiB": type and range in words. */
void option_describe(const struct config_option *o, struct buf *out);
/* Only "1B to 16MiB", or the choices. */
void option_range(const struct config_option *o, struct buf *out);

/*
 * Read a value and store it in c; false with the reason, "must be …", in why.
 * Keywords and parts are only checked.
 */
bool option_store(const struct config_option *o, const struct str *items, size_t n,
                  struct config *c, struct str *why);
/* "90s", "12h": milliseconds. */
bool option_duration(struct str text, uint64_t *ms);
/* The index of a word in "a|b|c". */
bool option_choice(const char *choices, struct str text, unsigned *out);

#endif
