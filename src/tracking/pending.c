/*
 * pending.c - errors that wait to be written.
 *
 * Thread:   any; one leaf mutex.
 * Memory:   the table, what is kept and the arena they are in go together when they are taken.
 */
#include "tracking/pending.h"

#include <pthread.h>
#include <time.h>

#include "base/buf.h"
#include "base/condition.h"
#include "base/digest.h"
#include "base/digits.h"
#include "base/map.h"
#include "metrics/metrics.h"

#define HOUR_US     INT64_C(3600000000)
#define MAX_TENANT  128
#define KEY_BYTES   (64 + MAX_TENANT + 24)
#define ENTRY_BYTES 256 /* of an entry, about, with its place in the table */

/* Of a fingerprint, tenant and hour; or of a fingerprint alone: then only `kept` is used. */
struct entry {
    uint64_t kept;     /* in full, or about to be */
    uint64_t more;     /* only counted */
    struct str common; /* data NULL: nobody has told yet */
    enum severity severity;
    int64_t last_us;
    struct str key;
};

struct pending {
    struct pending_options opt;
    pthread_mutex_t mutex; /* guards all that follows */
    pthread_cond_t change;
    struct arena *arena; /* owned */
    struct map entries;
    struct {
        struct pending_element *items;
        size_t n, cap;
    } kept;
    size_t bytes;   /* of texts, and of entries */
    size_t counted; /* entries with more than 0 */
    uint64_t random;
    bool closed;
};

static void start_anew(struct pending *p)
{
    p->arena = arena_new(0);
    map_init(&p->entries, p->arena);
    p->kept.items = NULL;
    p->kept.n = p->kept.cap = 0;
    p->bytes = p->counted = 0;
}

struct pending *pending_new(const struct pending_options *opt)
{
    struct pending *p = xcalloc(1, sizeof(*p));

    CHECK(opt->max > 0 && opt->batch > 0);
    p->opt = *opt;
    CHECK(pthread_mutex_init(&p->mutex, NULL) == 0);
    condition_init(&p->change);
    random_bytes(&p->random, sizeof(p->random));
    p->random |= 1;
    start_anew(p);
    return p;
}

void pending_free(struct pending *p)
{
    if (p == NULL)
        return;
    arena_free(p->arena);
    pthread_cond_destroy(&p->change);
    pthread_mutex_destroy(&p->mutex);
    xfree(p);
}

/* --- counting ------------------------------------------------------------------------------ */

static struct str entry_key(const struct pending_kind *k, char room[KEY_BYTES])
{
    struct str tenant = str_sub(k->tenant, 0, MAX_TENANT);
    int n = snprintf(room, KEY_BYTES, "%.*s %lld %.*s", (int)size_min(k->fingerprint.len, 64),
                     k->fingerprint.data, (long long)(k->at_us / HOUR_US), STR_ARG(tenant));

    CHECK(n > 0 && n < KEY_BYTES);
    return str_make(room, (size_t)n);
}

/* NULL: there are too many. */
static struct entry *find_locked(struct pending *p, struct str key, bool *is_new)
{
    struct entry *e = map_get(&p->entries, key);

    *is_new = e == NULL;
    if (e != NULL)
        return e;
    if (p->entries.n >= 2 * p->opt.max)
        return NULL;
    e = ARENA_NEW(p->arena, struct entry);
    e->key = arena_dup(p->arena, key);
    p->bytes += ENTRY_BYTES;
    CHECK(map_add(&p->entries, e->key, e));
    return e;
}

/* xorshift64: what is kept need not be unpredictable. */
static bool draws_locked(struct pending *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (double)(p->random >> 11) / (double)(UINT64_C(1) << 53) < p->opt.sample;
}

static bool has_room_locked(const struct pending *p, size_t bytes)
{
    return p->kept.n < p->opt.max &&
           (p->opt.max_bytes == 0 || p->bytes + bytes <= p->opt.max_bytes);
}

/* e is of its kind, all of its fingerprint; NULL: not known how many there are. */
static bool is_kept_locked(struct pending *p, const struct entry *e, const struct entry *all)
{
    if (e->common.data == NULL && e->kept == 0)
        return true;
    return all != NULL && all->kept < p->opt.burst && has_room_locked(p, 0) && draws_locked(p);
}

static bool count_locked(struct pending *p, const struct pending_kind *k, struct str key)
{
    struct entry *all, *e;
    bool is_new;

    e = find_locked(p, key, &is_new);
    if (e == NULL) {
        metric_add(METRIC_ERRORS_DROPPED_FULL, 1);
        return false;
    }
    all = find_locked(p, k->fingerprint, &is_new);
    e->severity = k->severity;
    e->last_us = k->at_us > e->last_us ? k->at_us : e->last_us;
    if (is_kept_locked(p, e, all)) {
        e->kept++;
        if (all != NULL)
            all->kept++;
        return true;
    }
    p->counted += e->more == 0;
    e->more++;
    return false;
}

bool pending_count(struct pending *p, const struct pending_kind *k)
{
    char room[KEY_BYTES];
    struct str key = entry_key(k, room);
    bool keep;

    pthread_mutex_lock(&p->mutex);
    keep = count_locked(p, k, key);
    pthread_mutex_unlock(&p->mutex);
    return keep;
}

static void keep_locked(struct pending *p, const struct pending_kind *k, struct str key,
                        struct str common, struct str whole)
{
    bool is_new;
    struct entry *e = find_locked(p, key, &is_new);

    if (e != NULL && e->common.data == NULL) {
        e->common = arena_dup(p->arena, common);
        e->severity = k->severity;
        p->bytes += common.len;
    }
    if (has_room_locked(p, whole.len)) {
        VEC_PUSH(p->arena, &p->kept,
                 (struct pending_element){arena_dup(p->arena, whole), 1, k->severity});
        p->bytes += whole.len;
    } else if (e != NULL) {
        p->counted += e->more == 0;
        e->more++;
        e->last_us = k->at_us > e->last_us ? k->at_us : e->last_us;
    } else {
        metric_add(METRIC_ERRORS_DROPPED_FULL, 1);
    }
    if (p->kept.n == p->opt.batch)
        pthread_cond_signal(&p->change);
}

void pending_keep(struct pending *p, const struct pending_kind *k, struct str common,
                  struct str whole)
{
    char room[KEY_BYTES];
    struct str key = entry_key(k, room);

    pthread_mutex_lock(&p->mutex);
    keep_locked(p, k, key, common, whole);
    pthread_mutex_unlock(&p->mutex);
}

/* --- taking -------------------------------------------------------------------------------- */

static void wait_for(struct pending *p, size_t batch, struct deadline until)
{
    bool in_time = true;

    pthread_mutex_lock(&p->mutex);
    while (!p->closed && p->kept.n < batch && in_time)
        in_time = condition_wait(&p->change, &p->mutex, until);
    pthread_mutex_unlock(&p->mutex);
}

void pending_wait(struct pending *p, struct deadline until)
{
    wait_for(p, p->opt.batch, until);
}

void pending_pause(struct pending *p, struct deadline until)
{
    wait_for(p, SIZE_MAX, until);
}

static void write_counted(const struct entry *e, uint64_t n, struct arena *a,
                          struct pending_element *out)
{
    char id[PENDING_ID_TEXT + 1], at[PENDING_TIME_TEXT + 1];

    pending_id(e->last_us, id);
    pending_time(e->last_us, at);
    out->json =
        arena_printf(a, "{%.*s,\"occurrence_id\":\"%s\",\"occurred_at\":\"%s\",\"count\":%llu}",
                     STR_ARG(e->common), id, at, (unsigned long long)n);
    out->count = n;
    out->severity = e->severity;
}

/* Behind those that were kept; `count` is an integer in SQL. */
static void add_counted(const struct map *entries, size_t counted, struct pending_batch *b)
{
    struct pending_element *all = ARENA_ARRAY(b->arena, b->n + 2 * counted, struct pending_element);

    if (b->n > 0)
        memcpy(all, b->items, b->n * sizeof(*all));
    b->items = all;
    for (size_t i = 0; i < entries->n; i++) {
        const struct entry *e = entries->entries[i].value;

        if (e->more > 0 && e->common.data != NULL)
            write_counted(e, e->more > INT32_MAX ? INT32_MAX : e->more, b->arena,
                          &b->items[b->n++]);
    }
}

/* Who counted it as the first of its kind has not told yet what it is: that stays. */
static void keep_untold_locked(struct pending *p, const struct map *before)
{
    for (size_t i = 0; i < before->n; i++) {
        const struct entry *old = before->entries[i].value;
        struct entry *e;
        bool is_new;

        if (old->more == 0 || old->common.data != NULL)
            continue;
        e = find_locked(p, old->key, &is_new);
        if (e == NULL)
            continue;
        e->more = old->more;
        e->kept = old->kept;
        e->severity = old->severity;
        e->last_us = old->last_us;
        p->counted++;
    }
}

void pending_take(struct pending *p, struct pending_batch *out)
{
    struct map entries;
    size_t counted;

    pthread_mutex_lock(&p->mutex);
    *out = (struct pending_batch){p->arena, p->kept.items, p->kept.n};
    entries = p->entries;
    counted = p->counted;
    start_anew(p);
    keep_untold_locked(p, &entries);
    pthread_mutex_unlock(&p->mutex);
    if (counted > 0)
        add_counted(&entries, counted, out);
}

void pending_close(struct pending *p)
{
    pthread_mutex_lock(&p->mutex);
    p->closed = true;
    pthread_cond_broadcast(&p->change);
    pthread_mutex_unlock(&p->mutex);
}

bool pending_closed(struct pending *p)
{
    bool closed;

    pthread_mutex_lock(&p->mutex);
    closed = p->closed;
    pthread_mutex_unlock(&p->mutex);
    return closed;
}

size_t pending_length(struct pending *p)
{
    size_t n;

    pthread_mutex_lock(&p->mutex);
    n = p->kept.n + p->counted;
    pthread_mutex_unlock(&p->mutex);
    return n;
}

/* --- texts ---------------------------------------------------------------------------------- */

void pending_time(int64_t us, char out[PENDING_TIME_TEXT + 1])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm t;

    CHECK(us >= 0 && gmtime_r(&seconds, &t) != NULL);
    CHECK(strftime(out, PENDING_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &t) == 19);
    snprintf(out + 19, 9, ".%06uZ", (unsigned)(us % 1000000));
}

void pending_id(int64_t us, char out[PENDING_ID_TEXT + 1])
{
    unsigned char b[16];

    random_bytes(b, sizeof(b));
    for (size_t i = 0; i < 6; i++)
        b[i] = (unsigned char)((uint64_t)(us / 1000) >> (40 - 8 * i));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x70);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    *digits_uuid(out, b) = '\0';
}
