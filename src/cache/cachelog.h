/*
 * cachelog.h - requests that had to do with the result cache, until they are written to the log of
 * them.
 *
 * Thread:   any; one leaf mutex.
 * Memory:   bounded: what there is no room for is dropped, and counted.
 * Not here: writing them (jobs/cache_stats.c).
 */
#ifndef CACHE_CACHELOG_H
#define CACHE_CACHELOG_H

#include "base/arena.h"
#include "base/tracecontext.h"

struct cachelog_entry {
    int64_t at_us; /* since 1970 */
    char key[80];  /* as in fraiseql.cache_stats; cut */
    char operation[72];
    char tenant[64];
    char trace_id[TRACE_ID_TEXT + 1];
    const char *outcome; /* static */
    uint64_t age_ms;
    uint64_t duration_us;
};

struct cachelog;

/* sample: the part of the requests that are logged, 0 to 1; max: entries that wait. */
struct cachelog *cachelog_new(double sample, size_t max);
void cachelog_free(struct cachelog *l); /* NULL is allowed */
/* Is the next request one of those? */
bool cachelog_wants(struct cachelog *l);
/* False: there is no room. */
bool cachelog_add(struct cachelog *l, const struct cachelog_entry *e);
/* Takes what waits, oldest first; their number. In the arena. */
size_t cachelog_take(struct cachelog *l, struct arena *a, struct cachelog_entry **out);
/* For entries: cuts where a character ends. */
void cachelog_text(char *to, size_t size, struct str text);

#endif
