/*
 * pglease.c - connections pass between pool, clients and helper.
 *
 * Thread:   any; the pool's mutex guards all lists.
 * Memory:   none.
 */
#include <pthread.h>
#include <unistd.h>

#include "pg/pglease.h"

/* Not more often are all connections made anew because the server refuses changes. */
#define RECYCLE_PAUSE_NS UINT64_C(5000000000)

/* A counter that is full has been written before, which is as good. */
void pglease_wake_locked(struct pgmember *m)
{
    const uint64_t one = 1;

    (void)!write(m->wake_fd, &one, sizeof(one));
}

void pglease_close_locked(struct pgpool *p, struct pgconn *c)
{
    c->next = p->closing;
    p->closing = c;
    p->total--;
    atomic_store_explicit(&p->full, false, memory_order_relaxed);
    pthread_cond_signal(&p->work);
}

/* To the next who waits, in turns; else it is idle. */
void pglease_give_locked(struct pgpool *p, struct pgconn *c)
{
    struct pgmember **at = &p->members;
    struct pgmember *m;

    while (*at != NULL && (*at)->asked == 0)
        at = &(*at)->next;
    if (p->runs > 0 || *at == NULL) {
        c->next = p->idle;
        p->idle = c;
        p->nidle++;
        pthread_cond_broadcast(&p->freed);
        pthread_cond_signal(&p->work); /* Its times are to be watched. */
        return;
    }
    m = *at;
    m->asked--;
    p->asked--;
    c->next = m->granted;
    m->granted = c;
    pglease_wake_locked(m);
    /* Last in turn from now on. */
    *at = m->next;
    while (*at != NULL)
        at = &(*at)->next;
    m->next = NULL;
    *at = m;
}

bool pglease_is_outdated(struct pgpool *p, const struct pgconn *c, uint64_t now_ns)
{
    /* Relaxed: a recycle that is seen one batch later is seen. */
    return c->broken || c->retire || now_ns >= c->expires_ns ||
           c->generation != atomic_load_explicit(&p->generation, memory_order_relaxed);
}

struct pgconn *pglease_take_locked(struct pgpool *p)
{
    struct pgconn *c = p->idle;

    if (c == NULL)
        return NULL;
    p->idle = c->next;
    p->nidle--;
    c->next = NULL;
    return c;
}

bool pglease_is_usable(struct pgpool *p, struct pgconn *c)
{
    if (!pglease_is_outdated(p, c, monotonic_ns()) && pgconn_is_alive(c))
        return true;
    c->broken = true;
    pglease_return(p, c);
    return false;
}

struct pgconn *pglease_take(struct pgpool *p)
{
    struct pgconn *c;

    do {
        pthread_mutex_lock(&p->lock);
        c = p->nidle > p->runs ? pglease_take_locked(p) : NULL;
        pthread_mutex_unlock(&p->lock);
    } while (c != NULL && !pglease_is_usable(p, c));
    return c;
}

void pglease_reclaim_locked(struct pgpool *p, const struct pgmember *m)
{
    for (struct pgmember *other = p->members; other != NULL; other = other->next) {
        if (other == m || other->reclaim)
            continue;
        other->reclaim = true;
        pglease_wake_locked(other);
    }
}

void pglease_ask(struct pgpool *p, struct pgmember *m, size_t n)
{
    pthread_mutex_lock(&p->lock);
    p->asked += n - m->asked;
    m->asked = n;
    if (n > 0) {
        if (p->total >= p->max)
            pglease_reclaim_locked(p, m);
        pthread_cond_signal(&p->work);
    }
    pthread_mutex_unlock(&p->lock);
}

/*
 * The server was demoted while others of its connections were open: none of them is of use, and
 * where the options name several hosts and target_session_attrs, new ones reach the one that was
 * promoted. Where it is only read-only, making them anew all the time would not help.
 */
static bool leaves_server_locked(struct pgpool *p, const struct pgconn *c)
{
    uint64_t now = monotonic_ns();

    if (!c->refuses ||
        c->generation != atomic_load_explicit(&p->generation, memory_order_relaxed) ||
        now < p->recycle_after_ns)
        return false;
    p->recycle_after_ns = now + RECYCLE_PAUSE_NS;
    atomic_fetch_add_explicit(&p->generation, 1, memory_order_relaxed);
    pglease_reclaim_locked(p, NULL);
    pthread_cond_signal(&p->work);
    return true;
}

void pglease_return(struct pgpool *p, struct pgconn *c)
{
    bool outdated = pglease_is_outdated(p, c, monotonic_ns()), left;

    CHECK(c->inflight == 0 && c->watch == NULL);
    pthread_mutex_lock(&p->lock);
    left = leaves_server_locked(p, c);
    if (c->broken)
        p->probe = true;
    if (p->total > p->max + 1) /* this one, and others */
        pglease_reclaim_locked(p, NULL);
    if (outdated || p->stop || p->total > p->max)
        pglease_close_locked(p, c);
    else
        pglease_give_locked(p, c);
    pthread_mutex_unlock(&p->lock);
    if (left)
        LOG(LOG_WARN, "the database does not accept changes: all connections are made anew");
}

void pglease_collect(struct pgpool *p, struct pgmember *m, struct pgconn **granted,
                     struct pgconn **cancelled, bool *reclaim)
{
    pthread_mutex_lock(&p->lock);
    *granted = m->granted;
    *cancelled = m->cancelled;
    *reclaim = m->reclaim;
    m->granted = m->cancelled = NULL;
    m->reclaim = false;
    pthread_mutex_unlock(&p->lock);
}

static void append_cancel_locked(struct pgpool *p, struct pgmember *m, struct pgconn *c)
{
    struct pgconn **at = &p->cancels;

    c->cancelling = true;
    c->member = m;
    c->next_cancel = NULL;
    while (*at != NULL)
        at = &(*at)->next_cancel;
    *at = c;
    pthread_cond_signal(&p->cancel_work);
}

void pglease_cancel(struct pgpool *p, struct pgmember *m, struct pgconn *c)
{
    pthread_mutex_lock(&p->lock);
    CHECK(!c->cancelling);
    append_cancel_locked(p, m, c);
    pthread_mutex_unlock(&p->lock);
}

void pglease_cancel_run(struct pgpool *p, struct pgconn *c)
{
    pthread_mutex_lock(&p->lock);
    if (!c->cancelling) /* by pgpool_cancel_runs() */
        append_cancel_locked(p, NULL, c);
    pthread_mutex_unlock(&p->lock);
}

void pglease_join(struct pgpool *p, struct pgmember *m)
{
    pthread_mutex_lock(&p->lock);
    m->next = p->members;
    p->members = m;
    pthread_mutex_unlock(&p->lock);
}

void pglease_leave(struct pgpool *p, struct pgmember *m)
{
    struct pgmember **at = &p->members;
    struct pgconn *granted;

    pthread_mutex_lock(&p->lock);
    while (*at != m)
        at = &(*at)->next;
    *at = m->next;
    p->asked -= m->asked;
    m->asked = 0;
    granted = m->granted;
    m->granted = NULL;
    while (granted != NULL) {
        struct pgconn *c = granted;

        granted = c->next;
        pglease_give_locked(p, c);
    }
    pthread_mutex_unlock(&p->lock);
}

/* Its cancel request may have been sent, and nobody has collected it yet. */
static void uncollect_locked(const struct pgconn *c)
{
    struct pgconn **at = c->member != NULL ? &c->member->cancelled : NULL;

    while (at != NULL && *at != NULL && *at != c)
        at = &(*at)->next_cancel;
    if (at != NULL && *at == c)
        *at = c->next_cancel;
}

void pglease_orphan(struct pgpool *p, struct pgconn *c)
{
    pthread_mutex_lock(&p->lock);
    if (!c->cancelling)
        uncollect_locked(c);
    c->member = NULL;
    if (c->cancelling)
        c->orphan = true;
    else
        pglease_close_locked(p, c);
    pthread_mutex_unlock(&p->lock);
}

void pglease_gave_up(struct pgpool *p)
{
    uint64_t now = monotonic_ns();
    uint64_t last = atomic_load_explicit(&p->complained_ns, memory_order_relaxed);

    if (now - last >= UINT64_C(1000000000) &&
        atomic_compare_exchange_strong_explicit(&p->complained_ns, &last, now, memory_order_relaxed,
                                                memory_order_relaxed))
        LOG(LOG_WARN, "the database does not answer: connections are given up");
}

void pglease_reached(struct pgpool *p)
{
    /* Read first: the line is shared by all workers. Relaxed: a statistic. */
    if (atomic_load_explicit(&p->down_since_ns, memory_order_relaxed) != 0)
        atomic_store_explicit(&p->down_since_ns, 0, memory_order_relaxed);
}

void pglease_try_now(struct pgpool *p)
{
    pthread_mutex_lock(&p->lock);
    p->next_try_ns = 0;
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

void pglease_lost_names(struct pgpool *p)
{
    if (p->opt.prepared != PGPREPARED_AUTO ||
        atomic_exchange_explicit(&p->unnamed, true, memory_order_relaxed))
        return;
    LOG(LOG_WARN, "prepared statements get lost between here and the database: not used any more");
}

bool pglease_may_name(struct pgpool *p)
{
    return !atomic_load_explicit(&p->unnamed, memory_order_relaxed);
}

struct str pglease_last_error(struct pgpool *p, struct arena *a)
{
    char text[sizeof(p->last_error)];

    pthread_mutex_lock(&p->lock);
    memcpy(text, p->last_error, sizeof(text));
    pthread_mutex_unlock(&p->lock);
    return arena_dup(a, str_of(text));
}
