/*
 * turbo.c - TurboRouter: validated operations and compiled plans kept in memory.
 *
 * Thread:   any; sharded, one leaf mutex per shard. References are taken under
 *           it and dropped outside it, so no arena is freed while it is held.
 * Memory:   entries and their keys are on the heap, owned by their shard.
 * Not here: what is cached and when (execution/execute.c).
 *
 * The hash is keyed by a random seed of the process and a hit compares the
 * whole key, so documents made to collide cost time within one chain at most
 * and never give another document's plan.
 */
#include "cache/turbo.h"

#include <pthread.h>

#define SHARDS     8
#define KEY_PARTS  4
#define MIN_SLOTS  64
#define ENTRY_COST 160 /* of an entry itself, roughly */

/* A key is a few slices; an entry stores them one behind the other. */
struct entry_key {
    struct str parts[KEY_PARTS];
    uint64_t hash;
};

struct entry {
    struct entry *chain;
    struct entry *newer;
    struct entry *older;
    uint64_t hash;
    const struct operation *operation; /* one of the two, retained */
    const struct plan *plan;
    size_t cost;
    size_t lens[KEY_PARTS];
    char bytes[];
};

struct shard {
    pthread_mutex_t mutex;
    struct entry **slots;
    size_t nslots;
    struct entry *newest;
    struct entry *oldest;
    size_t entries;
    size_t bytes;
    uint64_t evictions;
};

struct turbo {
    size_t max_entries; /* per shard */
    size_t max_bytes;   /* per shard */
    struct shard shards[SHARDS];
};

struct turbo *turbo_new(size_t max_entries, size_t max_bytes)
{
    struct turbo *t = xcalloc(1, sizeof(*t));

    t->max_entries = size_max(max_entries / SHARDS, 1);
    t->max_bytes = size_max(max_bytes / SHARDS, 1);
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];

        CHECK(pthread_mutex_init(&s->mutex, NULL) == 0);
        s->nslots = MIN_SLOTS;
        while (s->nslots < t->max_entries && s->nslots < 4096)
            s->nslots *= 2;
        s->slots = xcalloc(s->nslots, sizeof(*s->slots));
    }
    return t;
}

static void entry_free(struct entry *e)
{
    operation_unref(e->operation);
    plan_unref(e->plan);
    xfree(e);
}

void turbo_free(struct turbo *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];

        for (struct entry *e = s->newest, *next; e != NULL; e = next) {
            next = e->older;
            entry_free(e);
        }
        xfree(s->slots);
        pthread_mutex_destroy(&s->mutex);
    }
    xfree(t);
}

/* --- keys ------------------------------------------------------------------------ */

static void key_hash(struct entry_key *k)
{
    uint64_t h = 0;

    for (size_t i = 0; i < KEY_PARTS; i++)
        h = (h ^ str_hash(k->parts[i])) * UINT64_C(0x9E3779B97F4A7C15) + k->parts[i].len;
    k->hash = h ^ (h >> 29);
}

static struct entry_key operation_key(const struct turbo_key *k)
{
    struct entry_key key = {
        {k->document, k->operation_name, k->role,
         str_make((const char *)&k->schema_version, sizeof(k->schema_version))},
        0
    };

    key_hash(&key);
    return key;
}

static struct entry_key plan_key(const struct operation *op, const struct digest *skeleton)
{
    struct entry_key key = {
        {str_make((const char *)&op->id, sizeof(op->id)),
         str_make((const char *)skeleton->bytes, sizeof(skeleton->bytes))},
        0
    };

    key_hash(&key);
    return key;
}

static bool key_matches(const struct entry *e, const struct entry_key *k)
{
    const char *at = e->bytes;

    if (e->hash != k->hash)
        return false;
    for (size_t i = 0; i < KEY_PARTS; i++) {
        if (!str_eq(str_make(at, e->lens[i]), k->parts[i]))
            return false;
        at += e->lens[i];
    }
    return true;
}

static struct entry *entry_new(const struct entry_key *k)
{
    size_t len = 0;
    struct entry *e;
    char *at;

    for (size_t i = 0; i < KEY_PARTS; i++)
        len += k->parts[i].len;
    e = xcalloc(1, sizeof(*e) + len);
    at = e->bytes;
    for (size_t i = 0; i < KEY_PARTS; i++) {
        e->lens[i] = k->parts[i].len;
        if (k->parts[i].len)
            memcpy(at, k->parts[i].data, k->parts[i].len);
        at += k->parts[i].len;
    }
    e->hash = k->hash;
    e->cost = ENTRY_COST + len;
    return e;
}

/* --- a shard ----------------------------------------------------------------------- */

static struct shard *shard_of(struct turbo *t, const struct entry_key *k)
{
    return &t->shards[(k->hash >> 56) % SHARDS];
}

static void lru_unlink(struct shard *s, struct entry *e)
{
    *(e->newer ? &e->newer->older : &s->newest) = e->older;
    *(e->older ? &e->older->newer : &s->oldest) = e->newer;
}

static void lru_push(struct shard *s, struct entry *e)
{
    e->newer = NULL;
    e->older = s->newest;
    *(s->newest ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
}

static struct entry *find_locked(struct shard *s, const struct entry_key *k)
{
    struct entry *e = s->slots[k->hash & (s->nslots - 1)];

    while (e != NULL && !key_matches(e, k))
        e = e->chain;
    return e;
}

static void remove_locked(struct shard *s, struct entry *e)
{
    struct entry **at = &s->slots[e->hash & (s->nslots - 1)];

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    lru_unlink(s, e);
    s->entries--;
    s->bytes -= e->cost;
}

/* Takes entries over the limits out and chains them through `chain` for the caller to free. */
static struct entry *evict_locked(const struct turbo *t, struct shard *s)
{
    struct entry *gone = NULL;

    while (s->oldest != NULL && (s->entries > t->max_entries || s->bytes > t->max_bytes)) {
        struct entry *e = s->oldest;

        remove_locked(s, e);
        s->evictions++;
        e->chain = gone;
        gone = e;
    }
    return gone;
}

/* Takes e over. */
static void put(struct turbo *t, const struct entry_key *k, struct entry *e)
{
    struct shard *s = shard_of(t, k);
    struct entry *gone;

    pthread_mutex_lock(&s->mutex);
    if (find_locked(s, k) != NULL) {
        gone = e;
        e->chain = NULL;
    } else {
        struct entry **slot = &s->slots[k->hash & (s->nslots - 1)];

        e->chain = *slot;
        *slot = e;
        lru_push(s, e);
        s->entries++;
        s->bytes += e->cost;
        gone = evict_locked(t, s);
    }
    pthread_mutex_unlock(&s->mutex);
    while (gone != NULL) {
        struct entry *next = gone->chain;

        entry_free(gone);
        gone = next;
    }
}

/* Marks it used. Either out is retained, both NULL on a miss. */
static void get(struct turbo *t, const struct entry_key *k, const struct operation **op,
                const struct plan **plan)
{
    struct shard *s = shard_of(t, k);
    struct entry *e;

    *op = NULL;
    *plan = NULL;
    pthread_mutex_lock(&s->mutex);
    e = find_locked(s, k);
    if (e != NULL) {
        if (e != s->newest) {
            lru_unlink(s, e);
            lru_push(s, e);
        }
        if (e->operation != NULL)
            *op = operation_ref(e->operation);
        if (e->plan != NULL)
            *plan = plan_ref(e->plan);
    }
    pthread_mutex_unlock(&s->mutex);
}

/* --- public ------------------------------------------------------------------------- */

const struct operation *turbo_operation(struct turbo *t, const struct turbo_key *k)
{
    struct entry_key key = operation_key(k);
    const struct operation *op;
    const struct plan *plan;

    get(t, &key, &op, &plan);
    return op;
}

void turbo_put_operation(struct turbo *t, const struct turbo_key *k, const struct operation *op)
{
    struct entry_key key = operation_key(k);
    struct entry *e = entry_new(&key);

    e->operation = operation_ref(op);
    e->cost += operation_size(op);
    put(t, &key, e);
}

const struct plan *turbo_plan(struct turbo *t, const struct operation *op,
                              const struct digest *skeleton)
{
    struct entry_key key = plan_key(op, skeleton);
    const struct operation *none;
    const struct plan *plan;

    get(t, &key, &none, &plan);
    return plan;
}

void turbo_put_plan(struct turbo *t, const struct operation *op, const struct digest *skeleton,
                    const struct plan *p)
{
    struct entry_key key = plan_key(op, skeleton);
    struct entry *e = entry_new(&key);

    e->plan = plan_ref(p);
    e->cost += p->size;
    put(t, &key, e);
}

void turbo_stats(struct turbo *t, struct turbo_stats *out)
{
    *out = (struct turbo_stats){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];

        pthread_mutex_lock(&s->mutex);
        out->entries += s->entries;
        out->bytes += s->bytes;
        out->evictions += s->evictions;
        pthread_mutex_unlock(&s->mutex);
    }
}
