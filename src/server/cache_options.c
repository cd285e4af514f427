/*
 * cache_options.c - the configuration's cache section, as the result cache takes it.
 *
 * Thread:   the main thread.
 * Memory:   in the arena given; the cache copies what it keeps.
 */
#include "server/options.h"

#include "execution/session.h"

static const struct resultcache_setting *cached(const struct config_cached *from, size_t n,
                                                struct arena *a)
{
    static const enum resultcache_mode modes[] = {
        [CONFIG_CACHE_AUTO] = RESULTCACHE_AUTO,
        [CONFIG_CACHE_ALWAYS] = RESULTCACHE_ALWAYS,
        [CONFIG_CACHE_NEVER] = RESULTCACHE_NEVER,
    };
    struct resultcache_setting *to = ARENA_ARRAY(a, size_max(n, 1), struct resultcache_setting);

    for (size_t i = 0; i < n; i++)
        to[i] = (struct resultcache_setting){from[i].name, from[i].has_ttl, from[i].ttl_ms,
                                             modes[from[i].mode]};
    return to;
}

const struct config_strings *options_tenant_settings(const struct config *c)
{
    static const struct config_strings none;

    for (size_t i = 0; i < c->nclaims; i++)
        if (str_eq(c->claims[i].name, c->tenancy_claim))
            return &c->claims[i].settings;
    return &none;
}

struct resultcache *options_results(const struct config *c, struct arena *a)
{
    struct resultcache_options opt = {
        .default_ttl_ms = c->cache_default_ttl_ms,
        .max_value_bytes = c->cache_max_value_bytes,
        .single_flight = c->cache_single_flight,
        .wait_ms = c->cache_wait_ms,
        .stale_while_revalidate_ms = c->cache_stale_ms,
        .stale_if_error_ms = c->cache_stale_if_error_ms,
        .types = cached(c->cache_types, c->ncache_types, a),
        .ntypes = c->ncache_types,
        .operations = cached(c->cache_operations, c->ncache_operations, a),
        .noperations = c->ncache_operations,
        .front_bytes = c->cache_l1 ? c->cache_l1_bytes : 0,
        .front_ttl_ms = c->cache_l1_ttl_ms,
    };
    struct {
        struct str *items;
        size_t n, cap;
    } settings = {0};

    /* What is found out about a plan is kept with it. */
    if (!c->cache_enabled || !c->turbo_enabled)
        return NULL;
    for (size_t i = 0; i < c->nclaims; i++) {
        const struct config_strings *s = &c->claims[i].settings;

        for (size_t j = 0; j < s->n; j++)
            VEC_PUSH(a, &settings, s->items[j]);
    }
    /* Of sampled requests alone: unless something reads them, they find the same answers. */
    VEC_PUSH(a, &settings, STR(SESSION_TRACE_SETTING));
    VEC_PUSH(a, &settings, STR(SESSION_NAME_SETTING));
    opt.tenant_settings = options_tenant_settings(c)->items;
    opt.ntenant_settings = options_tenant_settings(c)->n;
    opt.settings = settings.items;
    opt.nsettings = settings.n;
    return resultcache_new(&opt);
}
