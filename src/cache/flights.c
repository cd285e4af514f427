/*
 * flights.c - who is making an answer that others want too.
 *
 * Thread:   any; one leaf mutex for each shard.
 */
#include "cache/flights.h"

#include <pthread.h>

#define SHARDS  16 /* by the key's first byte */
#define BUCKETS 64 /* of each, by the second */

struct flight {
    struct flight *next; /* in the bucket */
    struct flight_key key;
    struct flight_waiter *waiters;
};

struct shard {
    pthread_mutex_t mutex;
    struct flight *buckets[BUCKETS];
};

struct flights {
    struct shard shards[SHARDS];
};

struct flights *flights_new(void)
{
    struct flights *f = xcalloc(1, sizeof(*f));

    for (size_t i = 0; i < SHARDS; i++)
        CHECK(pthread_mutex_init(&f->shards[i].mutex, NULL) == 0);
    return f;
}

void flights_free(struct flights *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t j = 0; j < BUCKETS; j++)
            CHECK(f->shards[i].buckets[j] == NULL);
        pthread_mutex_destroy(&f->shards[i].mutex);
    }
    xfree(f);
}

static struct shard *shard_of(struct flights *f, const struct flight_key *k)
{
    return &f->shards[k->bytes[0] % SHARDS];
}

/* Where a pointer to the flight is; to NULL, if there is none. */
static struct flight **find_locked(struct shard *s, const struct flight_key *k)
{
    struct flight **at = &s->buckets[k->bytes[1] % BUCKETS];

    while (*at != NULL && memcmp(&(*at)->key, k, sizeof(*k)) != 0)
        at = &(*at)->next;
    return at;
}

bool flights_join(struct flights *f, const struct flight_key *k, struct flight_waiter *w)
{
    struct shard *s = shard_of(f, k);
    struct flight **at;
    bool leads;

    pthread_mutex_lock(&s->mutex);
    at = find_locked(s, k);
    leads = *at == NULL;
    if (leads) {
        *at = xcalloc(1, sizeof(**at));
        (*at)->key = *k;
    } else if (w != NULL) {
        w->key = *k;
        w->next = (*at)->waiters;
        (*at)->waiters = w;
    }
    pthread_mutex_unlock(&s->mutex);
    return leads;
}

bool flights_awaited(struct flights *f, const struct flight_key *k)
{
    struct shard *s = shard_of(f, k);
    const struct flight *flight;
    bool awaited;

    pthread_mutex_lock(&s->mutex);
    flight = *find_locked(s, k);
    awaited = flight != NULL && flight->waiters != NULL;
    pthread_mutex_unlock(&s->mutex);
    return awaited;
}

static void tell(struct loop_task *t)
{
    struct flight_waiter *w = CONTAINER_OF(t, struct flight_waiter, task);

    w->landed(w);
}

void flights_end(struct flights *f, const struct flight_key *k)
{
    struct shard *s = shard_of(f, k);
    struct flight **at, *flight;

    pthread_mutex_lock(&s->mutex);
    at = find_locked(s, k);
    flight = *at;
    CHECK(flight != NULL);
    *at = flight->next;
    /* Posted under the mutex: who leaves meanwhile finds that it was told. */
    for (struct flight_waiter *w = flight->waiters, *next; w != NULL; w = next) {
        next = w->next;
        w->task.fn = tell;
        loop_post(w->loop, &w->task);
    }
    pthread_mutex_unlock(&s->mutex);
    xfree(flight);
}

bool flights_leave(struct flights *f, struct flight_waiter *w)
{
    struct shard *s = shard_of(f, &w->key);
    struct flight *flight;
    bool left = false;

    pthread_mutex_lock(&s->mutex);
    flight = *find_locked(s, &w->key);
    /* Another flight of the same key may have begun: then w is not among its waiters. */
    for (struct flight_waiter **at = flight != NULL ? &flight->waiters : NULL;
         at != NULL && *at != NULL && !left; at = &(*at)->next) {
        if (*at != w)
            continue;
        *at = w->next;
        left = true;
        break;
    }
    pthread_mutex_unlock(&s->mutex);
    return left;
}
