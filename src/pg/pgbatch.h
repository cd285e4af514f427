/*
 * pgbatch.h - session settings + statements + deadline: what is sent as one transaction.
 *
 * Thread:   one at a time: the submitter's, then the pgclient's, then the submitter's again in
 * `done`. Memory:   embedded in the submitter's request; everything it points to lives until `done`
 * ran. Not here: connections (pgconn.c).
 *
 * There is no way to send a statement but a batch, and no batch without a
 * session: the settings are the first statement of every batch. The transaction is
 * the implicit one that ends with Sync; where some of a batch may fail without the
 * rest, the calls say BEGIN, SAVEPOINT and COMMIT themselves, and there are more
 * Syncs than one.
 */
#ifndef PG_PGBATCH_H
#define PG_PGBATCH_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/error.h"
#include "pg/pgstatement.h"

/* More settings than these in one session abort: who builds sessions checks its configuration. */
#define PGSESSION_MAX_SETTINGS 128

struct pgsetting {
    const char *name;  /* "app.current_tenant_id" */
    const char *value; /* "" when the identity has none; never NULL */
};

/* What every statement of a batch runs under: set for the transaction only, all of it every time.
 */
struct pgsession {
    const char *role; /* SET LOCAL ROLE; "" : stay the login role */
    const struct pgsetting *settings;
    size_t nsettings;
    uint64_t tenant;     /* fairness key; requests of one tenant queue behind each other */
    uint32_t timeout_ms; /* statement_timeout; lowered to what the deadline leaves */
    bool read_only;      /* transaction_read_only */
};

struct pgrows; /* one statement's result */

size_t pgrows_count(const struct pgrows *r);
size_t pgrows_columns(const struct pgrows *r);
/* All values of a row into out[0..columns). They live as long as the batch's arena. */
void pgrows_row(const struct pgrows *r, size_t row, struct pgvalue *out);
/* Rows a command without result affected. */
uint64_t pgrows_affected(const struct pgrows *r);

/* What a guard fails with on purpose: invalid_text_representation, of a cast. */
#define PGGUARD_STATE "22P02"

struct pgcall {
    const struct pgstatement *statement;
    const char *const *params; /* text format, NUL-terminated; NULL: SQL null */
    bool guard;                /* may fail with PGGUARD_STATE, and the batch has not failed by it */
    bool sync; /* a Sync follows: what fails up to it does not stop what is behind. Only in a batch
                  with a transaction of its own */
    bool tripped; /* out: the guard has failed so; what followed, up to Sync, did not run */
    const struct pgrows *rows; /* out: binary format; NULL when it did not run */
};

enum pglane {
    PGLANE_SLOW, /* one batch at a time on its connection: mutations, unknown plans */
    PGLANE_FAST, /* several in flight: queries known to be short */
};

enum pgbatch_outcome {
    PGBATCH_OK,
    PGBATCH_FAILED, /* a statement (or the commit) raised an error; everything was rolled back */
    PGBATCH_UNAVAILABLE, /* no connection could be had in time, or it broke; nothing has happened */
    PGBATCH_TIMEOUT,     /* the deadline passed in the queue; nothing was sent */
    PGBATCH_FULL,        /* too many waiters; nothing was sent */
    PGBATCH_CANCELLED,   /* pgclient_cancel(): the transaction was rolled back or never began */
    PGBATCH_LOST, /* the connection broke, and the transaction may have been committed: for a write
                     the outcome is unknown */
};

struct pgbatch;
typedef void pgbatch_done(struct pgbatch *b, void *ctx);
/* All calls before `hold` are answered, and none has failed: set the parameters of the others.
 * Comes again when the batch is sent again. */
typedef void pgbatch_held(struct pgbatch *b);

struct pgbatch {
    /* set by the submitter */
    const struct pgsession *session;
    struct pgcall *calls;
    size_t ncalls;
    struct deadline until;
    bool transaction; /* the calls begin a transaction and the last of them is its COMMIT, whose tag
                         decides: an aborted transaction is rolled back by it */
    bool rolls_back;  /* with `transaction`: the last of the calls is its ROLLBACK */
    size_t hold; /* calls from here on are sent when `held` has been asked, in the same transaction;
                    0: none */
    pgbatch_held *held;
    enum pglane lane; /* becomes PGLANE_SLOW when it was too slow for the fast lane */
    bool repeatable; /* a query: may be sent again after a lost connection, 40001, 40P01, stale plan
                        or fast-lane timeout. A change only when it certainly has not happened: it
                        was rolled back for a stale statement or with its connection, or could not
                        be sent */
    struct arena *arena; /* results are released with it; error texts are allocated in it */

    /* set before `done` */
    enum pgbatch_outcome outcome;
    size_t failed_call; /* PGBATCH_FAILED: index, or ncalls when the commit failed, or SIZE_MAX for
                           the session settings */
    char sqlstate[6];
    struct str message; /* PostgreSQL's own words: for log and tracker */
    struct str detail;
    struct str hint;
    struct str constraint;
    struct str
        context; /* where within the statement: a parameter, a function; empty: nothing told */
    uint64_t queued_ns;  /* waiting for a connection */
    uint64_t backend_ns; /* from the first byte sent to Sync */

    /* private to pg/ */
    pgbatch_done *done;
    void *ctx;
    struct pgbatch *next;
    struct pgbatch *prev;
    uint64_t submitted_ns;
    uint64_t sent_ns;
    void *conn;
    enum pgbatch_state {
        PGBATCH_NEW,
        PGBATCH_QUEUED,
        PGBATCH_IN_FLIGHT,
        PGBATCH_FINISHED, /* `done` is about to be called */
    } state;
    uint32_t retried; /* enum pgretry: why it was sent again */
    bool failed;      /* an error was read; the others of the batch follow from it */
    bool aborted;     /* it is the server's own, of a statement: the transaction is over */
    bool ended;       /* the server was asked to commit it */
    bool undone; /* it was in flight when the connection broke, and has certainly not happened */
    bool stale;  /* the failure was about the name of a prepared statement */
    bool cancel_wanted;
    bool named; /* sent with prepared statements */
};

/* Zeroes it and sets the rest. session must not be NULL. */
void pgbatch_init(struct pgbatch *b, const struct pgsession *session, struct pgcall *calls,
                  size_t ncalls, struct arena *a);

#endif
