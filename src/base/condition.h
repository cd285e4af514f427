/*
 * condition.h - condition variables whose waits end by the monotonic clock.
 *
 * Thread:   any.
 * Memory:   the caller's; pthread_cond_destroy().
 *
 * By the wall clock, which pthread_cond_init() alone gives, a wait is longer by what that is set
 * back.
 */
#ifndef BASE_CONDITION_H
#define BASE_CONDITION_H

#include <pthread.h>

#include "base/deadline.h"

void condition_init(pthread_cond_t *c);
/* False: the deadline has passed. As always it may return early: ask again for what is waited for.
 */
bool condition_wait(pthread_cond_t *c, pthread_mutex_t *m, struct deadline until);

#endif
