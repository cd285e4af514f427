/*
 * reading.h - where an operation runs: on the primary, or a query on a replica.
 *
 * Thread:   a worker's.
 * Memory:   embedded in the execution.
 * Not here: which replicas are near enough (pg/pgreplicas.h).
 *
 * Only what cannot be noticed goes to a replica: a query whose answer is not kept in the result
 * cache, by somebody whose own changes are there. What fails on a replica is run on the primary, so
 * that an error that clients see is always the primary's: unless replicas have to do without.
 */
#ifndef EXECUTION_READING_H
#define EXECUTION_READING_H

#include "pg/pgreplicas.h"

struct execution;

/* Of an execution. */
struct reading {
    /* set by the caller */
    struct pgreaders *readers; /* the worker's; NULL: there are no replicas */
    uint64_t after;            /* a position in the WAL that it must see; 0: any */
    /* for the caller in `done` */
    char position[PGPOSITION_TEXT]; /* which its change has reached; "": none */
    /* private */
    struct pgclient *replica; /* its batch is there, in flight */
    bool from_replica;        /* what it read is from there */
    bool stays;               /* on the primary */
    struct pgsession session;
    struct pgstatement statement;
    struct pgcall call;
    void (*then)(struct execution *x);
};

/* The batch is about to be sent: to whom? NULL, with an error: there is no replica, and nothing
 * else is allowed. */
struct pgclient *reading_client(struct execution *x);
/* Who has the batch that is in flight. */
struct pgclient *reading_current(const struct execution *x);
/* The batch is back. True: it failed as it might not on the primary, and is to be sent there. */
bool reading_ended(struct execution *x);
/* Its values cannot be read. True: they are a replica's; it is to be sent to the primary. */
bool reading_doubts(struct execution *x);
/* It has changed something, if it is a mutation: who made it is to see that. True: `then` comes
 * later, with the position that others may ask for. */
bool reading_changed(struct execution *x, void (*then)(struct execution *x));

#endif
