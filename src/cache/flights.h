/*
 * flights.h - who is making an answer that others want too.
 *
 * Thread:   any; one leaf mutex for each shard.
 * Memory:   a flight is there while somebody leads it; waiters are embedded in who waits.
 * Not here: what is made, and where it is found afterwards.
 */
#ifndef CACHE_FLIGHTS_H
#define CACHE_FLIGHTS_H

#include "base/loop.h"

#define FLIGHT_KEY_SIZE 16

/* Unpredictable for clients, as a digest of a secret is, or of much. */
struct flight_key {
    unsigned char bytes[FLIGHT_KEY_SIZE];
};

struct flight_waiter {
    struct loop *loop; /* where `landed` is called, by a task posted there */
    void (*landed)(struct flight_waiter *w);
    /* private */
    struct loop_task task;
    struct flight_key key;
    struct flight_waiter *next;
};

struct flights;

struct flights *flights_new(void);
void flights_free(struct flights *f); /* NULL is allowed; nobody leads or waits */

/* True: the caller leads, and has to call flights_end(). False: another does, and w waits, if it is
 * not NULL. */
NODISCARD bool flights_join(struct flights *f, const struct flight_key *k, struct flight_waiter *w);
/* Does anybody wait for it? */
bool flights_awaited(struct flights *f, const struct flight_key *k);
/* All who wait are told. */
void flights_end(struct flights *f, const struct flight_key *k);
/* On the waiter's thread. False: it is being told already: `landed` still comes. */
NODISCARD bool flights_leave(struct flights *f, struct flight_waiter *w);

#endif
