/*
 * front.c - answers of the result cache that are kept in memory for a moment.
 *
 * Thread:   any; sharded, one leaf mutex per shard.
 */
#include "cache/front.h"

#include <pthread.h>

#define SHARDS  8    /* by the key's third byte */
#define BUCKETS 4096 /* of each, by the next two */

struct entry {
    struct entry *chain;
    struct entry *newer;
    struct entry *older;
    struct flight_key key;
    uint64_t generation;
    uint64_t at_ns;
    uint32_t age_s; /* these two at that time */
    uint32_t ttl_s;
    size_t len;
    char value[];
};

struct shard {
    pthread_mutex_t mutex;
    struct entry *buckets[BUCKETS];
    struct entry *newest;
    struct entry *oldest;
    size_t bytes;
};

struct front {
    uint64_t generation; /* atomic */
    uint64_t max_ttl_ns;
    size_t max_bytes; /* of a shard */
    struct shard shards[SHARDS];
};

struct front *front_new(size_t max_bytes, uint64_t max_ttl_ms)
{
    struct front *f = xcalloc(1, sizeof(*f));

    f->max_ttl_ns = max_ttl_ms * 1000000;
    f->max_bytes = max_bytes / SHARDS;
    for (size_t i = 0; i < SHARDS; i++)
        CHECK(pthread_mutex_init(&f->shards[i].mutex, NULL) == 0);
    return f;
}

static struct shard *shard_of(struct front *f, const struct flight_key *k)
{
    return &f->shards[k->bytes[2] % SHARDS];
}

static struct entry **bucket_of(struct shard *s, const struct flight_key *k)
{
    return &s->buckets[(k->bytes[3] << 8 | k->bytes[4]) % BUCKETS];
}

static size_t size_of(const struct entry *e)
{
    return sizeof(*e) + e->len;
}

static void link_newest(struct shard *s, struct entry *e)
{
    e->newer = NULL;
    e->older = s->newest;
    if (s->newest != NULL)
        s->newest->newer = e;
    else
        s->oldest = e;
    s->newest = e;
}

static void unlink_entry(struct shard *s, struct entry *e)
{
    if (e->newer != NULL)
        e->newer->older = e->older;
    else
        s->newest = e->older;
    if (e->older != NULL)
        e->older->newer = e->newer;
    else
        s->oldest = e->newer;
}

static void drop(struct shard *s, struct entry *e)
{
    struct entry **at = bucket_of(s, &e->key);

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    unlink_entry(s, e);
    s->bytes -= size_of(e);
    xfree(e);
}

void front_free(struct front *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        while (f->shards[i].oldest != NULL)
            drop(&f->shards[i], f->shards[i].oldest);
        pthread_mutex_destroy(&f->shards[i].mutex);
    }
    xfree(f);
}

static struct entry *find_locked(struct shard *s, const struct flight_key *k)
{
    struct entry *e = *bucket_of(s, k);

    while (e != NULL && memcmp(&e->key, k, sizeof(*k)) != 0)
        e = e->chain;
    return e;
}

bool front_get(struct front *f, const struct flight_key *k, uint64_t now_ns, struct arena *a,
               struct front_answer *out)
{
    struct shard *s = shard_of(f, k);
    uint64_t passed_s;
    struct entry *e;
    bool holds;

    pthread_mutex_lock(&s->mutex);
    e = find_locked(s, k);
    passed_s = e != NULL && now_ns > e->at_ns ? (now_ns - e->at_ns) / 1000000000 : 0;
    holds = e != NULL && e->generation == front_generation(f) &&
            now_ns < e->at_ns + f->max_ttl_ns && passed_s < e->ttl_s;
    if (holds) {
        *out = (struct front_answer){
            .value = arena_dup(a, str_make(e->value, e->len)),
            .age_s = e->age_s + (uint32_t)passed_s,
            .ttl_s = e->ttl_s - (uint32_t)passed_s,
        };
        unlink_entry(s, e);
        link_newest(s, e);
    } else if (e != NULL) {
        drop(s, e);
    }
    pthread_mutex_unlock(&s->mutex);
    return holds;
}

uint64_t front_generation(const struct front *f)
{
    return __atomic_load_n(&f->generation, __ATOMIC_ACQUIRE);
}

void front_put(struct front *f, const struct flight_key *k, const struct front_answer *answer,
               uint64_t generation, uint64_t now_ns)
{
    struct shard *s = shard_of(f, k);
    size_t len = answer->value.len;
    struct entry *e, *old;

    if (sizeof(*e) + len > f->max_bytes || generation != front_generation(f))
        return;
    e = xmalloc(sizeof(*e) + len);
    *e = (struct entry){.key = *k,
                        .generation = generation,
                        .at_ns = now_ns,
                        .age_s = answer->age_s,
                        .ttl_s = answer->ttl_s,
                        .len = len};
    memcpy(e->value, answer->value.data, len);
    pthread_mutex_lock(&s->mutex);
    old = find_locked(s, k);
    if (old != NULL)
        drop(s, old);
    while (s->bytes + size_of(e) > f->max_bytes)
        drop(s, s->oldest);
    e->chain = *bucket_of(s, k);
    *bucket_of(s, k) = e;
    link_newest(s, e);
    s->bytes += size_of(e);
    pthread_mutex_unlock(&s->mutex);
}

/* What is there is dropped when it is found. */
void front_clear(struct front *f)
{
    __atomic_add_fetch(&f->generation, 1, __ATOMIC_ACQ_REL);
}
