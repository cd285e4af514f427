/*
 * rounds.h - a job's pauses, which end at once when it is to stop.
 *
 * Thread:   rounds_wait() the job's own; rounds_stop() any, once.
 * Memory:   embedded in the job.
 */
#ifndef JOBS_ROUNDS_H
#define JOBS_ROUNDS_H

#include <pthread.h>

#include "base/base.h"

struct rounds {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping; /* under the mutex */
};

void rounds_init(struct rounds *r);
void rounds_fini(struct rounds *r);
/* False: stopping. */
bool rounds_wait(struct rounds *r, uint64_t ms);
void rounds_stop(struct rounds *r);

#endif
