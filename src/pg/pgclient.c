/*
 * pgclient.c - a worker's side of the pool: which batch goes to which connection, and when.
 *
 * Thread:   the worker's.
 * Memory:   made by pgclient_new(); connections belong to it while leased.
 * Not here: the bytes (pgconn.c), which batches are sent again (pgretry.c).
 *
 * `done` may submit or cancel. It is therefore called when everything else is
 * settled: finished batches wait in a list until deliver().
 */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "metrics/metrics.h"
#include "pg/pglane.h"
#include "pg/pgretry.h"

/* A queue that waits longer asks for one more connection. */
#define GROW_AFTER_NS UINT64_C(1000000)
/* An idle connection goes back to the pool, where other workers find it. */
#define KEEP_IDLE_NS UINT64_C(1000000000)
/* statement_timeout ends a single statement at the deadline; batches of several are cancelled. */
#define CANCEL_GRACE_NS UINT64_C(100000000)
/* When a cancel request has not ended a batch, after this long there is another. */
#define CANCEL_AGAIN_NS UINT64_C(1000000000)

/* When nothing has come by so long after the deadline, nothing will in time: the server is frozen,
 * or the way to it is. */
#define GIVE_UP_NS UINT64_C(1000000000)

/*
 * When one connection breaks, others often do at the same moment, and a batch
 * sent again at once would go to one that is dead but does not know yet.
 */
#define PAUSE_AFTER_LOSS_NS UINT64_C(10000000)

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

/* --- connections at rest -----------------------------------------------------------------------
 */

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
    pglane_move(c, conn, PGPLACE_IDLE);
    conn->idle_ns = now;
    if (!pgconn_is_quiet(conn) && !conn->broken)
        return;
    if (pglease_is_outdated(c->pool, conn, now)) {
        pglane_give_back(c, conn);
    } else if (c->reclaim && pglane_count(c) > 1) {
        c->reclaim = false;
        pglane_give_back(c, conn);
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
        c->pause_ns = monotonic_ns() + PAUSE_AFTER_LOSS_NS;
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

static void send_on(struct pgclient *c, struct pgconn *conn, struct pgbatch *b, uint64_t now)
{
    bool fast = b->lane == PGLANE_FAST;
    bool named = pglease_may_name(c->pool) && pgretry_may_name(b);

    pglane_move(c, conn, fast ? PGPLACE_FAST : PGPLACE_SLOW);
    b->queued_ns += now - b->submitted_ns;
    if (!pgconn_send(conn, b, fast ? PGRETRY_FAST_TIMEOUT_MS : 0, named, now)) {
        pgwait_end(&c->waiting[b->lane], b);
        if (pgretry_after_no_send(b))
            send_again(c, b);
        else
            finish(c, b);
    } else if (b->until.at_ns < UINT64_MAX - GIVE_UP_NS) {
        arm_tick(c, b->until.at_ns + (fast ? GIVE_UP_NS : CANCEL_GRACE_NS));
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
    conn = lane == PGLANE_FAST ? pglane_pick_fast(c, b) : pglane_pick_slow(c);
    if (conn == NULL)
        return false;
    CHECK(pgwait_pop(&c->waiting[lane]) == b);
    send_on(c, conn, b, now);
    return true;
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
    struct pgbatch *b = pglane_starved(c);
    uint64_t now;

    if (b == NULL) {
        ask(c, 0);
        return;
    }
    if (pglane_count(c) == 0 && c->asked == 0) {
        ask(c, 1);
        return;
    }
    now = loop_now_ns(c->loop);
    if (now >= b->submitted_ns + GROW_AFTER_NS &&
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

static bool is_paused(struct pgclient *c)
{
    if (c->pause_ns == 0)
        return false;
    if (monotonic_ns() < c->pause_ns) {
        timer_set(c->grow, (struct deadline){c->pause_ns});
        return true;
    }
    c->pause_ns = 0;
    return false;
}

static void dispatch(struct pgclient *c)
{
    while (!is_paused(c) && (dispatch_one(c, PGLANE_FAST) || dispatch_one(c, PGLANE_SLOW)))
        continue;
    if (c->pause_ns == 0)
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
            pglane_give_back(c, conn);
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
        pglane_give_back(c, last);
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
        pglane_adopt(c, conn);
        rest(c, conn);
    }
    while (cancelled != NULL) {
        struct pgconn *conn = cancelled;

        cancelled = conn->next_cancel;
        pglane_move(c, conn, PGPLACE_SLOW);
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
    const struct pgbatch *b = conn->in_flight.first;

    if (b != NULL && b->until.at_ns < UINT64_MAX - GIVE_UP_NS)
        arm_tick(c, b->until.at_ns + GIVE_UP_NS);
    pglane_move(c, conn, PGPLACE_HELD);
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

static bool is_given_up(struct pgclient *c, const struct pgconn *conn, uint64_t now)
{
    for (const struct pgbatch *b = conn->in_flight.first; b != NULL; b = b->next) {
        if (b->until.at_ns >= UINT64_MAX - GIVE_UP_NS)
            continue;
        if (now >= b->until.at_ns + GIVE_UP_NS)
            return true;
        arm_tick(c, b->until.at_ns + GIVE_UP_NS);
    }
    return false;
}

/* Whoever waits gets an answer now; what the server does with its statements nobody hears. */
static void give_up(struct pgclient *c, struct pgconn *conn)
{
    struct pgbatch_list lost = {0};

    for (struct pgbatch *b = conn->in_flight.first; b != NULL; b = b->next)
        b->message = STR("the database did not answer in time");
    pgconn_abandon(conn, &lost);
    metric_add(METRIC_DB_GIVEN_UP, 1);
    pglease_gave_up(c->pool);
    pglane_give_back(c, conn);
    settle_batches(c, &lost, true);
}

static void give_up_overdue(struct pgclient *c, uint64_t now)
{
    static const enum pgplace places[] = {PGPLACE_FAST, PGPLACE_SLOW, PGPLACE_HELD};
    struct pgconn *next;

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        for (struct pgconn *conn = c->places[places[i]].first; conn != NULL; conn = next) {
            next = conn->next;
            if (is_given_up(c, conn, now))
                give_up(c, conn);
        }
    }
}

static void on_tick(void *ctx)
{
    struct pgclient *c = ctx;
    uint64_t now = loop_now_ns(c->loop);

    c->tick_ns = UINT64_MAX;
    pgwait_each(&c->waiting[PGLANE_FAST], expire_batch, c);
    pgwait_each(&c->waiting[PGLANE_SLOW], expire_batch, c);
    give_up_overdue(c, now);
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
    c->on_ready = on_ready;
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

struct loop *pgclient_loop(const struct pgclient *c)
{
    return c->loop;
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
            pglane_give_back(c, conn);
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

/* One tenant may fill half of the queue: the others still find room. */
static bool is_full(struct pgclient *c, const struct pgbatch *b)
{
    size_t max = c->pool->opt.max_waiters;
    uint64_t tenant = b->session->tenant;

    return atomic_load_explicit(&c->pool->waiters, memory_order_relaxed) > max ||
           (tenant != 0 && pgwait_count(&c->waiting[PGLANE_SLOW], tenant) +
                                   pgwait_count(&c->waiting[PGLANE_FAST], tenant) >
                               size_max(1, max / 2));
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
    if (b->state == PGBATCH_QUEUED && is_full(c, b)) {
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
