/*
 * rounds.c - a job's pauses, which end at once when it is to stop.
 *
 * Thread:   see rounds.h.
 * Memory:   none.
 */
#include "jobs/rounds.h"

#include <time.h>

void rounds_init(struct rounds *r)
{
    r->stopping = false;
    CHECK(pthread_mutex_init(&r->mutex, NULL) == 0 && pthread_cond_init(&r->wake, NULL) == 0);
}

void rounds_fini(struct rounds *r)
{
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->mutex);
}

bool rounds_wait(struct rounds *r, uint64_t ms)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&r->mutex);
    while (!r->stopping && pthread_cond_timedwait(&r->wake, &r->mutex, &until) == 0)
        continue;
    stopping = r->stopping;
    pthread_mutex_unlock(&r->mutex);
    return !stopping;
}

void rounds_stop(struct rounds *r)
{
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->mutex);
}
