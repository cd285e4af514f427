/*
 * pglane.c - two lanes of connections.
 *
 * Thread:   the worker's.
 * Memory:   none.
 */
#include "pg/pglane.h"

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

void pglane_move(struct pgclient *c, struct pgconn *conn, enum pgplace place)
{
    if (conn->place == place)
        return;
    unlink_conn(c, conn);
    link_conn(c, conn, place);
    /* Relaxed: read for statistics only. */
    atomic_store_explicit(&c->member.busy, c->places[PGPLACE_FAST].n + c->places[PGPLACE_SLOW].n,
                          memory_order_relaxed);
}

size_t pglane_count(const struct pgclient *c)
{
    size_t n = 0;

    for (size_t i = 0; i < COUNT_OF(c->places); i++)
        n += c->places[i].n;
    return n;
}

void pglane_adopt(struct pgclient *c, struct pgconn *conn)
{
    conn->client = c;
    conn->watch = loop_watch(c->loop, conn->fd, LOOP_READ, c->on_ready, conn);
    conn->idle_ns = loop_now_ns(c->loop);
    link_conn(c, conn, PGPLACE_IDLE);
}

void pglane_give_back(struct pgclient *c, struct pgconn *conn)
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

static bool take_leased(struct pgclient *c)
{
    struct pgconn *conn = pglease_take(c->pool);

    if (conn == NULL)
        return false;
    pglane_adopt(c, conn);
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
            pglane_give_back(c, conn);
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

struct pgconn *pglane_pick_fast(struct pgclient *c, const struct pgbatch *b)
{
    struct pgconn *best = NULL;
    size_t depth;

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
    if (best == NULL)
        return NULL;
    /* Nothing goes behind another batch where a pooler might part them: see pgconn.c. */
    depth = pgconn_is_pooled(best) ? 1 : c->pool->opt.fast_depth;
    return best->inflight < depth ? best : NULL;
}

struct pgconn *pglane_pick_slow(struct pgclient *c)
{
    return c->places[PGPLACE_SLOW].n < c->slow_max ? idle_conn(c) : NULL;
}

struct pgbatch *pglane_starved(struct pgclient *c)
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
