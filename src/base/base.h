/*
 * base.h - the macro vocabulary, checked arithmetic and process allocation.
 *
 * Thread:   any; no state.
 * Memory:   xmalloc and its kin are for objects that live as long as the
 *           process or that are shared by reference count; requests use an arena.
 * Not here: strings (str.h), request memory (arena.h).
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NODISCARD                       __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args)          __attribute__((format(printf, fmt, args)))
#define NORETURN                        __attribute__((noreturn))
#define COUNT_OF(array)                 (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A programming assumption: aborts with file and line when false, in release builds too. */
#define CHECK(cond)                                  \
    do {                                             \
        if (__builtin_expect(!(cond), 0))            \
            check_failed(#cond, __FILE__, __LINE__); \
    } while (0)

NORETURN void check_failed(const char *what, const char *file, int line);

/* Sums and products of sizes that come from outside; false on overflow. */
static inline NODISCARD bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline NODISCARD bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Once, before threads start: keep blocks of arenas from going back to the system after every
 * request. */
void xmalloc_setup(void);
/* Give freed memory back to the system: after something large and rare. */
void xmalloc_trim(void);
/* Never NULL: exhaustion aborts the process. xcalloc zeroes and checks the product. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);
void xfree(void *p); /* NULL is allowed */

#include "base/banned.h"

#endif
