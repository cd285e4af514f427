/*
 * pgreplica_watch.h - the inside of pgreplicas: servers, and what is known of their positions.
 *
 * Thread:   fields as marked.
 * Not here: who gets which replica (pgreplicas.c).
 */
#ifndef PG_PGREPLICA_WATCH_H
#define PG_PGREPLICA_WATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/rounds.h"
#include "base/thread.h"
#include "pg/pglease.h"
#include "pg/pgreplicas.h"

/* How often servers are asked; less often where replicas may be far behind, so that what is
 * remembered of the primary reaches back as far. */
#define PGREPLICA_POLL_MS   200
#define PGREPLICA_POSITIONS 256

/* Slots of when somebody changed something. Two who share one see later than need be, no less. */
#define PGREPLICA_WRITERS 4096

struct pgposition { /* where the primary was */
    uint64_t lsn;
    uint64_t asked_ns; /* before that: what had been committed then is within */
};

struct pgreplica { /* one server; the first is the primary */
    /* constant */
    struct pgreplicas *all;
    struct pgpool *pool;   /* owned, but for the primary's */
    struct thread *thread; /* owned */
    char name[300];        /* host:port, for the log */
    /* its own thread */
    PGconn *pg; /* owned; NULL: not connected */
    struct buf reason;
    bool told; /* the log knows whether it is used */
    bool told_usable;
    uint64_t block_size;
    /* written by its thread, and by whoever finds that it fails */
    atomic_bool usable;
    /* any thread */
    _Atomic uint64_t has_ns;   /* what was committed before is there; 0: not known */
    _Atomic uint64_t replayed; /* position */
    _Atomic uint64_t lag_ns;   /* UINT64_MAX: it cannot be reached */
};

struct pgreplicas {
    /* constant */
    struct pgreplicas_options opt; /* numbers only */
    uint64_t poll_ms;
    struct pgreplica servers[1 + PGREPLICAS_MAX];
    struct rounds rounds; /* of all its threads */
    /* mutex */
    pthread_mutex_t lock;
    struct pgposition positions[PGREPLICA_POSITIONS]; /* of the primary; a ring, ascending */
    size_t npositions;                                /* ever */
    char system[24]; /* identifier of the primary's cluster; "": not known */
    /* any thread */
    _Atomic uint64_t wrote_ns[PGREPLICA_WRITERS];
};

/* A server's thread. */
void pgreplica_watch(void *server);

#endif
