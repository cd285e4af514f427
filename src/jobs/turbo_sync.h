/*
 * turbo_sync.h - adds how operations were used to the table of their statistics.
 *
 * Thread:   started and stopped from the main thread; works on its own (jobs).
 * Memory:   the cache and the pool must outlive it.
 * Not here: counting (execution/execute.c).
 */
#ifndef JOBS_TURBO_SYNC_H
#define JOBS_TURBO_SYNC_H

#include "cache/turbo.h"
#include "pg/pgpool.h"

struct turbo_sync;

/* Where they are added. */
struct turbo_sync_options {
    struct pgpool *pool;
    struct turbo *turbo;
    bool operations;           /* to fraiseql.turbo_stats */
    bool results;              /* to fraiseql.cache_stats */
    struct cachelog *cachelog; /* to fraiseql.cache_access_log; NULL: not */
};

struct turbo_sync *turbo_sync_start(const struct turbo_sync_options *opt);
/* Adds what is left, if the database is there. */
void turbo_sync_stop(struct turbo_sync *s);

#endif
