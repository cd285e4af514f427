/*
 * setup.c - what requests are answered by: all that is made of one configuration, as a whole.
 *
 * Thread:   see setup.h.
 * Memory:   see setup.h.
 * Not here: when one replaces another (daemon.c).
 */
#include "server/setup.h"

#include "server/costs.h"
#include "server/options.h"

/* Counts go on where the rates stay: a reload must not let everybody burst anew. */
struct rate_limits {
    size_t references; /* main loop only */
    struct request_limits limits;
};

static struct rate_limits *limits_of(const struct config *c, const struct setup *before)
{
    const struct config *b = before != NULL ? before->config : NULL;
    struct rate_limits *r;

    if (b != NULL && b->rate_per_ip == c->rate_per_ip && b->rate_per_user == c->rate_per_user &&
        b->rate_burst == c->rate_burst && b->tenant_rate == c->tenant_rate &&
        b->tenant_burst == c->tenant_burst && b->tenant_max_in_flight == c->tenant_max_in_flight &&
        b->complexity_mode == c->complexity_mode &&
        b->complexity_per_minute == c->complexity_per_minute) {
        before->limits->references++;
        return before->limits;
    }
    r = xcalloc(1, sizeof(*r));
    r->references = 1;
    r->limits = options_limits(c);
    return r;
}

static enum introspection_policy introspection_policy(const struct config *c, bool production)
{
    switch (c->introspection) {
    case CONFIG_INTROSPECTION_AUTO:
        return production ? INTROSPECTION_OFF : INTROSPECTION_ON;
    case CONFIG_INTROSPECTION_ON:
        return INTROSPECTION_ON;
    case CONFIG_INTROSPECTION_OFF:
        return INTROSPECTION_OFF;
    case CONFIG_INTROSPECTION_AUTHENTICATED:
        return INTROSPECTION_AUTHENTICATED;
    }
    return INTROSPECTION_OFF;
}

struct engine setup_engine(const struct setup_parts *parts, const struct config *c, struct arena *a)
{
    bool production = str_is(c->environment, "production");
    enum introspection_policy introspection = introspection_policy(c, production);

    return (struct engine){
        .schema = parts->slot,
        .turbo = parts->turbo,
        .results = parts->results,
        .replicas = parts->replicas,
        .cachelog = parts->cachelog,
        .labels = parts->labels,
        .recall = parts->recall,
        .parse_limits = options_parse_limits(c),
        .validate_limits = options_validate_limits(c),
        .roles = options_roles(c, a),
        .statement_timeouts_ms = options_timeouts(c, a),
        .shadow_complexity = c->complexity_mode == CONFIG_COMPLEXITY_SHADOW ? c->max_complexity : 0,
        .application_name = options_application_name(c, a),
        .slow_ns = options_slow_ns(c),
        .log_slow_ns = c->log_slow_ms * UINT64_C(1000000),
        .idempotency_ttl_ms = c->idempotency_ttl_ms,
        .max_response_bytes = c->max_response_bytes,
        .introspection = introspection,
        .mask_errors = c->mask_errors,
        .suggestions = !production && introspection == INTROSPECTION_ON,
        .doubt = parts->doubt,
        .doubt_checked = parts->doubt_checked,
        .doubt_ctx = parts->doubt_ctx,
    };
}

struct setup *setup_new(const struct setup_parts *parts, const struct config *c,
                        const struct setup *before, struct errors *errs)
{
    struct setup *s = xcalloc(1, sizeof(*s));

    s->config = config_ref(c);
    s->arena = arena_new(0);
    atomic_init(&s->users, 0);
    if (!options_graphiql(c, s->arena, &s->graphiql, errs)) {
        setup_free(s);
        return NULL;
    }
    s->limits = limits_of(c, before);
    s->engine = setup_engine(parts, c, s->arena);
    s->graphql = options_graphql(c, s->arena);
    s->graphql.tracing = observers_tracing(parts->observers, c);
    s->graphql.errors = observers_errors(parts->observers);
    s->graphql.auth = parts->auth;
    s->graphql.limits = s->limits->limits;
    s->engine.fingerprint = s->graphql.errors != NULL ? &s->graphql.errors->fingerprint : NULL;
    s->engine.spend = s->graphql.limits.cost != NULL ? cost_spend : NULL;
    s->graphql.engine = &s->engine;
    return s;
}

void setup_free(struct setup *s)
{
    if (s == NULL)
        return;
    if (s->limits != NULL && --s->limits->references == 0) {
        options_limits_free(&s->limits->limits);
        xfree(s->limits);
    }
    arena_free(s->arena);
    config_free(s->config);
    xfree(s);
}

bool setup_compiles_alike(const struct setup *a, const struct setup *b)
{
    return memcmp(&a->engine.parse_limits, &b->engine.parse_limits,
                  sizeof(a->engine.parse_limits)) == 0 &&
           memcmp(&a->engine.validate_limits, &b->engine.validate_limits,
                  sizeof(a->engine.validate_limits)) == 0 &&
           a->engine.shadow_complexity == b->engine.shadow_complexity &&
           a->engine.introspection == b->engine.introspection;
}
