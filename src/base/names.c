/*
 * names.c - open addressing into an array of items that begin with their names.
 *
 * Thread:   see names.h.
 * Memory:   the arena's; up to SMALL items are looked through.
 */
#include "base/names.h"

#define SMALL 8u

static const void *item_at(const struct names *x, size_t i)
{
    const void *item = x->items + i * x->size;

    return x->pointers ? *(const void *const *)item : item;
}

static struct str name_at(const struct names *x, size_t i)
{
    const struct str *name = item_at(x, i);

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

static void make_slots(struct names *x, struct arena *a)
{
    uint32_t nslots = 2 * SMALL;
    uint32_t *slots;

    if (x->n <= SMALL)
        return;
    while (nslots < x->n + x->n / 2)
        nslots *= 2;
    slots = ARENA_ARRAY(a, nslots, uint32_t);
    x->slots = slots;
    x->nslots = nslots;
    for (size_t i = 0; i < x->n; i++) {
        size_t at = slot_of(x, name_at(x, i));

        if (slots[at] == 0)
            slots[at] = (uint32_t)i + 1;
    }
}

void names_init(struct names *x, const void *items, size_t n, size_t size, struct arena *a)
{
    CHECK(size >= sizeof(struct str) && size < UINT32_MAX && n < UINT32_MAX / 4);
    *x = (struct names){.items = items, .n = (uint32_t)n, .size = (uint32_t)size};
    make_slots(x, a);
}

void names_init_pointers(struct names *x, const void *items, size_t n, struct arena *a)
{
    CHECK(n < UINT32_MAX / 4);
    *x = (struct names){.items = items, .n = (uint32_t)n, .size = sizeof(void *), .pointers = true};
    make_slots(x, a);
}

const void *names_get(const struct names *x, struct str name)
{
    if (x->slots != NULL) {
        size_t at = slot_of(x, name);

        return x->slots[at] != 0 ? item_at(x, x->slots[at] - 1) : NULL;
    }
    for (size_t i = 0; i < x->n; i++)
        if (str_eq(name_at(x, i), name))
            return item_at(x, i);
    return NULL;
}
