/*
 * pglease.h - the inside of the pool: its parts, and how connections pass between them.
 *
 * Thread:   fields as marked; the mutex is a leaf. Under it a client's eventfd
 *           is written, which never blocks.
 * Memory:   the pool owns every connection that is not leased.
 * Not here: who waits for what within a worker (pgclient.c).
 *
 *     helper: connect --> idle <--> leased (client, pgpool_run)
 *                           |          |
 *     helper: close  <------+----------+
 */
#ifndef PG_PGLEASE_H
#define PG_PGLEASE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/condition.h"
#include "base/thread.h"
#include "pg/pgconnect.h"

/* A client's place in the pool. */
struct pgmember {
    /* constant */
    int wake_fd;
    /* pool mutex */
    struct pgmember *next;
    size_t asked;             /* connections it wants to have */
    struct pgconn *granted;   /* for it to collect */
    struct pgconn *cancelled; /* its own, whose cancel request returned; by next_cancel */
    bool reclaim;             /* somebody else wants one of its idle connections */
    /* any thread */
    atomic_size_t busy; /* connections with batches in flight; for the statistics */
};

struct pgpool {
    /* constant */
    struct pgpool_options opt; /* numbers only: texts are in `connect` */
    struct thread *helper;     /* owned */
    struct thread *canceller;
    /* helper */
    struct buf reason;
    /* any thread */
    _Atomic uint64_t generation;    /* pgpool_recycle() counts */
    _Atomic uint64_t complained_ns; /* of connections that do not answer */
    uint64_t recycle_after_ns; /* under the lock; not by a server that refuses changes before */
    _Atomic uint64_t down_since_ns; /* 0: up */
    atomic_size_t waiters;          /* batches queued, over all clients */
    atomic_bool unnamed;            /* prepared statements do not survive here */
    atomic_bool full;               /* as many connections as may be */
    /* mutex */
    pthread_mutex_t lock;
    struct pgconnect *connect;  /* retained */
    uint32_t failures;          /* to connect, in a row */
    pthread_cond_t work;        /* the helper waits for it */
    pthread_cond_t cancel_work; /* the canceller does */
    pthread_cond_t freed;       /* pgpool_run() and pgpool_free() wait for it */
    struct pgconn *idle;        /* newest first */
    size_t nidle;
    struct pgconn *closing;
    struct pgconn *cancels; /* oldest first; by next_cancel */
    bool drained;           /* there will be no more of them */
    struct pgmember *members;
    size_t max;   /* connections; at most opt.max: pgpool_limit() */
    size_t total; /* leased, idle, connecting; not those closing */
    size_t connecting;
    size_t asked;   /* of all members */
    size_t runs;    /* pgpool_run() calls that wait for a connection */
    size_t running; /* and those that have one */
    struct pgconn *run_list;
    uint64_t next_try_ns;
    bool probe; /* is the database there at all? */
    bool hurry; /* pgpool_hurry() */
    bool stop;
    char last_error[256];
};

/* At once, or NULL; leaves alone what pgpool_run() calls are waiting for. */
struct pgconn *pglease_take(struct pgpool *p);
/* Wish for n more; the eventfd tells when some were granted. 0 withdraws. */
void pglease_ask(struct pgpool *p, struct pgmember *m, size_t n);
/* Give it back; broken and outdated ones are closed. It must be quiet and unwatched. */
void pglease_return(struct pgpool *p, struct pgconn *c);
/* What the eventfd told about. */
void pglease_collect(struct pgpool *p, struct pgmember *m, struct pgconn **granted,
                     struct pgconn **cancelled, bool *reclaim);
/* Have its backend cancelled; until it is collected nothing may be sent. */
void pglease_cancel(struct pgpool *p, struct pgmember *m, struct pgconn *c);
/* The same of a connection that pgpool_run() has; nobody is told. */
void pglease_cancel_run(struct pgpool *p, struct pgconn *c);
void pglease_join(struct pgpool *p, struct pgmember *m);
/* Gives back what was granted; c's cancels will be nobody's. */
void pglease_leave(struct pgpool *p, struct pgmember *m);
/* A leased connection that waits for its cancel request: the helper closes it afterwards. */
void pglease_orphan(struct pgpool *p, struct pgconn *c);
/* Should it be closed rather than used again? */
bool pglease_is_outdated(struct pgpool *p, const struct pgconn *c, uint64_t now_ns);
/* Nobody watched it while it was idle: is it still good? Gives it back if not. */
bool pglease_is_usable(struct pgpool *p, struct pgconn *c);
/* A batch has reached the database. */
void pglease_reached(struct pgpool *p);
/* The server answers: what waits for its next attempt to connect need not. */
void pglease_try_now(struct pgpool *p);
/* A connection noticed that its prepared statements are gone. */
void pglease_lost_names(struct pgpool *p);
bool pglease_may_name(struct pgpool *p);
/* A connection does not answer any more: the log says so, once a second. */
void pglease_gave_up(struct pgpool *p);
/* One besides the pool's, as they are made now: pgconnect_plain(). The reason is set anew. */
PGconn *pglease_plain(struct pgpool *p, struct buf *reason);
/* Why there is no connection; empty when there is one. */
struct str pglease_last_error(struct pgpool *p, struct arena *a);

/* mutex held */
void pglease_give_locked(struct pgpool *p, struct pgconn *c);
void pglease_wake_locked(struct pgmember *m);
/* One that is open, or NULL; may turn out dead: pglease_is_usable(). */
struct pgconn *pglease_take_locked(struct pgpool *p);
/* Ask the clients, but m, for their idle connections. */
void pglease_reclaim_locked(struct pgpool *p, const struct pgmember *m);
void pglease_close_locked(struct pgpool *p, struct pgconn *c);

/* The canceller's thread: a server that is frozen may hold it up for long, which must not keep
 * others from being connected to. */
void pghelper_cancel(void *pool);
/* The helper's thread: connects, closes. */
void pghelper_main(void *pool);

#endif
