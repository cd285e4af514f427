/*
 * pgclient.c - a worker's side of the pool: which batch goes to which connection, and when.
 *
 * Thread:   the worker's.
 * Memory:   made by pgclient_new(); connections belong to it while leased.
 * Not here: the bytes (pgconn.c), which batches are sent again (pgretry.c).
 *
 * Two lanes. A few connections carry several fast batches each; any other
 * carries one slow batch. Which are which changes as they become idle: the
 * fast lane uses up to fast_max of them, the slow lane what the pool has
 * beyond those. So neither can lock out the other, and one connection serves
 * both.
 *
 * `done` may submit or cancel. It is therefore called when everything else is
 * settled: finished batches wait in a list until deliver().
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "pg/pglease.h"
#include "pg/pgretry.h"
#include "pg/pgwait.h"

/* A queue that waits longer asks for one more connection. */
#define GROW_AFTER_NS UINT64_C(1000000)
/* An idle connection goes back to the pool, where other workers find it. */
#define KEEP_IDLE_NS UINT64_C(1000000000)
/* statement_timeout ends a single statement at the deadline; batches of several are cancelled. */
#define CANCEL_GRACE_NS UINT64_C(100000000)

/* When a cancel request has not ended a batch, after this long there is another. */
#define CANCEL_AGAIN_NS UINT64_C(1000000000)

struct place { /* the connections in one place, newest first */
    struct pgconn *first;
    struct pgconn *last;
    size_t n;
};

struct later { /* delivers what finished within a call; frees itself */
    struct loop_task task;
    struct pgclient *client; /* NULL: it has gone */
};

struct pgclient {
    struct pgpool *pool;
    struct loop *loop;
    struct pgmember member;
    struct watch *wake; /* owned; the member's eventfd */
    struct timer *tick; /* owned; deadlines, surplus connections */
    struct timer *grow; /* owned */
    uint64_t tick_ns;   /* when it is set for */
    size_t fast_max;
    size_t slow_max;
    size_t asked;
    bool reclaim;        /* give the next idle connection away */
    struct later *later; /* while posted */
    struct place places[PGPLACE_HELD + 1];
    struct pgwait waiting[PGLANE_FAST + 1];
    size_t counted; /* of ours in pool->waiters */
    size_t pending;
    struct pgbatch_list finished;
};

/* --- handing batches back ---------------------------------------------------------------- */

static void finish(struct pgclient *c, struct pgbatch *b)
{
    b->state = PGBATCH_FINISHED;
    pgbatch_list_push(&c->finished, b);
}

static void deliver(struct pgclient *c)
{
    struct pgbatch_list list = c->finished;
    struct pgbatch *b;

    c->finished = (struct pgbatch_list){0};
    while ((b = pgbatch_list_pop(&list)) != NULL) {
        c->pending--;
        b->done(b, b->ctx);
    }
}

static void on_task(struct loop_task *t)
{
    struct later *later = CONTAINER_OF(t, struct later, task);
    struct pgclient *c = later->client;

    xfree(later);
    if (c == NULL)
        return;
    c->later = NULL;
    deliver(c);
}

/* Within calls of the submitter `done` must not run: it follows soon. */
static void deliver_later(struct pgclient *c)
{
    if (c->finished.first == NULL || c->later != NULL)
        return;
    c->later = xmalloc(sizeof(*c->later));
    *c->later = (struct later){.task.fn = on_task, .client = c};
    loop_post(c->loop, &c->later->task);
}

/* --- places of connections ----------------------------------------------------------------- */

static void unlink_conn(struct pgclient *c, struct pgconn *conn)
{
    struct place *p = &c->places[conn->place];

    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        p->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    else
        p->last = conn->prev;
    conn->prev = conn->next = NULL;
    p->n--;
}

static void link_conn(struct pgclient *c, struct pgconn *conn, enum pgplace place)
{
    struct place *p = &c->places[place];

    conn->place = place;
    conn->prev = NULL;
    conn->next = p->first;
    if (p->first != NULL)
        p->first->prev = conn;
    else
        p->last = conn;
    p->first = conn;
    p->n++;
}

static void move_conn(struct pgclient *c, struct pgconn *conn, enum pgplace place)
{
    if (conn->place == place)
        return;
    unlink_conn(c, conn);
    link_conn(c, conn, place);
    /* Relaxed: read for statistics only. */
    atomic_store_explicit(&c->member.busy, c->places[PGPLACE_FAST].n + c->places[PGPLACE_SLOW].n,
                          memory_order_relaxed);
}

static size_t count_conns(const struct pgclient *c)
{
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(c->places); i++)
        n += c->places[i].n;
    return n;
}

static watch_handler on_ready;

static void adopt(struct pgclient *c, struct pgconn *conn)
{
    conn->client = c;
    conn->watch = loop_watch(c->loop, conn->fd, LOOP_READ, on_ready, conn);
    conn->idle_ns = loop_now_ns(c->loop);
    link_conn(c, conn, PGPLACE_IDLE);
}

/* Back to the pool, or to be closed. */
static void give_back(struct pgclient *c, struct pgconn *conn)
{
    unlink_conn(c, conn);
    watch_free(conn->watch);
    conn->watch = NULL;
    conn->client = NULL;
    if (conn->place == PGPLACE_HELD)
        pglease_orphan(c->pool, conn);
    else
        pglease_return(c->pool, conn);
}

static void arm_tick(struct pgclient *c, uint64_t at_ns)
{
    if (at_ns >= c->tick_ns)
        return;
    c->tick_ns = at_ns;
    timer_set(c->tick, (struct deadline){at_ns});
}

/* Nothing is in flight on it any more. */
static void rest(struct pgclient *c, struct pgconn *conn)
{
    uint64_t now = loop_now_ns(c->loop);

    if (conn->place == PGPLACE_HELD)
        return;
    move_conn(c, conn, PGPLACE_IDLE);
    conn->idle_ns = now;
    if (!pgconn_is_quiet(conn) && !conn->broken)
        return;
    if (pglease_is_outdated(c->pool, conn, now)) {
        give_back(c, conn);
    } else if (c->reclaim && count_conns(c) > 1) {
        c->reclaim = false;
        give_back(c, conn);
    } else {
        arm_tick(c, now + KEEP_IDLE_NS);
    }
}

/* --- what comes back ------------------------------------------------------------------------ */

static void queue(struct pgclient *c, struct pgbatch *b, bool front)
{
    uint64_t end_ns = b->submitted_ns + c->pool->opt.acquire_timeout_ms * 1000000;

    b->state = PGBATCH_QUEUED;
    pgwait_push(&c->waiting[b->lane], b, front);
    arm_tick(c, end_ns < b->until.at_ns ? end_ns : b->until.at_ns);
}

static void send_again(struct pgclient *c, struct pgbatch *b)
{
    b->submitted_ns = loop_now_ns(c->loop);
    queue(c, b, true);
}

/* Batches whose Sync came, or whose connection broke. */
static void settle_batches(struct pgclient *c, struct pgbatch_list *list, bool lost)
{
    struct pgbatch *b;

    while ((b = pgbatch_list_pop(list)) != NULL) {
        bool again;

        pgwait_end(&c->waiting[b->lane], b);
        again = lost ? pgretry_after_loss(b) : pgretry_after_failure(b);
        if (again)
            send_again(c, b);
        else
            finish(c, b);
    }
}

/* After anything happened to a connection. May give it back. */
static void settle(struct pgclient *c, struct pgconn *conn)
{
    struct pgbatch_list lost = {0};

    if (conn->lost_names)
        pglease_lost_names(c->pool);
    if (conn->broken) {
        pgconn_abandon(conn, &lost);
        settle_batches(c, &lost, true);
        watch_set(conn->watch, 0);
        rest(c, conn);
        return;
    }
    watch_set(conn->watch, conn->want_write ? LOOP_READ | LOOP_WRITE : LOOP_READ);
    if (conn->inflight == 0)
        rest(c, conn);
}

/* --- what goes out ------------------------------------------------------------------------- */

static bool take_leased(struct pgclient *c)
{
    struct pgconn *conn = pglease_take(c->pool);

    if (conn == NULL)
        return false;
    adopt(c, conn);
    return true;
}

/* The newest: the fewer are in use, the warmer they are. */
static struct pgconn *idle_conn(struct pgclient *c)
{
    for (;;) {
        struct pgconn *conn = c->places[PGPLACE_IDLE].first;

        if (conn == NULL) {
            if (!take_leased(c))
                return NULL;
        } else if (!pglease_is_outdated(c->pool, conn, loop_now_ns(c->loop))) {
            return conn;
        } else {
            /* What it still owes is the end of a DEALLOCATE at most. */
            conn->retire = true;
            conn->broken = conn->broken || !pgconn_is_quiet(conn);
            give_back(c, conn);
        }
    }
}

/*
 * With all connections in the fast lane and none to be had, a slow batch that
 * has waited longer than `b` must get its turn: one of them runs dry.
 */
static bool must_drain(struct pgclient *c, const struct pgbatch *b)
{
    const struct pgbatch *slow = pgwait_peek(&c->waiting[PGLANE_SLOW]);

    return slow != NULL && c->places[PGPLACE_SLOW].n == 0 && c->places[PGPLACE_HELD].n == 0 &&
           slow->submitted_ns <= b->submitted_ns &&
           atomic_load_explicit(&c->pool->full, memory_order_relaxed);
}

static struct pgconn *pick_fast(struct pgclient *c, const struct pgbatch *b)
{
    struct pgconn *best = NULL;

    if (must_drain(c, b))
        return NULL;
    if (c->places[PGPLACE_FAST].n < c->fast_max) {
        best = idle_conn(c);
        if (best != NULL)
            return best;
    }
    for (struct pgconn *conn = c->places[PGPLACE_FAST].first; conn != NULL; conn = conn->next)
        if (!conn->retire && !conn->broken && (best == NULL || conn->inflight < best->inflight))
            best = conn;
    return best != NULL && best->inflight < c->pool->opt.fast_depth ? best : NULL;
}

static struct pgconn *pick_slow(struct pgclient *c)
{
    return c->places[PGPLACE_SLOW].n < c->slow_max ? idle_conn(c) : NULL;
}

static void send_on(struct pgclient *c, struct pgconn *conn, struct pgbatch *b, uint64_t now)
{
    bool fast = b->lane == PGLANE_FAST;
    bool named = pglease_may_name(c->pool) && pgretry_may_name(b);

    move_conn(c, conn, fast ? PGPLACE_FAST : PGPLACE_SLOW);
    b->queued_ns += now - b->submitted_ns;
    if (!pgconn_send(conn, b, fast ? PGRETRY_FAST_TIMEOUT_MS : 0, named, now)) {
        /* Not a byte of it can take effect: another connection may have it. */
        pgwait_end(&c->waiting[b->lane], b);
        send_again(c, b);
    } else if (!fast && b->until.at_ns < UINT64_MAX - CANCEL_GRACE_NS) {
        arm_tick(c, b->until.at_ns + CANCEL_GRACE_NS);
    }
    settle(c, conn);
}

/* One batch of a lane to a connection, or to its end. False: nothing can be done now. */
static bool dispatch_one(struct pgclient *c, enum pglane lane)
{
    struct pgbatch *b = pgwait_peek(&c->waiting[lane]);
    struct pgconn *conn;
    uint64_t now;

    if (b == NULL)
        return false;
    now = monotonic_ns();
    if (now >= b->until.at_ns) {
        pgwait_remove(&c->waiting[lane], b);
        b->outcome = PGBATCH_TIMEOUT;
        finish(c, b);
        return true;
    }
    conn = lane == PGLANE_FAST ? pick_fast(c, b) : pick_slow(c);
    if (conn == NULL)
        return false;
    CHECK(pgwait_pop(&c->waiting[lane]) == b);
    send_on(c, conn, b, now);
    return true;
}

/* The batch that another connection would help, or NULL. */
static struct pgbatch *starved(struct pgclient *c)
{
    struct pgbatch *b = NULL;

    if (c->places[PGPLACE_IDLE].n > 0)
        return NULL;
    if (c->places[PGPLACE_SLOW].n < c->slow_max)
        b = pgwait_peek(&c->waiting[PGLANE_SLOW]);
    if (b == NULL && c->places[PGPLACE_FAST].n < c->fast_max)
        b = pgwait_peek(&c->waiting[PGLANE_FAST]);
    return b;
}

static void ask(struct pgclient *c, size_t n)
{
    if (n == c->asked)
        return;
    c->asked = n;
    pglease_ask(c->pool, &c->member, n);
}

/* Ask for connections: the first at once, others when the queue has to wait. */
static void consider_growth(struct pgclient *c)
{
    struct pgbatch *b = starved(c);
    uint64_t now;

    if (b == NULL) {
        ask(c, 0);
        return;
    }
    if (count_conns(c) == 0 && c->asked == 0) {
        ask(c, 1);
        return;
    }
    now = loop_now_ns(c->loop);
    if (now - b->submitted_ns >= GROW_AFTER_NS &&
        c->asked < size_min(c->fast_max + c->slow_max,
                            c->waiting[PGLANE_SLOW].n + c->waiting[PGLANE_FAST].n))
        ask(c, c->asked + 1);
    timer_set(c->grow, (struct deadline){now + GROW_AFTER_NS});
}

static void count_waiters(struct pgclient *c)
{
    size_t n = c->waiting[PGLANE_SLOW].n + c->waiting[PGLANE_FAST].n;

    if (n == c->counted)
        return;
    /* Relaxed: a limit that is reached one batch later is a limit. Wraps around. */
    atomic_fetch_add_explicit(&c->pool->waiters, n - c->counted, memory_order_relaxed);
    c->counted = n;
}

static void dispatch(struct pgclient *c)
{
    while (dispatch_one(c, PGLANE_FAST) || dispatch_one(c, PGLANE_SLOW))
        continue;
    consider_growth(c);
    count_waiters(c);
}

/* --- events ---------------------------------------------------------------------------------- */

static void on_ready(int fd, unsigned events, void *ctx)
{
    struct pgconn *conn = ctx;
    struct pgclient *c = conn->client;
    struct pgbatch_list finished = {0};

    (void)fd;
    if (events & LOOP_WRITE)
        pgconn_flush(conn);
    if (events & LOOP_READ)
        pgconn_read(conn, &finished);
    if (finished.first != NULL)
        pglease_reached(c->pool);
    settle_batches(c, &finished, false);
    settle(c, conn);
    dispatch(c);
    deliver(c);
}

static void give_back_surplus(struct pgclient *c, uint64_t now)
{
    struct pgconn *newer;

    for (struct pgconn *conn = c->places[PGPLACE_IDLE].last; conn != NULL; conn = newer) {
        newer = conn->prev;
        if (!pgconn_is_quiet(conn))
            continue;
        if (now - conn->idle_ns >= KEEP_IDLE_NS || pglease_is_outdated(c->pool, conn, now))
            give_back(c, conn);
        else
            arm_tick(c, conn->idle_ns + KEEP_IDLE_NS);
    }
}

/* Somebody waits for one of ours; also, the pool may have been recycled. */
static void yield_conn(struct pgclient *c)
{
    struct pgconn *last;

    give_back_surplus(c, loop_now_ns(c->loop));
    last = c->places[PGPLACE_IDLE].last;
    c->reclaim = last == NULL || !pgconn_is_quiet(last);
    if (!c->reclaim)
        give_back(c, last);
}

static void on_wake(int fd, unsigned events, void *ctx)
{
    struct pgclient *c = ctx;
    struct pgconn *granted;
    struct pgconn *cancelled;
    uint64_t count;
    bool reclaim;

    (void)events;
    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
    pglease_collect(c->pool, &c->member, &granted, &cancelled, &reclaim);
    while (granted != NULL) {
        struct pgconn *conn = granted;

        granted = conn->next;
        c->asked -= c->asked > 0;
        adopt(c, conn);
        rest(c, conn);
    }
    while (cancelled != NULL) {
        struct pgconn *conn = cancelled;

        cancelled = conn->next_cancel;
        move_conn(c, conn, PGPLACE_SLOW);
        /* Should the request have failed or come too early, there will be another. */
        arm_tick(c, monotonic_ns() + CANCEL_AGAIN_NS);
        settle(c, conn);
    }
    dispatch(c);
    if (reclaim)
        yield_conn(c);
    deliver(c);
}

static void expire_batch(struct pgbatch *b, void *ctx)
{
    struct pgclient *c = ctx;
    uint64_t now = loop_now_ns(c->loop);
    uint64_t end_ns = b->submitted_ns + c->pool->opt.acquire_timeout_ms * 1000000;

    if (now < end_ns && now < b->until.at_ns) {
        arm_tick(c, end_ns < b->until.at_ns ? end_ns : b->until.at_ns);
        return;
    }
    pgwait_remove(&c->waiting[b->lane], b);
    b->queued_ns += now - b->submitted_ns;
    b->outcome = now >= b->until.at_ns ? PGBATCH_TIMEOUT : PGBATCH_UNAVAILABLE;
    b->message = pglease_last_error(c->pool, b->arena);
    finish(c, b);
}

static void cancel_conn(struct pgclient *c, struct pgconn *conn)
{
    move_conn(c, conn, PGPLACE_HELD);
    pglease_cancel(c->pool, &c->member, conn);
}

/* Slow batches that outlive their deadline, or should have been cancelled by now. */
static void cancel_overdue(struct pgclient *c, uint64_t now)
{
    struct pgconn *next;

    for (struct pgconn *conn = c->places[PGPLACE_SLOW].first; conn != NULL; conn = next) {
        struct pgbatch *b = conn->in_flight.first;

        next = conn->next;
        if (b == NULL || b->until.at_ns >= UINT64_MAX - CANCEL_GRACE_NS)
            continue;
        if (b->cancel_wanted || now >= b->until.at_ns + CANCEL_GRACE_NS)
            cancel_conn(c, conn);
        else
            arm_tick(c, b->until.at_ns + CANCEL_GRACE_NS);
    }
}

static void on_tick(void *ctx)
{
    struct pgclient *c = ctx;
    uint64_t now = loop_now_ns(c->loop);

    c->tick_ns = UINT64_MAX;
    pgwait_each(&c->waiting[PGLANE_FAST], expire_batch, c);
    pgwait_each(&c->waiting[PGLANE_SLOW], expire_batch, c);
    cancel_overdue(c, now);
    give_back_surplus(c, now);
    dispatch(c);
    deliver(c);
}

static void on_grow(void *ctx)
{
    struct pgclient *c = ctx;

    dispatch(c);
    deliver(c);
}

/* --- for the submitter ----------------------------------------------------------------------- */

struct pgclient *pgclient_new(struct pgpool *p, struct loop *worker)
{
    struct pgclient *c = xcalloc(1, sizeof(*c));
    size_t reserved = p->opt.fast_connections * p->opt.nworkers;

    c->pool = p;
    c->loop = worker;
    c->fast_max = p->opt.fast_connections;
    c->slow_max = p->opt.max > reserved ? p->opt.max - reserved : 1;
    c->tick_ns = UINT64_MAX;
    pgwait_init(&c->waiting[PGLANE_FAST], 0);
    /* One tenant may take three quarters of the slow lane, but never all of it. */
    pgwait_init(&c->waiting[PGLANE_SLOW],
                size_max(1, size_min(c->slow_max - 1, c->slow_max - c->slow_max / 4)));
    c->member.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(c->member.wake_fd >= 0);
    c->wake = loop_watch(worker, c->member.wake_fd, LOOP_READ, on_wake, c);
    c->tick = loop_timer(worker, on_tick, c);
    c->grow = loop_timer(worker, on_grow, c);
    pglease_join(p, &c->member);
    return c;
}

void pgclient_free(struct pgclient *c)
{
    if (c == NULL)
        return;
    CHECK(c->pending == 0);
    for (size_t i = 0; i < COUNT_OF(c->places); i++) {
        while (c->places[i].first != NULL) {
            struct pgconn *conn = c->places[i].first;

            /* The rest of its answers is not worth waiting for. */
            conn->broken = conn->broken || !pgconn_is_quiet(conn);
            give_back(c, conn);
        }
    }
    pglease_leave(c->pool, &c->member);
    if (c->later != NULL)
        c->later->client = NULL;
    watch_free(c->wake);
    close(c->member.wake_fd);
    timer_free(c->tick);
    timer_free(c->grow);
    pgwait_fini(&c->waiting[PGLANE_FAST]);
    pgwait_fini(&c->waiting[PGLANE_SLOW]);
    xfree(c);
}

void pgclient_submit(struct pgclient *c, struct pgbatch *b, pgbatch_done *done, void *ctx)
{
    CHECK(b->state == PGBATCH_NEW);
    b->done = done;
    b->ctx = ctx;
    b->submitted_ns = monotonic_ns();
    /* Others must not share the fate of a change. */
    if (!b->repeatable)
        b->lane = PGLANE_SLOW;
    c->pending++;
    queue(c, b, false);
    dispatch(c);
    if (b->state == PGBATCH_QUEUED &&
        atomic_load_explicit(&c->pool->waiters, memory_order_relaxed) > c->pool->opt.max_waiters) {
        pgwait_remove(&c->waiting[b->lane], b);
        b->outcome = PGBATCH_FULL;
        finish(c, b);
        count_waiters(c);
    }
    deliver_later(c);
}

void pgclient_cancel(struct pgclient *c, struct pgbatch *b)
{
    struct pgconn *conn = b->conn;

    switch (b->state) {
    case PGBATCH_QUEUED:
        pgwait_remove(&c->waiting[b->lane], b);
        b->outcome = PGBATCH_CANCELLED;
        finish(c, b);
        dispatch(c);
        deliver_later(c);
        break;
    case PGBATCH_IN_FLIGHT:
        b->cancel_wanted = true;
        if (conn->place == PGPLACE_SLOW)
            cancel_conn(c, conn);
        break;
    case PGBATCH_NEW:
    case PGBATCH_FINISHED:
        break;
    }
}

size_t pgclient_pending(const struct pgclient *c)
{
    return c->pending;
}
