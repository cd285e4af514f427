/*
 * operation_series.c - one histogram for each operation that has a name of its own, bounded.
 *
 * Thread:   see operation_series.h. A page of counts is written by the one thread that has it;
 *           who reads finds it through pointers that are set once.
 * Memory:   names and pages are never freed; a thread that ends leaves its pages to the next.
 */
#include "metrics/operation_series.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"

#define PAGE  64
#define PAGES (OPERATION_SERIES_MAX / PAGE + 1) /* "other" included */

struct page {
    struct {
        _Atomic uint64_t counts[HISTOGRAM_BUCKETS + 1];
        _Atomic uint64_t sum_ns;
    } series[PAGE];
};

struct pages {
    struct pages *next; /* constant once listed */
    bool taken;         /* under the mutex */
    _Atomic(struct page *) at[PAGES];
};

_Static_assert(PAGES *PAGE > OPERATION_SERIES_MAX, "each series has its place");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct arena *arena;                               /* of the names; NULL until the first */
static struct map numbers;                                /* name -> its place in names */
static struct pages *all;

/* Set once, in order; below `count` anybody may read. */
static const char *names[OPERATION_SERIES_MAX + 1] = {"other"};
static _Atomic uint32_t count = 1;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* only for its destructor */
static _Thread_local struct pages *own;

/* --- names -------------------------------------------------------------------------------- */

static uint32_t add_locked(struct str name)
{
    uint32_t n = atomic_load_explicit(&count, memory_order_relaxed);
    struct str copy = arena_dup(arena, name);

    names[n] = copy.data;
    map_put(&numbers, copy, &names[n]);
    /* Release: who sees the count sees the name. */
    atomic_store_explicit(&count, n + 1, memory_order_release);
    return n;
}

static uint32_t find_locked(struct str name, size_t max)
{
    const char **place;

    if (arena == NULL) {
        arena = arena_new(0);
        map_init(&numbers, arena);
    }
    place = map_get(&numbers, name);
    if (place != NULL)
        return (uint32_t)(place - names);
    if (atomic_load_explicit(&count, memory_order_relaxed) > max)
        return OPERATION_SERIES_OTHER;
    return add_locked(name);
}

uint32_t operation_series_of(struct str name, size_t max)
{
    uint32_t series;

    CHECK(max <= OPERATION_SERIES_MAX);
    if (name.len == 0 || name.len > OPERATION_SERIES_NAME_MAX || str_is(name, names[0]))
        return OPERATION_SERIES_OTHER;
    pthread_mutex_lock(&mutex);
    series = find_locked(name, max);
    pthread_mutex_unlock(&mutex);
    return series;
}

uint32_t operation_series_count(void)
{
    return atomic_load_explicit(&count, memory_order_acquire);
}

const char *operation_series_name(uint32_t series)
{
    CHECK(series < operation_series_count());
    return names[series];
}

/* --- counts ------------------------------------------------------------------------------- */

static void leave(void *pages)
{
    struct pages *p = pages;

    own = NULL;
    pthread_mutex_lock(&mutex);
    p->taken = false;
    pthread_mutex_unlock(&mutex);
}

static void make_key(void)
{
    CHECK(pthread_key_create(&key, leave) == 0);
}

static __attribute__((noinline)) struct pages *take_pages(void)
{
    struct pages *p;

    CHECK(pthread_once(&once, make_key) == 0);
    pthread_mutex_lock(&mutex);
    for (p = all; p != NULL && p->taken; p = p->next)
        continue;
    if (p == NULL) {
        p = xcalloc(1, sizeof(*p));
        p->next = all;
        all = p;
    }
    p->taken = true;
    pthread_mutex_unlock(&mutex);
    CHECK(pthread_setspecific(key, p) == 0);
    own = p;
    return p;
}

static __attribute__((noinline)) struct page *make_page(struct pages *p, uint32_t at)
{
    struct page *page = xcalloc(1, sizeof(*page));

    /* Release: who finds the page finds its zeros. */
    atomic_store_explicit(&p->at[at], page, memory_order_release);
    return page;
}

/* One writer: a relaxed load and store lose nothing, and readers see whole values. */
static inline void bump(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t v = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, v + n, memory_order_relaxed);
}

void operation_series_observe(uint32_t series, uint64_t nanoseconds)
{
    const uint64_t *limits = operation_series_bounds();
    struct pages *p = own != NULL ? own : take_pages();
    /* Relaxed: this thread has made it, or took it over under the mutex. */
    struct page *page = atomic_load_explicit(&p->at[series / PAGE], memory_order_relaxed);
    size_t i = 0;

    if (page == NULL)
        page = make_page(p, series / PAGE);
    while (i < HISTOGRAM_BUCKETS && nanoseconds > limits[i])
        i++;
    bump(&page->series[series % PAGE].counts[i], 1);
    bump(&page->series[series % PAGE].sum_ns, nanoseconds);
}

/* They are only ever added in front, and never freed: the first one found leads to all. */
static struct pages *first_pages(void)
{
    struct pages *p;

    pthread_mutex_lock(&mutex);
    p = all;
    pthread_mutex_unlock(&mutex);
    return p;
}

struct histogram_total operation_series_total(uint32_t series)
{
    struct histogram_total total = {0};

    CHECK(series < operation_series_count());
    for (struct pages *p = first_pages(); p != NULL; p = p->next) {
        struct page *page = atomic_load_explicit(&p->at[series / PAGE], memory_order_acquire);

        if (page == NULL)
            continue;
        for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
            total.counts[i] +=
                atomic_load_explicit(&page->series[series % PAGE].counts[i], memory_order_relaxed);
        total.sum_ns +=
            atomic_load_explicit(&page->series[series % PAGE].sum_ns, memory_order_relaxed);
    }
    return total;
}

const uint64_t *operation_series_bounds(void)
{
    return metric_bounds(HISTOGRAM_HTTP_REQUEST);
}
