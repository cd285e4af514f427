/*
 * recent.c - what was looked for a moment ago and not found.
 *
 * Thread:   any; one leaf mutex.
 * Memory:   one array for the life of the set.
 */
#include "cache/recent.h"

#include "base/str.h"

#include <pthread.h>

#define WAYS      4
#define SECOND_NS UINT64_C(1000000000)

struct slot {
    struct digest digest;
    uint64_t until_ns; /* 0: free */
};

struct recent {
    pthread_mutex_t mutex;
    struct slot *slots;
    size_t nsets; /* a power of two */
    uint64_t ttl_ns;
    uint64_t per_second;
    uint64_t second_ns; /* begin of the second that is counted */
    uint64_t missed;    /* in it */
};

struct recent *recent_new(size_t slots, uint64_t ttl_ms, uint64_t per_second)
{
    struct recent *r = xcalloc(1, sizeof(*r));

    CHECK(pthread_mutex_init(&r->mutex, NULL) == 0);
    r->nsets = 1;
    while (r->nsets * 2 * WAYS <= slots)
        r->nsets *= 2;
    r->slots = xcalloc(r->nsets * WAYS, sizeof(*r->slots));
    r->ttl_ns = ttl_ms * 1000000;
    r->per_second = per_second;
    return r;
}

void recent_free(struct recent *r)
{
    if (r == NULL)
        return;
    pthread_mutex_destroy(&r->mutex);
    xfree(r->slots);
    xfree(r);
}

/* Keyed, so that nobody can choose whose set is full. */
static struct slot *set_of(const struct recent *r, const struct digest *d)
{
    uint64_t h = str_hash(str_make((const char *)d->bytes, sizeof(d->bytes)));

    return &r->slots[(h & (r->nsets - 1)) * WAYS];
}

static struct slot *find_locked(const struct recent *r, const struct digest *d)
{
    struct slot *set = set_of(r, d);

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].until_ns != 0 && memcmp(&set[i].digest, d, sizeof(*d)) == 0)
            return &set[i];
    return NULL;
}

bool recent_begin(struct recent *r, const struct digest *d, uint64_t now_ns)
{
    const struct slot *s;
    bool may;

    pthread_mutex_lock(&r->mutex);
    if (now_ns >= r->second_ns + SECOND_NS) {
        r->second_ns = now_ns;
        r->missed = 0;
    }
    s = find_locked(r, d);
    may = (s == NULL || s->until_ns <= now_ns) && r->missed < r->per_second;
    r->missed += may;
    pthread_mutex_unlock(&r->mutex);
    return may;
}

static void remove_locked(struct recent *r, const struct digest *d)
{
    struct slot *s = find_locked(r, d);

    if (s != NULL)
        s->until_ns = 0;
}

void recent_found(struct recent *r, const struct digest *d)
{
    pthread_mutex_lock(&r->mutex);
    if (r->missed > 0) /* else it was begun in the second before */
        r->missed--;
    remove_locked(r, d);
    pthread_mutex_unlock(&r->mutex);
}

void recent_missed(struct recent *r, const struct digest *d, uint64_t now_ns)
{
    struct slot *s, *set = set_of(r, d);

    pthread_mutex_lock(&r->mutex);
    s = find_locked(r, d);
    if (s == NULL) {
        s = set;
        for (size_t i = 1; i < WAYS; i++)
            if (set[i].until_ns < s->until_ns)
                s = &set[i];
    }
    *s = (struct slot){*d, now_ns + r->ttl_ns};
    pthread_mutex_unlock(&r->mutex);
}

void recent_forget(struct recent *r, const struct digest *d)
{
    pthread_mutex_lock(&r->mutex);
    remove_locked(r, d);
    pthread_mutex_unlock(&r->mutex);
}
