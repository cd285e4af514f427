/*
 * persisted_sync.h - brings persisted queries into the table that all daemons share.
 *
 * Thread:   started and stopped from the main thread; works on its own (jobs).
 * Memory:   the store and the pool must outlive it.
 * Not here: reading the table, which requests do (execution/recall.c).
 */
#ifndef JOBS_PERSISTED_SYNC_H
#define JOBS_PERSISTED_SYNC_H

#include "cache/persisted.h"
#include "pg/pgpool.h"

struct persisted_sync_options {
    struct pgpool *pool;
    struct persisted *store;
    uint64_t ttl_ms; /* what was not used for so long is deleted */
    size_t max_rows; /* of the table: what was used longest ago is deleted; 0: no limit */
};

struct persisted_sync;

struct persisted_sync *persisted_sync_start(const struct persisted_sync_options *opt);
/* Stores what is left, if the database is there. */
void persisted_sync_stop(struct persisted_sync *s);

#endif
