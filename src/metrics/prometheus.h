/*
 * prometheus.h - all metrics as text.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 */
#ifndef METRICS_PROMETHEUS_H
#define METRICS_PROMETHEUS_H

#include "base/buf.h"
#include "metrics/metrics.h"

#define PROMETHEUS_CONTENT_TYPE  "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS_CONTENT_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* Text exposition format 0.0.4, or OpenMetrics 1.0, which has exemplars as well: the table of
 * metrics.def, build_info, those of operations, and the process's own. Samples and their labels are
 * the same in both. */
void prometheus_write(struct buf *out, bool openmetrics);

/* One series. */
struct metric_sample {
    const char *name;
    const char *labels; /* "" or code="200",… */
    const char *type;   /* "counter", "gauge", "histogram" */
    double value;
    const struct histogram_total *histogram; /* NULL: it is none */
    const uint64_t *bounds;                  /* its own, in nanoseconds */
};

/* Every series of metrics.def. */
void prometheus_visit(void (*fn)(const struct metric_sample *m, void *ctx), void *ctx);

#endif
