/*
 * pgrun.c - one batch, blocking, on a connection of its own.
 *
 * Thread:   any that may block: jobs, commands, start.
 * Memory:   none.
 * Not here: workers' batches (pgclient.c).
 */
#include <poll.h>
#include <pthread.h>

#include "pg/pglease.h"
#include "pg/pgretry.h"
#include "pg/sqlstate.h"

/* A statement's own limit comes first; this is for batches of several. */
#define CANCEL_GRACE_MS 100
/* When nothing has come by so long after that, nothing will: the server is frozen. */
#define GIVE_UP_MS 1000

static bool wait_freed_locked(struct pgpool *p, struct deadline until)
{
    return condition_wait(&p->freed, &p->lock, until) || !deadline_passed(until);
}

/* Back to the pool, once no cancel request can hit whoever has it next; who cancels closes what is
 * broken. */
static void release(struct pgpool *p, struct pgconn *c)
{
    struct pgconn **at = &p->run_list;
    bool orphan;

    pthread_mutex_lock(&p->lock);
    while (c->cancelling && !c->broken)
        pthread_cond_wait(&p->freed, &p->lock);
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->next = NULL;
    orphan = c->cancelling;
    pthread_mutex_unlock(&p->lock);
    c->idle_ns = monotonic_ns();
    if (orphan)
        pglease_orphan(p, c);
    else
        pglease_return(p, c);
    /* Not before: pgpool_free() waits for it. */
    pthread_mutex_lock(&p->lock);
    p->running--;
    pthread_cond_broadcast(&p->freed);
    pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
}

/* In a hurry: no connection could be made, and nobody has one to give back. */
static bool is_hopeless_locked(struct pgpool *p)
{
    bool down = atomic_load_explicit(&p->down_since_ns, memory_order_relaxed) != 0;

    return p->stop || (p->hurry && (down || (p->failures > 0 && p->total == p->connecting)));
}

static struct pgconn *wait_for_one(struct pgpool *p, struct deadline until)
{
    struct pgconn *c;
    bool waiting = true;

    pthread_mutex_lock(&p->lock);
    p->runs++;
    while (!is_hopeless_locked(p) && waiting && p->idle == NULL) {
        if (p->total >= p->max)
            pglease_reclaim_locked(p, NULL);
        pthread_cond_signal(&p->work);
        waiting = wait_freed_locked(p, until);
    }
    p->runs--;
    c = p->stop ? NULL : pglease_take_locked(p);
    if (c != NULL) {
        p->running++;
        c->next = p->run_list;
        p->run_list = c;
    }
    pthread_cond_broadcast(&p->freed); /* For pgpool_free(). */
    pthread_mutex_unlock(&p->lock);
    return c;
}

/* NULL: none came in time. */
static struct pgconn *acquire(struct pgpool *p, struct deadline until)
{
    until = deadline_earlier(until, deadline_in_ms(p->opt.acquire_timeout_ms));
    for (;;) {
        struct pgconn *c = wait_for_one(p, until);

        if (c == NULL)
            return NULL;
        if (!pglease_is_outdated(p, c, monotonic_ns()) && pgconn_is_alive(c))
            return c;
        c->broken = true;
        release(p, c);
    }
}

static void await_io(struct pgconn *c, struct deadline until, struct pgbatch_list *finished)
{
    struct pollfd p = {.fd = c->fd, .events = c->want_write ? POLLIN | POLLOUT : POLLIN};
    int64_t left = deadline_left_ms(until);
    int timeout = until.at_ns == UINT64_MAX ? -1 : (int)(left > 60000 ? 60000 : left);

    if (poll(&p, 1, timeout) <= 0)
        return;
    if (p.revents & POLLOUT)
        pgconn_flush(c);
    if (p.revents & ~POLLOUT)
        pgconn_read(c, finished);
}

/* Until the connection owes nothing more, or is broken. */
static void drive(struct pgpool *p, struct pgconn *c, const struct pgbatch *b,
                  struct pgbatch_list *finished)
{
    struct deadline until = b->until;
    bool cancelled = false;

    if (until.at_ns != UINT64_MAX)
        until.at_ns += (uint64_t)CANCEL_GRACE_MS * 1000000;
    while (!c->broken && !pgconn_is_quiet(c)) {
        await_io(c, until, finished);
        if (!deadline_passed(until))
            continue;
        if (cancelled) {
            c->broken = true;
            pglease_gave_up(p);
            break;
        }
        pglease_cancel_run(p, c);
        cancelled = true;
        until = deadline_in_ms(GIVE_UP_MS);
    }
}

static void fail_unsent(struct pgpool *p, struct pgbatch *b)
{
    b->outcome = deadline_passed(b->until) ? PGBATCH_TIMEOUT : PGBATCH_UNAVAILABLE;
    b->message = pglease_last_error(p, b->arena);
}

/* False: to be sent again. */
static bool run_once(struct pgpool *p, struct pgbatch *b)
{
    struct pgbatch_list finished = {0};
    struct pgconn *c = acquire(p, b->until);
    uint64_t now = monotonic_ns();
    bool named = pglease_may_name(p) && pgretry_may_name(b);
    bool again;

    if (c == NULL) {
        fail_unsent(p, b);
        return true;
    }
    b->queued_ns += now - b->submitted_ns;
    if (pgconn_send(c, b, 0, named, now)) {
        drive(p, c, b, &finished);
        if (finished.first != NULL) {
            pglease_reached(p);
            again = pgretry_after_failure(b);
        } else {
            pgconn_abandon(c, &finished);
            again = pgretry_after_loss(b);
        }
    } else {
        again = pgretry_after_no_send(b);
    }
    if (c->lost_names)
        pglease_lost_names(p);
    b->submitted_ns = monotonic_ns();
    release(p, c);
    return !again;
}

bool pgpool_run(struct pgpool *p, struct pgbatch *b, struct errors *errs)
{
    b->submitted_ns = monotonic_ns();
    b->lane = PGLANE_SLOW;
    while (!run_once(p, b))
        continue;
    b->state = PGBATCH_FINISHED;
    if (b->outcome == PGBATCH_OK)
        return true;
    sqlstate_error(b, errs);
    return false;
}

const struct pgrows *pgpool_query(struct pgpool *p, struct str sql, struct deadline until,
                                  struct arena *a, struct errors *errs)
{
    struct pgsession session = {
        .role = "", .timeout_ms = (uint32_t)deadline_left_ms(until), .read_only = true};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement};
    struct pgbatch batch;

    pgstatement_init(&statement, sql, 0);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.repeatable = true;
    batch.until = until;
    return pgpool_run(p, &batch, errs) ? call.rows : NULL;
}
