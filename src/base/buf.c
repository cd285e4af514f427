/*
 * buf.c - growth, numbers and formatted text.
 *
 * Thread:   one at a time.
 * Memory:   doubles from 256 bytes, never past the maximum (but for the NUL of buf_cstr()
 *           and what buf_room() is asked for).
 */
#include <stdarg.h>

#include "base/buf.h"
#include "base/digits.h"

#define SMALLEST ((size_t)256)

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max > 0 ? max : SIZE_MAX / 2};
}

void buf_fini(struct buf *b)
{
    xfree(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

void buf_wipe(struct buf *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->len);
    buf_clear(b);
}

struct buf buf_move(struct buf *from)
{
    struct buf to = *from;

    *from = (struct buf){.max = to.max};
    return to;
}

/* A buf of zero bytes, {0}, is one without limit as well. */
static size_t limit_of(const struct buf *b)
{
    return b->max > 0 ? b->max : SIZE_MAX / 2;
}

static void grow_to(struct buf *b, size_t wanted, size_t max)
{
    size_t cap = size_max(size_max(b->cap * 2, wanted), SMALLEST);

    if (b->data != NULL && wanted <= b->cap)
        return;
    if (cap > max)
        cap = size_max(max, wanted);
    b->data = xrealloc(b->data, cap);
    /* Room past the maximum is nobody's but who asks for it. */
    b->cap = size_min(cap, max);
}

bool buf_grow(struct buf *b, size_t n)
{
    size_t max = limit_of(b);

    if (b->failed || b->len > max || n > max - b->len) {
        b->failed = true;
        return false;
    }
    grow_to(b, b->len + n, max);
    return true;
}

bool buf_grow_room(struct buf *b, size_t n)
{
    size_t max = limit_of(b);

    if (b->failed || b->len > max) {
        b->failed = true;
        return false;
    }
    CHECK(n <= SIZE_MAX / 2);
    grow_to(b, b->len + n, max);
    return true;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    char small[256];
    char *to;
    int len;

    va_start(args, fmt);
    len = vsnprintf(small, sizeof(small), fmt, args);
    va_end(args);
    CHECK(len >= 0);
    if ((size_t)len < sizeof(small)) {
        buf_append(b, small, (size_t)len);
        return;
    }
    if (buf_reserve(b, (size_t)len) == NULL)
        return;
    /* One more for the NUL, which vsnprintf insists on; not counted, as in buf_cstr(). */
    if (b->cap - b->len == (size_t)len)
        b->data = xrealloc(b->data, b->cap + 1);
    to = b->data + b->len;
    va_start(args, fmt);
    vsnprintf(to, (size_t)len + 1, fmt, args);
    va_end(args);
    b->len += (size_t)len;
}

void buf_append_u64(struct buf *b, uint64_t v)
{
    unsigned n = digits_count(v);
    char *to = buf_reserve(b, n);

    if (to == NULL)
        return;
    digits_put(to, v, n);
    b->len += n;
}

void buf_append_i64(struct buf *b, int64_t v)
{
    if (v >= 0) {
        buf_append_u64(b, (uint64_t)v);
        return;
    }
    buf_append_char(b, '-');
    buf_append_u64(b, 0 - (uint64_t)v);
}

const char *buf_cstr(struct buf *b)
{
    if (b->failed || b->len == 0)
        return "";
    /* One more for the NUL, not counted: it must not make room for text past the maximum. */
    if (b->len == b->cap)
        b->data = xrealloc(b->data, b->cap + 1);
    b->data[b->len] = '\0';
    return b->data;
}
