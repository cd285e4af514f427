/*
 * offline.c - what answers requests, in a command instead of a daemon.
 *
 * Thread:   main.
 */
#include "commands/offline.h"

#include "jobs/schema_watch.h"
#include "server/options.h"
#include "server/setup.h"

static bool publish(struct offline *o, const struct config *c, struct arena *a, struct errors *errs)
{
    struct schema_watch_options opt = options_schema_watch(c, a);
    size_t n = options_nroles(c);
    const struct schema **schemas = ARENA_ARRAY(a, n, const struct schema *);

    opt.pool = o->pool;
    for (size_t i = 0; i < n; i++) {
        schemas[i] = schema_load(&opt, i, errs);
        if (schemas[i] == NULL) {
            while (i-- > 0)
                schema_unref(schemas[i]);
            return false;
        }
    }
    schema_publish(o->slot, schemas);
    return true;
}

bool offline_open(struct offline *o, const struct config *c, struct pgpool *pool, struct arena *a,
                  struct errors *errs)
{
    struct setup_parts parts;

    *o = (struct offline){.pool = pool, .slot = schema_slot_new(options_nroles(c))};
    o->results = options_results(c, a);
    if (o->results == NULL) {
        errors_add(errs, CONFIG_INVALID,
                   "there is no result cache: cache.enabled or turborouter.enabled is false");
        return false;
    }
    o->auth = options_auth(c, a, errs);
    if (o->auth == NULL || !publish(o, c, a, errs))
        return false;
    o->turbo = turbo_new(c->turbo_max_entries, c->turbo_max_bytes);
    parts = (struct setup_parts){.slot = o->slot, .turbo = o->turbo, .results = o->results};
    o->engine = setup_engine(&parts, c, a);
    return true;
}

void offline_close(struct offline *o)
{
    turbo_free(o->turbo);
    resultcache_free(o->results);
    auth_free(o->auth);
    schema_slot_free(o->slot);
}

bool offline_run_warm(void *ctx, const struct scheduled_job *j, struct deadline until,
                      const atomic_bool *stopping, struct arena *a, struct str *detail)
{
    const struct offline_warm *w = ctx;
    struct offline o;
    struct errors errs;
    bool ok = false;

    errors_init(&errs, a);
    if (offline_open(&o, w->config, w->pool, a, &errs)) {
        struct cachewarm warm = {&o.engine, o.auth, w->pool, until, stopping};

        ok = cachewarm_job(&warm, j, a, detail);
    } else {
        *detail = errs.first->message;
    }
    offline_close(&o);
    return ok;
}
