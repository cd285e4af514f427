/*
 * cachelog.c - requests that had to do with the result cache, until they are written to the log of
 * them.
 *
 * Thread:   any; one leaf mutex.
 */
#include "cache/cachelog.h"

#include <pthread.h>

struct cachelog {
    uint64_t threshold; /* of 2^32 */
    uint64_t asked;     /* atomic */
    pthread_mutex_t mutex;
    struct cachelog_entry *entries;
    size_t n, cap, max;
};

struct cachelog *cachelog_new(double sample, size_t max)
{
    struct cachelog *l = xcalloc(1, sizeof(*l));

    CHECK(pthread_mutex_init(&l->mutex, NULL) == 0);
    l->threshold = (uint64_t)(sample * 4294967296.0);
    l->max = max;
    return l;
}

void cachelog_free(struct cachelog *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->mutex);
    xfree(l->entries);
    xfree(l);
}

/* Multiples of the golden ratio are spread evenly. */
bool cachelog_wants(struct cachelog *l)
{
    uint64_t turn = __atomic_fetch_add(&l->asked, 1, __ATOMIC_RELAXED);

    return (turn * UINT64_C(0x9e3779b97f4a7c15) >> 32) < l->threshold;
}

bool cachelog_add(struct cachelog *l, const struct cachelog_entry *e)
{
    bool room;

    pthread_mutex_lock(&l->mutex);
    room = l->n < l->max;
    if (room && l->n == l->cap) {
        l->cap = size_min(l->max, l->cap == 0 ? 64 : 2 * l->cap);
        l->entries = xrealloc(l->entries, l->cap * sizeof(*l->entries));
    }
    if (room)
        l->entries[l->n++] = *e;
    pthread_mutex_unlock(&l->mutex);
    return room;
}

size_t cachelog_take(struct cachelog *l, struct arena *a, struct cachelog_entry **out)
{
    struct cachelog_entry *taken;
    size_t n;

    pthread_mutex_lock(&l->mutex);
    taken = l->entries;
    n = l->n;
    l->entries = NULL;
    l->n = l->cap = 0;
    pthread_mutex_unlock(&l->mutex);
    *out = arena_copy(a, taken, n * sizeof(*taken));
    xfree(taken);
    return n;
}

void cachelog_text(char *to, size_t size, struct str text)
{
    size_t n = size_min(text.len, size - 1);

    while (n > 0 && n < text.len && (text.data[n] & 0xc0) == 0x80)
        n--;
    if (n > 0)
        memcpy(to, text.data, n);
    to[n] = '\0';
}
