/*
 * label.h - which operations have a name of their own in metrics.
 *
 * Thread:   any, but for labels_new() and labels_free(). What an operation was found to be is kept
 *           in it, so that the next time is one look.
 * Memory:   labels live as long as the daemon.
 * Not here: the counts (metrics/operation_series.c).
 */
#ifndef EXECUTION_LABEL_H
#define EXECUTION_LABEL_H

#include "cache/trusted.h"
#include "execution/registered.h"
#include "validation/validate.h"

enum label_policy {
    LABEL_NONE,    /* nothing is told by operation */
    LABEL_TRUSTED, /* those of trusted and of registered documents */
    LABEL_ALL,     /* those that have a name */
};

struct labels;

/* trusted: NULL: there are none; outlives the labels. max: names, at most OPERATION_SERIES_MAX. */
struct labels *labels_new(enum label_policy policy, const struct trusted *trusted, size_t max);
void labels_free(struct labels *l); /* NULL is allowed */

/* These are registered, and others no longer are: the series that they have go on being shown. */
void labels_set_registered(struct labels *l, const struct registered *list, size_t n);
/* The operation, whose document has this text, took so long. */
void labels_observe(struct labels *l, const struct operation *op, struct str text,
                    uint64_t nanoseconds);

#endif
