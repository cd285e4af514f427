/*
 * loop.h - a thread with an event base; the only module that knows libevent.
 *
 * Thread:   a loop is run by one thread, which alone may call anything here
 *           but loop_post() and loop_stop(), which any thread may.
 * Memory:   watches and timers are owned by who makes them and must be freed
 *           before the loop.
 * Not here: what the descriptors mean.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/base.h"
#include "base/deadline.h"
#include "base/library.h"

struct loop;
struct watch;
struct timer;

/* Embedded in the object that is posted; in at most one list at a time. */
struct loop_task {
    void (*fn)(struct loop_task *t);
    struct loop_task *next;
};

#define LOOP_READ  1u
#define LOOP_WRITE 2u

typedef void watch_handler(int fd, unsigned events, void *ctx);

struct loop *loop_new(const char *name);
void loop_free(struct loop *l);
/* Until loop_stop(); runs what was posted before it returns. */
void loop_run(struct loop *l);
/* Any thread: makes loop_run() return soon. */
void loop_stop(struct loop *l);
/* Any thread: call t->fn(t) on the loop's thread, in order of posting. Wakes it only when its list
 * was empty. */
void loop_post(struct loop *l, struct loop_task *t);
bool loop_is_current(const struct loop *l);
/* Monotonic time when the current round of callbacks began; cheap. */
uint64_t loop_now_ns(const struct loop *l);

/* Persistent, level-triggered interest in a descriptor; events may be 0. The handler may free its
 * own watch. */
struct watch *loop_watch(struct loop *l, int fd, unsigned events, watch_handler *fn, void *ctx);
void watch_set(struct watch *w, unsigned events);
/* Before the descriptor is closed. NULL is allowed. */
void watch_free(struct watch *w);

/* One shot; disarmed until timer_set(). The handler may set it again or free it. */
struct timer *loop_timer(struct loop *l, void (*fn)(void *ctx), void *ctx);
void timer_set(struct timer *t, struct deadline at);
void timer_clear(struct timer *t);
void timer_free(struct timer *t); /* NULL is allowed */

/* Deliver a signal to this loop (main loop only). Lives as long as the loop. */
void loop_signal(struct loop *l, int signo, void (*fn)(int signo, void *ctx), void *ctx);

/* libevent. */
struct library loop_library(void);

#endif
