/*
 * metrics.h - counters, gauges and histograms.
 *
 * Thread:   any. Counters and histograms are per thread and summed when read:
 *           counting is a load and a store, without lock or locked instruction.
 * Memory:   a thread's slot is made at its first count and kept for the next
 *           thread, so that no count is lost.
 * Not here: how they are shown (prometheus.h).
 */
#ifndef METRICS_METRICS_H
#define METRICS_METRICS_H

#include "base/error.h"

#define METRIC(type, name, help)
#define SAME_GAUGE(id)

enum metric {
#define COUNTER(id, labels) METRIC_##id,
#define GAUGE(id, labels)
#define HISTOGRAM(id, labels, buckets)
#include "metrics/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    METRIC_COUNT
};

enum gauge {
#define COUNTER(id, labels)
#define GAUGE(id, labels) GAUGE_##id,
#define HISTOGRAM(id, labels, buckets)
#include "metrics/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    GAUGE_COUNT
};

enum histogram {
#define COUNTER(id, labels)
#define GAUGE(id, labels)
#define HISTOGRAM(id, labels, buckets) HISTOGRAM_##id,
#include "metrics/metrics.def"
#undef COUNTER
#undef GAUGE
#undef HISTOGRAM
    HISTOGRAM_COUNT
};

#undef METRIC
#undef SAME_GAUGE

#define HISTOGRAM_BUCKETS 13 /* upper bounds; one more is +Inf */
#define HISTOGRAM_SERIES  16 /* that Prometheus makes of one: with +Inf, sum and count */

void metric_add(enum metric m, uint64_t n);
void metric_observe(enum histogram h, uint64_t nanoseconds);
/* The same of a number that is no time: of buckets of numbers. */
static inline void metric_observe_number(enum histogram h, uint64_t n)
{
    metric_observe(h, (n < 1000000 ? n : 1000000) * UINT64_C(1000000000));
}
void metric_gauge_set(enum gauge g, double value);
void metric_gauge_add(enum gauge g, double delta);

/* The counter of a status code, an error code, a SQLSTATE. */
enum metric metric_of_status(int status);
enum metric metric_of_error(enum error_code code);
enum metric metric_of_sqlstate(const char *sqlstate);

struct histogram_total {
    uint64_t counts[HISTOGRAM_BUCKETS + 1]; /* not cumulated */
    uint64_t sum_ns;
};

/* Sums over all threads, those that ended included. */
uint64_t metric_total(enum metric m);
double metric_gauge(enum gauge g);
struct histogram_total metric_histogram(enum histogram h);
/* HISTOGRAM_BUCKETS bounds in nanoseconds, ascending. */
const uint64_t *metric_bounds(enum histogram h);

#endif
