/*
 * workers.h - worker threads: each a loop, a share of the connection pool, and the jobs in its
 * hands.
 *
 * Thread:   made and ended on the main loop's thread.
 * Memory:   a job lives in the arena of its exchange.
 * Not here: what a job does (graphql_endpoint.c).
 */
#ifndef SERVER_WORKERS_H
#define SERVER_WORKERS_H

#include <stdatomic.h>

#include "execution/execute.h"
#include "http/compress.h"
#include "http/exchange.h"

struct workers;
struct worker;

/* A request in a worker's hands. */
struct job {
    struct exchange *exchange;
    struct worker *worker;
    uint64_t id; /* unique in its worker */
    struct job *next;
    struct job *prev;
    struct execution execution;
    struct identity identity;
    void (*run)(struct job *j); /* on the worker's thread; ends, now or later, in job_reply() */
    const void *context;        /* of run */
    atomic_size_t *users;       /* of the context, counted down when the job is over; or NULL */
    void *state;                /* of run, in the exchange's arena */
    bool cancelled;             /* nobody waits for the answer: begin nothing new */
    uint64_t started_ns;
};

struct workers_options {
    size_t count;     /* threads, at least 1 */
    size_t max_queue; /* jobs in all workers' hands */
    struct pgpool *pool;
    struct pgreplicas *replicas; /* NULL: there are none */
    int compression_level;       /* of job_compressor() */
};

struct workers *workers_start(const struct workers_options *opt);
/* Loop thread. False: too many jobs already, the exchange is still the caller's. The context must
 * last until users, which is counted up, has been counted down and what was posted to the loop
 * before that has run. */
NODISCARD bool workers_submit(struct workers *w, struct exchange *x, void (*run)(struct job *j),
                              const void *context, atomic_size_t *users);
/* Loop thread. */
void workers_set_max_queue(struct workers *w, size_t max_queue);
/* Worker thread, exactly once per job: answer; the job is gone afterwards. */
void job_reply(struct job *j, struct http_reply *r);
struct pgclient *job_pg(const struct job *j);
struct pgreaders *job_readers(const struct job *j); /* NULL: there are no replicas */
/* Of the worker's thread. */
struct compressor *job_compressor(const struct job *j);
/* Any thread. */
size_t workers_in_flight(const struct workers *w);
/* Nanoseconds since the slowest worker last came round; for liveness. */
uint64_t workers_oldest_heartbeat_ns(const struct workers *w);
/* Main loop's thread, when the loop has ended. Jobs still in hand are cancelled and replied to. */
void workers_stop(struct workers *w);

#endif
