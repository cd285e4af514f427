/*
 * pgwait.h - waiting batches, the tenants taking turns.
 *
 * Thread:   one client's.
 * Memory:   made by pgwait_init(), freed by pgwait_fini(); batches are borrowed.
 * Not here: when one may go (pgclient.c).
 */
#ifndef PG_PGWAIT_H
#define PG_PGWAIT_H

#include "pg/pgbatch.h"

#define PGWAIT_BUCKETS 256

struct pgtenant;

struct pgwait {
    size_t n;   /* batches waiting */
    size_t cap; /* most batches of one tenant running at a time; tenant 0 is free of it */
    struct pgtenant *turn; /* ring of the tenants with batches waiting; whose turn it is */
    struct pgtenant *spare;
    struct pgtenant *buckets[PGWAIT_BUCKETS];
};

void pgwait_init(struct pgwait *w, size_t cap);
/* Nothing may wait or run. */
void pgwait_fini(struct pgwait *w);
/* Behind its tenant's others, or before them. */
void pgwait_push(struct pgwait *w, struct pgbatch *b, bool front);
/* Whom pgwait_pop() would give, or NULL. */
struct pgbatch *pgwait_peek(struct pgwait *w);
/* The oldest of the next tenant that may run one more; it counts as running until pgwait_end(). */
struct pgbatch *pgwait_pop(struct pgwait *w);
void pgwait_end(struct pgwait *w, const struct pgbatch *b);
void pgwait_remove(struct pgwait *w, struct pgbatch *b);
/* How many of a tenant's wait? */
size_t pgwait_count(struct pgwait *w, uint64_t tenant);
/* Every batch that waits; fn may remove that one. */
void pgwait_each(struct pgwait *w, void (*fn)(struct pgbatch *b, void *ctx), void *ctx);

#endif
