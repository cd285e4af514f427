/*
 * pgpool.c - the pool as a whole: made, counted, recycled, freed.
 *
 * Thread:   any; the mutex guards the lists.
 * Memory:   lives as long as the process.
 * Not here: leases (pglease.c), connecting (pghelper.c), one blocking batch (pgrun.c).
 */
#include <pthread.h>

#include "pg/pglease.h"

static uint64_t or_default(uint64_t n, uint64_t otherwise)
{
    return n != 0 ? n : otherwise;
}

static void set_numbers(struct pgpool_options *o)
{
    o->max = (size_t)or_default(o->max, (uint64_t)4 * thread_cpus());
    o->min = size_min(o->min, o->max);
    o->max_waiters = (size_t)or_default(o->max_waiters, 1000);
    o->acquire_timeout_ms = or_default(o->acquire_timeout_ms, 5000);
    o->idle_timeout_ms = or_default(o->idle_timeout_ms, 600000);
    o->max_lifetime_ms = or_default(o->max_lifetime_ms, 1800000);
    o->connect_timeout_ms = or_default(o->connect_timeout_ms, 5000);
    o->backoff_min_ms = or_default(o->backoff_min_ms, 100);
    o->backoff_max_ms = or_default(o->backoff_max_ms, 10000);
    o->fast_depth = (size_t)or_default(o->fast_depth, 4);
    o->nworkers = (size_t)or_default(o->nworkers, 1);
    /* Half of a worker's share, but few: one backend per core is busy enough with several each. */
    if (o->fast_connections == 0)
        o->fast_connections = size_max(1, size_min(4, o->max / o->nworkers / 2));
    /* Their texts are not ours to keep. */
    o->url = NULL;
    o->keywords = NULL;
    o->search_path = NULL;
}

/* How long a cancel request may take at the end. */
#define CANCEL_END_MS 1000

static void init_lock(struct pgpool *p)
{
    CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
    condition_init(&p->work);
    condition_init(&p->cancel_work);
    condition_init(&p->freed);
}

struct pgpool *pgpool_new(const struct pgpool_options *opt, struct errors *errs)
{
    struct pgpool_options checked = *opt;
    struct pgconnect *connect;
    struct pgpool *p;

    if (checked.url == NULL)
        checked.url = "";
    checked.connect_timeout_ms = or_default(checked.connect_timeout_ms, 5000);
    connect = pgconnect_new(&checked, errs);
    if (connect == NULL)
        return NULL;
    p = xcalloc(1, sizeof(*p));
    p->opt = checked;
    set_numbers(&p->opt);
    p->max = p->opt.max;
    p->connect = connect;
    buf_init(&p->reason, 4096);
    init_lock(p);
    atomic_init(&p->down_since_ns, monotonic_ns());
    atomic_init(&p->unnamed, p->opt.prepared == PGPREPARED_OFF);
    snprintf(p->last_error, sizeof(p->last_error), "not connected yet");
    p->helper = thread_start(THREAD_HELPER, "pg", pghelper_main, p);
    p->canceller = thread_start(THREAD_HELPER, "pg-cancel", pghelper_cancel, p);
    return p;
}

static void cancel_runs_locked(struct pgpool *p)
{
    for (struct pgconn *c = p->run_list; c != NULL; c = c->next) {
        if (c->cancelling)
            continue;
        c->cancelling = true;
        c->next_cancel = p->cancels;
        p->cancels = c;
    }
    pthread_cond_signal(&p->cancel_work);
}

void pgpool_cancel_runs(struct pgpool *p)
{
    pthread_mutex_lock(&p->lock);
    cancel_runs_locked(p);
    pthread_mutex_unlock(&p->lock);
}

void pgpool_hurry(struct pgpool *p)
{
    pthread_mutex_lock(&p->lock);
    p->hurry = true;
    pthread_cond_broadcast(&p->freed);
    pthread_mutex_unlock(&p->lock);
}

void pgpool_free(struct pgpool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    CHECK(p->members == NULL);
    p->stop = true;
    cancel_runs_locked(p);
    pthread_cond_broadcast(&p->freed);
    while (p->running > 0 || p->runs > 0)
        pthread_cond_wait(&p->freed, &p->lock);
    pthread_cond_signal(&p->cancel_work);
    pthread_mutex_unlock(&p->lock);
    /* It waits for a server that is frozen: what it uses stays, until the process ends. */
    if (!thread_join_within(p->canceller, CANCEL_END_MS)) {
        LOG(LOG_WARN, "a cancel request is not answered: ending without");
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->drained = true;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
    thread_join(p->helper);
    CHECK(p->total == 0 && p->idle == NULL && p->closing == NULL);
    pthread_cond_destroy(&p->work);
    pthread_cond_destroy(&p->cancel_work);
    pthread_cond_destroy(&p->freed);
    pthread_mutex_destroy(&p->lock);
    buf_fini(&p->reason);
    pgconnect_free(p->connect);
    xfree(p);
}

void pgpool_stats(struct pgpool *p, struct pgpool_stats *out)
{
    size_t busy = 0;

    pthread_mutex_lock(&p->lock);
    for (const struct pgmember *m = p->members; m != NULL; m = m->next)
        busy += atomic_load_explicit(&m->busy, memory_order_relaxed);
    busy += p->running;
    *out = (struct pgpool_stats){
        .open = p->total - p->connecting,
        .connecting = p->connecting,
        .max = p->max,
        .waiters = atomic_load_explicit(&p->waiters, memory_order_relaxed) + p->runs,
        .down_since_ns = atomic_load_explicit(&p->down_since_ns, memory_order_relaxed),
    };
    pthread_mutex_unlock(&p->lock);
    out->busy = size_min(busy, out->open);
    out->idle = out->open - out->busy;
    out->up = out->down_since_ns == 0;
}

bool pgpool_reconnect_by(struct pgpool *p, const struct pgpool_options *opt, struct errors *errs)
{
    struct pgpool_options checked = *opt;
    struct pgconnect *next, *old;

    if (checked.url == NULL)
        checked.url = "";
    checked.connect_timeout_ms = or_default(checked.connect_timeout_ms, 5000);
    next = pgconnect_new(&checked, errs);
    if (next == NULL)
        return false;
    pthread_mutex_lock(&p->lock);
    old = p->connect;
    p->connect = next;
    p->next_try_ns = 0; /* what failed may succeed now */
    p->failures = 0;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
    pgconnect_free(old);
    return true;
}

PGconn *pglease_plain(struct pgpool *p, struct buf *reason)
{
    struct pgconnect *k;
    PGconn *pg;

    pthread_mutex_lock(&p->lock);
    k = pgconnect_ref(p->connect);
    pthread_mutex_unlock(&p->lock);
    buf_clear(reason);
    pg = pgconnect_plain(k, reason);
    pgconnect_free(k);
    return pg;
}

void pgpool_limit(struct pgpool *p, size_t max)
{
    pthread_mutex_lock(&p->lock);
    p->max = size_max(1, size_min(max, p->opt.max));
    atomic_store_explicit(&p->full, p->total >= p->max, memory_order_relaxed);
    if (p->total > p->max)
        pglease_reclaim_locked(p, NULL);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void pgpool_recycle(struct pgpool *p)
{
    atomic_fetch_add_explicit(&p->generation, 1, memory_order_relaxed);
    pthread_mutex_lock(&p->lock);
    pglease_reclaim_locked(p, NULL);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}
