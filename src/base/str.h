/*
 * str.h - (pointer, length) slices of bytes owned by somebody else.
 *
 * Thread:   any; values.
 * Memory:   a slice borrows; copy it with arena_dup() to keep it.
 * Not here: growable text (buf.h).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/base.h"

struct str {
    const char *data; /* not NUL-terminated; may be NULL when len is 0 */
    size_t len;
};

/* A slice of a string literal; usable in static initialisers through STR_INIT. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal)               \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }
/* Arguments for "%.*s". */
#define STR_ARG(s) (int)(s).len, (s).data ? (s).data : ""

static inline struct str str_of(const char *cstr) /* NULL gives the empty slice */
{
    return (struct str){cstr, cstr ? strlen(cstr) : 0};
}

static inline struct str str_make(const char *data, size_t len)
{
    return (struct str){data, len};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool str_is(struct str a, const char *cstr)
{
    return str_eq(a, str_of(cstr));
}

bool str_is_among(struct str s, const struct str *list, size_t n);
/* ASCII only. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Byte order, shorter first when one is a prefix of the other. */
int str_cmp(struct str a, struct str b);
/* Shorter first, then byte order: the order of keys in PostgreSQL's jsonb. */
int str_cmp_length(struct str a, struct str b);
/* From offset on, at most len bytes; clamps to the slice. */
struct str str_sub(struct str s, size_t offset, size_t len);
/* Index of a byte, or s.len. */
size_t str_find(struct str s, char c);
/* Without leading and trailing spaces, tabs, CR and LF. */
struct str str_trim(struct str s);
/* Cut s at the first c: *head is what is before it, *tail what is after; false (tail empty) if
 * absent. */
bool str_cut(struct str s, char c, struct str *head, struct str *tail);
/* Whole slice as a decimal integer; false on anything else or overflow. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u64(struct str s, uint64_t *out);
/* Shell-style match with '*' and '?' only. */
bool str_glob(struct str pattern, struct str s);
/* 0 to 15, or -1 for a byte that is no hexadecimal digit. */
int str_hex_value(char c);
/* Is it well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms)? */
bool str_is_utf8(struct str s);
/* Number of single-character edits from a to b, stopping at limit + 1. For "did you mean". */
size_t str_distance(struct str a, struct str b, size_t limit);
/* Keyed by a random seed of the process: for tables in memory only. */
uint64_t str_hash(struct str s);

#endif
