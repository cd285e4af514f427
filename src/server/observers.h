/*
 * observers.h - what keeps traces and metrics: made from the configuration, ended together.
 *
 * Thread:   started and stopped from the main thread.
 * Memory:   the pool, the configuration and the arena must outlive them.
 * Not here: what they do (jobs/spans.c, jobs/metric_snapshots.c, otlp.c).
 */
#ifndef SERVER_OBSERVERS_H
#define SERVER_OBSERVERS_H

#include "config/config.h"
#include "jobs/metric_snapshots.h"
#include "server/ops_endpoints.h"
#include "server/otlp.h"
#include "server/tracing.h"

/* NULL: off. */
struct observers {
    struct spans *spans;
    struct otlp *otlp;
    struct metric_snapshots *snapshots;
    struct str resource;            /* a JSON object: attributes of this daemon */
    atomic_uint_fast64_t unsampled; /* of struct tracing */
};

/* Does the configuration make sense? False with CONFIG_INVALID errors. */
NODISCARD bool observers_check(const struct config *c, struct errors *errs);
void observers_start(struct observers *o, const struct config *c, struct pgpool *pool,
                     struct arena *a);
/* Metrics with the gauges of what health knows, whose parts must outlive them. */
void observers_start_snapshots(struct observers *o, const struct config *c, struct health *health);
/* After a last one. */
void observers_stop_snapshots(struct observers *o);
/* What requests need of them. */
struct tracing observers_tracing(struct observers *o, const struct config *c);
/* Writes what is left of traces; nobody offers any more. */
void observers_stop(struct observers *o);

#endif
