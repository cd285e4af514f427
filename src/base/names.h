/*
 * names.h - finds the items of an array by their names.
 *
 * Thread:   built by one, then read by any.
 * Memory:   borrows the array, which must not change; its table is in the arena given.
 * Not here: adding items one by one (map.h).
 *
 * Of a few bytes for each item, where a map of the same would repeat its name.
 */
#ifndef BASE_NAMES_H
#define BASE_NAMES_H

#include "base/arena.h"
#include "base/str.h"

struct names {
    const char *items;
    const uint32_t *slots; /* position + 1 in items, 0 = free; NULL while there are few */
    uint32_t n;
    uint32_t nslots; /* power of two */
    uint32_t size;   /* of an item, which begins with its name: a struct str */
    bool pointers;   /* the items are pointers to what begins with its name */
};

/* Of items with one name the first will be found. */
void names_init(struct names *x, const void *items, size_t n, size_t size, struct arena *a);
/* The same of an array of pointers to items. */
void names_init_pointers(struct names *x, const void *items, size_t n, struct arena *a);
/* The item, or what it points to; or NULL. */
const void *names_get(const struct names *x, struct str name);

#endif
