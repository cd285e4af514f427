/*
 * arena.c - blocks of growing size, the first of them behind the arena itself.
 *
 * Thread:   see arena.h.
 * Memory:   one heap block to begin with; further ones double up to 1 MiB; what
 *           is larger than a quarter of the next block gets a block of its own.
 *
 * Under the address sanitizer the free part of every block is poisoned, so
 * that reading or writing behind an allocation is seen.
 */
#include <stdalign.h>
#include <stdarg.h>

#include "base/arena.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#define ALIGNMENT   alignof(max_align_t)
#define FIRST_SIZE  ((size_t)16 * 1024)
#define LARGEST     ((size_t)1024 * 1024)
#define MAX_REQUEST (SIZE_MAX / 4)

struct block {
    struct block *next;
    size_t size; /* of data */
    alignas(max_align_t) char data[];
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    char *at; /* next free byte of the current block, always aligned */
    char *end;
    struct block *blocks; /* owned: all but the first, newest first */
    struct cleanup *cleanups;
    size_t used;
    size_t soft_limit;
    size_t next_size;
    alignas(max_align_t) char first[];
};

#define FIRST_ROOM (FIRST_SIZE - sizeof(struct arena))

static size_t aligned(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static void start_over(struct arena *a)
{
    a->at = a->first;
    a->end = a->first + FIRST_ROOM;
    a->blocks = NULL;
    a->cleanups = NULL;
    a->used = 0;
    a->next_size = 2 * FIRST_SIZE;
    POISON(a->first, FIRST_ROOM);
}

static struct block *add_block(struct arena *a, size_t size)
{
    struct block *b = xmalloc(sizeof(*b) + size);

    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

static void release(struct arena *a)
{
    struct block *b, *next;

    /* A cleanup may register another, but not allocate what outlives it. */
    while (a->cleanups != NULL) {
        struct cleanup *c = a->cleanups;

        a->cleanups = c->next;
        c->fn(c->arg);
    }
    for (b = a->blocks; b != NULL; b = next) {
        next = b->next;
        UNPOISON(b->data, b->size);
        xfree(b);
    }
}

struct arena *arena_new(size_t soft_limit)
{
    struct arena *a = xmalloc(FIRST_SIZE);

    start_over(a);
    a->soft_limit = soft_limit;
    return a;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    release(a);
    UNPOISON(a->first, FIRST_ROOM);
    xfree(a);
}

void arena_reset(struct arena *a)
{
    release(a);
    start_over(a);
}

/* The current block is full. size is aligned. */
static __attribute__((noinline)) void *alloc_slow(struct arena *a, size_t size)
{
    struct block *b;
    char *p;

    if (size > a->next_size / 4)
        return add_block(a, size)->data;
    b = add_block(a, a->next_size - sizeof(*b));
    a->next_size = size_min(a->next_size * 2, LARGEST);
    POISON(b->data, b->size);
    p = b->data;
    /* Keep the size a multiple of the alignment, so that the end is aligned as well. */
    a->end = p + (b->size & ~(ALIGNMENT - 1));
    a->at = p + size;
    return p;
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
    size_t room;
    char *p;

    CHECK(size <= MAX_REQUEST);
    a->used += size;
    room = aligned(size > 0 ? size : 1);
    if (__builtin_expect((size_t)(a->end - a->at) < room, 0)) {
        p = alloc_slow(a, room);
    } else {
        p = a->at;
        a->at += room;
    }
    UNPOISON(p, size);
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_alloc_raw(a, size), 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t total;

    CHECK(size_mul(n, size, &total));
    return arena_alloc(a, total);
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *p = arena_alloc_raw(a, s.len + 1);

    if (s.len > 0)
        memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return str_make(p, s.len);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
    void *p = arena_alloc_raw(a, size);

    return size > 0 ? memcpy(p, data, size) : p;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list args)
{
    char small[256];
    va_list again;
    int len;
    char *p;

    va_copy(again, args);
    len = vsnprintf(small, sizeof(small), fmt, args);
    CHECK(len >= 0);
    p = arena_alloc_raw(a, (size_t)len + 1);
    if ((size_t)len < sizeof(small))
        memcpy(p, small, (size_t)len + 1);
    else
        vsnprintf(p, (size_t)len + 1, fmt, again);
    va_end(again);
    return str_make(p, (size_t)len);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    struct str s;
    va_list args;

    va_start(args, fmt);
    s = arena_vprintf(a, fmt, args);
    va_end(args);
    return s;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}

bool arena_over_limit(const struct arena *a)
{
    return a->soft_limit > 0 && a->used > a->soft_limit;
}

void arena_cleanup(struct arena *a, void (*fn)(void *), void *arg)
{
    struct cleanup *c = ARENA_NEW(a, struct cleanup);

    c->fn = fn;
    c->arg = arg;
    c->next = a->cleanups;
    a->cleanups = c;
}

void arena_undo(struct arena *a, void *p, size_t size)
{
    if (p == NULL || (char *)p + aligned(size) != a->at)
        return;
    a->at = p;
    a->used -= size;
    POISON(p, aligned(size));
}

void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t item_size)
{
    size_t wanted = *cap > 0 ? *cap * 2 : 8;
    size_t old = aligned(*cap * item_size), size;
    void *p;

    CHECK(size_mul(wanted, item_size, &size) && size <= MAX_REQUEST);
    /* The newest allocation of its block grows where it is. */
    if (*cap > 0 && (char *)items + old == a->at &&
        (size_t)(a->end - a->at) >= aligned(size) - old) {
        a->at += aligned(size) - old;
        a->used += size - *cap * item_size;
        UNPOISON(items, size);
        p = items;
    } else {
        p = arena_alloc_raw(a, size);
        if (n > 0)
            memcpy(p, items, n * item_size);
    }
    *cap = wanted;
    return p;
}
