/*
 * front.h - answers of the result cache that are kept in memory for a moment.
 *
 * Thread:   any; sharded, one leaf mutex per shard.
 * Memory:   bounded by bytes; among them the least recently used go first.
 * Not here: what a key is made of (resultcache.h), hearing of changes (server/front_watch.c).
 *
 * PostgreSQL is not asked whether such an answer still holds. So one is kept for a moment only, and
 * all of them are forgotten when a change is heard of.
 */
#ifndef CACHE_FRONT_H
#define CACHE_FRONT_H

#include "base/arena.h"
#include "cache/flights.h"

struct front;

struct front_answer {
    struct str value;
    uint32_t age_s; /* since it was made */
    uint32_t ttl_s; /* for which it holds in any case but a change */
};

/* max_ttl_ms: longer nothing is kept. */
struct front *front_new(size_t max_bytes, uint64_t max_ttl_ms);
void front_free(struct front *f); /* NULL is allowed */

/* The value is copied to the arena. */
bool front_get(struct front *f, const struct flight_key *k, uint64_t now_ns, struct arena *a,
               struct front_answer *out);
/* Which changes have been heard of by now: asked before an answer is looked for or made. */
uint64_t front_generation(const struct front *f);
/* Copies it, unless a change was heard of since. now_ns: when it was found or made, monotonic. */
void front_put(struct front *f, const struct flight_key *k, const struct front_answer *answer,
               uint64_t generation, uint64_t now_ns);
/* Something has changed. */
void front_clear(struct front *f);

#endif
