/*
 * pgwait.c - a queue for each tenant, and a ring of the queues that are not empty.
 *
 * Thread:   one client's.
 * Memory:   a tenant's entry lives while it has batches waiting or running; then it is spare.
 */
#include "pg/pgwait.h"

struct pgtenant {
    uint64_t id;
    struct pgtenant *chain; /* in the bucket; or in the list of spare ones */
    struct pgtenant *next;  /* in the ring, while something waits */
    struct pgtenant *prev;
    struct pgbatch *first;
    struct pgbatch *last;
    size_t waiting;
    size_t running;
};

void pgwait_init(struct pgwait *w, size_t cap)
{
    *w = (struct pgwait){.cap = cap};
}

void pgwait_fini(struct pgwait *w)
{
    CHECK(w->n == 0);
    for (size_t i = 0; i < PGWAIT_BUCKETS; i++)
        CHECK(w->buckets[i] == NULL);
    while (w->spare != NULL) {
        struct pgtenant *t = w->spare;

        w->spare = t->chain;
        xfree(t);
    }
}

static struct pgtenant **find(struct pgwait *w, uint64_t id)
{
    struct pgtenant **at = &w->buckets[(id * UINT64_C(0x9e3779b97f4a7c15)) >> 56];

    while (*at != NULL && (*at)->id != id)
        at = &(*at)->chain;
    return at;
}

static struct pgtenant *get(struct pgwait *w, uint64_t id)
{
    struct pgtenant **at = find(w, id);
    struct pgtenant *t = *at;

    if (t != NULL)
        return t;
    t = w->spare;
    if (t != NULL)
        w->spare = t->chain;
    else
        t = xmalloc(sizeof(*t));
    *t = (struct pgtenant){.id = id};
    *at = t;
    return t;
}

static void drop_if_unused(struct pgwait *w, struct pgtenant *t)
{
    if (t->first != NULL || t->running > 0)
        return;
    *find(w, t->id) = t->chain;
    t->chain = w->spare;
    w->spare = t;
}

static void enter_ring(struct pgwait *w, struct pgtenant *t)
{
    if (w->turn == NULL) {
        t->next = t->prev = t;
        w->turn = t;
        return;
    }
    t->next = w->turn;
    t->prev = w->turn->prev;
    t->prev->next = t;
    t->next->prev = t;
}

static void leave_ring(struct pgwait *w, struct pgtenant *t)
{
    if (t->next == t) {
        w->turn = NULL;
    } else {
        t->prev->next = t->next;
        t->next->prev = t->prev;
        if (w->turn == t)
            w->turn = t->next;
    }
}

void pgwait_push(struct pgwait *w, struct pgbatch *b, bool front)
{
    struct pgtenant *t = get(w, b->session->tenant);

    b->next = b->prev = NULL;
    if (t->first == NULL) {
        t->first = t->last = b;
        enter_ring(w, t);
    } else if (front) {
        b->next = t->first;
        t->first->prev = b;
        t->first = b;
    } else {
        b->prev = t->last;
        t->last->next = b;
        t->last = b;
    }
    w->n++;
    t->waiting++;
}

static void take_out(struct pgwait *w, struct pgtenant *t, struct pgbatch *b)
{
    if (b->prev != NULL)
        b->prev->next = b->next;
    else
        t->first = b->next;
    if (b->next != NULL)
        b->next->prev = b->prev;
    else
        t->last = b->prev;
    b->next = b->prev = NULL;
    w->n--;
    t->waiting--;
    if (t->first == NULL)
        leave_ring(w, t);
}

static struct pgtenant *next_tenant(struct pgwait *w)
{
    struct pgtenant *t = w->turn;

    if (t == NULL)
        return NULL;
    do {
        if (w->cap == 0 || t->id == 0 || t->running < w->cap)
            return t;
        t = t->next;
    } while (t != w->turn);
    return NULL;
}

struct pgbatch *pgwait_peek(struct pgwait *w)
{
    struct pgtenant *t = next_tenant(w);

    return t != NULL ? t->first : NULL;
}

struct pgbatch *pgwait_pop(struct pgwait *w)
{
    struct pgtenant *t = next_tenant(w);
    struct pgbatch *b;

    if (t == NULL)
        return NULL;
    b = t->first;
    t->running++;
    w->turn = t->next;
    take_out(w, t, b);
    return b;
}

void pgwait_end(struct pgwait *w, const struct pgbatch *b)
{
    struct pgtenant *t = *find(w, b->session->tenant);

    CHECK(t != NULL && t->running > 0);
    t->running--;
    drop_if_unused(w, t);
}

void pgwait_remove(struct pgwait *w, struct pgbatch *b)
{
    struct pgtenant *t = *find(w, b->session->tenant);

    CHECK(t != NULL);
    take_out(w, t, b);
    drop_if_unused(w, t);
}

size_t pgwait_count(struct pgwait *w, uint64_t tenant)
{
    const struct pgtenant *t = *find(w, tenant);

    return t != NULL ? t->waiting : 0;
}

void pgwait_each(struct pgwait *w, void (*fn)(struct pgbatch *b, void *ctx), void *ctx)
{
    for (size_t i = 0; i < PGWAIT_BUCKETS && w->n > 0; i++) {
        struct pgtenant *t = w->buckets[i];

        while (t != NULL) {
            struct pgtenant *next = t->chain;
            struct pgbatch *b = t->first;

            while (b != NULL) {
                struct pgbatch *after = b->next;

                fn(b, ctx);
                b = after;
            }
            t = next;
        }
    }
}
