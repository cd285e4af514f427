/*
 * result_errands.c - what is asked of the result cache, and told to it, that no request waits for.
 *
 * Thread:   a worker's.
 * Memory:   each errand has its own: the request is over before it is.
 */
#include "execution/result_errands.h"

#include "execution/errand.h"
#include "metrics/metrics.h"
#include "pg/pgarray.h"

#define ERRAND_TIMEOUT_MS 5000

/* --- rules --------------------------------------------------------------------------------- */

struct rule_errand {
    struct resultcache *rc;
    const struct plan *plan; /* retained */
    struct str operation_name;
};

static void on_rule(struct errand *e)
{
    struct rule_errand *r = e->ctx;

    if (e->batch.outcome != PGBATCH_OK) {
        resultcache_failed(r->rc, &e->batch);
        resultcache_ask_again(r->plan);
    } else if (resultcache_learn_rule(r->rc, r->plan, r->operation_name, errand_rows(e),
                                      e->arena)) {
        resultcache_went_well(r->rc, 0);
    }
    plan_unref(r->plan);
}

void result_ask_rule(const struct execution *x)
{
    struct resultcache *rc = x->engine->results;
    struct errand *e = errand_new(&rc->rule, ERRAND_TIMEOUT_MS);
    struct rule_errand *r = ARENA_NEW(e->arena, struct rule_errand);

    *r = (struct rule_errand){rc, plan_ref(x->plan), arena_dup(e->arena, x->operation->ast->name)};
    resultcache_rule_params(rc, x->plan, x->session.role, e->arena, e->params);
    e->done = on_rule;
    e->ctx = r;
    errand_run(e, x->pg);
}

/* --- keeping --------------------------------------------------------------------------------- */

struct store_errand {
    struct resultcache *rc;
    struct flight_key key;
    bool leads;
    bool claimed;
    struct pgclient *pg;
    size_t bytes;
    const struct operation *operation; /* retained */
};

static void on_released(struct errand *e)
{
    struct resultcache *rc = e->ctx;

    if (e->batch.outcome != PGBATCH_OK)
        resultcache_failed(rc, &e->batch);
}

void result_release(struct resultcache *rc, const char *key_text, struct pgclient *pg)
{
    struct errand *e = errand_new(&rc->release, ERRAND_TIMEOUT_MS);

    e->params[0] = arena_dup(e->arena, str_of(key_text)).data;
    e->params[1] = rc->daemon;
    e->done = on_released;
    e->ctx = rc;
    errand_run(e, pg);
}

static void on_stored(struct errand *e)
{
    struct store_errand *s = e->ctx;

    if (e->batch.outcome == PGBATCH_OK) {
        resultcache_went_well(s->rc, 0);
        metric_add(METRIC_CACHE_STORES, 1);
        operation_add_cache_usage(s->operation,
                                  &(struct cache_usage){.stores = 1, .bytes = s->bytes});
    } else {
        resultcache_failed(s->rc, &e->batch);
        metric_add(METRIC_CACHE_STORE_ERRORS, 1);
    }
    if (s->claimed)
        result_release(s->rc, e->params[0], s->pg);
    if (s->leads)
        flights_end(s->rc->flights, &s->key);
    operation_unref(s->operation);
}

static const char *number(struct arena *a, uint64_t n)
{
    return arena_printf(a, "%llu", (unsigned long long)n).data;
}

static const char *text(struct arena *a, struct str s)
{
    return arena_dup(a, s).data;
}

/* The parameters of sql/cache_store.sql. */
static void fill_store(const struct execution *x, struct str value, struct errand *e)
{
    const struct result *r = &x->result;
    const struct resultcache_options *opt = &x->engine->results->opt;
    struct arena *a = e->arena;
    struct str tenant = x->identity->tenant;
    bool by_tenant = result_rule_by_tenant(r->rule, tenant);
    uint64_t stale_ms = opt->stale_while_revalidate_ms > opt->stale_if_error_ms
                            ? opt->stale_while_revalidate_ms
                            : opt->stale_if_error_ms;
    uint64_t cost_us = x->stages.times[STAGE_DATABASE].ns / 1000;
    struct digest document = digest_sha256(x->operation->document->source);

    e->params[0] = text(a, str_of(r->key_text));
    e->params[1] = text(a, tenant);
    e->params[2] = resultcache_label(x->operation->ast->name, &document, a).data;
    e->params[3] = text(a, r->rule->bases);
    e->params[4] = text(a, str_of(r->snapshot));
    e->params[5] = number(a, resultcache_ttl_s(r->rule));
    e->params[6] = number(a, stale_ms / 1000);
    e->params[7] = number(a, cost_us > INT32_MAX ? INT32_MAX : cost_us);
    e->params[8] = text(a, value);
    e->params[9] = by_tenant ? "true" : "false";
}

void result_store(struct execution *x, struct str value)
{
    struct resultcache *rc = x->engine->results;
    struct errand *e = errand_new(&rc->store, ERRAND_TIMEOUT_MS);
    struct store_errand *s = ARENA_NEW(e->arena, struct store_errand);

    fill_store(x, value, e);
    *s = (struct store_errand){.rc = rc,
                               .key = x->result.key,
                               .leads = x->result.leads,
                               .claimed = x->result.claimed,
                               .pg = x->pg,
                               .bytes = value.len,
                               .operation = operation_ref(x->operation)};
    x->result.leads = x->result.claimed = false;
    e->done = on_stored;
    e->ctx = s;
    errand_run(e, x->pg);
}

/* --- mutations ---------------------------------------------------------------------------------
 */

struct change_errand {
    struct execution *x; /* waits */
    void (*then)(struct execution *x);
};

static void on_changed(struct errand *e)
{
    const struct change_errand *c = e->ctx;
    struct resultcache *rc = c->x->engine->results;

    if (e->batch.outcome != PGBATCH_OK)
        resultcache_failed(rc, &e->batch);
    c->then(c->x);
}

bool result_end_others(struct execution *x, void (*then)(struct execution *x))
{
    struct resultcache *rc = x->engine->results;
    const struct plan *p = x->plan;
    struct change_errand *c;
    struct errand *e;
    struct str *oids;

    if (rc == NULL || p == NULL || x->operation->kind != AST_MUTATION || !x->executed || x->dry_run)
        return false;
    resultcache_changed(rc);
    if (!resultcache_works(rc) || !resultcache_keeps_by_time(rc, p))
        return false;
    e = errand_new(&rc->change, ERRAND_TIMEOUT_MS);
    c = ARENA_NEW(e->arena, struct change_errand);
    *c = (struct change_errand){x, then};
    oids = ARENA_ARRAY(e->arena, p->nreads, struct str);
    for (size_t i = 0; i < p->nreads; i++)
        oids[i] = arena_printf(e->arena, "%u", p->reads[i]->oid);
    e->params[0] = pgarray_text(oids, p->nreads, e->arena).data;
    e->done = on_changed;
    e->ctx = c;
    errand_run(e, x->pg);
    return true;
}
