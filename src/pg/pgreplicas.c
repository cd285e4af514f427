/*
 * pgreplicas.c - the set of replicas, and a worker's choice among them.
 *
 * Thread:   see pgreplicas.h.
 * Memory:   see pgreplicas.h.
 * Not here: what is known of each (pgreplica_watch.c).
 */
#include "pg/pgreplica_watch.h"

/* How long one of the threads may take to end: it may be connecting. */
#define END_MS 1000

struct pgreaders {
    struct pgreplicas *all;
    size_t turn;
    struct pgclient *clients[PGREPLICAS_MAX];
};

/* --- positions ---------------------------------------------------------------------------------
 */

static bool parse_half(struct str text, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = str_hex_value(text.data[i]);

        if (digit < 0)
            return false;
        *out = *out << 4 | (uint64_t)digit;
    }
    return text.len >= 1 && text.len <= 8;
}

bool pgposition_parse(struct str text, uint64_t *out)
{
    struct str high, low;
    uint64_t h, l;

    if (!str_cut(text, '/', &high, &low) || !parse_half(high, &h) || !parse_half(low, &l))
        return false;
    *out = h << 32 | l;
    return true;
}

void pgposition_write(uint64_t position, char out[PGPOSITION_TEXT])
{
    snprintf(out, PGPOSITION_TEXT, "%X/%X", (unsigned)(position >> 32), (unsigned)position);
}

/* --- the set -------------------------------------------------------------------------------------
 */

/* host:port, without anything that is secret. */
static void set_name(struct pgreplica *s, const char *url)
{
    PQconninfoOption *all = PQconninfoParse(url, NULL);
    const char *host = "", *port = "";

    for (const PQconninfoOption *o = all; o != NULL && o->keyword != NULL; o++) {
        if (o->val != NULL && strcmp(o->keyword, "host") == 0)
            host = o->val;
        else if (o->val != NULL && strcmp(o->keyword, "port") == 0)
            port = o->val;
    }
    snprintf(s->name, sizeof(s->name), "%s%s%s", host, port[0] != '\0' ? ":" : "", port);
    PQconninfoFree(all);
}

static void free_pools(struct pgreplicas *r)
{
    for (size_t i = 1; i <= r->opt.n; i++)
        pgpool_free(r->servers[i].pool);
}

static bool make_pools(struct pgreplicas *r, const struct pgpool_options *pools,
                       struct errors *errs)
{
    for (size_t i = 0; i < r->opt.n; i++) {
        struct pgreplica *s = &r->servers[1 + i];

        s->pool = pgpool_new(&pools[i], errs);
        if (s->pool == NULL)
            return false;
        set_name(s, pools[i].url);
    }
    return true;
}

struct pgreplicas *pgreplicas_new(const struct pgreplicas_options *opt, struct pgpool *primary,
                                  struct errors *errs)
{
    struct pgreplicas *r = xcalloc(1, sizeof(*r));

    CHECK(opt->n > 0 && opt->n <= PGREPLICAS_MAX);
    r->opt = *opt;
    r->opt.pools = NULL;
    r->poll_ms = opt->max_lag_ms * 2 / PGREPLICA_POSITIONS;
    if (r->poll_ms < PGREPLICA_POLL_MS)
        r->poll_ms = PGREPLICA_POLL_MS;
    rounds_init(&r->rounds);
    CHECK(pthread_mutex_init(&r->lock, NULL) == 0);
    if (!make_pools(r, opt->pools, errs)) {
        free_pools(r);
        rounds_fini(&r->rounds);
        pthread_mutex_destroy(&r->lock);
        xfree(r);
        return NULL;
    }
    r->servers[0].pool = primary;
    for (size_t i = 0; i <= opt->n; i++) {
        struct pgreplica *s = &r->servers[i];

        s->all = r;
        buf_init(&s->reason, 4096);
        atomic_init(&s->lag_ns, UINT64_MAX);
        s->thread = thread_start(THREAD_HELPER, "pg-replica", pgreplica_watch, s);
    }
    return r;
}

void pgreplicas_free(struct pgreplicas *r)
{
    bool all = true;

    if (r == NULL)
        return;
    rounds_stop(&r->rounds);
    for (size_t i = 1; i <= r->opt.n; i++)
        pgpool_hurry(r->servers[i].pool);
    for (size_t i = 0; i <= r->opt.n; i++)
        all = thread_join_within(r->servers[i].thread, END_MS) && all;
    /* What one uses that is still connecting stays until the process ends. */
    if (!all)
        return;
    free_pools(r);
    for (size_t i = 0; i <= r->opt.n; i++)
        buf_fini(&r->servers[i].reason);
    pthread_mutex_destroy(&r->lock);
    rounds_fini(&r->rounds);
    xfree(r);
}

bool pgreplicas_reconnect_by(struct pgreplicas *r, const struct pgpool_options *pools,
                             struct errors *errs)
{
    for (size_t i = 0; i < r->opt.n; i++)
        if (!pgpool_reconnect_by(r->servers[1 + i].pool, &pools[i], errs))
            return false;
    return true;
}

bool pgreplicas_falls_back(const struct pgreplicas *r)
{
    return r->opt.falls_back;
}

void pgreplicas_stats(const struct pgreplicas *r, struct pgreplicas_stats *out)
{
    *out = (struct pgreplicas_stats){0};
    for (size_t i = 1; i <= r->opt.n; i++) {
        const struct pgreplica *s = &r->servers[i];
        uint64_t lag_ns = atomic_load_explicit(&s->lag_ns, memory_order_relaxed);

        if (atomic_load_explicit(&s->usable, memory_order_relaxed))
            out->usable++;
        else
            out->unusable++;
        if (lag_ns != UINT64_MAX && (double)lag_ns / 1e9 > out->lag_s)
            out->lag_s = (double)lag_ns / 1e9;
    }
}

void pgreplicas_wrote(struct pgreplicas *r, uint64_t who)
{
    atomic_store_explicit(&r->wrote_ns[who % PGREPLICA_WRITERS], monotonic_ns(),
                          memory_order_release);
}

/* --- a worker's choice ---------------------------------------------------------------------------
 */

struct pgreaders *pgreaders_new(struct pgreplicas *r, struct loop *worker)
{
    struct pgreaders *all = xcalloc(1, sizeof(*all));

    all->all = r;
    for (size_t i = 0; i < r->opt.n; i++)
        all->clients[i] = pgclient_new(r->servers[1 + i].pool, worker);
    return all;
}

void pgreaders_free(struct pgreaders *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->all->opt.n; i++)
        pgclient_free(r->clients[i]);
    xfree(r);
}

size_t pgreaders_pending(const struct pgreaders *r)
{
    size_t n = 0;

    for (size_t i = 0; i < r->all->opt.n; i++)
        n += pgclient_pending(r->clients[i]);
    return n;
}

static bool is_better(const struct pgreaders *r, size_t i, const struct pgclient *best)
{
    return best == NULL ||
           (r->all->opt.least_busy && pgclient_pending(r->clients[i]) < pgclient_pending(best));
}

enum pgreaders_verdict pgreaders_pick(struct pgreaders *r, uint64_t who, uint64_t position,
                                      struct pgclient **out)
{
    const struct pgreplicas *all = r->all;
    uint64_t wrote_ns =
        atomic_load_explicit(&all->wrote_ns[who % PGREPLICA_WRITERS], memory_order_acquire);
    size_t n = all->opt.n, first = r->turn;
    bool near = false;

    *out = NULL;
    if (wrote_ns != 0 && monotonic_ns() - wrote_ns < all->opt.sticky_ms * UINT64_C(1000000))
        return PGREADERS_TOO_OLD;
    for (size_t i = 0; i < n; i++) {
        size_t at = (first + i) % n;
        const struct pgreplica *s = &all->servers[1 + at];

        if (!atomic_load_explicit(&s->usable, memory_order_relaxed))
            continue;
        near = true;
        if (atomic_load_explicit(&s->has_ns, memory_order_acquire) <= wrote_ns ||
            atomic_load_explicit(&s->replayed, memory_order_relaxed) < position ||
            !is_better(r, at, *out))
            continue;
        *out = r->clients[at];
        r->turn = at + 1;
    }
    if (*out != NULL)
        return PGREADERS_FOUND;
    return near ? PGREADERS_TOO_OLD : PGREADERS_NONE;
}

void pgreaders_failed(struct pgreaders *r, const struct pgclient *c)
{
    for (size_t i = 0; i < r->all->opt.n; i++)
        if (r->clients[i] == c)
            atomic_store_explicit(&r->all->servers[1 + i].usable, false, memory_order_relaxed);
}
