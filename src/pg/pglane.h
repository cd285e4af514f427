/*
 * pglane.h - a client's connections: which are in which lane, and which one a batch gets.
 *
 * Thread:   the worker's.
 * Memory:   connections belong to the client while leased.
 * Not here: batches' ways (pgclient.c).
 *
 * Two lanes. A few connections carry several fast batches each; any other
 * carries one slow batch. Which are which changes as they become idle: the
 * fast lane uses up to fast_max of them, the slow lane what the pool has
 * beyond those. So neither can lock out the other, and one connection serves
 * both.
 */
#ifndef PG_PGLANE_H
#define PG_PGLANE_H

#include "pg/pglease.h"
#include "pg/pgwait.h"

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
    watch_handler *on_ready;
    struct pgmember member;
    struct watch *wake; /* owned; the member's eventfd */
    struct timer *tick; /* owned; deadlines, surplus connections */
    struct timer *grow; /* owned */
    uint64_t tick_ns;   /* when it is set for */
    uint64_t pause_ns;  /* until when nothing is sent */
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

void pglane_move(struct pgclient *c, struct pgconn *conn, enum pgplace place);
/* All of the client's connections. */
size_t pglane_count(const struct pgclient *c);
/* Watch a connection that was leased; it is idle. */
void pglane_adopt(struct pgclient *c, struct pgconn *conn);
/* Back to the pool, or to be closed. */
void pglane_give_back(struct pgclient *c, struct pgconn *conn);
/* A connection for the batch, or NULL: it must wait. */
struct pgconn *pglane_pick_fast(struct pgclient *c, const struct pgbatch *b);
struct pgconn *pglane_pick_slow(struct pgclient *c);
/* The batch that another connection would help, or NULL. */
struct pgbatch *pglane_starved(struct pgclient *c);

#endif
