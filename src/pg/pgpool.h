/*
 * pgpool.h - all connections to one database: limits, health, lifetime; lent to workers.
 *
 * Thread:   any; one leaf mutex guards the list of connections and leases.
 * Memory:   lives as long as the process.
 * Not here: running statements (pgclient.h, pgconn.c).
 */
#ifndef PG_PGPOOL_H
#define PG_PGPOOL_H

#include "base/deadline.h"
#include "base/error.h"
#include "base/loop.h"
#include "pg/pgbatch.h"

enum pgprepared {
    PGPREPARED_AUTO, /* named, falling back to unnamed behind a pooler that loses them */
    PGPREPARED_ON,
    PGPREPARED_OFF,
};

struct pgkeyword { /* a libpq connection option */
    const char *keyword;
    const char *value;
};

/* Numbers that are 0 get the defaults named. */
struct pgpool_options {
    const char *url;                  /* libpq URI or keywords; may be "" */
    const struct pgkeyword *keywords; /* override the url; checked against libpq's list */
    size_t nkeywords;
    const char *const *password_command; /* prints the password; to NULL; NULL: there is none */
    uint64_t password_ttl_ms;            /* how long it holds; 0: for one connection */
    const char *const *search_path;      /* set at connect */
    size_t nsearch_path;
    size_t min;         /* kept open */
    size_t max;         /* 4 for each processor */
    size_t max_waiters; /* batches waiting, over all workers: 1000; one tenant's, half of it */
    uint64_t acquire_timeout_ms; /* longest wait of a batch for a connection: 5 s */
    uint64_t idle_timeout_ms;    /* above min: 10 min */
    uint64_t max_lifetime_ms;    /* jittered by 10 %: 30 min */
    uint64_t connect_timeout_ms; /* for each address; unless the url has one: 5 s */
    uint64_t backoff_min_ms;     /* 100 ms */
    uint64_t backoff_max_ms;     /* 10 s */
    enum pgprepared prepared;
    size_t fast_connections; /* per worker: half its share, at most 4 */
    size_t fast_depth;       /* batches in flight on each: 4 */
    size_t nworkers;         /* 1 */
};

struct pgpool;
struct pgclient;

/* NULL if an option is unknown to libpq or malformed. Starts its helper thread, which does whatever
 * may block; does not wait for the database. */
struct pgpool *pgpool_new(const struct pgpool_options *opt, struct errors *errs);
/* Cancels what runs, closes everything, ends the helper. All clients must be freed before. */
void pgpool_free(struct pgpool *p);

struct pgpool_stats {
    size_t open;
    size_t busy;
    size_t idle;
    size_t connecting;
    size_t max;
    size_t waiters;
    bool up;                /* the last connect or batch reached the database */
    uint64_t down_since_ns; /* 0 when up */
};
void pgpool_stats(struct pgpool *p, struct pgpool_stats *out);
/* Close every connection as it becomes idle and connect anew (failover, schema change). */
void pgpool_recycle(struct pgpool *p);
/* From now on it has so many connections at most, and never more than its options say: those beyond
 * are closed as they become idle. */
void pgpool_limit(struct pgpool *p, size_t max);
/* From now on connections are made by other options; of their numbers only connect_timeout_ms
 * counts. Those that are open stay. False with CONFIG_INVALID, and nothing done. */
NODISCARD bool pgpool_reconnect_by(struct pgpool *p, const struct pgpool_options *opt,
                                   struct errors *errs);
/* Jobs, commands, start: run a batch on a connection of its own, blocking, from any thread but a
 * loop's. */
bool pgpool_run(struct pgpool *p, struct pgbatch *b, struct errors *errs);
/* The same of one statement without parameters that only reads, as the login role: its rows, in the
 * arena; NULL with errors. */
const struct pgrows *pgpool_query(struct pgpool *p, struct str sql, struct deadline until,
                                  struct arena *a, struct errors *errs);
/* Has what pgpool_run() is running cancelled, in whatever thread; it fails with 57014 then. */
void pgpool_cancel_runs(struct pgpool *p);
/* The process is ending: what pgpool_run() runs does not wait any more for a database that cannot
 * be reached. */
void pgpool_hurry(struct pgpool *p);

/* A worker's share of the pool; made, used and freed on the worker's thread. */
struct pgclient *pgclient_new(struct pgpool *p, struct loop *worker);
struct loop *pgclient_loop(const struct pgclient *c);
void pgclient_free(struct pgclient *c); /* nothing may be in flight */
/* done(b, ctx) is called exactly once, on the worker's thread, never from within this call, after
 * Sync came back. */
void pgclient_submit(struct pgclient *c, struct pgbatch *b, pgbatch_done *done, void *ctx);
/* The client has gone or the deadline passed: take it from the queue, or cancel it (slow lane) or
 * leave it to its timeout (fast lane). `done` still comes. */
void pgclient_cancel(struct pgclient *c, struct pgbatch *b);
/* Batches queued or in flight. */
size_t pgclient_pending(const struct pgclient *c);

#endif
