/*
 * pgconn.h - one non-blocking connection in pipeline mode: batches in, batches out, in order.
 *
 * Thread:   one owner at a time: the helper while connecting and closing, a
 *           client or pgpool_run() while leased, nobody while idle in the pool.
 * Memory:   made by pgconn_new(), freed by pgconn_free().
 * Not here: which connection a batch gets (pgclient.c), waiting for its descriptor.
 */
#ifndef PG_PGCONN_H
#define PG_PGCONN_H

#include <libpq-fe.h>

#include "base/buf.h"
#include "base/loop.h"
#include "pg/pgbatch.h"

struct pgnames;
struct pgexpect;
struct pgmember;

struct pgbatch_list { /* linked by `next` alone */
    struct pgbatch *first;
    struct pgbatch *last;
};

enum pgplace { /* where its client keeps it */
    PGPLACE_IDLE,
    PGPLACE_FAST,
    PGPLACE_SLOW,
    PGPLACE_HELD, /* a cancel request is still under way and might hit what we sent next */
};

struct pgconn {
    /* constant */
    PGconn *pg;       /* owned */
    PGcancel *cancel; /* owned; any thread */
    int fd;
    uint64_t expires_ns;
    uint64_t generation;              /* of the pool, when it was made */
    const struct pgsetting *defaults; /* what the start packet could not carry */
    size_t ndefaults;

    /* owner */
    struct pgbatch_list in_flight;
    size_t inflight;
    struct pgexpect *expected; /* owned; a ring: the results to come, in order */
    size_t expected_first;
    size_t expected_count;
    size_t expected_cap;
    struct pgnames *prepared; /* owned */
    char stale[8][64];        /* names to be deallocated before the next batch */
    size_t nstale;
    char *settings_sql[PGSESSION_MAX_SETTINGS + 16]; /* owned; by number of settings, made once */
    bool got_result; /* of the first expected; its NULL is still to come */
    bool want_write; /* bytes are left to send: flush when writable */
    bool broken;     /* close it */
    bool retire;     /* close it once nothing is in flight */
    bool refuses;    /* changes: the server is a standby, or read-only */
    bool changed;    /* its last batch was a change: settings of the session may be left */
    bool lost_names; /* the server does not know what was prepared here: a pooler is between */

    /* client */
    struct pgclient *client;
    struct watch *watch; /* owned */
    enum pgplace place;
    uint64_t idle_ns; /* since when */
    struct pgconn *prev;
    struct pgconn *next; /* pool: its lists */

    /* pool mutex */
    bool cancelling;         /* in the helper's list, or being cancelled */
    bool orphan;             /* close it when the cancel request returned */
    struct pgmember *member; /* to tell when the cancel request returned */
    struct pgconn *next_cancel;
};

/* Takes pg, which must be connected. False: it is of no use; *out is NULL and pg closed. */
bool pgconn_new(PGconn *pg, const struct pgsetting *defaults, size_t ndefaults,
                struct pgconn **out);
/* Nothing may be in flight (pgconn_abandon()). May block a little: for the helper. */
void pgconn_free(struct pgconn *c);
/*
 * Queue and send. False: nothing of it can take effect, and the connection is
 * broken. cap_ms: upper limit of statement_timeout, or 0. named: use prepared statements.
 */
bool pgconn_send(struct pgconn *c, struct pgbatch *b, uint32_t cap_ms, bool named, uint64_t now_ns);
/* The rest of a batch that was held, or, if it is over, what ends it. Broken when that fails. */
void pgconn_send_rest(struct pgconn *c, struct pgbatch *b, bool over);
/* Is a pooler between? Told by what it refuses at the start. */
static inline bool pgconn_is_pooled(const struct pgconn *c)
{
    return c->ndefaults > 0;
}
/* When writable. False: broken. */
bool pgconn_flush(struct pgconn *c);
/* When readable: appends the batches whose Sync came, their outcome set. False: broken. */
bool pgconn_read(struct pgconn *c, struct pgbatch_list *finished);
/* A broken connection gives up what was in flight. */
void pgconn_abandon(struct pgconn *c, struct pgbatch_list *lost);
/* An idle connection nobody watched: is it still there? */
bool pgconn_is_alive(struct pgconn *c);
/* Does it owe us nothing, not even the end of a DEALLOCATE? */
bool pgconn_is_quiet(const struct pgconn *c);

void pgbatch_list_push(struct pgbatch_list *l, struct pgbatch *b);
struct pgbatch *pgbatch_list_pop(struct pgbatch_list *l);

#endif
