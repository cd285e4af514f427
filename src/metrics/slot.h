/*
 * slot.h - the inside of metrics: each thread's own counts.
 *
 * Thread:   a slot is written by the one thread that has it; who reads finds it through pointers
 *           that are set once.
 * Memory:   slots are never freed; a thread that ends leaves its own to the next.
 * Not here: what is counted (metrics.c, operation_series.c).
 */
#ifndef METRICS_SLOT_H
#define METRICS_SLOT_H

#include <stdatomic.h>

#include "metrics/metrics.h"
#include "metrics/operation_series.h"

struct histogram_counts {
    _Atomic uint64_t counts[HISTOGRAM_BUCKETS + 1];
    _Atomic uint64_t sum_ns;
};

#define OPERATION_PAGE  64
#define OPERATION_PAGES (OPERATION_SERIES_MAX / OPERATION_PAGE + 1) /* "other" included */

struct operation_page {
    struct histogram_counts series[OPERATION_PAGE];
};

struct slot {
    struct slot *next; /* constant once listed */
    bool taken;        /* under metrics.c's mutex */
    _Atomic uint64_t counters[METRIC_COUNT];
    struct histogram_counts histograms[HISTOGRAM_COUNT];
    _Atomic(struct operation_page *) operations[OPERATION_PAGES]; /* made as they are needed */
};

extern _Thread_local struct slot *slot_own;

/* For a thread that has none. */
__attribute__((noinline)) struct slot *slot_take(void);
/* They are only ever added in front: the first one leads to all. */
struct slot *slot_first(void);

static inline struct slot *slot(void)
{
    return slot_own != NULL ? slot_own : slot_take();
}

/* One writer: a relaxed load and store lose nothing, and readers see whole values. */
static inline void slot_bump(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t v = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, v + n, memory_order_relaxed);
}

/* From 0; HISTOGRAM_BUCKETS is that of what is above all bounds. */
static inline size_t histogram_bucket(const uint64_t *bounds, uint64_t nanoseconds)
{
    size_t i = 0;

    while (i < HISTOGRAM_BUCKETS && nanoseconds > bounds[i])
        i++;
    return i;
}

static inline void histogram_observe(struct histogram_counts *h, const uint64_t *bounds,
                                     uint64_t nanoseconds)
{
    slot_bump(&h->counts[histogram_bucket(bounds, nanoseconds)], 1);
    slot_bump(&h->sum_ns, nanoseconds);
}

static inline void histogram_add(const struct histogram_counts *h, struct histogram_total *total)
{
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        total->counts[i] += atomic_load_explicit(&h->counts[i], memory_order_relaxed);
    total->sum_ns += atomic_load_explicit(&h->sum_ns, memory_order_relaxed);
}

#endif
