/*
 * deadline.c - the two clocks.
 *
 * Thread:   any.
 */
#include <time.h>

#include "base/deadline.h"

uint64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

int64_t wall_clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t deadline_left_ms(struct deadline d)
{
    uint64_t now;

    if (d.at_ns == UINT64_MAX)
        return INT64_MAX / 2;
    now = monotonic_ns();
    if (now >= d.at_ns)
        return 0;
    return (int64_t)((d.at_ns - now - 1) / UINT64_C(1000000)) + 1;
}
