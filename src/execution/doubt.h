/*
 * doubt.h - is the schema older than the database? Asked when an operation failed as if it were.
 *
 * Thread:   a worker's.
 * Memory:   embedded in the execution.
 * Not here: looking at the catalog (jobs/schema_watch.c), running again (execute.c).
 *
 * Between a change of the database and the schema that follows it, plans name what is
 * not there any more, and read columns as what they were. Who meets that waits
 * for the next look at the catalog, which is short, instead of failing.
 */
#ifndef EXECUTION_DOUBT_H
#define EXECUTION_DOUBT_H

#include "pg/pgbatch.h"

struct execution;
struct timer;

enum doubt_verdict {
    DOUBT_RERUN,     /* another schema than the operation's is published */
    DOUBT_UNFOUNDED, /* the schema is that of the database: the failure stands */
    DOUBT_UNSETTLED, /* not known in time */
};

typedef void doubt_settled(struct execution *x, enum doubt_verdict verdict);

struct doubt {
    struct timer *timer; /* owned */
    uint64_t check;      /* number of the look that will tell */
    uint64_t until_ns;
    unsigned asked; /* times */
    doubt_settled *settled;
};

/* What a plan names is not there any more, or of another type, or its values cannot be cast to that
 * which the schema knows. */
bool doubt_of_failure(const struct pgbatch *b);
/* An object was dropped while the statement was about to use it: it may be there again. */
bool doubt_was_replaced(const struct pgbatch *b);

/*
 * Have the catalog looked at. True: `settled` comes later, on this thread. False: nobody looks, or
 * waits: `wait` is false, or the client has gone.
 */
bool doubt_ask(struct execution *x, bool wait, doubt_settled *settled);

/* Is it to be run again at once? Not for ever. */
bool doubt_retry(struct execution *x);

#endif
