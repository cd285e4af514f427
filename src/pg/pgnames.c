/*
 * pgnames.c - a hash table and a list by last use, both of slot numbers.
 *
 * Thread:   the connection's owner.
 * Memory:   one block.
 */
#include <inttypes.h>

#include "pg/pgnames.h"

#define NO_SLOT  UINT16_MAX
#define NBUCKETS 512u

struct pgnames {
    size_t n;
    uint32_t serial;
    uint32_t generation; /* part of the names; counts what went stale */
    uint16_t newest;
    uint16_t oldest;
    uint16_t buckets[NBUCKETS];
    struct pgslot slots[PGNAMES_MAX];
};

struct pgnames *pgnames_new(void)
{
    struct pgnames *p = xcalloc(1, sizeof(*p));

    memset(p->buckets, 0xff, sizeof(p->buckets));
    p->newest = p->oldest = NO_SLOT;
    return p;
}

void pgnames_free(struct pgnames *p)
{
    xfree(p);
}

static uint16_t *bucket_of(struct pgnames *p, const uint64_t hash[2], uint64_t role)
{
    return &p->buckets[(hash[0] ^ hash[1] ^ role) % NBUCKETS];
}

uint16_t pgnames_index(const struct pgnames *p, const struct pgslot *s)
{
    return (uint16_t)(s - p->slots);
}

static void unlink_use(struct pgnames *p, struct pgslot *s)
{
    if (s->newer != NO_SLOT)
        p->slots[s->newer].older = s->older;
    else
        p->newest = s->older;
    if (s->older != NO_SLOT)
        p->slots[s->older].newer = s->newer;
    else
        p->oldest = s->newer;
}

static void link_newest(struct pgnames *p, struct pgslot *s)
{
    uint16_t i = pgnames_index(p, s);

    s->newer = NO_SLOT;
    s->older = p->newest;
    if (p->newest != NO_SLOT)
        p->slots[p->newest].newer = i;
    else
        p->oldest = i;
    p->newest = i;
}

struct pgslot *pgnames_find(struct pgnames *p, const uint64_t hash[2], uint64_t role)
{
    uint16_t i;

    for (i = *bucket_of(p, hash, role); i != NO_SLOT; i = p->slots[i].chain) {
        struct pgslot *s = &p->slots[i];

        if (s->hash[0] != hash[0] || s->hash[1] != hash[1] || s->role != role)
            continue;
        if (p->newest != i) {
            unlink_use(p, s);
            link_newest(p, s);
        }
        return s;
    }
    return NULL;
}

struct pgslot *pgnames_add(struct pgnames *p, const uint64_t hash[2], uint64_t role, const void *by)
{
    uint16_t *bucket = bucket_of(p, hash, role);
    struct pgslot *s = p->slots;

    if (p->n == PGNAMES_MAX)
        return NULL;
    /* Preparing costs the server far more than this walk. */
    while (s->used)
        s++;
    p->n++;
    *s = (struct pgslot){
        .hash = {hash[0], hash[1]},
          .role = role, .by = by, .used = true
    };
    s->serial = ++p->serial;
    snprintf(s->name, sizeof(s->name), "fq_%016" PRIx64 "%016" PRIx64 "_%" PRIx64, hash[0], hash[1],
             role);
    if (p->generation > 0)
        snprintf(s->name + strlen(s->name), sizeof(s->name) - strlen(s->name), "_%" PRIu32,
                 p->generation);
    s->chain = *bucket;
    *bucket = pgnames_index(p, s);
    link_newest(p, s);
    return s;
}

void pgnames_remove(struct pgnames *p, struct pgslot *s, bool stale)
{
    uint16_t i = pgnames_index(p, s);
    uint16_t *at = bucket_of(p, s->hash, s->role);

    CHECK(s->used);
    while (*at != i)
        at = &p->slots[*at].chain;
    *at = s->chain;
    unlink_use(p, s);
    s->used = false;
    p->n--;
    if (stale)
        p->generation++;
}

struct pgslot *pgnames_at(struct pgnames *p, uint16_t index, uint32_t serial)
{
    struct pgslot *s = &p->slots[index];

    return s->used && s->serial == serial ? s : NULL;
}

struct pgslot *pgnames_oldest(struct pgnames *p)
{
    uint16_t i;

    for (i = p->oldest; i != NO_SLOT; i = p->slots[i].newer)
        if (p->slots[i].ready)
            return &p->slots[i];
    return NULL;
}

size_t pgnames_count(const struct pgnames *p)
{
    return p->n;
}
