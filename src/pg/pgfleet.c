/*
 * pgfleet.c - the daemons of one database share what connections there are.
 *
 * Thread:   its own.
 * Memory:   owns a connection, which holds the lock.
 */
#include "pg/pgfleet.h"

#include "base/rounds.h"
#include "base/thread.h"
#include "pg/pgask.h"
#include "pg/pglease.h"

#define ROUND_MS 1000
/* Rounds in which as many were there before the share grows. */
#define STEADY_ROUNDS 2
/* How long the thread may take to end: it may be connecting. */
#define END_MS 1000

/* "fraiseqld" and "fleet", as far as they go into two integers. */
#define LOCK_CLASS "1718772081"
#define LOCK_ID    "1718379877"

static const char join_sql[] =
    "select pg_catalog.pg_try_advisory_lock_shared(" LOCK_CLASS ", " LOCK_ID "), "
    "pg_catalog.pg_backend_pid()";
static const char count_sql[] =
    "select pg_catalog.count(*) from pg_catalog.pg_locks l join pg_catalog.pg_database d on "
    "d.oid = l.database where d.datname = pg_catalog.current_database() and l.locktype = "
    "'advisory' and l.classid = " LOCK_CLASS " and l.objid = " LOCK_ID " and l.granted";

struct pgfleet {
    struct pgpool *pool;
    size_t max;
    struct thread *thread;
    struct rounds rounds;
    PGconn *pg; /* owned; NULL: not connected */
    struct buf reason;
    size_t share;  /* what the pool may have now */
    size_t steady; /* rounds that allowed more */
    bool told;     /* the log knows that it does not count */
    bool pooled;   /* it cannot be done */
    atomic_size_t size;
};

/* What held it up may have lasted until the pool was gone. */
static bool is_ending(struct pgfleet *f)
{
    return !rounds_wait(&f->rounds, 0);
}

/* --- what follows ------------------------------------------------------------------------------
 */

static void set_share(struct pgfleet *f, size_t share, size_t daemons)
{
    f->steady = 0;
    if (share == f->share)
        return;
    f->share = share;
    pgpool_limit(f->pool, share);
    LOG(LOG_INFO, "the share of the fleet's connections is another", LOG_INT("connections", share),
        LOG_INT("daemons", daemons));
}

static void take_count(struct pgfleet *f, size_t daemons)
{
    size_t share = size_max(1, f->max / daemons);

    if (is_ending(f))
        return;
    share = size_min(share, f->pool->opt.max);
    atomic_store_explicit(&f->size, daemons, memory_order_relaxed);
    if (share <= f->share || ++f->steady > STEADY_ROUNDS)
        set_share(f, share, daemons);
}

/* Others do not count this one: it has no more than what everybody starts with. */
static void lose(struct pgfleet *f)
{
    PQfinish(f->pg);
    f->pg = NULL;
    if (is_ending(f))
        return;
    atomic_store_explicit(&f->size, 0, memory_order_relaxed);
    set_share(f, size_min(f->share, size_max(1, f->pool->opt.min)), 0);
    if (!f->told)
        LOG(LOG_WARN, "the daemons cannot be counted: the share is the smallest",
            LOG_STR("reason", buf_str(&f->reason)));
    f->told = true;
}

/* --- asking ------------------------------------------------------------------------------------
 */

/* Its sessions are not ours, nor are their locks. */
static bool is_pooled(struct pgfleet *f, const PGresult *joined)
{
    return strtol(PQgetvalue(joined, 0, 1), NULL, 10) != PQbackendPID(f->pg);
}

static bool join(struct pgfleet *f)
{
    PGresult *res;

    f->pg = pglease_plain(f->pool, &f->reason);
    res = f->pg != NULL && !is_ending(f) ? pgask(f->pg, join_sql, 2, &f->reason) : NULL;
    if (res == NULL)
        return false;
    f->pooled = is_pooled(f, res);
    PQclear(res);
    return true;
}

static bool count(struct pgfleet *f)
{
    PGresult *res = pgask(f->pg, count_sql, 1, &f->reason);
    size_t n;

    if (res == NULL)
        return false;
    n = strtoul(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    if (f->told)
        LOG(LOG_INFO, "the daemons are counted again", LOG_INT("daemons", n));
    f->told = false;
    take_count(f, size_max(1, n));
    return true;
}

static void run(void *arg)
{
    struct pgfleet *f = arg;

    do {
        if ((f->pg == NULL && !join(f)) || (!f->pooled && !count(f)))
            lose(f);
    } while (!f->pooled && rounds_wait(&f->rounds, ROUND_MS));
    if (f->pooled && !is_ending(f)) {
        LOG(LOG_WARN, "database.pool.fleet_max has no effect: a pooler is between, and it is what "
                      "bounds the connections");
        pgpool_limit(f->pool, f->pool->opt.max);
    }
    PQfinish(f->pg);
}

struct pgfleet *pgfleet_start(struct pgpool *p, size_t max)
{
    struct pgfleet *f = xcalloc(1, sizeof(*f));

    f->pool = p;
    f->max = max;
    f->share = size_max(1, size_min(p->opt.min, max));
    buf_init(&f->reason, 4096);
    rounds_init(&f->rounds);
    pgpool_limit(p, f->share);
    f->thread = thread_start(THREAD_HELPER, "pg-fleet", run, f);
    return f;
}

void pgfleet_stop(struct pgfleet *f)
{
    if (f == NULL)
        return;
    rounds_stop(&f->rounds);
    /* What it uses stays until the process ends. */
    if (!thread_join_within(f->thread, END_MS))
        return;
    rounds_fini(&f->rounds);
    buf_fini(&f->reason);
    xfree(f);
}

size_t pgfleet_size(const struct pgfleet *f)
{
    return atomic_load_explicit(&f->size, memory_order_relaxed);
}
