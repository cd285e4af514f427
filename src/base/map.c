/*
 * map.c - a table of entries in insertion order, with open addressing into it.
 *
 * Thread:   see map.h.
 * Memory:   the arena's; up to SMALL entries there are no slots and no hashes.
 */
#include "base/map.h"

#define SMALL ((size_t)8)

void map_init(struct map *m, struct arena *a)
{
    *m = (struct map){.arena = a};
}

static struct map_entry *find(const struct map *m, struct str key, uint64_t hash)
{
    if (m->slots == NULL) {
        for (size_t i = 0; i < m->n; i++)
            if (str_eq(m->entries[i].key, key))
                return &m->entries[i];
        return NULL;
    }
    for (size_t i = hash & (m->nslots - 1); m->slots[i] != 0; i = (i + 1) & (m->nslots - 1)) {
        struct map_entry *e = &m->entries[m->slots[i] - 1];

        if (e->hash == hash && str_eq(e->key, key))
            return e;
    }
    return NULL;
}

static void place(struct map *m, size_t entry)
{
    size_t i = m->entries[entry].hash & (m->nslots - 1);

    while (m->slots[i] != 0)
        i = (i + 1) & (m->nslots - 1);
    m->slots[i] = (uint32_t)entry + 1;
}

/* At most half of the slots are taken. */
static void rebuild(struct map *m)
{
    bool first = m->slots == NULL;

    m->nslots = first ? 4 * SMALL : m->nslots * 2;
    m->slots = ARENA_ARRAY(m->arena, m->nslots, uint32_t);
    for (size_t i = 0; i < m->n; i++) {
        if (first)
            m->entries[i].hash = str_hash(m->entries[i].key);
        place(m, i);
    }
}

static uint64_t hash_of(const struct map *m, struct str key)
{
    return m->slots != NULL ? str_hash(key) : 0;
}

void *map_get(const struct map *m, struct str key)
{
    const struct map_entry *e = find(m, key, hash_of(m, key));

    return e != NULL ? e->value : NULL;
}

static void append(struct map *m, struct str key, void *value, uint64_t hash)
{
    CHECK(value != NULL && m->n < UINT32_MAX);
    if (m->n == m->cap)
        m->entries = arena_grow(m->arena, m->entries, m->n, &m->cap, sizeof(*m->entries));
    m->entries[m->n++] = (struct map_entry){key, value, hash};
    if (m->slots == NULL ? m->n > SMALL : m->n > m->nslots / 2)
        rebuild(m);
    else if (m->slots != NULL)
        place(m, m->n - 1);
}

bool map_add(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(m, key);

    if (find(m, key, hash) != NULL)
        return false;
    append(m, key, value, hash);
    return true;
}

void map_put(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(m, key);
    struct map_entry *e = find(m, key, hash);

    CHECK(value != NULL);
    if (e != NULL)
        e->value = value;
    else
        append(m, key, value, hash);
}
