/*
 * exemplars.c - for each bucket of the requests' durations the last trace that fell into it.
 *
 * Thread:   see exemplars.h.
 */
#include "metrics/exemplars.h"

#include <pthread.h>
#include <stdio.h>

#include "base/deadline.h"
#include "metrics/slot.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct exemplar exemplars[HISTOGRAM_BUCKETS + 1];

void exemplar_put(const char *trace_id, uint64_t nanoseconds)
{
    size_t i = histogram_bucket(metric_bounds(HISTOGRAM_HTTP_REQUEST), nanoseconds);

    pthread_mutex_lock(&mutex);
    snprintf(exemplars[i].trace_id, sizeof(exemplars[i].trace_id), "%s", trace_id);
    exemplars[i].nanoseconds = nanoseconds;
    exemplars[i].at_us = wall_clock_us();
    pthread_mutex_unlock(&mutex);
}

bool exemplar_get(size_t bucket, struct exemplar *out)
{
    pthread_mutex_lock(&mutex);
    *out = exemplars[bucket];
    pthread_mutex_unlock(&mutex);
    return out->trace_id[0] != '\0';
}
