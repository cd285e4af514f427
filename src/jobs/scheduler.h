/*
 * scheduler.h - runs jobs when they are due, on one thread.
 *
 * Thread:   it has one of its own (jobs); started and stopped by the daemon's.
 * Not here: what a job is (jobs.h), when it is due (cron.h).
 */
#ifndef JOBS_SCHEDULER_H
#define JOBS_SCHEDULER_H

#include "jobs/jobs.h"

struct scheduler;

struct scheduler_options {
    const struct job_list *jobs; /* must live as long */
    struct pgpool *pool;
    uint64_t jitter_ms;
    job_warm *warm; /* NULL: there is no result cache */
    void *warm_ctx;
};

/* The process's time zone is what schedules are read in. */
struct scheduler *scheduler_start(const struct scheduler_options *opt);
/* What runs is cancelled, and noted so. */
void scheduler_stop(struct scheduler *s);

#endif
