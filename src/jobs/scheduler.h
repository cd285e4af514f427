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

/* The list must live as long. The process's time zone is what schedules are read in. */
struct scheduler *scheduler_start(const struct job_list *jobs, struct pgpool *pool,
                                  uint64_t jitter_ms);
/* What runs is cancelled, and noted so. */
void scheduler_stop(struct scheduler *s);

#endif
