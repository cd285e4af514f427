/*
 * arena.h - bump allocation: one owner, one lifetime.
 *
 * Thread:   one at a time; ownership is handed over with the object that owns it.
 * Memory:   everything allocated lives until arena_reset() or arena_free().
 * Not here: sharing between threads.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>

#include "base/base.h"
#include "base/str.h"

struct arena;

/* soft_limit in bytes: passed by allocation without failure, but arena_over_limit() tells. 0: none.
 */
struct arena *arena_new(size_t soft_limit);
/* Runs the cleanups, newest first, and frees everything. NULL is allowed. */
void arena_free(struct arena *a);
/* As if new, but keeps its first block for reuse. Runs the cleanups. */
void arena_reset(struct arena *a);

/* Zeroed, aligned for any type, never NULL. Size 0 gives a unique pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* Not zeroed, aligned for any type. */
void *arena_alloc_raw(struct arena *a, size_t size);
/* Zeroed array; aborts on overflow of n * size, which therefore must be bounded by the caller. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* A copy, NUL-terminated behind its length. */
struct str arena_dup(struct arena *a, struct str s);
void *arena_copy(struct arena *a, const void *data, size_t size);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str arena_vprintf(struct arena *a, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* Gives back what was allocated last, of the size it has now; of what was not the last, nothing. */
void arena_undo(struct arena *a, void *p, size_t size);
/* Bytes asked for so far. */
size_t arena_used(const struct arena *a);
bool arena_over_limit(const struct arena *a);
/* Call fn(arg) at reset or free: for foreign objects such as PGresult. */
void arena_cleanup(struct arena *a, void (*fn)(void *), void *arg);

/* Shorthands. */
#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, n, type) ((type *)arena_array((a), (n), sizeof(type)))

/*
 * Growable array in an arena. VEC_PUSH doubles the storage, leaving the old
 * copy to the arena: for arrays built once.
 *     struct { struct field *items; size_t n, cap; } v = {0};
 *     VEC_PUSH(arena, &v, value);
 */
#define VEC_PUSH(a, v, ...)                                                                   \
    do {                                                                                      \
        if ((v)->n == (v)->cap)                                                               \
            (v)->items = arena_grow((a), (v)->items, (v)->n, &(v)->cap, sizeof(*(v)->items)); \
        (v)->items[(v)->n++] = (__VA_ARGS__);                                                 \
    } while (0)

void *arena_grow(struct arena *a, void *items, size_t n, size_t *cap, size_t item_size);

#endif
