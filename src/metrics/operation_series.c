/*
 * operation_series.c - one histogram for each operation that has a name of its own, bounded.
 *
 * Thread:   see operation_series.h. A page of counts is written by the one thread that has it;
 *           who reads finds it through pointers that are set once.
 * Memory:   names and pages are never freed; a thread that ends leaves its pages to the next.
 */
#include "metrics/operation_series.h"

#include <pthread.h>

#include "base/map.h"
#include "metrics/slot.h"

_Static_assert(OPERATION_PAGES *OPERATION_PAGE > OPERATION_SERIES_MAX, "each series has its place");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct arena *arena;                               /* of the names; NULL until the first */
static struct map numbers;                                /* name -> its place in names */

/* Set once, in order; below `count` anybody may read. */
static const char *names[OPERATION_SERIES_MAX + 1] = {"other"};
static _Atomic uint32_t count = 1;

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

static __attribute__((noinline)) struct operation_page *make_page(struct slot *s, size_t at)
{
    struct operation_page *page = xcalloc(1, sizeof(*page));

    /* Release: who finds the page finds its zeros. */
    atomic_store_explicit(&s->operations[at], page, memory_order_release);
    return page;
}

void operation_series_observe(uint32_t series, uint64_t nanoseconds)
{
    struct slot *s = slot();
    size_t at = series / OPERATION_PAGE;
    /* Relaxed: this thread has made it, or took it over under the mutex. */
    struct operation_page *page = atomic_load_explicit(&s->operations[at], memory_order_relaxed);

    if (page == NULL)
        page = make_page(s, at);
    histogram_observe(&page->series[series % OPERATION_PAGE], operation_series_bounds(),
                      nanoseconds);
}

struct histogram_total operation_series_total(uint32_t series)
{
    struct histogram_total total = {0};

    CHECK(series < operation_series_count());
    for (struct slot *s = slot_first(); s != NULL; s = s->next) {
        const struct operation_page *page =
            atomic_load_explicit(&s->operations[series / OPERATION_PAGE], memory_order_acquire);

        if (page != NULL)
            histogram_add(&page->series[series % OPERATION_PAGE], &total);
    }
    return total;
}

const uint64_t *operation_series_bounds(void)
{
    return metric_bounds(HISTOGRAM_HTTP_REQUEST);
}
