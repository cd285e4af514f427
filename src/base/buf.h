/*
 * buf.h - growable bytes with a maximum and sticky failure.
 *
 * Thread:   one at a time.
 * Memory:   the bytes are on the heap and owned by the buf until buf_fini();
 *           moving the struct moves the ownership (buf_move).
 * Not here: JSON escaping (jwriter.h).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"
#include "base/str.h"

struct buf {
    char *data; /* owned; NULL while empty */
    size_t len;
    size_t cap;
    size_t max;  /* bytes; an append that would pass it fails */
    bool failed; /* sticky: later appends do nothing */
};

/* max 0: no limit. */
void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);
/* Empty and not failed, keeping the memory. */
void buf_clear(struct buf *b);
void buf_wipe(struct buf *b); /* the same, of a secret: its bytes are overwritten */
/* Hand the bytes over: *from becomes empty. */
struct buf buf_move(struct buf *from);
/* Make room for n more; false (failed) when that passes the maximum. */
bool buf_grow(struct buf *b, size_t n);
/* The same, but what passes the maximum need not be used. */
bool buf_grow_room(struct buf *b, size_t n);

static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

static inline struct str buf_str(const struct buf *b)
{
    return str_make(b->data, b->len);
}

/* Room for n bytes at data + len, or NULL; add to len what was written. */
static inline char *buf_reserve(struct buf *b, size_t n)
{
    if (__builtin_expect(b->failed || b->cap - b->len < n, 0) && !buf_grow(b, n))
        return NULL;
    return b->data + b->len;
}

/*
 * Room for n bytes at data + len of which fewer may be used, as buf_used() tells then, or NULL.
 * Only what is used counts towards the maximum.
 */
static inline char *buf_room(struct buf *b, size_t n)
{
    if (__builtin_expect(b->failed || b->cap - b->len < n, 0) && !buf_grow_room(b, n))
        return NULL;
    return b->data + b->len;
}

static inline void buf_used(struct buf *b, size_t n)
{
    /* A maximum of 0 is none. */
    if (__builtin_expect(b->len + n > b->max && b->max > 0, 0))
        b->failed = true;
    else
        b->len += n;
}

static inline void buf_append(struct buf *b, const void *data, size_t len)
{
    char *to;

    if (len == 0 || (to = buf_reserve(b, len)) == NULL)
        return;
    memcpy(to, data, len);
    b->len += len;
}

static inline void buf_append_str(struct buf *b, struct str s)
{
    buf_append(b, s.data, s.len);
}

static inline void buf_append_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);

    if (to == NULL)
        return;
    *to = c;
    b->len++;
}

#define buf_append_lit(b, literal) buf_append((b), "" literal, sizeof(literal) - 1)

void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_append_u64(struct buf *b, uint64_t v);
void buf_append_i64(struct buf *b, int64_t v);
/* A NUL behind the bytes, not counted in len; returns data ("" when failed or empty). */
const char *buf_cstr(struct buf *b);

#endif
