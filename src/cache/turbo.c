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
/* Samples of variables are kept up to this size. */
#define MAX_SAMPLE 4096

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
    char *sample; /* owned; of a plan; NULL: none */
    size_t sample_len;
    bool hot;
    size_t cost;
    size_t lens[KEY_PARTS];
    char bytes[];
};

/* By their last use. */
struct entries {
    struct entry *newest;
    struct entry *oldest;
    size_t n;
    size_t bytes;
};

struct shard {
    pthread_mutex_t mutex;
    struct entry **slots;
    size_t nslots;
    struct entries hot;
    struct entries cold;
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
    xfree(e->sample);
    xfree(e);
}

static void free_chain(struct entry *e)
{
    while (e != NULL) {
        struct entry *next = e->chain;

        entry_free(e);
        e = next;
    }
}

static void free_entries(const struct entries *l)
{
    for (struct entry *e = l->newest, *next; e != NULL; e = next) {
        next = e->older;
        entry_free(e);
    }
}

void turbo_free(struct turbo *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];

        free_entries(&s->hot);
        free_entries(&s->cold);
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

static void unlink_entry(struct shard *s, struct entry *e)
{
    struct entries *l = e->hot ? &s->hot : &s->cold;

    *(e->newer ? &e->newer->older : &l->newest) = e->older;
    *(e->older ? &e->older->newer : &l->oldest) = e->newer;
    l->n--;
    l->bytes -= e->cost;
}

/* As the one used last. */
static void push_entry(struct shard *s, struct entry *e, bool hot)
{
    struct entries *l = hot ? &s->hot : &s->cold;

    e->hot = hot;
    e->newer = NULL;
    e->older = l->newest;
    *(l->newest ? &l->newest->newer : &l->oldest) = e;
    l->newest = e;
    l->n++;
    l->bytes += e->cost;
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
    unlink_entry(s, e);
}

/* What is hot beyond its share has to prove itself again. */
static void use_locked(const struct turbo *t, struct shard *s, struct entry *e)
{
    unlink_entry(s, e);
    push_entry(s, e, true);
    while (s->hot.oldest != e &&
           (s->hot.n > t->max_entries / 5 * 4 || s->hot.bytes > t->max_bytes / 5 * 4)) {
        struct entry *o = s->hot.oldest;

        unlink_entry(s, o);
        push_entry(s, o, false);
    }
}

/* Takes entries over the limits out and chains them through `chain` for the caller to free. */
static struct entry *evict_locked(const struct turbo *t, struct shard *s)
{
    struct entry *gone = NULL;

    while (s->hot.n + s->cold.n > t->max_entries || s->hot.bytes + s->cold.bytes > t->max_bytes) {
        struct entry *e = s->cold.oldest != NULL ? s->cold.oldest : s->hot.oldest;

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
        push_entry(s, e, false);
        gone = evict_locked(t, s);
    }
    pthread_mutex_unlock(&s->mutex);
    free_chain(gone);
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
        if (e != s->hot.newest)
            use_locked(t, s, e);
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
                    const struct plan *p, struct str sample)
{
    struct entry_key key = plan_key(op, skeleton);
    struct entry *e = entry_new(&key);

    e->plan = plan_ref(p);
    e->cost += p->size;
    if (sample.data != NULL && sample.len <= MAX_SAMPLE) {
        e->sample = xmalloc(sample.len + 1);
        memcpy(e->sample, sample.data, sample.len);
        e->sample_len = sample.len;
        e->cost += sample.len;
    }
    put(t, &key, e);
}

/* --- for another schema ------------------------------------------------------------------ */

/* An operation's entry, and its key: parts as operation_key() has them. */
struct known {
    uint64_t id;
    struct turbo_key key;
};

struct found {
    uint64_t operation;
    struct str sample;
};

static struct turbo_key key_of(const struct entry *e, struct arena *a)
{
    struct turbo_key k;
    struct str parts[KEY_PARTS];
    const char *at = e->bytes;

    for (size_t i = 0; i < KEY_PARTS; i++) {
        parts[i] = str_make(at, e->lens[i]);
        at += e->lens[i];
    }
    k = (struct turbo_key){arena_dup(a, parts[0]), arena_dup(a, parts[1]), arena_dup(a, parts[2]),
                           0};
    memcpy(&k.schema_version, parts[3].data, sizeof(k.schema_version));
    return k;
}

struct gathering {
    struct arena *arena;
    struct {
        struct known *items;
        size_t n, cap;
    } operations;
    struct {
        struct found *items;
        size_t n, cap;
    } plans;
};

static struct str sample_of(const struct entry *e, struct arena *a)
{
    return e->sample != NULL ? arena_dup(a, str_make(e->sample, e->sample_len)) : str_make(NULL, 0);
}

/* Of one shard, at most `max` plans. An operation is used whenever one of its plans is. */
static void gather_locked(const struct shard *s, size_t max, struct gathering *g)
{
    size_t n = 0;

    for (const struct entry *e = s->hot.newest; e != NULL; e = e->older) {
        if (e->operation != NULL)
            VEC_PUSH(g->arena, &g->operations,
                     ((struct known){e->operation->id, key_of(e, g->arena)}));
        else if (n++ < max)
            VEC_PUSH(g->arena, &g->plans,
                     ((struct found){e->plan->operation->id, sample_of(e, g->arena)}));
    }
}

size_t turbo_hot(struct turbo *t, size_t max, struct arena *a, struct turbo_hot **out)
{
    struct gathering g = {.arena = a};
    size_t n = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&t->shards[i].mutex);
        gather_locked(&t->shards[i], max / SHARDS + 1, &g);
        pthread_mutex_unlock(&t->shards[i].mutex);
    }
    *out = ARENA_ARRAY(a, size_max(g.plans.n, 1), struct turbo_hot);
    for (size_t i = 0; i < g.plans.n && n < max; i++) {
        for (size_t j = 0; j < g.operations.n; j++) {
            if (g.operations.items[j].id != g.plans.items[i].operation)
                continue;
            (*out)[n++] = (struct turbo_hot){g.operations.items[j].key, g.plans.items[i].sample};
            break;
        }
    }
    return n;
}

static uint64_t version_of(const struct entry *e)
{
    return (e->plan != NULL ? e->plan->operation : e->operation)->schema->version;
}

static bool is_among(uint64_t version, const uint64_t *versions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (versions[i] == version)
            return true;
    return false;
}

void turbo_forget(struct turbo *t, const uint64_t *versions, size_t n)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];
        struct entry *gone = NULL;

        pthread_mutex_lock(&s->mutex);
        for (size_t j = 0; j < s->nslots; j++) {
            struct entry **at = &s->slots[j];

            while (*at != NULL) {
                struct entry *e = *at;

                if (is_among(version_of(e), versions, n)) {
                    at = &e->chain;
                    continue;
                }
                *at = e->chain;
                unlink_entry(s, e);
                e->chain = gone;
                gone = e;
            }
        }
        pthread_mutex_unlock(&s->mutex);
        free_chain(gone);
    }
}

/* --- usage ------------------------------------------------------------------------------- */

/* Operations that are hot, retained: what they were used for is taken without the mutex. */
static size_t retain_locked(const struct shard *s, const struct operation **out)
{
    size_t n = 0;

    for (const struct entry *e = s->hot.newest; e != NULL; e = e->older)
        if (e->operation != NULL)
            out[n++] = operation_ref(e->operation);
    return n;
}

static bool take_usage(const struct operation *op, struct arena *a, struct turbo_usage *out)
{
    struct operation_usage used = operation_take_usage(op);

    if (used.hits + used.misses + used.runs == 0)
        return false;
    *out = (struct turbo_usage){digest_sha256(op->document->source), arena_dup(a, op->ast->name),
                                used};
    return true;
}

size_t turbo_take_usage(struct turbo *t, size_t max, struct arena *a, struct turbo_usage **out)
{
    const struct operation **ops = xcalloc(t->max_entries + 1, sizeof(*ops));
    size_t n = 0;

    *out = ARENA_ARRAY(a, size_max(max, 1), struct turbo_usage);
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];
        size_t nops;

        pthread_mutex_lock(&s->mutex);
        nops = retain_locked(s, ops);
        pthread_mutex_unlock(&s->mutex);
        for (size_t j = 0; j < nops; j++) {
            if (n < max && take_usage(ops[j], a, &(*out)[n]))
                n++;
            operation_unref(ops[j]);
        }
    }
    xfree(ops);
    return n;
}

/* --- statistics -------------------------------------------------------------------------- */

void turbo_stats(struct turbo *t, struct turbo_stats *out)
{
    *out = (struct turbo_stats){0};
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &t->shards[i];

        pthread_mutex_lock(&s->mutex);
        out->entries += s->hot.n + s->cold.n;
        out->bytes += s->hot.bytes + s->cold.bytes;
        out->evictions += s->evictions;
        pthread_mutex_unlock(&s->mutex);
    }
}
