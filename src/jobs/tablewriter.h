/*
 * tablewriter.h - a job's statements: on a connection of the pool, as the login role; what fails is
 * told once.
 *
 * Thread:   the job's own.
 * Memory:   embedded in the job.
 * Not here: when they run.
 */
#ifndef JOBS_TABLEWRITER_H
#define JOBS_TABLEWRITER_H

#include "pg/pgpool.h"

struct tablewriter {
    struct pgpool *pool;
    const char *complaint; /* the log's, when a statement failed: "traces are not kept" */
    uint32_t timeout_ms;
    bool may_be_lost; /* commits do not wait for the disk */
    bool failing;     /* the log knows */
};

/* One statement, waiting for it. That the database is away the pool says; everything else is said
 * once until it went well again. */
bool tablewriter_run(struct tablewriter *w, struct str sql, const char *const *params,
                     size_t nparams, struct arena *a);

#endif
