/*
 * rounds.h - pauses of threads that do something again and again, which end at once when they are
 * to stop.
 *
 * Thread:   rounds_wait() those threads; rounds_stop() any, once.
 * Memory:   embedded in what they do.
 */
#ifndef BASE_ROUNDS_H
#define BASE_ROUNDS_H

#include <pthread.h>

#include "base/base.h"

struct rounds {
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping; /* under the mutex */
};

void rounds_init(struct rounds *r);
void rounds_fini(struct rounds *r);
/* False: stopping; asked with 0 as well. */
bool rounds_wait(struct rounds *r, uint64_t ms);
void rounds_stop(struct rounds *r);

#endif
