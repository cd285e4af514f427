/*
 * replica_options.c - the configuration's replicas, as their pools take them.
 *
 * Thread:   the main thread.
 * Memory:   in the arena given.
 */
#include "server/options.h"

/* A batch that finds no connection to a replica goes to the primary: soon. */
#define ACQUIRE_MS 1000

_Static_assert(CONFIG_MAX_REPLICAS <= PGREPLICAS_MAX, "as many as may be configured");

/* What says where the primary is. */
static bool is_place(const char *keyword)
{
    static const char *const places[] = {"host", "hostaddr", "port", "target_session_attrs",
                                         "load_balance_hosts"};

    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (strcmp(keyword, places[i]) == 0)
            return true;
    return false;
}

const struct pgpool_options *options_replica_pools(const struct config *c, struct arena *a)
{
    struct pgpool_options *pools =
        ARENA_ARRAY(a, size_max(c->replica_urls.n, 1), struct pgpool_options);
    struct pgpool_options primary = options_pgpool(c, a);
    struct pgkeyword *keywords = ARENA_ARRAY(a, size_max(primary.nkeywords, 1), struct pgkeyword);
    size_t n = 0;

    for (size_t i = 0; i < primary.nkeywords; i++)
        if (!is_place(primary.keywords[i].keyword))
            keywords[n++] = primary.keywords[i];
    for (size_t i = 0; i < c->replica_urls.n; i++) {
        pools[i] = primary;
        pools[i].url = arena_dup(a, c->replica_urls.items[i]).data;
        pools[i].keywords = keywords;
        pools[i].nkeywords = n;
        if (pools[i].acquire_timeout_ms > ACQUIRE_MS)
            pools[i].acquire_timeout_ms = ACQUIRE_MS;
    }
    return pools;
}

bool options_replicas(const struct config *c, struct pgpool *primary, struct arena *a,
                      struct pgreplicas **out, struct errors *errs)
{
    struct pgreplicas_options opt = {
        .pools = options_replica_pools(c, a),
        .n = c->replica_urls.n,
        .max_lag_ms = c->replica_max_lag_ms,
        .sticky_ms = c->replica_sticky_ms,
        .least_busy = c->replica_least_busy,
        .falls_back = c->replica_fallback,
    };

    *out = NULL;
    if (opt.n == 0 || c->replica_use_for.n == 0)
        return true;
    *out = pgreplicas_new(&opt, primary, errs);
    return *out != NULL;
}
