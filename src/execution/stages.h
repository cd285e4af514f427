/*
 * stages.h - how long each stage of a request took, and what it was, for traces and the log.
 *
 * Thread:   a worker's.
 * Memory:   texts are in the request's arena.
 * Not here: what becomes of it (server/tracing.c).
 */
#ifndef EXECUTION_STAGES_H
#define EXECUTION_STAGES_H

#include "pg/pgbatch.h"

enum stage {
    STAGE_VALIDATE, /* parsing included; not run when the operation was cached, as the next */
    STAGE_PLAN,
    STAGE_WAIT, /* for a connection */
    STAGE_DATABASE,
    STAGE_RESPOND,
    STAGE_COUNT
};

/* An operation may come to a stage several times: the first begin, and all the time in it. */
struct stage_time {
    uint64_t since_ns; /* monotonic; 0: it did not come to it */
    uint64_t ns;
};

static inline void stage_add(struct stage_time *t, uint64_t since_ns, uint64_t ns)
{
    if (t->since_ns == 0)
        t->since_ns = since_ns;
    t->ns += ns;
}

struct stages {
    struct stage_time times[STAGE_COUNT];
    /* by stages_describe(); empty where the operation had none */
    struct str name;      /* of the operation in its document */
    struct str sql;       /* its statements, cut at STAGES_SQL_MAX */
    char sql_digest[17];  /* of the first: 16 digits of its SHA-256 */
    const char *code;     /* of the first error; NULL: none */
    const char *sqlstate; /* of the same, "" if the database did not raise it */
};

#define STAGES_SQL_MAX 8192

struct execution;

/* The batch of x is over. */
void stages_add_batch(struct stages *s, const struct pgbatch *b);
/* When the response was there, or now; monotonic. */
uint64_t stages_end_ns(const struct stages *s);
/* x is about to let its plan go: keep what a trace or the log tells about it, if they will. */
void stages_describe(struct execution *x);

#endif
