/*
 * jobs.h - the table of jobs: those of the daemon and those of the configuration; running one.
 *
 * Thread:   jobs, and commands: running blocks.
 * Memory:   a list lives in the arena that it is made in.
 * Not here: when (cron.h, scheduler.h).
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include "config/config.h"
#include "jobs/cron.h"
#include "pg/pgpool.h"

#include <stdatomic.h>

enum job_kind {
    JOB_CACHE_CLEANUP,
    JOB_PARTITIONS,
    JOB_RETENTION,
    JOB_STATISTICS,
    JOB_CACHE_WARM,
    JOB_REFRESH,
    JOB_SQL,
    JOB_KINDS
};

struct scheduled_job {
    struct str name;
    enum job_kind kind;
    struct str schedule; /* as it is written; "off" */
    struct cron cron;
    bool off;
    struct str argument;         /* a materialized view, or a statement; NUL-terminated */
    bool plainly;                /* refreshed without CONCURRENTLY */
    uint64_t batch;              /* JOB_CACHE_CLEANUP: entries deleted at once */
    uint64_t max_bytes;          /* of all of them */
    const struct str *documents; /* JOB_CACHE_WARM: see server/cachewarm.h */
    size_t ndocuments;
    const struct str *tenants;
    size_t ntenants;
    uint64_t timeout_ms;
    bool at_start;   /* once besides */
    bool everywhere; /* each daemon for itself, and no history */
};

struct job_list {
    const struct scheduled_job *items;
    size_t n;
};

/* Sorted by name. False with CONFIG_INVALID errors. */
NODISCARD bool jobs_list(const struct config *c, struct arena *a, struct job_list *out,
                         struct errors *errs);
/* NULL: there is none. */
const struct scheduled_job *jobs_find(const struct job_list *l, struct str name);

/* The word is that of fraiseql.job_runs. */
enum job_outcome {
    JOB_DONE,
    JOB_FAILED,
    JOB_TIMEOUT,
    JOB_SKIPPED,     /* the run before is not over */
    JOB_TAKEN,       /* another daemon has run it, or does */
    JOB_MISSING,     /* what it needs is not installed */
    JOB_UNAVAILABLE, /* the database cannot be reached; nothing has happened */
};
const char *job_outcome_name(enum job_outcome o);

/*
 * JOB_CACHE_WARM needs what answers requests: it is done by who has that. What it did, or what went
 * wrong, is in *detail, in the arena. It ends soon after `stopping`.
 */
typedef bool job_warm(void *ctx, const struct scheduled_job *j, struct deadline until,
                      const atomic_bool *stopping, struct arena *a, struct str *detail);

struct job_runner {
    struct pgpool *pool;
    job_warm *warm;
    void *warm_ctx;
    atomic_bool stopping; /* no statement is begun any longer, but the one that notes the end */
    atomic_bool busy;     /* a statement of the job itself is about to run, or does */
};

/*
 * Claim the run that is due at a time, in microseconds since 1970, run it and note what became of
 * it. What it did, or what went wrong, is in *detail, in the arena.
 */
enum job_outcome job_run(const struct scheduled_job *j, struct job_runner *r, int64_t due_us,
                         struct arena *a, struct str *detail);

#endif
