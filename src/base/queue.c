/*
 * queue.c - a ring behind a mutex.
 *
 * Thread:   any.
 * Memory:   see queue.h.
 */
#include "base/queue.h"

#include "base/condition.h"

struct queue {
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t change; /* something came in, or it was closed */
    size_t capacity;
    size_t first;
    size_t n;
    bool closed;
    void *items[];
};

struct queue *queue_new(size_t capacity)
{
    struct queue *q;
    size_t size;

    CHECK(capacity > 0 && size_mul(capacity, sizeof(void *), &size) &&
          size_add(size, sizeof(*q), &size));
    q = xcalloc(1, size);
    q->capacity = capacity;
    CHECK(pthread_mutex_init(&q->mutex, NULL) == 0);
    condition_init(&q->change);
    return q;
}

void queue_free(struct queue *q)
{
    if (q == NULL)
        return;
    pthread_cond_destroy(&q->change);
    pthread_mutex_destroy(&q->mutex);
    xfree(q);
}

bool queue_push(struct queue *q, void *item)
{
    bool pushed = false;

    CHECK(item != NULL);
    pthread_mutex_lock(&q->mutex);
    if (!q->closed && q->n < q->capacity) {
        q->items[(q->first + q->n) % q->capacity] = item;
        q->n++;
        pushed = true;
        pthread_cond_signal(&q->change);
    }
    pthread_mutex_unlock(&q->mutex);
    return pushed;
}

void *queue_pop(struct queue *q, struct deadline until)
{
    void *item = NULL;
    bool in_time = true;

    pthread_mutex_lock(&q->mutex);
    while (q->n == 0 && !q->closed && in_time)
        in_time = condition_wait(&q->change, &q->mutex, until);
    if (q->n > 0) {
        item = q->items[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->n--;
    }
    pthread_mutex_unlock(&q->mutex);
    return item;
}

void queue_close(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = true;
    pthread_cond_broadcast(&q->change);
    pthread_mutex_unlock(&q->mutex);
}

size_t queue_length(struct queue *q)
{
    size_t n;

    pthread_mutex_lock(&q->mutex);
    n = q->n;
    pthread_mutex_unlock(&q->mutex);
    return n;
}
