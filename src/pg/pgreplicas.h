/*
 * pgreplicas.h - standbys that answer queries: which of them are near enough to the primary, and
 * which have what a request must see.
 *
 * Thread:   any; each server is watched by a thread of its own, readers belong to a worker.
 * Memory:   lives as long as the process; owns a pool for each replica.
 * Not here: which operations may be answered by a replica (execution/reading.c).
 *
 * The primary is asked for its position in the WAL five times a second, and each replica for what
 * it has replayed. A replica that has replayed a position has every change that was committed
 * before the primary was asked for it: so times are compared that were all taken here, and no
 * server's clock matters. Whoever changed something goes to the primary until a replica has it.
 */
#ifndef PG_PGREPLICAS_H
#define PG_PGREPLICAS_H

#include "pg/pgpool.h"

#define PGREPLICAS_MAX 16

/* A position in the WAL as PostgreSQL writes it, "16/B374D848", and its end. */
#define PGPOSITION_TEXT 18

struct pgreplicas_options {
    const struct pgpool_options *pools; /* one for each replica */
    size_t n;                           /* at most PGREPLICAS_MAX */
    uint64_t max_lag_ms;                /* one that is further behind is not used */
    uint64_t sticky_ms; /* so long at least, who has changed something goes to the primary */
    bool least_busy; /* of several the one with the fewest batches of the worker; else in turns */
    bool falls_back; /* without any, or when one fails, to the primary */
};

struct pgreplicas;
struct pgreaders;

/* NULL if an option is malformed. Waits for no server. The primary's pool must outlive it. */
struct pgreplicas *pgreplicas_new(const struct pgreplicas_options *opt, struct pgpool *primary,
                                  struct errors *errs);
/* Readers must have been freed before. NULL is allowed. */
void pgreplicas_free(struct pgreplicas *r);
/* As pgpool_reconnect_by(), of all of them: as many as there were. */
NODISCARD bool pgreplicas_reconnect_by(struct pgreplicas *r, const struct pgpool_options *pools,
                                       struct errors *errs);
bool pgreplicas_falls_back(const struct pgreplicas *r);

struct pgreplicas_stats {
    size_t usable;
    size_t unusable;
    double lag_s; /* of the one furthest behind that can be reached */
};
void pgreplicas_stats(const struct pgreplicas *r, struct pgreplicas_stats *out);

/* `who`, a hash, has changed something, and it is committed. Any thread. */
void pgreplicas_wrote(struct pgreplicas *r, uint64_t who);

/* A worker's connections to replicas; made, used and freed on its thread. */
struct pgreaders *pgreaders_new(struct pgreplicas *r, struct loop *worker);
void pgreaders_free(struct pgreaders *r); /* nothing may be in flight; NULL is allowed */
size_t pgreaders_pending(const struct pgreaders *r);

enum pgreaders_verdict {
    PGREADERS_FOUND,
    PGREADERS_TOO_OLD, /* those there are have not yet what it must see */
    PGREADERS_NONE,    /* none can be reached, or all are too far behind */
};
/* One that has what `who` has changed, and the position. */
enum pgreaders_verdict pgreaders_pick(struct pgreaders *r, uint64_t who, uint64_t position,
                                      struct pgclient **out);
/* A batch of its did not reach the server: it is not used until the server has answered. */
void pgreaders_failed(struct pgreaders *r, const struct pgclient *c);

/* False: it is none. */
NODISCARD bool pgposition_parse(struct str text, uint64_t *out);
void pgposition_write(uint64_t position, char out[PGPOSITION_TEXT]);

#endif
