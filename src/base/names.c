/*
 * names.c - open addressing into an array of items that begin with their names.
 *
 * Thread:   see names.h.
 * Memory:   the arena's; up to SMALL items are looked through.
 */
#include "base/names.h"

#define SMALL ((size_t)8)

static struct str name_at(const struct names *x, size_t i)
{
    const struct str *name = (const void *)(x->items + i * x->size);

    return *name;
}

/* Where a name is, or would be. */
static size_t slot_of(const struct names *x, struct str name)
{
    size_t i = str_hash(name) & (x->nslots - 1);

    while (x->slots[i] != 0 && !str_eq(name_at(x, x->slots[i] - 1), name))
        i = (i + 1) & (x->nslots - 1);
    return i;
}

void names_init(struct names *x, const void *items, size_t n, size_t size, struct arena *a)
{
    size_t nslots = 2 * SMALL;
    uint32_t *slots;

    CHECK(size >= sizeof(struct str) && n < UINT32_MAX / 4);
    *x = (struct names){.items = items, .n = n, .size = size};
    if (n <= SMALL)
        return;
    while (nslots < n + n / 2)
        nslots *= 2;
    slots = ARENA_ARRAY(a, nslots, uint32_t);
    x->slots = slots;
    x->nslots = nslots;
    for (size_t i = 0; i < n; i++) {
        size_t at = slot_of(x, name_at(x, i));

        if (slots[at] == 0)
            slots[at] = (uint32_t)i + 1;
    }
}

const void *names_get(const struct names *x, struct str name)
{
    if (x->slots != NULL) {
        size_t at = slot_of(x, name);

        return x->slots[at] != 0 ? x->items + (x->slots[at] - 1) * x->size : NULL;
    }
    for (size_t i = 0; i < x->n; i++)
        if (str_eq(name_at(x, i), name))
            return x->items + i * x->size;
    return NULL;
}
