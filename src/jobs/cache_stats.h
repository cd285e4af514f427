/*
 * cache_stats.h - adds how the result cache served operations to the table of its statistics.
 *
 * Thread:   the job's own (turbo_sync.c).
 */
#ifndef JOBS_CACHE_STATS_H
#define JOBS_CACHE_STATS_H

#include "cache/cachelog.h"
#include "cache/turbo.h"
#include "jobs/tablewriter.h"

/* Of those that had to do with the cache; what cannot be written is lost. */
void cache_stats_write(struct tablewriter *w, const struct turbo_usage *used, size_t n,
                       struct arena *a);
/* To fraiseql.cache_access_log, all that waits. */
void cache_log_write(struct tablewriter *w, struct cachelog *l, struct arena *a);

#endif
