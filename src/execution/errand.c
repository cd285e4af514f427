/*
 * errand.c - a statement of the daemon's own that no request waits for.
 *
 * Thread:   a worker's.
 */
#include "execution/errand.h"

struct errand *errand_new(const struct pgstatement *statement, uint32_t timeout_ms)
{
    struct arena *a = arena_new(0);
    struct errand *e = ARENA_NEW(a, struct errand);

    e->arena = a;
    e->params = ARENA_ARRAY(a, size_max(statement->nparams, 1), const char *);
    e->session = (struct pgsession){.role = "", .timeout_ms = timeout_ms};
    e->call = (struct pgcall){.statement = statement, .params = e->params};
    return e;
}

static void on_batch(struct pgbatch *b, void *ctx)
{
    struct errand *e = ctx;

    (void)b;
    e->done(e);
    arena_free(e->arena);
}

void errand_run(struct errand *e, struct pgclient *pg)
{
    pgbatch_init(&e->batch, &e->session, &e->call, 1, e->arena);
    e->batch.until = deadline_in_ms(e->session.timeout_ms);
    e->batch.lane = PGLANE_FAST;
    pgclient_submit(pg, &e->batch, on_batch, e);
}
