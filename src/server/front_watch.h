/*
 * front_watch.h - has answers in memory forgotten when the database tells of a change.
 *
 * Thread:   started and stopped from the main thread; works on its own (jobs).
 * Memory:   the cache, the pool and the channel must outlive it.
 */
#ifndef SERVER_FRONT_WATCH_H
#define SERVER_FRONT_WATCH_H

#include "cache/front.h"
#include "pg/pgpool.h"

struct front_watch;

/* channel: where fraiseql.tell_change() notifies, with the payload "cache". */
struct front_watch *front_watch_start(struct pgpool *pool, const char *channel,
                                      struct front *front);
void front_watch_stop(struct front_watch *w);

#endif
