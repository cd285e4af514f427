/*
 * result.c - answers that need not be made: found in the result cache, or waited for: stage 11.
 *
 * Thread:   a worker's.
 *
 *   look up --hit------------------------------> the answer
 *      |---miss, nobody makes it: lead --run---> keep it, tell who waits
 *      |          '---costly, another daemon makes it: look again and again, or run
 *      '---miss, somebody does: wait --told----> look up once more, then run
 *
 * Who waited looks up again instead of taking what the leader made: that may be older than a change
 * which the waiter has seen.
 */
#include "execution/result.h"

#include "base/digits.h"
#include "execution/execute.h"
#include "execution/result_errands.h"
#include "metrics/metrics.h"

#include <stdio.h>

#define LOOKUP_TIMEOUT_MS 1000
/* How often one looks for what another daemon is making. */
#define POLL_MS 20
/* What cost more is kept at once, and not only when it is asked for again. */
#define KEEP_AT_ONCE_NS UINT64_C(5000000)

static const char *const names[] = {
    [RESULT_NONE] = "none", [RESULT_BYPASS] = "bypass", [RESULT_MISS] = "miss",
    [RESULT_HIT] = "hit",   [RESULT_STALE] = "stale",
};

static const enum metric lookup_metrics[] = {
    [RESULT_BYPASS] = METRIC_CACHE_BYPASS,
    [RESULT_MISS] = METRIC_CACHE_MISS,
    [RESULT_HIT] = METRIC_CACHE_HIT,
    [RESULT_STALE] = METRIC_CACHE_STALE,
};

const char *result_name(enum result_state s)
{
    return names[s];
}

/* --- keeping --------------------------------------------------------------------------------- */

/* {"data":value}; of a response with anything else data is NULL. */
static struct str value_of(const struct buf *body)
{
    static const struct str head = STR_INIT("{\"data\":");
    struct str s = buf_str(body);

    if (!str_starts(s, head) || s.data[s.len - 1] != '}')
        return (struct str){.data = NULL};
    return str_sub(s, head.len, s.len - 1 - head.len);
}

static bool worth_keeping(const struct execution *x)
{
    const struct result *r = &x->result;
    struct resultcache *rc = x->engine->results;
    bool touched = resultcache_touch(rc, &r->key);

    return touched || x->ahead || r->rule->mode == RESULTCACHE_ALWAYS || r->found.data != NULL ||
           x->stages.times[STAGE_DATABASE].ns > KEEP_AT_ONCE_NS ||
           (r->leads && flights_awaited(rc->flights, &r->key));
}

/* The answer is to be had from memory for a moment. */
static void put_in_front(const struct execution *x, struct str value)
{
    const struct result *r = &x->result;
    struct front *f = x->engine->results->front;

    if (f != NULL && !x->ahead)
        front_put(f, &r->key, &(struct front_answer){value, r->age_s, r->ttl_s}, r->generation,
                  monotonic_ns());
}

static void keep(struct execution *x)
{
    struct str value = value_of(&x->body);

    x->result.ttl_s = x->result.rule->ttl_s;
    x->result.chosen = x->result.rule->chosen;
    if (value.data == NULL || value.len > x->engine->results->opt.max_value_bytes ||
        !worth_keeping(x))
        return;
    x->result.age_s = 0;
    x->result.kept = true;
    put_in_front(x, value);
    result_store(x, value);
}

static void count(const struct execution *x)
{
    const struct result *r = &x->result;
    uint64_t ns = r->since_ns != 0 ? monotonic_ns() - r->since_ns : 0;
    bool hit = r->state == RESULT_HIT || r->state == RESULT_STALE;
    struct cache_usage u = {
        .hits = hit,
        .stale = r->state == RESULT_STALE,
        .misses = r->state == RESULT_MISS,
        .bypasses = r->state == RESULT_BYPASS,
        .hit_ns = hit ? ns : 0,
        .miss_ns = hit ? 0 : ns,
        .ttl_s = r->rule != NULL ? r->rule->ttl_s : 0,
    };

    metric_add(r->in_memory ? METRIC_CACHE_HIT_MEMORY : lookup_metrics[r->state], 1);
    operation_add_cache_usage(x->operation, &u);
}

static void log_access(const struct execution *x)
{
    const struct result *r = &x->result;
    struct digest document = digest_sha256(x->operation->document->source);
    struct str name = x->operation->ast->name;
    struct cachelog_entry e = {
        .at_us = wall_clock_us(),
        .outcome = x->ahead ? "store" : names[r->state],
        .age_ms = (uint64_t)r->age_s * 1000,
        .duration_us = (monotonic_ns() - x->received_ns) / 1000,
    };

    cachelog_text(e.key, sizeof(e.key), resultcache_label(name, &document, x->arena));
    cachelog_text(e.operation, sizeof(e.operation), name);
    cachelog_text(e.tenant, sizeof(e.tenant), x->identity->tenant);
    if (x->trace != NULL)
        cachelog_text(e.trace_id, sizeof(e.trace_id), str_of(x->trace->trace_id));
    if (!cachelog_add(x->engine->cachelog, &e))
        metric_add(METRIC_CACHE_LOG_DROPPED, 1);
}

/* Of one ahead there is no request, but perhaps an answer that was kept. */
static bool is_logged(const struct execution *x)
{
    return x->ahead ? x->result.kept : x->result.state != RESULT_BYPASS;
}

void result_end(struct execution *x, bool good)
{
    struct result *r = &x->result;

    if (r->state == RESULT_NONE)
        return;
    if (x->stages.times[STAGE_DATABASE].ns > 0)
        resultcache_learn_cost(x->plan, x->stages.times[STAGE_DATABASE].ns);
    if (good && result_is_kept(x))
        keep(x);
    if (!x->ahead)
        count(x);
    if (is_logged(x) && x->engine->cachelog != NULL && cachelog_wants(x->engine->cachelog))
        log_access(x);
    if (r->claimed)
        result_release(x->engine->results, r->key_text, x->pg);
    if (r->leads)
        flights_end(x->engine->results->flights, &r->key);
    r->leads = r->claimed = false;
    r->rule = NULL;
}

/* --- looking -----------------------------------------------------------------------------------
 */

static void look_up(struct execution *x);

static void go_on(struct execution *x, bool found)
{
    timer_free(x->result.timer);
    x->result.timer = NULL;
    x->result.then(x, found);
}

static void write_body(struct execution *x, struct str value)
{
    buf_append_lit(&x->body, "{\"data\":");
    buf_append_str(&x->body, value);
    buf_append_char(&x->body, '}');
    x->executed = true;
}

static bool answer(struct execution *x, struct str value, enum result_state state)
{
    /* Then it fails as it would have without a cache. */
    if (value.len + 32 > x->engine->max_response_bytes)
        return false;
    write_body(x, value);
    x->result.state = state;
    return true;
}

static void on_landed(struct flight_waiter *w)
{
    struct execution *x = CONTAINER_OF(w, struct execution, result.waiter);

    x->result.waits = false;
    timer_clear(x->result.timer);
    look_up(x);
}

/* Whoever makes it takes too long. */
static void on_waited(void *ctx)
{
    struct execution *x = ctx;

    if (!flights_leave(x->engine->results->flights, &x->result.waiter))
        return;
    x->result.waits = false;
    go_on(x, false);
}

static void wait_for(struct execution *x)
{
    struct result *r = &x->result;

    r->waits = r->waited = true;
    r->timer = loop_timer(r->waiter.loop, on_waited, x);
    timer_set(r->timer, deadline_in_ms(x->engine->results->opt.wait_ms));
    metric_add(METRIC_CACHE_WAITS, 1);
}

/* --- several daemons -----------------------------------------------------------------------------
 */

static void on_poll(void *ctx)
{
    look_up(ctx);
}

/* Another daemon makes it: look again in a moment, for as long as one waits. */
static void wait_for_daemon(struct execution *x)
{
    struct result *r = &x->result;

    if (deadline_passed(r->until) || x->abandoned) {
        go_on(x, false);
        return;
    }
    if (r->timer == NULL) {
        r->timer = loop_timer(pgclient_loop(x->pg), on_poll, x);
        metric_add(METRIC_CACHE_WAITS, 1);
    }
    timer_set(r->timer, deadline_in_ms(POLL_MS));
}

static void on_claimed(struct pgbatch *b, void *ctx)
{
    struct execution *x = ctx;

    x->in_flight = false;
    x->result.claimed = b->outcome == PGBATCH_OK && pgrows_count(b->calls[0].rows) == 1;
    if (b->outcome != PGBATCH_OK)
        resultcache_failed(x->engine->results, b);
    if (b->outcome == PGBATCH_OK && !x->result.claimed)
        wait_for_daemon(x);
    else
        go_on(x, false);
}

/* It leads in this process: what takes long it is to make for all daemons, or to wait for. */
static void claim(struct execution *x)
{
    struct result *r = &x->result;
    struct resultcache *rc = x->engine->results;

    if (!resultcache_costly(x->plan)) {
        go_on(x, false);
        return;
    }
    if (r->timer == NULL)
        r->until = deadline_in_ms(rc->opt.wait_ms);
    r->params[0] = r->key_text;
    r->params[1] = rc->daemon;
    r->params[2] = arena_printf(x->arena, "%llu", (unsigned long long)rc->opt.wait_ms).data;
    r->call = (struct pgcall){.statement = &rc->claim, .params = r->params};
    r->session = (struct pgsession){.role = "", .timeout_ms = LOOKUP_TIMEOUT_MS};
    pgbatch_init(&x->batch, &r->session, &r->call, 1, x->arena);
    x->batch.until = x->until;
    x->batch.lane = PGLANE_FAST;
    x->in_flight = true;
    pgclient_submit(x->pg, &x->batch, on_claimed, x);
}

/* Nothing is there that holds. Others may be about it. */
static void on_miss(struct execution *x)
{
    struct result *r = &x->result;
    struct resultcache *rc = x->engine->results;
    uint64_t stale_ms = rc->opt.stale_while_revalidate_ms;

    if (r->leads) { /* another daemon did not make it, or not yet */
        claim(x);
        return;
    }
    if (rc->flights == NULL || r->waited) {
        go_on(x, false);
        return;
    }
    r->waiter = (struct flight_waiter){.loop = pgclient_loop(x->pg), .landed = on_landed};
    r->leads = flights_join(rc->flights, &r->key, &r->waiter);
    if (r->leads)
        claim(x);
    else if (r->found.data != NULL && (uint64_t)r->over_s * 1000 <= stale_ms &&
             flights_leave(rc->flights, &r->waiter))
        go_on(x, answer(x, r->found, RESULT_STALE));
    else
        wait_for(x);
}

static uint32_t read_int4(const struct pgvalue *v)
{
    const unsigned char *p = (const unsigned char *)v->data;

    return v->len == 4 ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]
                       : 0;
}

static struct str read_text(const struct pgvalue *v)
{
    return v->len < 0 ? (struct str){.data = NULL} : str_make(v->data, (size_t)v->len);
}

/* It is about to expire: one request makes it anew, while the others still get it. */
static bool refreshes(struct execution *x)
{
    struct result *r = &x->result;
    struct flights *f = x->engine->results->flights;

    if (r->snapshot == NULL || r->waited || r->leads)
        return false;
    if (f == NULL)
        return x->ahead;
    r->leads = flights_join(f, &r->key, NULL);
    return r->leads;
}

static void take_row(struct execution *x, const struct pgrows *rows)
{
    struct result *r = &x->result;
    struct pgvalue v[4];
    int32_t ttl;

    if (rows == NULL || pgrows_count(rows) != 1 || pgrows_columns(rows) != COUNT_OF(v)) {
        go_on(x, false);
        return;
    }
    pgrows_row(rows, 0, v);
    r->age_s = read_int4(&v[2]);
    ttl = (int32_t)read_int4(&v[3]);
    if (v[0].len >= 0)
        r->snapshot = arena_dup(x->arena, read_text(&v[0])).data;
    r->found = read_text(&v[1]);
    r->over_s = ttl < 0 ? (uint32_t)-ttl : 0;
    if (r->found.data == NULL || ttl <= 0) {
        on_miss(x);
    } else if (refreshes(x)) {
        go_on(x, false);
    } else {
        r->ttl_s = (uint32_t)ttl;
        r->chosen = r->rule->chosen;
        put_in_front(x, r->found);
        go_on(x, answer(x, r->found, RESULT_HIT));
    }
}

static void on_lookup(struct pgbatch *b, void *ctx)
{
    struct execution *x = ctx;
    struct resultcache *rc = x->engine->results;

    x->in_flight = false;
    x->backend_ns += b->backend_ns;
    metric_observe(HISTOGRAM_CACHE_LOOKUP, b->queued_ns + b->backend_ns);
    if (b->outcome == PGBATCH_OK) {
        resultcache_went_well(rc, b->backend_ns);
        take_row(x, b->calls[0].rows);
        return;
    }
    resultcache_failed(rc, b);
    metric_add(METRIC_CACHE_LOOKUP_ERRORS, 1);
    go_on(x, false);
}

/* No request's role may read the table; the tenant is compared there. */
static void look_up(struct execution *x)
{
    struct result *r = &x->result;
    const struct resultcache *rc = x->engine->results;

    if (x->abandoned) {
        go_on(x, false);
        return;
    }
    r->params[0] = r->key_text;
    r->params[1] = arena_dup(x->arena, x->identity->tenant).data;
    r->call = (struct pgcall){.statement = x->ahead ? &rc->lookup_ahead : &rc->lookup,
                              .params = r->params};
    r->session = (struct pgsession){.role = "", .timeout_ms = LOOKUP_TIMEOUT_MS, .read_only = true};
    pgbatch_init(&x->batch, &r->session, &r->call, 1, x->arena);
    x->batch.until = x->until;
    x->batch.repeatable = true;
    x->batch.lane = PGLANE_FAST;
    x->in_flight = true;
    pgclient_submit(x->pg, &x->batch, on_lookup, x);
}

static void write_key(struct result *r)
{
    *digits_uuid(r->key_text, r->key.bytes) = '\0';
}

/* A query of one statement, which is all that its answer is made of. */
static bool is_cacheable(const struct execution *x)
{
    const struct shape *root = x->plan->root;

    if (x->operation->kind != AST_QUERY || x->plan->nsteps != 1)
        return false;
    for (size_t i = 0; i < root->nfields; i++)
        if (root->fields[i].kind == SHAPE_INTROSPECTION)
            return false;
    return true;
}

/* Without asking PostgreSQL, what was found or made a moment ago. */
static bool is_in_memory(struct execution *x)
{
    struct result *r = &x->result;
    struct front *f = x->engine->results->front;
    struct front_answer found;

    if (f == NULL || x->ahead)
        return false;
    r->generation = front_generation(f);
    if (!front_get(f, &r->key, monotonic_ns(), x->arena, &found) ||
        !answer(x, found.value, RESULT_HIT))
        return false;
    r->age_s = found.age_s;
    r->ttl_s = found.ttl_s;
    r->chosen = r->rule->chosen;
    r->in_memory = true;
    return true;
}

/* One ahead is what somebody wants to be kept: what it costs does not matter. */
static bool is_worthwhile(struct execution *x, const struct result_rule *rule)
{
    struct resultcache *rc = x->engine->results;

    if (!x->ahead)
        return resultcache_worthwhile(rc, x->plan, rule);
    if (rule->ttl_s == 0)
        x->result.passed = "its answers are not kept";
    else if (result_rule_by_user(rc, rule))
        x->result.passed = "its answers depend on more than the tenant";
    return x->result.passed == NULL;
}

bool result_begin(struct execution *x, void (*then)(struct execution *x, bool found))
{
    struct resultcache *rc = x->engine->results;
    struct result *r = &x->result;
    const struct result_rule *rule;
    bool ask;

    *r = (struct result){.state = RESULT_NONE};
    if (rc == NULL || !resultcache_works(rc) || !is_cacheable(x))
        return false;
    rule = resultcache_rule(rc, x->plan, &ask);
    if (ask)
        result_ask_rule(x);
    r->state = RESULT_BYPASS;
    if (rule == NULL || !is_worthwhile(x, rule))
        return false;
    r->state = RESULT_MISS;
    r->rule = rule;
    r->since_ns = monotonic_ns();
    r->then = then;
    r->key = resultcache_key(rc, rule, x->params, x->plan->nparams, &x->session,
                             x->identity->tenant, x->arena);
    if (is_in_memory(x)) {
        go_on(x, true);
        return true;
    }
    write_key(r);
    look_up(x);
    return true;
}

bool result_is_kept(const struct execution *x)
{
    return x->result.state == RESULT_MISS && x->result.snapshot != NULL;
}

bool result_replace(struct execution *x)
{
    const struct result *r = &x->result;

    return r->found.data != NULL && r->rule != NULL &&
           (uint64_t)r->over_s * 1000 <= x->engine->results->opt.stale_if_error_ms &&
           answer(x, r->found, RESULT_STALE);
}

void result_cancel(struct execution *x)
{
    struct result *r = &x->result;

    if (!r->waits || !flights_leave(x->engine->results->flights, &r->waiter))
        return;
    r->waits = false;
    go_on(x, false);
}
