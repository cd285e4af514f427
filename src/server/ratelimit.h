/*
 * ratelimit.h - how many requests of one kind of key are let through: token buckets, and a count of
 * those in flight.
 *
 * Thread:   any; a leaf mutex for each part of the table.
 * Memory:   fixed: a bucket that is full says nothing, and gives way. So does, where there is no
 * full one, the one used longest ago: its key begins anew with a full bucket. Nobody is refused
 *           because of others.
 * Not here: what the keys are (graphql_endpoint.c, endpoints.c).
 */
#ifndef SERVER_RATELIMIT_H
#define SERVER_RATELIMIT_H

#include "base/str.h"

struct ratelimit;

/* rate: tokens a second; burst: what a bucket holds, at least 1; slots: about so many keys. */
struct ratelimit *ratelimit_new(size_t slots, uint64_t rate, uint64_t burst);
void ratelimit_free(struct ratelimit *r); /* NULL is allowed */
/*
 * Take n tokens of a key's bucket. False, taking none: in *wait_s seconds, at least 1, there will
 * be enough; n beyond the burst is taken as the burst. now_ns: monotonic.
 */
bool ratelimit_take(struct ratelimit *r, struct str key, uint64_t n, uint64_t now_ns,
                    uint64_t *wait_s);

struct inflight;

/* max: of one key. */
struct inflight *inflight_new(size_t max);
void inflight_free(struct inflight *f); /* NULL is allowed */
/* False: there are max already. True: inflight_leave() must follow. */
bool inflight_enter(struct inflight *f, struct str key);
void inflight_leave(struct inflight *f, struct str key);

#endif
