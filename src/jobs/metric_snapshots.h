/*
 * metric_snapshots.h - writes the daemon's metrics to fraiseql.otel_metrics, at intervals.
 *
 * Thread:   started and stopped from the main thread; works on its own (jobs).
 * Memory:   the pool and all texts must outlive it.
 * Not here: the metrics (metrics/metrics.def).
 */
#ifndef JOBS_METRIC_SNAPSHOTS_H
#define JOBS_METRIC_SNAPSHOTS_H

#include "pg/pgpool.h"

struct metric_snapshots_options {
    struct pgpool *pool;
    uint64_t interval_ms;
    struct str resource;        /* a JSON object: what is true of all of this daemon */
    void (*refresh)(void *ctx); /* brings gauges up to date; any thread */
    void *ctx;
};

struct metric_snapshots;

struct metric_snapshots *metric_snapshots_start(const struct metric_snapshots_options *opt);
/* After a last one, if the database is there. */
void metric_snapshots_stop(struct metric_snapshots *s);

#endif
