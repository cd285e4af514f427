/*
 * errand.h - a statement of the daemon's own that no request waits for.
 *
 * Thread:   a worker's.
 * Memory:   an errand has an arena of its own, and ends after its `done`.
 */
#ifndef EXECUTION_ERRAND_H
#define EXECUTION_ERRAND_H

#include "pg/pgpool.h"

struct errand {
    struct arena *arena; /* owned: this, the parameters, what comes back */
    const char **params; /* for the caller to fill */
    void (*done)(struct errand *e);
    void *ctx;
    struct pgbatch batch; /* how it went, in `done` */
    struct pgsession session;
    /* private */
    struct pgcall call;
};

/* The statement must outlive it. As the login role, unless its session is made another before it
 * runs. timeout_ms: it may take, waiting included. */
struct errand *errand_new(const struct pgstatement *statement, uint32_t timeout_ms);
/* Its row's or rows' place, in `done`; NULL: there are none. */
static inline const struct pgrows *errand_rows(const struct errand *e)
{
    return e->batch.outcome == PGBATCH_OK ? e->call.rows : NULL;
}
void errand_run(struct errand *e, struct pgclient *pg);

#endif
