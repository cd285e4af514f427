/*
 * metrics.c - a slot of counts for each thread.
 *
 * Thread:   a slot is written by one thread, with relaxed atomics, since
 *           others read it; the list of slots has a mutex.
 * Memory:   slots live as long as the process; a thread that ends leaves its
 *           slot, with its counts, to the next one that starts.
 */
#include <pthread.h>

#include "metrics/slot.h"

enum buckets {
    BUCKETS_REQUEST, /* 1 ms to 10 s */
    BUCKETS_FINE,    /* 10 us to 1 s */
    BUCKETS_JOB,     /* 10 ms to 10 min */
    BUCKETS_COUNT,   /* 1 to 10,000: not a time, each is a second */
};

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

/* clang-format off */
static const uint64_t bounds[][HISTOGRAM_BUCKETS] = {
    [BUCKETS_REQUEST] = {1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS,
                         500 * MS, 1000 * MS, 2500 * MS, 5000 * MS, 10000 * MS},
    [BUCKETS_FINE] = {10 * US, 25 * US, 50 * US, 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US,
                      5 * MS, 10 * MS, 50 * MS, 250 * MS, 1000 * MS},
    [BUCKETS_JOB] = {10 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, 1000 * MS, 2500 * MS, 5000 * MS,
                     15000 * MS, 30000 * MS, 60000 * MS, 180000 * MS, 600000 * MS},
    [BUCKETS_COUNT] = {1 * S, 2 * S, 5 * S, 10 * S, 25 * S, 50 * S, 100 * S, 250 * S,
                       500 * S, 1000 * S, 2500 * S, 5000 * S, 10000 * S},
};
/* clang-format on */

#define METRIC(type, name, help)
#define SAME_GAUGE(id)
#define COUNTER(id, labels)
#define GAUGE(id, labels)
static const enum buckets buckets_of[] = {
#define HISTOGRAM(id, labels, buckets) [HISTOGRAM_##id] = buckets,
#include "metrics/metrics.def"
#undef HISTOGRAM
};
#undef METRIC
#undef SAME_GAUGE
#undef COUNTER
#undef GAUGE

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards the list and `taken` */
static struct slot *slots;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t slot_key; /* only for its destructor */
_Thread_local struct slot *slot_own;
static _Atomic double gauges[GAUGE_COUNT];

static void leave_slot(void *slot)
{
    struct slot *s = slot;

    slot_own = NULL;
    pthread_mutex_lock(&mutex);
    s->taken = false;
    pthread_mutex_unlock(&mutex);
}

static void make_key(void)
{
    CHECK(pthread_key_create(&slot_key, leave_slot) == 0);
}

struct slot *slot_take(void)
{
    struct slot *s;

    pthread_once(&once, make_key);
    pthread_mutex_lock(&mutex);
    for (s = slots; s != NULL && s->taken; s = s->next)
        continue;
    if (s == NULL) {
        s = xcalloc(1, sizeof(*s));
        s->next = slots;
        slots = s;
    }
    s->taken = true;
    pthread_mutex_unlock(&mutex);
    CHECK(pthread_setspecific(slot_key, s) == 0);
    slot_own = s;
    return s;
}

void metric_add(enum metric m, uint64_t n)
{
    slot_bump(&slot()->counters[m], n);
}

void metric_observe(enum histogram h, uint64_t nanoseconds)
{
    histogram_observe(&slot()->histograms[h], metric_bounds(h), nanoseconds);
}

void metric_gauge_set(enum gauge g, double value)
{
    atomic_store_explicit(&gauges[g], value, memory_order_relaxed);
}

void metric_gauge_add(enum gauge g, double delta)
{
    double v = atomic_load_explicit(&gauges[g], memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(&gauges[g], &v, v + delta, memory_order_relaxed,
                                                  memory_order_relaxed))
        continue;
}

enum metric metric_of_status(int status)
{
    /* In the order of the counters. */
    static const short codes[] = {200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 411,
                                  413, 414, 415, 417, 429, 431, 499, 500, 501, 503, 504, 505};

    _Static_assert(COUNT_OF(codes) == METRIC_HTTP_REQUESTS_OTHER - METRIC_HTTP_REQUESTS_200,
                   "one counter for each code");
    for (size_t i = 0; i < COUNT_OF(codes); i++)
        if (codes[i] == status)
            return (enum metric)(METRIC_HTTP_REQUESTS_200 + i);
    return METRIC_HTTP_REQUESTS_OTHER;
}

enum metric metric_of_error(enum error_code code)
{
    return (enum metric)(METRIC_GRAPHQL_ERRORS_GRAPHQL_PARSE_FAILED + (unsigned)code);
}

enum metric metric_of_sqlstate(const char *sqlstate)
{
    /* In the order of the counters. */
    static const char classes[][3] = {"08", "22", "23", "25", "26", "28", "40", "42",
                                      "53", "54", "55", "57", "58", "P0", "XX"};

    _Static_assert(COUNT_OF(classes) == METRIC_DB_ERRORS_OTHER - METRIC_DB_ERRORS_08,
                   "one counter for each class");
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (strncmp(classes[i], sqlstate, 2) == 0)
            return (enum metric)(METRIC_DB_ERRORS_08 + i);
    return METRIC_DB_ERRORS_OTHER;
}

struct slot *slot_first(void)
{
    struct slot *s;

    pthread_mutex_lock(&mutex);
    s = slots;
    pthread_mutex_unlock(&mutex);
    return s;
}

uint64_t metric_total(enum metric m)
{
    uint64_t total = 0;

    for (struct slot *s = slot_first(); s != NULL; s = s->next)
        total += atomic_load_explicit(&s->counters[m], memory_order_relaxed);
    return total;
}

double metric_gauge(enum gauge g)
{
    return atomic_load_explicit(&gauges[g], memory_order_relaxed);
}

struct histogram_total metric_histogram(enum histogram h)
{
    struct histogram_total total = {0};

    for (struct slot *s = slot_first(); s != NULL; s = s->next)
        histogram_add(&s->histograms[h], &total);
    return total;
}

const uint64_t *metric_bounds(enum histogram h)
{
    return bounds[buckets_of[h]];
}
