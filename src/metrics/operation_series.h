/*
 * operation_series.h - one histogram for each operation that has a name of its own, bounded.
 *
 * Thread:   any. Observations are per thread and summed when read, as all of metrics.h; names are
 *           added under a mutex.
 * Memory:   a series, once made, lives as long as the process; a thread's counts of 64 of them
 *           are made at its first observation of one.
 * Not here: which operations may have one (execution/label.c).
 */
#ifndef METRICS_OPERATION_SERIES_H
#define METRICS_OPERATION_SERIES_H

#include "base/str.h"
#include "metrics/metrics.h"

/* What has no series of its own is counted here. */
#define OPERATION_SERIES_OTHER ((uint32_t)0)
/* The largest limit there may be. */
#define OPERATION_SERIES_MAX 10000
/* Longer names, in bytes, are counted as "other". */
#define OPERATION_SERIES_NAME_MAX 128

/*
 * The series of a name, made if there are fewer than max besides "other"; OPERATION_SERIES_OTHER
 * when there are not, or the name is empty, too long or "other". max is at most
 * OPERATION_SERIES_MAX. The name is GraphQL's: it needs no escapes in a label.
 */
uint32_t operation_series_of(struct str name, size_t max);
/* series: as given by operation_series_of(). */
void operation_series_observe(uint32_t series, uint64_t nanoseconds);

/* How many there are, "other" included; they are numbered from 0. */
uint32_t operation_series_count(void);
/* NUL-terminated. */
const char *operation_series_name(uint32_t series);
struct histogram_total operation_series_total(uint32_t series);
/* As metric_bounds(). */
const uint64_t *operation_series_bounds(void);

#endif
