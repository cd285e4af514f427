/*
 * cachewarm.c - makes answers for the result cache before anybody asks.
 *
 * Thread:   see cachewarm.h; executions run on a loop of its own.
 * Memory:   an arena for each execution.
 */
#include "server/cachewarm.h"

#include "server/warmup.h"

#define QUERY_TIMEOUT_MS 30000
/* How often is looked whether what was begun is over, or all is to end. */
#define LOOK_MS     1
#define LOOK_END_MS 100
/* The first only has the database asked what may be kept. */
#define ATTEMPTS 3

static const struct jval_limits variable_limits = {.max_depth = 64, .max_values = 4096};

/* --- what ------------------------------------------------------------------------------------ */

static bool is_file(struct str name)
{
    return memchr(name.data, '.', name.len) != NULL || memchr(name.data, '/', name.len) != NULL;
}

static bool add_named(const struct registered_list *all, struct str name, struct arena *a,
                      struct registered_list *out, struct errors *errs)
{
    size_t before = out->n;

    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->items[i].operation_name, name))
            VEC_PUSH(a, out, all->items[i]);
    if (out->n > before)
        return true;
    errors_add(errs, BAD_REQUEST, "no operation \"%.*s\" is registered in fraiseql.turbo_queries",
               STR_ARG(name));
    return false;
}

bool cachewarm_documents(const struct cachewarm *w, const struct str *names, size_t n,
                         struct arena *a, struct registered_list *out, struct errors *errs)
{
    struct registered_list all = {0};
    bool needs_table = n == 0, ok = true, missing;

    for (size_t i = 0; i < n; i++)
        needs_table = needs_table || !is_file(names[i]);
    *out = (struct registered_list){0};
    if (needs_table && !warmup_read_table(w->pool, a, &all, &missing, errs))
        return false;
    for (size_t i = 0; i < n; i++)
        ok = (is_file(names[i]) ? registered_read_file(arena_dup(a, names[i]).data, a, out, errs)
                                : add_named(&all, names[i], a, out, errs)) &&
             ok;
    if (n == 0)
        *out = all;
    return ok;
}

/* --- for whom --------------------------------------------------------------------------------- */

/* The busiest first. Where nothing is logged, whoever has an answer. */
static const struct str active_sql = STR_INIT(
    "with served as (select l.tenant, pg_catalog.count(*) as n from fraiseql.cache_access_log l "
    "where l.at > pg_catalog.now() - interval '1 day' group by 1) "
    "select s.tenant from (select * from served union all select e.tenant, pg_catalog.count(*) "
    "from fraiseql.cache_entries e where not exists (select from served) group by 1) s "
    "where s.tenant <> '' order by s.n desc, s.tenant");

static bool active_tenants(const struct cachewarm *w, struct arena *a, struct str_list *out,
                           struct errors *errs)
{
    struct deadline until = deadline_earlier(w->until, deadline_in_ms(QUERY_TIMEOUT_MS));
    const struct pgrows *rows = pgpool_query(w->pool, active_sql, until, a, errs);
    struct pgvalue v;

    if (rows == NULL)
        return false;
    for (size_t i = 0; i < pgrows_count(rows); i++) {
        pgrows_row(rows, i, &v);
        VEC_PUSH(a, out, arena_dup(a, str_make(v.data, (size_t)v.len)));
    }
    return true;
}

bool cachewarm_tenants(const struct cachewarm *w, const struct str *given, size_t n,
                       struct arena *a, struct str_list *out, struct errors *errs)
{
    struct identity id;
    size_t before = errs->n;

    *out = (struct str_list){0};
    if (n == 0 && !auth_has_tenants(w->auth)) {
        VEC_PUSH(a, out, STR(""));
        return true;
    }
    if (n == 0 || (n == 1 && str_is(given[0], "active")))
        return active_tenants(w, a, out, errs);
    for (size_t i = 0; i < n; i++)
        if (identity_of_tenant(w->auth, given[i], a, &id, errs))
            VEC_PUSH(a, out, id.tenant);
    return errs->n == before;
}

/* --- making ------------------------------------------------------------------------------------
 */

struct run {
    const struct cachewarm *w;
    struct loop *loop;
    struct pgclient *pg;
    struct timer *timer;
    struct loop_task task; /* starts x */
    struct execution x;
    bool ended;
};

static bool is_to_end(const struct cachewarm *w)
{
    return deadline_passed(w->until) || (w->stopping != NULL && atomic_load(w->stopping));
}

static void on_done(struct execution *x)
{
    struct run *r = CONTAINER_OF(x, struct run, x);

    r->ended = true;
    timer_set(r->timer, deadline_in_ms(0));
}

/* What it leaves to be done, as to keep the answer, is done, too. */
static void on_timer(void *ctx)
{
    struct run *r = ctx;

    if (r->ended && pgclient_pending(r->pg) == 0) {
        loop_stop(r->loop);
        return;
    }
    if (!r->ended && is_to_end(r->w))
        execute_cancel(&r->x);
    timer_set(r->timer, deadline_in_ms(r->ended ? LOOK_MS : LOOK_END_MS));
}

static void on_start(struct loop_task *t)
{
    struct run *r = CONTAINER_OF(t, struct run, task);

    timer_set(r->timer, deadline_in_ms(LOOK_END_MS));
    execute_start(&r->x);
}

static void execute(struct run *r, const struct registered *what, const struct jval *variables,
                    const struct identity *id, struct arena *a)
{
    r->ended = false;
    r->x = (struct execution){
        .engine = r->w->engine,
        .pg = r->pg,
        .arena = a,
        .request = {.query = what->document,
                    .operation_name = what->operation_name,
                    .variables = variables,
                    .query_only = true},
        .identity = id,
        .until = deadline_earlier(r->w->until, deadline_in_ms(QUERY_TIMEOUT_MS)),
        .request_id = STR("cache-warm"),
        .received_ns = monotonic_ns(),
        .done = on_done,
        .ahead = true,
    };
    r->task.fn = on_start;
    loop_post(r->loop, &r->task);
    loop_run(r->loop);
    buf_fini(&r->x.body);
}

/* "tenant: what is the matter", once. */
static void note(struct cachewarm_result *out, struct str tenant, struct str problem,
                 struct arena *a)
{
    if (out->problem.len == 0)
        out->problem = tenant.len > 0
                           ? arena_printf(a, "%.*s (%.*s)", STR_ARG(problem), STR_ARG(tenant))
                           : arena_dup(a, problem);
}

static void count(const struct run *r, struct str tenant, struct arena *a,
                  struct cachewarm_result *out)
{
    const struct result *result = &r->x.result;

    if (errors_any(&r->x.errors)) {
        out->failed++;
        note(out, tenant, r->x.errors.first->message, a);
    } else if (result->kept) {
        out->made++;
    } else if (result->state == RESULT_HIT || result->state == RESULT_STALE) {
        out->held++;
    } else {
        out->passed++;
        note(out, tenant,
             str_of(result->passed != NULL         ? result->passed
                    : result->state == RESULT_MISS ? "its answer is too large"
                                                   : "the result cache does not work"),
             a);
    }
}

static void make_one(struct run *r, const struct registered *what, struct str tenant,
                     struct arena *out_arena, struct cachewarm_result *out)
{
    for (int i = 0;; i++) {
        struct arena *a = arena_new(0);
        const struct jval *variables = NULL;
        struct identity id;
        struct errors errs;
        bool again;

        errors_init(&errs, a);
        if (!identity_of_tenant(r->w->auth, tenant, a, &id, &errs) ||
            (what->variables.data != NULL &&
             !jval_parse(what->variables, &variable_limits, a, &variables, &errs))) {
            out->failed++;
            note(out, tenant, errs.first->message, out_arena);
            arena_free(a);
            return;
        }
        execute(r, what, variables, &id, a);
        again = i + 1 < ATTEMPTS && r->x.result.state == RESULT_BYPASS &&
                r->x.result.passed == NULL && !errors_any(&r->x.errors);
        if (!again)
            count(r, tenant, out_arena, out);
        arena_free(a);
        if (!again)
            return;
    }
}

bool cachewarm_run(const struct cachewarm *w, const struct registered_list *what,
                   const struct str_list *tenants, struct arena *a,
                   struct cachewarm_result *results)
{
    struct run r = {.w = w, .loop = loop_new("warm")};
    bool complete = true;
    size_t failed = 0;

    r.pg = pgclient_new(w->pool, r.loop);
    r.timer = loop_timer(r.loop, on_timer, &r);
    for (size_t i = 0; i < what->n; i++) {
        results[i] = (struct cachewarm_result){.operation_name = what->items[i].operation_name,
                                               .problem = STR("")};
        for (size_t t = 0; t < tenants->n && complete; t++) {
            complete = !is_to_end(w);
            if (complete)
                make_one(&r, &what->items[i], tenants->items[t], a, &results[i]);
        }
        failed += results[i].failed;
    }
    timer_free(r.timer);
    pgclient_free(r.pg);
    loop_free(r.loop);
    /* The last one may have failed for want of time. */
    return complete && !(failed > 0 && is_to_end(w));
}

/* --- the job -----------------------------------------------------------------------------------
 */

bool cachewarm_job(const struct cachewarm *w, const struct scheduled_job *j, struct arena *a,
                   struct str *detail)
{
    struct registered_list what;
    struct str_list tenants;
    struct cachewarm_result *results, all = {.problem = STR("")};
    struct errors errs;
    bool complete;

    errors_init(&errs, a);
    if (!cachewarm_documents(w, j->documents, j->ndocuments, a, &what, &errs) ||
        !cachewarm_tenants(w, j->tenants, j->ntenants, a, &tenants, &errs)) {
        *detail = errs.first->detail.len > 0 ? errs.first->detail : errs.first->message;
        return false;
    }
    results = ARENA_ARRAY(a, size_max(what.n, 1), struct cachewarm_result);
    complete = cachewarm_run(w, &what, &tenants, a, results);
    for (size_t i = 0; i < what.n; i++) {
        all.made += results[i].made;
        all.held += results[i].held;
        all.passed += results[i].passed;
        all.failed += results[i].failed;
        if (all.problem.len == 0)
            all.problem = results[i].problem;
    }
    *detail = arena_printf(a,
                           "%zu operations for %zu tenants: %zu answers made, %zu held, %zu passed "
                           "over, %zu failed%s%s%.*s",
                           what.n, tenants.n, all.made, all.held, all.passed, all.failed,
                           complete ? "" : "; the time was up", all.problem.len > 0 ? ": " : "",
                           STR_ARG(all.problem));
    return complete && all.failed == 0;
}
