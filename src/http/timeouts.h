/*
 * timeouts.h - absolute deadlines of many objects with one timer.
 *
 * Thread:   the loop's only.
 * Memory:   links are embedded in the objects; nothing is allocated per deadline.
 * Not here: what happens to an object that is late.
 *
 * Every kind has one duration, so each list is sorted by being appended to:
 * starting, stopping and finding the earliest take constant time, and objects
 * that wait cost nothing until the earliest of them is due.
 */
#ifndef HTTP_TIMEOUTS_H
#define HTTP_TIMEOUTS_H

#include "base/loop.h"

enum timeout_kind {
    TIMEOUT_IDLE,
    TIMEOUT_HEAD,
    TIMEOUT_BODY,
    TIMEOUT_WRITE,
    TIMEOUT_LINGER,
    TIMEOUT_FIRST,  /* a connection's first request, once the listener has closed */
    TIMEOUT_ACCEPT, /* the listener itself, while it may not accept */
    TIMEOUT_KINDS,
    TIMEOUT_NONE = TIMEOUT_KINDS,
};

struct timeout_link {
    struct timeout_link *prev; /* while kind is not TIMEOUT_NONE */
    struct timeout_link *next;
    uint64_t at_ns;
    enum timeout_kind kind; /* TIMEOUT_NONE: not started */
};

/* The link was stopped before the call; it may be started again or freed. */
typedef void timeout_handler(struct timeout_link *l, enum timeout_kind kind, void *ctx);

struct timeouts {
    struct loop *loop;
    struct timer *timer; /* owned */
    uint64_t armed_ns;   /* UINT64_MAX: not armed */
    timeout_handler *fn;
    void *ctx;
    uint64_t duration_ns[TIMEOUT_KINDS];
    struct timeout_link lists[TIMEOUT_KINDS]; /* heads of rings */
};

/* Durations of 0 never end. */
void timeouts_init(struct timeouts *t, struct loop *l, const uint64_t duration_ms[TIMEOUT_KINDS],
                   timeout_handler *fn, void *ctx);
/* From now on; what has begun to wait may end sooner, but not later. */
void timeouts_set(struct timeouts *t, enum timeout_kind kind, uint64_t duration_ms);
void timeouts_fini(struct timeouts *t);
void timeout_link_init(struct timeout_link *l);
/* Begin, or begin again, to wait. */
void timeouts_start(struct timeouts *t, struct timeout_link *l, enum timeout_kind kind);
void timeouts_stop(struct timeout_link *l);

#endif
