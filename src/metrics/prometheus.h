/*
 * prometheus.h - all metrics as text.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 */
#ifndef METRICS_PROMETHEUS_H
#define METRICS_PROMETHEUS_H

#include "base/buf.h"

#define PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Text exposition format 0.0.4: the table of metrics.def, build_info, and the process's own. */
void prometheus_write(struct buf *out);

#endif
