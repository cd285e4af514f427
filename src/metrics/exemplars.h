/*
 * exemplars.h - for each bucket of the requests' durations the last trace that fell into it.
 *
 * Thread:   any; a mutex, as only requests whose trace is kept come here.
 * Memory:   static.
 */
#ifndef METRICS_EXEMPLARS_H
#define METRICS_EXEMPLARS_H

#include "base/base.h"

struct exemplar {
    char trace_id[33];
    uint64_t nanoseconds;
    int64_t at_us; /* since 1970 */
};

/* Of HISTOGRAM_HTTP_REQUEST: the trace is kept, and can be looked at. */
void exemplar_put(const char *trace_id, uint64_t nanoseconds);
/* False: none has fallen into the bucket, counted from 0. */
bool exemplar_get(size_t bucket, struct exemplar *out);

#endif
