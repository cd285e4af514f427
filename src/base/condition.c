/*
 * condition.c - condition variables whose waits end by the monotonic clock.
 *
 * Thread:   any.
 */
#include "base/condition.h"

void condition_init(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;

    CHECK(pthread_condattr_init(&monotonic) == 0);
    CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(c, &monotonic) == 0);
    pthread_condattr_destroy(&monotonic);
}

bool condition_wait(pthread_cond_t *c, pthread_mutex_t *m, struct deadline until)
{
    struct timespec at = {(time_t)(until.at_ns / UINT64_C(1000000000)),
                          (long)(until.at_ns % UINT64_C(1000000000))};

    if (until.at_ns == UINT64_MAX)
        return pthread_cond_wait(c, m) == 0;
    return pthread_cond_timedwait(c, m, &at) == 0;
}
