/*
 * observers.h - what keeps traces, metrics and errors: made from the configuration, ended together.
 *
 * Thread:   started and stopped from the main thread.
 * Memory:   the pool, the configuration and the arena must outlive them.
 * Not here: what they do (jobs/spans.c, jobs/metric_snapshots.c, otlp.c).
 */
#ifndef SERVER_OBSERVERS_H
#define SERVER_OBSERVERS_H

#include "config/config.h"
#include "jobs/error_recorder.h"
#include "jobs/metric_snapshots.h"
#include "server/error_report.h"
#include "server/ops_endpoints.h"
#include "server/otlp.h"
#include "server/tracing.h"

/* NULL: off. */
struct observers {
    struct spans *spans;
    struct otlp *otlp;
    struct metric_snapshots *snapshots;
    struct error_recorder *recorder;
    struct error_reports errors;    /* with `pending` if there is a recorder */
    struct str resource;            /* a JSON object: attributes of this daemon */
    atomic_uint_fast64_t unsampled; /* of struct tracing */
};

/* Does the configuration make sense? False with CONFIG_INVALID errors. */
NODISCARD bool observers_check(const struct config *c, struct errors *errs);
/* False with CONFIG_INVALID errors: there is no spool where it should be. */
NODISCARD bool observers_start(struct observers *o, const struct config *c, struct pgpool *pool,
                               struct arena *a, struct errors *errs);
/* Metrics with the gauges of what health knows, whose parts must outlive them. */
void observers_start_snapshots(struct observers *o, const struct config *c, struct health *health);
/* After a last one. */
void observers_stop_snapshots(struct observers *o);
/* What requests need of them; NULL: errors are not recorded. */
const struct error_reports *observers_errors(const struct observers *o);
/* The same for traces. */
struct tracing observers_tracing(struct observers *o, const struct config *c);
/* Writes what is left of traces and errors; nobody offers any more. */
void observers_stop(struct observers *o);

#endif
