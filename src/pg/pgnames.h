/*
 * pgnames.h - which statements one connection has prepared, and under which names.
 *
 * Thread:   the connection's owner.
 * Memory:   fixed: the least recently used statement gives way.
 * Not here: talking to the server (pgconn.c).
 *
 * A name is made of the text's digest and the role, so it means the same on
 * every server connection a pooler may hand us: executing under a name can
 * never run another text.
 */
#ifndef PG_PGNAMES_H
#define PG_PGNAMES_H

#include "base/base.h"

#define PGNAMES_MAX 256

struct pgnames;

struct pgslot {
    uint64_t hash[2];
    uint64_t role;
    const void *by;  /* the batch that prepares it, while not ready */
    uint32_t serial; /* tells this use of the slot from later ones */
    bool ready;      /* the server confirmed it */
    bool used;
    uint16_t chain; /* next in the bucket, or NO_SLOT */
    uint16_t newer;
    uint16_t older;
    char name[64];
};

struct pgnames *pgnames_new(void);
void pgnames_free(struct pgnames *p);
/* NULL if it is not there. Counts as a use. */
struct pgslot *pgnames_find(struct pgnames *p, const uint64_t hash[2], uint64_t role);
/* Not ready yet. NULL when full. */
struct pgslot *pgnames_add(struct pgnames *p, const uint64_t hash[2], uint64_t role,
                           const void *by);
/* After it the name is never given again when `stale`. */
void pgnames_remove(struct pgnames *p, struct pgslot *s, bool stale);
/* The slot of an earlier pgnames_add(), or NULL if it was removed since. */
struct pgslot *pgnames_at(struct pgnames *p, uint16_t index, uint32_t serial);
uint16_t pgnames_index(const struct pgnames *p, const struct pgslot *s);
/* The ready one that was not used for longest, or NULL. */
struct pgslot *pgnames_oldest(struct pgnames *p);
size_t pgnames_count(const struct pgnames *p);

#endif
