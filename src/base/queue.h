/*
 * queue.h - a bounded queue of pointers between threads.
 *
 * Thread:   any; one mutex.
 * Memory:   a fixed ring, made by queue_new(); items are borrowed.
 */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include "base/deadline.h"

struct queue;

struct queue *queue_new(size_t capacity);
void queue_free(struct queue *q);
/* False: full or closed. */
NODISCARD bool queue_push(struct queue *q, void *item);
/* Waits; NULL: too late, or closed and empty. */
void *queue_pop(struct queue *q, struct deadline until);
/* Pushes fail from now on; pops drain what is left. */
void queue_close(struct queue *q);
size_t queue_length(struct queue *q);

#endif
