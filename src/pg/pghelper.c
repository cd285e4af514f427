/*
 * pghelper.c - the threads for what may block: connecting and closing, and cancelling.
 *
 * Thread:   the pool's helper and its canceller.
 * Memory:   owns a connection while it makes or closes it.
 * Not here: the options (pgconnect.c), who gets a new connection (pglease.c).
 */
#include <pthread.h>

#include "base/digest.h"
#include "metrics/metrics.h"
#include "pg/pglease.h"

/* n give or take some percent: not everything is to end at the same time. */
static uint64_t jitter(uint64_t n, unsigned percent)
{
    uint64_t range = n / 100 * 2 * percent;
    uint64_t random;

    if (range == 0)
        return n;
    random_bytes(&random, sizeof(random));
    return n - range / 2 + random % range;
}

/* --- cancelling and closing -------------------------------------------------------------- */

static void cancel_one_locked(struct pgpool *p)
{
    struct pgconn *c = p->cancels;
    char why[256];
    bool sent;

    p->cancels = c->next_cancel;
    pthread_mutex_unlock(&p->lock);
    /* Its PGcancel is a copy of the address: safe whatever the owner does with the connection. */
    sent = PQcancel(c->cancel, why, sizeof(why)) == 1;
    if (!sent)
        LOG(LOG_WARN, "could not send cancel request", LOG_STR("reason", str_trim(str_of(why))));
    pthread_mutex_lock(&p->lock);
    c->cancelling = false;
    if (c->orphan) {
        pglease_close_locked(p, c);
    } else if (c->member != NULL) {
        c->next_cancel = c->member->cancelled;
        c->member->cancelled = c;
        pglease_wake_locked(c->member);
    }
    pthread_cond_broadcast(&p->freed);
}

static void close_one_locked(struct pgpool *p)
{
    struct pgconn *c = p->closing;

    p->closing = c->next;
    pthread_mutex_unlock(&p->lock);
    pgconn_free(c);
    pthread_mutex_lock(&p->lock);
}

/* When must an idle connection be closed? */
static uint64_t idle_end_locked(struct pgpool *p, const struct pgconn *c, uint64_t now_ns)
{
    if (pglease_is_outdated(p, c, now_ns) || p->stop || p->total > p->max)
        return now_ns;
    if (p->total <= p->opt.min)
        return c->expires_ns;
    return c->expires_ns < c->idle_ns + p->opt.idle_timeout_ms * 1000000
               ? c->expires_ns
               : c->idle_ns + p->opt.idle_timeout_ms * 1000000;
}

/* Closes what is over; gives the time when the next will be. */
static uint64_t sweep_idle_locked(struct pgpool *p, uint64_t now_ns)
{
    uint64_t next_ns = UINT64_MAX;
    struct pgconn **at = &p->idle;

    while (*at != NULL) {
        struct pgconn *c = *at;
        uint64_t end_ns = idle_end_locked(p, c, now_ns);

        if (end_ns <= now_ns) {
            *at = c->next;
            p->nidle--;
            pglease_close_locked(p, c);
            continue;
        }
        if (end_ns < next_ns)
            next_ns = end_ns;
        at = &c->next;
    }
    return next_ns;
}

/* --- connecting -------------------------------------------------------------------------- */

static bool wants_connection_locked(const struct pgpool *p)
{
    bool down = atomic_load_explicit(&p->down_since_ns, memory_order_relaxed) != 0;

    if (p->stop || p->total >= p->max)
        return false;
    /* While it is down, somebody has to notice that it is up again. */
    return p->total < p->opt.min || p->asked > 0 || p->runs > p->nidle || down || p->probe;
}

static void note_failure_locked(struct pgpool *p)
{
    uint64_t delay_ms = p->opt.backoff_min_ms;
    struct str why = buf_str(&p->reason);
    uint64_t now = monotonic_ns();

    for (uint32_t i = 0; i < p->failures && delay_ms < p->opt.backoff_max_ms; i++)
        delay_ms *= 2;
    if (delay_ms > p->opt.backoff_max_ms)
        delay_ms = p->opt.backoff_max_ms;
    p->failures++;
    p->next_try_ns = now + jitter(delay_ms * 1000000, 20);
    /* Where others are open, this one may have been one too many for the server. */
    if (p->total == 0 && atomic_load_explicit(&p->down_since_ns, memory_order_relaxed) == 0)
        atomic_store_explicit(&p->down_since_ns, now, memory_order_relaxed);
    snprintf(p->last_error, sizeof(p->last_error), "%.*s", STR_ARG(why));
    if (p->hurry)
        pthread_cond_broadcast(&p->freed);
}

static void connect_one_locked(struct pgpool *p)
{
    struct pgconn *c;
    struct pgconnect *connect = pgconnect_ref(p->connect);
    uint32_t failures = p->failures;
    /* Of before: a recycle while connecting counts for this one as well. */
    uint64_t generation = atomic_load_explicit(&p->generation, memory_order_relaxed);

    p->total++;
    p->connecting++;
    p->probe = false;
    atomic_store_explicit(&p->full, p->total >= p->max, memory_order_relaxed);
    pthread_mutex_unlock(&p->lock);

    buf_clear(&p->reason);
    c = pgconnect_open(connect, &p->reason);
    pgconnect_free(connect);
    metric_add(c != NULL ? METRIC_DB_CONNECTS_OK : METRIC_DB_CONNECTS_ERROR, 1);
    if (c == NULL) {
        LOG(LOG_WARN, "could not connect to database", LOG_STR("reason", buf_str(&p->reason)),
            LOG_INT("attempt", failures + 1));
    } else {
        if (failures > 0)
            LOG(LOG_INFO, "database can be reached again", LOG_INT("attempt", failures + 1));
        c->generation = generation;
        c->idle_ns = monotonic_ns();
        c->expires_ns = c->idle_ns + jitter(p->opt.max_lifetime_ms * 1000000, 10);
        pglease_reached(p);
    }

    pthread_mutex_lock(&p->lock);
    p->connecting--;
    if (c == NULL) {
        p->total--;
        atomic_store_explicit(&p->full, false, memory_order_relaxed);
        note_failure_locked(p);
    } else {
        p->failures = 0;
        p->last_error[0] = '\0';
        pglease_give_locked(p, c);
    }
}

/* --- the thread -------------------------------------------------------------------------- */

void pghelper_cancel(void *pool)
{
    struct pgpool *p = pool;

    pthread_mutex_lock(&p->lock);
    while (p->cancels != NULL || !p->stop || p->running > 0) {
        if (p->cancels != NULL)
            cancel_one_locked(p);
        else
            pthread_cond_wait(&p->cancel_work, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
}

void pghelper_main(void *pool)
{
    struct pgpool *p = pool;

    pthread_mutex_lock(&p->lock);
    for (;;) {
        uint64_t now = monotonic_ns();
        uint64_t next_ns = sweep_idle_locked(p, now);

        if (p->closing != NULL) {
            close_one_locked(p);
        } else if (p->drained) {
            break;
        } else if (wants_connection_locked(p) && now >= p->next_try_ns) {
            connect_one_locked(p);
        } else {
            if (wants_connection_locked(p) && p->next_try_ns < next_ns)
                next_ns = p->next_try_ns;
            (void)condition_wait(&p->work, &p->lock, (struct deadline){next_ns});
        }
    }
    pthread_mutex_unlock(&p->lock);
}
