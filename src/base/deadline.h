/*
 * deadline.h - points in monotonic time.
 *
 * Thread:   any; values.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include "base/base.h"

struct deadline {
    uint64_t at_ns; /* monotonic; UINT64_MAX: never */
};

#define DEADLINE_NEVER ((struct deadline){UINT64_MAX})

uint64_t monotonic_ns(void);
/* Microseconds since 1970. */
int64_t wall_clock_us(void);

static inline struct deadline deadline_in_ms(uint64_t ms)
{
    return (struct deadline){monotonic_ns() + ms * UINT64_C(1000000)};
}

static inline bool deadline_passed(struct deadline d)
{
    return d.at_ns != UINT64_MAX && monotonic_ns() >= d.at_ns;
}

/* Rounded up; 0 when passed; INT64_MAX / 2 for never. */
int64_t deadline_left_ms(struct deadline d);

static inline struct deadline deadline_earlier(struct deadline a, struct deadline b)
{
    return a.at_ns < b.at_ns ? a : b;
}

#endif
