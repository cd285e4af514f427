/*
 * recent.h - what was looked for a moment ago and not found.
 *
 * Thread:   any; one leaf mutex.
 * Memory:   fixed: so many slots. A set that is full gives up what expires first.
 *
 * Whoever makes up hashes would cause a look-up each. What is known to be missing causes none, and
 * what is not known to be is looked for at most so often a second, of which what is found does not
 * count.
 */
#ifndef CACHE_RECENT_H
#define CACHE_RECENT_H

#include "base/digest.h"

struct recent;

/* slots: of digests, at least 4; ttl_ms: how long one is remembered; per_second: look-ups that find
 * nothing. */
struct recent *recent_new(size_t slots, uint64_t ttl_ms, uint64_t per_second);
void recent_free(struct recent *r); /* NULL is allowed */
/* May it be looked for? True counts as one that finds nothing, until told otherwise. now_ns:
 * monotonic. */
bool recent_begin(struct recent *r, const struct digest *d, uint64_t now_ns);
/* It was found, or came otherwise: that does not count, and it is not missing. */
void recent_found(struct recent *r, const struct digest *d);
/* It is missing, as of now. */
void recent_missed(struct recent *r, const struct digest *d, uint64_t now_ns);
/* It has come to be there: no look-up was begun. */
void recent_forget(struct recent *r, const struct digest *d);

#endif
