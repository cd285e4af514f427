/*
 * label.c - which operations have a name of their own in metrics.
 *
 * Thread:   see label.h.
 * Memory:   see label.h.
 *
 * A document is known by its text's hash, not by who sends it or how: it takes a hash once for each
 * operation that is compiled, and again when another list of registered ones was read.
 */
#include "execution/label.h"

#include <pthread.h>
#include <stdatomic.h>

#include "metrics/operation_series.h"

struct labels {
    enum label_policy policy;
    const struct trusted *trusted;
    size_t max;
    /* Of `known`, from 1. What operations keep is of one of them. */
    _Atomic uint32_t generation;
    pthread_mutex_t mutex; /* guards the rest */
    struct digest *known;  /* owned; ascending: the texts of registered documents */
    size_t nknown;
};

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct digest));
}

struct labels *labels_new(enum label_policy policy, const struct trusted *trusted, size_t max)
{
    struct labels *l = xcalloc(1, sizeof(*l));

    CHECK(max <= OPERATION_SERIES_MAX);
    l->policy = policy;
    l->trusted = trusted;
    l->max = max;
    atomic_init(&l->generation, 1);
    CHECK(pthread_mutex_init(&l->mutex, NULL) == 0);
    return l;
}

void labels_free(struct labels *l)
{
    if (l == NULL)
        return;
    pthread_mutex_destroy(&l->mutex);
    xfree(l->known);
    xfree(l);
}

void labels_set_registered(struct labels *l, const struct registered *list, size_t n)
{
    struct digest *known, *old;

    if (l->policy != LABEL_TRUSTED)
        return;
    known = xcalloc(n > 0 ? n : 1, sizeof(*known));
    for (size_t i = 0; i < n; i++)
        known[i] = digest_sha256(list[i].document);
    qsort(known, n, sizeof(*known), compare);
    pthread_mutex_lock(&l->mutex);
    old = l->known;
    if (l->nknown != n || (n > 0 && memcmp(old, known, n * sizeof(*known)) != 0))
        /* Relaxed: who sees it asks for the mutex next. */
        atomic_fetch_add_explicit(&l->generation, 1, memory_order_relaxed);
    l->known = known;
    l->nknown = n;
    pthread_mutex_unlock(&l->mutex);
    xfree(old);
}

static bool is_known(struct labels *l, struct str text)
{
    struct digest d = digest_sha256(text);
    bool known;

    if (l->trusted != NULL && trusted_by_hash(l->trusted, &d).data != NULL)
        return true;
    pthread_mutex_lock(&l->mutex);
    known = l->nknown > 0 && bsearch(&d, l->known, l->nknown, sizeof(*l->known), compare) != NULL;
    pthread_mutex_unlock(&l->mutex);
    return known;
}

static __attribute__((noinline)) uint32_t find_series(struct labels *l, const struct operation *op,
                                                      struct str text)
{
    if (op->ast->name.len == 0 || (l->policy == LABEL_TRUSTED && !is_known(l, text)))
        return OPERATION_SERIES_OTHER;
    return operation_series_of(op->ast->name, l->max);
}

/* What is kept is the generation that it was found by, and the series. */
void labels_observe(struct labels *l, const struct operation *op, struct str text,
                    uint64_t nanoseconds)
{
    uint64_t generation = atomic_load_explicit(&l->generation, memory_order_relaxed);
    uint64_t kept;

    if (l->policy == LABEL_NONE)
        return;
    /* Relaxed: a whole value, of whoever looked last, and right whoever it was. */
    kept = __atomic_load_n(op->label, __ATOMIC_RELAXED);
    if (kept >> 32 != generation) {
        kept = generation << 32 | find_series(l, op, text);
        __atomic_store_n(op->label, kept, __ATOMIC_RELAXED);
    }
    operation_series_observe((uint32_t)kept, nanoseconds);
}
