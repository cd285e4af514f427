/*
 * persisted.c - documents that clients send by their hash (Apollo's automatic persisted queries).
 *
 * Thread:   any; one leaf mutex, under which nothing is copied but hashes.
 * Memory:   entries and texts are on the heap.
 */
#include "cache/persisted.h"

#include "base/deadline.h"
#include "cache/recent.h"

#include <pthread.h>
#include <stdatomic.h>

#define MIN_SLOTS 64
/* Another daemon's document is found after that time at most. */
#define MISSING_SLOTS 4096
#define MISSING_MS    10000
#define MISSES_MAX    100

struct entry {
    struct digest hash;
    struct persisted_text *text; /* retained */
    struct entry *chain;
    struct entry *newer;
    struct entry *older;
    bool stored; /* the table has it */
    bool used;   /* since persisted_take_used() */
};

struct persisted {
    pthread_mutex_t mutex;
    struct entry **slots;
    size_t nslots;
    struct entry *newest;
    struct entry *oldest;
    size_t n;
    size_t bytes;
    size_t unsaved; /* entries that are not stored */
    size_t max_entries;
    size_t max_bytes;
    atomic_bool shared;
    struct recent *missing; /* owned; has a mutex of its own */
};

struct persisted *persisted_new(size_t max_entries, size_t max_bytes)
{
    struct persisted *p = xcalloc(1, sizeof(*p));

    CHECK(pthread_mutex_init(&p->mutex, NULL) == 0);
    p->max_entries = max_entries;
    p->max_bytes = max_bytes;
    p->nslots = MIN_SLOTS;
    while (p->nslots < max_entries && p->nslots < 65536)
        p->nslots *= 2;
    p->slots = xcalloc(p->nslots, sizeof(struct entry *));
    atomic_init(&p->shared, true);
    p->missing = recent_new(MISSING_SLOTS, MISSING_MS, MISSES_MAX);
    return p;
}

static void entry_free(struct entry *e)
{
    persisted_unref(e->text);
    xfree(e);
}

void persisted_free(struct persisted *p)
{
    if (p == NULL)
        return;
    for (struct entry *e = p->newest, *next; e != NULL; e = next) {
        next = e->older;
        entry_free(e);
    }
    pthread_mutex_destroy(&p->mutex);
    recent_free(p->missing);
    xfree(p->slots);
    xfree(p);
}

static const struct persisted_text *text_ref(struct persisted_text *t)
{
    __atomic_fetch_add(&t->references, 1, __ATOMIC_RELAXED);
    return t;
}

void persisted_unref(const struct persisted_text *t)
{
    struct persisted_text *mine = (struct persisted_text *)(uintptr_t)t;

    if (mine != NULL && __atomic_sub_fetch(&mine->references, 1, __ATOMIC_ACQ_REL) == 0)
        xfree(mine);
}

/* --- the table ------------------------------------------------------------------------- */

/* A hash is as good as random, but chosen by who sends it: chains are bounded by the entries, which
 * are of texts that were valid. */
static struct entry **slot_of(const struct persisted *p, const struct digest *hash)
{
    uint64_t h;

    memcpy(&h, hash->bytes, sizeof(h));
    return &p->slots[h & (p->nslots - 1)];
}

static struct entry *find_locked(const struct persisted *p, const struct digest *hash)
{
    struct entry *e = *slot_of(p, hash);

    while (e != NULL && memcmp(&e->hash, hash, sizeof(*hash)) != 0)
        e = e->chain;
    return e;
}

static void unlink_locked(struct persisted *p, struct entry *e)
{
    *(e->newer ? &e->newer->older : &p->newest) = e->older;
    *(e->older ? &e->older->newer : &p->oldest) = e->newer;
}

static void push_locked(struct persisted *p, struct entry *e)
{
    e->newer = NULL;
    e->older = p->newest;
    *(p->newest ? &p->newest->newer : &p->oldest) = e;
    p->newest = e;
}

static struct entry *evict_locked(struct persisted *p)
{
    struct entry *gone = NULL;

    while (p->n > p->max_entries || p->bytes > p->max_bytes) {
        struct entry *e = p->oldest;
        struct entry **at = slot_of(p, &e->hash);

        while (*at != e)
            at = &(*at)->chain;
        *at = e->chain;
        unlink_locked(p, e);
        p->n--;
        p->bytes -= e->text->len;
        p->unsaved -= !e->stored;
        e->chain = gone;
        gone = e;
    }
    return gone;
}

const struct persisted_text *persisted_get(struct persisted *p, const struct digest *hash)
{
    const struct persisted_text *text = NULL;
    struct entry *e;

    pthread_mutex_lock(&p->mutex);
    e = find_locked(p, hash);
    if (e != NULL) {
        text = text_ref(e->text);
        e->used = true;
        if (e != p->newest) {
            unlink_locked(p, e);
            push_locked(p, e);
        }
    }
    pthread_mutex_unlock(&p->mutex);
    return text;
}

static struct entry *entry_new(const struct digest *hash, struct str text, bool stored)
{
    struct entry *e = xcalloc(1, sizeof(*e));

    e->hash = *hash;
    e->stored = stored;
    e->text = xmalloc(sizeof(*e->text) + text.len + 1);
    e->text->references = 1;
    e->text->len = text.len;
    memcpy(e->text->data, text.data, text.len);
    e->text->data[text.len] = '\0';
    return e;
}

void persisted_put(struct persisted *p, const struct digest *hash, struct str text, bool stored)
{
    struct entry *e = entry_new(hash, text, stored);
    struct entry *gone;

    pthread_mutex_lock(&p->mutex);
    if (find_locked(p, hash) != NULL) {
        gone = e;
        e->chain = NULL;
    } else {
        struct entry **slot = slot_of(p, hash);

        e->chain = *slot;
        *slot = e;
        push_locked(p, e);
        p->n++;
        p->bytes += text.len;
        p->unsaved += !stored;
        gone = evict_locked(p);
    }
    pthread_mutex_unlock(&p->mutex);
    recent_forget(p->missing, hash);
    while (gone != NULL) {
        struct entry *next = gone->chain;

        entry_free(gone);
        gone = next;
    }
}

/* --- for the table in the database -------------------------------------------------------- */

bool persisted_is_shared(const struct persisted *p)
{
    return atomic_load_explicit(&p->shared, memory_order_relaxed);
}

void persisted_set_shared(struct persisted *p, bool shared)
{
    atomic_store_explicit(&p->shared, shared, memory_order_relaxed);
}

bool persisted_may_look(struct persisted *p, const struct digest *hash)
{
    return recent_begin(p->missing, hash, monotonic_ns());
}

void persisted_looked(struct persisted *p, const struct digest *hash, enum persisted_look result)
{
    switch (result) {
    case PERSISTED_THERE:
        recent_found(p->missing, hash);
        break;
    case PERSISTED_MISSING:
        recent_missed(p->missing, hash, monotonic_ns());
        break;
    case PERSISTED_UNKNOWN:
        break;
    }
}

size_t persisted_take_new(struct persisted *p, size_t max, struct persisted_row *out)
{
    size_t n = 0;

    pthread_mutex_lock(&p->mutex);
    for (struct entry *e = p->newest; e != NULL && n < max && p->unsaved > 0; e = e->older) {
        if (e->stored)
            continue;
        e->stored = true;
        p->unsaved--;
        out[n++] = (struct persisted_row){e->hash, text_ref(e->text)};
    }
    pthread_mutex_unlock(&p->mutex);
    return n;
}

void persisted_give_back(struct persisted *p, const struct persisted_row *rows, size_t n)
{
    pthread_mutex_lock(&p->mutex);
    for (size_t i = 0; i < n; i++) {
        struct entry *e = find_locked(p, &rows[i].hash);

        if (e != NULL && e->stored) {
            e->stored = false;
            p->unsaved++;
        }
    }
    pthread_mutex_unlock(&p->mutex);
}

size_t persisted_take_used(struct persisted *p, struct arena *a, struct digest **out)
{
    size_t n = 0;

    pthread_mutex_lock(&p->mutex);
    *out = ARENA_ARRAY(a, size_max(p->n, 1), struct digest);
    for (struct entry *e = p->newest; e != NULL; e = e->older) {
        if (!e->used)
            continue;
        e->used = false;
        (*out)[n++] = e->hash;
    }
    pthread_mutex_unlock(&p->mutex);
    return n;
}

void persisted_stats(struct persisted *p, struct persisted_stats *out)
{
    pthread_mutex_lock(&p->mutex);
    *out = (struct persisted_stats){p->n, p->bytes};
    pthread_mutex_unlock(&p->mutex);
}
