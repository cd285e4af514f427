/*
 * reading.c - where an operation runs: on the primary, or a query on a replica.
 *
 * Thread:   a worker's.
 */
#include "execution/reading.h"

#include "execution/execute.h"
#include "metrics/metrics.h"

/* Whoever has changed something waits for it no longer. */
#define POSITION_TIMEOUT_MS 1000

/* Whose changes are seen by whom: those without a token are one. */
static uint64_t who(const struct execution *x)
{
    const struct str parts[] = {x->identity->tenant, x->identity->subject};

    return str_hash(parts[0]) * 31 + str_hash(parts[1]);
}

/* An answer that is to be kept must be what the primary has: a replica may not know of the change
 * that has just ended the one before. */
static bool may_be_elsewhere(const struct execution *x)
{
    return x->reading.readers != NULL && x->operation->kind == AST_QUERY && !x->ahead &&
           !x->reading.stays;
}

static struct pgclient *primary(struct execution *x, enum metric why)
{
    metric_add(why, 1);
    return x->pg;
}

struct pgclient *reading_client(struct execution *x)
{
    struct reading *r = &x->reading;

    r->replica = NULL;
    r->from_replica = false;
    if (!may_be_elsewhere(x))
        return x->pg;
    if (result_is_kept(x))
        return primary(x, METRIC_DB_READS_CACHED);
    switch (pgreaders_pick(r->readers, who(x), r->after, &r->replica)) {
    case PGREADERS_FOUND:
        r->from_replica = true;
        metric_add(METRIC_DB_READS_REPLICA, 1);
        return r->replica;
    case PGREADERS_TOO_OLD:
        return primary(x, METRIC_DB_READS_TOO_OLD);
    case PGREADERS_NONE:
        break;
    }
    if (pgreplicas_falls_back(x->engine->replicas))
        return primary(x, METRIC_DB_READS_NO_REPLICA);
    errors_add(&x->errors, SERVICE_UNAVAILABLE, "no replica of the database can be used");
    return NULL;
}

struct pgclient *reading_current(const struct execution *x)
{
    return x->reading.replica != NULL ? x->reading.replica : x->pg;
}

static bool go_to_primary(struct execution *x)
{
    if (!pgreplicas_falls_back(x->engine->replicas) || x->abandoned || deadline_passed(x->until))
        return false;
    metric_add(METRIC_DB_READS_REPLICA_FAILED, 1);
    x->reading.stays = true;
    return true;
}

bool reading_ended(struct execution *x)
{
    struct pgclient *replica = x->reading.replica;

    x->reading.replica = NULL;
    if (replica == NULL || x->batch.outcome == PGBATCH_OK || x->batch.outcome == PGBATCH_CANCELLED)
        return false;
    if (x->batch.outcome == PGBATCH_UNAVAILABLE || x->batch.outcome == PGBATCH_LOST)
        pgreaders_failed(x->reading.readers, replica);
    return go_to_primary(x);
}

bool reading_doubts(struct execution *x)
{
    return x->reading.from_replica && go_to_primary(x);
}

/* --- changes -------------------------------------------------------------------------------------
 */

static void on_position(struct pgbatch *b, void *ctx)
{
    struct execution *x = ctx;
    struct pgvalue v;
    uint64_t lsn = 0;

    x->in_flight = false;
    if (b->outcome == PGBATCH_OK && pgrows_count(b->calls[0].rows) == 1) {
        pgrows_row(b->calls[0].rows, 0, &v);
        for (int i = 0; v.len == 8 && i < 8; i++)
            lsn = lsn << 8 | (unsigned char)v.data[i];
        if (v.len == 8)
            pgposition_write(lsn, x->reading.position);
    }
    x->reading.then(x);
}

/* After the commit: only then is it known where it ends. */
bool reading_changed(struct execution *x, void (*then)(struct execution *x))
{
    struct reading *r = &x->reading;

    if (x->engine->replicas == NULL || x->operation->kind != AST_MUTATION)
        return false;
    pgreplicas_wrote(x->engine->replicas, who(x));
    if (r->readers == NULL || x->abandoned || x->batch.outcome != PGBATCH_OK)
        return false;
    r->then = then;
    r->session =
        (struct pgsession){.role = "", .timeout_ms = POSITION_TIMEOUT_MS, .read_only = true};
    pgstatement_init(&r->statement, STR("select pg_catalog.pg_current_wal_insert_lsn()"), 0);
    r->call = (struct pgcall){.statement = &r->statement};
    pgbatch_init(&x->batch, &r->session, &r->call, 1, x->arena);
    x->batch.until = x->until;
    x->batch.repeatable = true;
    x->batch.lane = PGLANE_FAST;
    x->in_flight = true;
    pgclient_submit(x->pg, &x->batch, on_position, x);
    return true;
}
