/*
 * ratelimit.c - how many requests of one kind of key are let through: token buckets, and a count of
 * those in flight.
 *
 * Thread:   any; a leaf mutex for each part of the table.
 * Memory:   buckets know keys by a hash with a seed of the process: that two meet takes 2^32 keys.
 */
#include "server/ratelimit.h"

#include "base/base.h"

#include <pthread.h>

#define PARTS 16
#define WAYS  8

/* Millionths of a token, so that slow rates are exact. */
#define TOKEN UINT64_C(1000000)

struct bucket {
    uint64_t hash; /* 0: free */
    uint64_t tokens;
    uint64_t at_ns; /* when they were counted */
};

struct part {
    pthread_mutex_t mutex;
    struct bucket *buckets;
};

struct ratelimit {
    uint64_t rate;
    uint64_t full;
    size_t nsets; /* of each part; a power of two */
    struct part parts[PARTS];
};

static uint64_t hash_of(struct str key)
{
    uint64_t h = str_hash(key);

    return h != 0 ? h : 1;
}

struct ratelimit *ratelimit_new(size_t slots, uint64_t rate, uint64_t burst)
{
    struct ratelimit *r = xcalloc(1, sizeof(*r));

    r->rate = rate;
    r->full = (burst > 0 ? burst : 1) * TOKEN;
    r->nsets = 1;
    while (r->nsets * WAYS * PARTS < slots)
        r->nsets *= 2;
    for (size_t i = 0; i < PARTS; i++) {
        CHECK(pthread_mutex_init(&r->parts[i].mutex, NULL) == 0);
        r->parts[i].buckets = xcalloc(r->nsets * WAYS, sizeof(struct bucket));
    }
    return r;
}

void ratelimit_free(struct ratelimit *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < PARTS; i++) {
        pthread_mutex_destroy(&r->parts[i].mutex);
        xfree(r->parts[i].buckets);
    }
    xfree(r);
}

/* What has flowed in since. */
static void fill(const struct ratelimit *r, struct bucket *b, uint64_t now_ns)
{
    uint64_t us = now_ns > b->at_ns ? (now_ns - b->at_ns) / 1000 : 0;

    /* Long enough for any bucket, and no overflow. */
    if (us > r->full / (r->rate > 0 ? r->rate : 1) + 1 || us * r->rate >= r->full - b->tokens) {
        b->tokens = r->full;
        b->at_ns = now_ns;
        return;
    }
    b->tokens += us * r->rate;
    b->at_ns += us * 1000;
}

/* The key's bucket, or one for it. */
static struct bucket *find_locked(const struct ratelimit *r, struct part *p, uint64_t hash,
                                  uint64_t now_ns)
{
    struct bucket *set = &p->buckets[(hash / PARTS & (r->nsets - 1)) * WAYS];
    struct bucket *victim = set;

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].hash == hash)
            return &set[i];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].hash != 0)
            fill(r, &set[i], now_ns);
        if (set[i].hash == 0 || set[i].tokens == r->full) {
            victim = &set[i];
            break;
        }
        if (set[i].at_ns < victim->at_ns)
            victim = &set[i];
    }
    *victim = (struct bucket){hash, r->full, now_ns};
    return victim;
}

bool ratelimit_take(struct ratelimit *r, struct str key, uint64_t n, uint64_t now_ns,
                    uint64_t *wait_s)
{
    uint64_t hash = hash_of(key);
    struct part *p = &r->parts[hash % PARTS];
    uint64_t wanted = n < r->full / TOKEN ? n * TOKEN : r->full, missing = 0;
    struct bucket *b;

    pthread_mutex_lock(&p->mutex);
    b = find_locked(r, p, hash, now_ns);
    fill(r, b, now_ns);
    if (b->tokens >= wanted)
        b->tokens -= wanted;
    else
        missing = wanted - b->tokens;
    pthread_mutex_unlock(&p->mutex);
    if (missing > 0)
        *wait_s = (missing + r->rate * TOKEN - 1) / (r->rate * TOKEN);
    return missing == 0;
}

/* --- in flight ------------------------------------------------------------------------------- */

#define CHAINS 4096

/* As many as there are keys with requests in flight, which the queue bounds. */
struct counted {
    struct counted *next;
    uint64_t hash;
    size_t n;
};

struct inflight {
    pthread_mutex_t mutex;
    size_t max;
    struct counted *chains[CHAINS];
};

struct inflight *inflight_new(size_t max)
{
    struct inflight *f = xcalloc(1, sizeof(*f));

    CHECK(pthread_mutex_init(&f->mutex, NULL) == 0);
    f->max = max;
    return f;
}

void inflight_free(struct inflight *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < CHAINS; i++)
        for (struct counted *c = f->chains[i], *next; c != NULL; c = next) {
            next = c->next;
            xfree(c);
        }
    pthread_mutex_destroy(&f->mutex);
    xfree(f);
}

static struct counted **find_counted(struct inflight *f, uint64_t hash)
{
    struct counted **at = &f->chains[hash % CHAINS];

    while (*at != NULL && (*at)->hash != hash)
        at = &(*at)->next;
    return at;
}

bool inflight_enter(struct inflight *f, struct str key)
{
    uint64_t hash = hash_of(key);
    struct counted *fresh = xcalloc(1, sizeof(*fresh));
    struct counted **at;
    bool ok;

    pthread_mutex_lock(&f->mutex);
    at = find_counted(f, hash);
    if (*at == NULL) {
        fresh->hash = hash;
        *at = fresh;
        fresh = NULL;
    }
    ok = (*at)->n < f->max;
    (*at)->n += ok;
    pthread_mutex_unlock(&f->mutex);
    xfree(fresh);
    return ok;
}

void inflight_leave(struct inflight *f, struct str key)
{
    struct counted *gone = NULL;
    struct counted **at;

    pthread_mutex_lock(&f->mutex);
    at = find_counted(f, hash_of(key));
    CHECK(*at != NULL && (*at)->n > 0);
    if (--(*at)->n == 0) {
        gone = *at;
        *at = gone->next;
    }
    pthread_mutex_unlock(&f->mutex);
    xfree(gone);
}
