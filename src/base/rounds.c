/*
 * rounds.c - pauses of threads that do something again and again.
 *
 * Thread:   see rounds.h.
 * Memory:   none.
 */
#include "base/rounds.h"

#include "base/condition.h"

void rounds_init(struct rounds *r)
{
    r->stopping = false;
    CHECK(pthread_mutex_init(&r->mutex, NULL) == 0);
    condition_init(&r->wake);
}

void rounds_fini(struct rounds *r)
{
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->mutex);
}

bool rounds_wait(struct rounds *r, uint64_t ms)
{
    struct deadline until = deadline_in_ms(ms);
    bool stopping;

    pthread_mutex_lock(&r->mutex);
    while (!r->stopping && condition_wait(&r->wake, &r->mutex, until))
        continue;
    stopping = r->stopping;
    pthread_mutex_unlock(&r->mutex);
    return !stopping;
}

void rounds_stop(struct rounds *r)
{
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->mutex);
}
