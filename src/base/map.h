/*
 * map.h - insertion-ordered map from strings to pointers, in an arena.
 *
 * Thread:   built by one, then read by any.
 * Memory:   in the arena given to map_init(); keys are borrowed.
 * Not here: removal, eviction (the caches have their own tables).
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct map_entry {
    struct str key;
    void *value;
    uint64_t hash;
};

struct map {
    struct arena *arena;
    struct map_entry *entries; /* in insertion order */
    size_t n;
    size_t cap;
    uint32_t *slots; /* index + 1 into entries, 0 = free; NULL while small */
    size_t nslots;   /* power of two */
};

void map_init(struct map *m, struct arena *a);
/* NULL if absent. */
void *map_get(const struct map *m, struct str key);
/* False, changing nothing, if the key is there already. value must not be NULL. */
bool map_add(struct map *m, struct str key, void *value);
/* Add or replace. */
void map_put(struct map *m, struct str key, void *value);

#endif
