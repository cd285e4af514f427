/*
 * execute.c - a GraphQL request from its text to its response: stages 5 to 13.
 *
 * Thread:   a worker's.
 * Memory:   in the request's arena; operation and plan are retained until the end.
 * Not here: HTTP, authentication.
 *
 * The only state machine of a request: execute_start() goes through to the
 * batch, its callback goes on from there. Both end in finish().
 */
#include "execution/execute.h"

#include "execution/bind.h"
#include "execution/prepare.h"
#include "execution/response.h"
#include "execution/session.h"
#include "execution/slowplan.h"
#include "metrics/metrics.h"
#include "pg/sqlstate.h"
#include "validation/complexity.h"

/* A plan below this mean backend time may share its connection with others in flight. */
#define FAST_PLAN_NS UINT64_C(1000000)

/* type, with errors or without */
static const enum metric request_metrics[][2] = {
    [AST_QUERY] = {METRIC_GRAPHQL_QUERY_OK,      METRIC_GRAPHQL_QUERY_ERROR   },
    [AST_MUTATION] = {METRIC_GRAPHQL_MUTATION_OK,   METRIC_GRAPHQL_MUTATION_ERROR},
    [AST_SUBSCRIPTION] = {METRIC_GRAPHQL_UNKNOWN_ERROR, METRIC_GRAPHQL_UNKNOWN_ERROR },
};

/* How long it took, by type and by name. */
static void count_time(const struct execution *x)
{
    uint64_t ns = stages_end_ns(&x->stages) - x->received_ns;

    if (x->operation->kind == AST_SUBSCRIPTION)
        return;
    metric_observe(
        x->operation->kind == AST_QUERY ? HISTOGRAM_GRAPHQL_QUERY : HISTOGRAM_GRAPHQL_MUTATION, ns);
    if (x->engine->labels != NULL)
        labels_observe(x->engine->labels, x->operation, x->request.query, ns);
}

static void count(const struct execution *x)
{
    if (x->operation == NULL) {
        metric_add(METRIC_GRAPHQL_UNKNOWN_ERROR, 1);
    } else {
        metric_add(request_metrics[x->operation->kind][errors_any(&x->errors)], 1);
        count_time(x);
    }
    for (const struct error *e = x->errors.first; e != NULL; e = e->next)
        metric_add(metric_of_error(e->code), 1);
}

/* Errors that are to be recorded are told by an id; nobody is told of a request that was given up.
 */
static void identify_errors(struct execution *x)
{
    if (x->engine->fingerprint != NULL && !x->abandoned)
        fingerprint_errors(
            x->engine->fingerprint,
            x->operation != NULL ? x->operation->ast->name : x->request.operation_name, &x->errors);
}

static void end(struct execution *x)
{
    identify_errors(x);
    count(x);
    metric_add(x->turbo_hit ? METRIC_TURBO_HIT : METRIC_TURBO_MISS, 1);
    if (errors_any(&x->errors) && !x->executed)
        response_errors(&x->errors, x->request_id, x->engine->mask_errors, &x->body);
    if (x->operation != NULL)
        operation_add_usage(
            x->operation, &(struct operation_usage){.hits = x->turbo_hit, .misses = !x->turbo_hit});
    stages_describe(x);
    slowplan_tell(x);
    result_end(x, !errors_any(&x->errors));
    plan_unref(x->plan);
    operation_unref(x->operation);
    x->plan = NULL;
    x->operation = NULL;
    recall_end(x);
    x->done(x);
}

static void finish(struct execution *x)
{
    if (!result_end_others(x, end))
        end(x);
}

/* --- plan to response ------------------------------------------------------------------ */

/* Is each of its fields a transaction? One by itself is no different. */
static bool by_fields(const struct execution *x)
{
    return x->operation->kind == AST_MUTATION && x->operation->schema->field_transactions &&
           x->plan->root->nfields > 1;
}

/* The body's last member: what was done is not there any more. */
static void mark_dry_run(struct execution *x)
{
    CHECK(buf_ok(&x->body) && x->body.len > 2);
    x->body.max = 0;
    x->body.len--;
    buf_append_lit(&x->body, ",\"extensions\":{\"dryRun\":true}}");
}

/* A column has another type than the plan knows: its values were not read. */
static bool met_other_type(const struct errors *errs)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next)
        if (strcmp(e->sqlstate, "42804") == 0)
            return true;
    return false;
}

/* {"data":…, or a failure of the whole when it is too large; what went wrong on the way is in
 * x->errors. */
static void write_data(struct execution *x)
{
    uint64_t since = monotonic_ns();

    x->executed = true;
    if (!response_data(x->plan, x->params, x->calls, by_fields(x), &x->body, &x->errors)) {
        buf_fini(&x->body);
        buf_init(&x->body, 0);
        errors_init(&x->errors, x->arena);
        errors_add(&x->errors, QUERY_TOO_COMPLEX, "the response is larger than %zu bytes",
                   x->engine->max_response_bytes);
        metric_add(METRIC_LIMIT_RESPONSE_BYTES, 1);
        buf_append_lit(&x->body, "{\"data\":null}");
    }
    stage_add(&x->stages.times[STAGE_RESPOND], since, monotonic_ns() - since);
    metric_observe(HISTOGRAM_PHASE_RESPOND, x->stages.times[STAGE_RESPOND].ns);
}

/* …,"errors":…} */
static void end_answer(struct execution *x)
{
    if (errors_any(&x->errors)) {
        identify_errors(x);
        response_add_errors(&x->body, &x->errors, x->request_id, x->engine->mask_errors);
    }
    if (x->dry_run)
        mark_dry_run(x);
}

static void on_odd_values(struct execution *x, enum doubt_verdict verdict);
static void submit(struct execution *x);
static void forget_answer(struct execution *x);

static void respond(struct execution *x)
{
    if (x->answered) {
        finish(x);
        return;
    }
    write_data(x);
    if (met_other_type(&x->errors) && reading_doubts(x)) {
        forget_answer(x);
        x->executed = false;
        x->first_step = 0;
        submit(x);
        return;
    }
    /* A change has happened by now. */
    if (met_other_type(&x->errors) && doubt_ask(x, x->operation->kind == AST_QUERY, on_odd_values))
        return;
    end_answer(x);
    finish(x);
}

/* The answer to what came to nothing in the end. */
static void forget_answer(struct execution *x)
{
    buf_fini(&x->body);
    buf_init(&x->body, x->engine->max_response_bytes);
    errors_init(&x->errors, x->arena);
}

/* The step that failed; NULL: none, as when the commit fails. */
static const struct plan_step *failed_step(const struct execution *x)
{
    const struct pgbatch *b = &x->batch;
    size_t i = envelope_step(&x->envelope, b->failed_call);

    if (b->outcome != PGBATCH_FAILED || i >= x->envelope.nsteps)
        return NULL;
    return &x->plan->steps[x->first_step + i];
}

/* The root field that a failure belongs to; NULL: several, or all of them. */
static const struct shape_field *failed_field(const struct execution *x)
{
    const struct plan *p = x->plan;
    const struct plan_step *step = by_fields(x) ? &p->steps[x->first_step] : failed_step(x);

    if (p->root->nfields == 1)
        return &p->root->fields[0];
    return step != NULL && step->field >= 0 ? &p->root->fields[step->field] : NULL;
}

/* A step that is there to fail did; NULL: another one, or in another way. */
static const char *refusal(const struct execution *x)
{
    const struct plan_step *step = failed_step(x);

    return step != NULL && strcmp(x->batch.sqlstate, "22012") == 0 ? step->refusal : NULL;
}

static struct error *failure(struct execution *x)
{
    const char *message = refusal(x);

    if (message != NULL)
        return errors_add(&x->errors, CONFLICT, "%s", message);
    return sqlstate_error(&x->batch, &x->errors);
}

static void note_failure(struct execution *x)
{
    struct error *e = failure(x);
    const struct shape_field *f = failed_field(x);

    if (!x->engine->mask_errors && error_code_info(e->code)->masked)
        e->message = e->detail;
    if (f != NULL) {
        struct path *path = ARENA_NEW(x->arena, struct path);

        *path = (struct path){NULL, arena_dup(x->arena, f->key), -1};
        e->path = path;
        error_at(e, &x->errors, plan_location(x->plan, f->offset));
    }
    identify_errors(x);
    if (x->batch.outcome != PGBATCH_CANCELLED) /* else nobody is left to tell */
        LOG(error_code_info(e->code)->level, "statement failed",
            LOG_CSTR("code", error_code_info(e->code)->name), LOG_CSTR("sqlstate", e->sqlstate),
            LOG_STR("detail", e->detail), LOG_STR("request_id", x->request_id),
            LOG_CSTR("trace_id", x->trace != NULL ? x->trace->trace_id : ""),
            LOG_CSTR("error_id", e->identity != NULL ? e->identity->error_id : ""));
}

/* A statement raised an error: the operation has begun, so there is "data", which is null. */
static void respond_failed(struct execution *x)
{
    if (x->answered)
        forget_answer(x);
    note_failure(x);
    /* It is not the client's fault, and nothing has been changed. */
    if (error_code_info(x->errors.first->code)->http_status >= 500 && result_replace(x)) {
        errors_init(&x->errors, x->arena);
        finish(x);
        return;
    }
    x->executed = x->batch.outcome == PGBATCH_FAILED || x->batch.outcome == PGBATCH_LOST ||
                  x->batch.outcome == PGBATCH_CANCELLED;
    if (x->executed) {
        buf_append_lit(&x->body, "{\"data\":null}");
        response_add_errors(&x->body, &x->errors, x->request_id, x->engine->mask_errors);
        if (x->dry_run)
            mark_dry_run(x);
    }
    finish(x);
}

/* --- a schema that is older than the database ---------------------------------------- */

static void begin(struct execution *x);

/* As if it had just come: the schema is another. */
static void run_again(struct execution *x)
{
    metric_add(METRIC_SCHEMA_RERUNS, 1);
    result_end(x, false);
    forget_answer(x);
    plan_unref(x->plan);
    operation_unref(x->operation);
    x->plan = NULL;
    x->operation = NULL;
    x->executed = x->answered = false;
    x->first_step = 0;
    begin(x);
}

static void refuse_stale(struct execution *x)
{
    forget_answer(x);
    x->executed = false;
    errors_add(&x->errors, SERVICE_UNAVAILABLE,
               "the database has changed, and its schema is being read");
    finish(x);
}

/*
 * The schema is the database's, and yet a query met something else: while it ran there may have
 * been another, which was gone before anybody looked. Twice more is enough to tell that from a
 * failure that stays, unless changes go on.
 */
static bool may_be_over(struct execution *x)
{
    return x->operation->kind == AST_QUERY && doubt_retry(x);
}

/* The operation failed, and has left nothing. */
static void on_stale(struct execution *x, enum doubt_verdict verdict)
{
    if (verdict == DOUBT_RERUN || (verdict == DOUBT_UNFOUNDED && may_be_over(x)))
        run_again(x);
    else if (verdict == DOUBT_UNSETTLED)
        refuse_stale(x);
    else
        respond_failed(x);
}

/* Some values were not read. */
static void on_odd_values(struct execution *x, enum doubt_verdict verdict)
{
    if (verdict == DOUBT_RERUN || (verdict == DOUBT_UNFOUNDED && may_be_over(x))) {
        run_again(x);
    } else if (verdict == DOUBT_UNSETTLED) {
        refuse_stale(x);
    } else {
        end_answer(x);
        finish(x);
    }
}

/* Exponentially weighted mean, weight 1/8; a lost update of two threads does not matter. */
static void learn_cost(const struct plan *p, uint64_t ns)
{
    uint64_t old = __atomic_load_n(p->cost_ns, __ATOMIC_RELAXED);
    uint64_t mean = old ? old - old / 8 + ns / 8 : ns;

    __atomic_store_n(p->cost_ns, mean ? mean : 1, __ATOMIC_RELAXED);
}

static void count_outcome(const struct pgbatch *b)
{
    if (b->outcome == PGBATCH_FAILED)
        metric_add(metric_of_sqlstate(b->sqlstate), 1);
    else if (b->outcome == PGBATCH_UNAVAILABLE || b->outcome == PGBATCH_FULL)
        metric_add(METRIC_DB_POOL_TIMEOUTS, 1);
    else if (b->outcome == PGBATCH_TIMEOUT)
        metric_add(METRIC_HTTP_REJECTED_DEADLINE, 1);
}

/* --- idempotency keys ------------------------------------------------------------------ */

/* An error of the key, not of the operation. */
static void refuse_key(struct execution *x, enum error_code code, const char *message)
{
    errors_add(&x->errors, code, "%s", message);
    finish(x);
}

/* What was answered when the key came first. */
static void on_read(struct pgbatch *b, void *ctx)
{
    struct execution *x = ctx;
    struct str response = STR("");

    x->in_flight = false;
    x->backend_ns += b->backend_ns;
    if (b->outcome != PGBATCH_OK) {
        count_outcome(b);
        respond_failed(x);
        return;
    }
    switch (idempotency_found(x->key, b->calls[0].rows, &response)) {
    case IDEMPOTENCY_REPEAT:
        buf_append_str(&x->body, response);
        x->executed = x->replayed = true;
        finish(x);
        break;
    case IDEMPOTENCY_OTHER:
        refuse_key(x, CONFLICT, "the idempotency key was used for another request");
        break;
    case IDEMPOTENCY_GONE:
        if (x->claims < 3)
            submit(x);
        else
            refuse_key(x, CONFLICT, "the idempotency key is used by others");
        break;
    }
}

static void read_answer(struct execution *x)
{
    struct pgcall *call = ARENA_NEW(x->arena, struct pgcall);

    x->claims++;
    *call = idempotency_read(x->key);
    envelope_plain(&x->envelope, call, 0, false);
    pgbatch_init(&x->batch, &x->session, call, 1, x->arena);
    x->batch.until = x->until;
    x->batch.repeatable = true;
    x->in_flight = true;
    pgclient_submit(x->pg, &x->batch, on_read, x);
}

static bool failed_at_claim(const struct execution *x)
{
    return x->key != NULL && x->batch.outcome == PGBATCH_FAILED &&
           x->batch.failed_call == envelope_first(&x->envelope);
}

/* False: the failure is like any other. */
static bool take_claim(struct execution *x)
{
    switch (idempotency_claim_failure(&x->batch)) {
    case IDEMPOTENCY_TAKEN:
        read_answer(x);
        return true;
    case IDEMPOTENCY_MISSING:
        LOG(LOG_ERROR, "idempotency keys cannot be kept", LOG_CSTR("sqlstate", x->batch.sqlstate),
            LOG_STR("detail", x->batch.message), LOG_CSTR("hint", "run fraiseqld db install"),
            LOG_STR("request_id", x->request_id));
        refuse_key(x, BAD_REQUEST, "the server keeps no idempotency keys");
        return true;
    case IDEMPOTENCY_ERROR:
        break;
    }
    return false;
}

/* All steps are answered, and the transaction goes on: the answer is to be a part of it. */
static void on_held(struct pgbatch *b)
{
    struct execution *x = CONTAINER_OF(b, struct execution, batch);
    const struct envelope *e = &x->envelope;

    if (x->answered) /* before it was sent again */
        forget_answer(x);
    envelope_read(e);
    if (e->transaction) /* COMMIT is still to come, and answers as BEGIN does. */
        e->steps[e->nsteps - 1].rows = e->steps[0].rows;
    write_data(x);
    end_answer(x);
    x->answered = true;
    x->key->store[2] = buf_cstr(&x->body);
}

/* --- batches ----------------------------------------------------------------------------- */

static void on_batch(struct pgbatch *b, void *ctx)
{
    struct execution *x = ctx;
    size_t nsteps = x->envelope.nsteps;

    x->in_flight = false;
    x->backend_ns += b->backend_ns;
    metric_observe(HISTOGRAM_DB_QUERY, b->queued_ns + b->backend_ns);
    metric_observe(HISTOGRAM_PHASE_DB, b->backend_ns);
    metric_observe(HISTOGRAM_DB_ACQUIRE, b->queued_ns);
    stages_add_batch(&x->stages, b);
    if (failed_at_claim(x) && take_claim(x))
        return;
    count_outcome(b);
    if (reading_ended(x)) {
        submit(x);
        return;
    }
    /* All of it was rolled back, unless fields are by themselves. */
    if (doubt_of_failure(b) && doubt_ask(x, !by_fields(x), on_stale))
        return;
    if (doubt_was_replaced(b) && !by_fields(x) && doubt_retry(x)) {
        run_again(x);
        return;
    }
    if (b->outcome == PGBATCH_CANCELLED || (b->outcome != PGBATCH_OK && !by_fields(x))) {
        if (b->outcome == PGBATCH_LOST)
            (void)reading_changed(x, NULL);
        respond_failed(x);
        return;
    }
    envelope_read(&x->envelope);
    if (b->outcome != PGBATCH_OK) {
        note_failure(x);
        /* They may have come before the commit failed. */
        for (size_t i = 0; i < nsteps; i++)
            x->envelope.steps[i].rows = NULL;
    }
    learn_cost(x->plan, b->backend_ns);
    operation_add_usage(x->operation, &(struct operation_usage){.runs = 1, .ns = b->backend_ns});
    x->first_step += nsteps;
    /* Nobody waits for the rest of one that has gone. */
    if (x->first_step < x->plan->nsteps && !x->abandoned)
        submit(x);
    else if (!reading_changed(x, respond))
        respond(x);
}

/* So many steps are the next transaction. */
static size_t transaction_size(const struct execution *x)
{
    const struct plan_step *steps = x->plan->steps + x->first_step;
    size_t left = x->plan->nsteps - x->first_step;
    size_t n = 1;

    if (!by_fields(x))
        return left;
    while (n < left && steps[n].field == steps[0].field)
        n++;
    return n;
}

static void fill_envelope(struct execution *x)
{
    struct pgcall *steps = x->calls + x->first_step;
    size_t n = transaction_size(x);
    bool transaction = x->plan->transaction;

    if (x->key != NULL)
        envelope_between(&x->envelope, steps, n, transaction, idempotency_claim(x->key),
                         idempotency_store(x->key, NULL), x->arena);
    else if (x->dry_run)
        envelope_dry_run(&x->envelope, steps, n, transaction, x->arena);
    else
        envelope_plain(&x->envelope, steps, n, transaction);
}

static void submit(struct execution *x)
{
    uint64_t cost = __atomic_load_n(x->plan->cost_ns, __ATOMIC_RELAXED);
    struct pgclient *to = reading_client(x);

    if (to == NULL) {
        finish(x);
        return;
    }
    fill_envelope(x);
    pgbatch_init(&x->batch, &x->session, x->envelope.calls, x->envelope.ncalls, x->arena);
    envelope_seal(&x->envelope, &x->batch);
    x->batch.held = on_held;
    x->batch.until = x->until;
    x->batch.repeatable = x->operation->kind == AST_QUERY;
    if (x->batch.repeatable && cost > 0 && cost < FAST_PLAN_NS)
        x->batch.lane = PGLANE_FAST;
    x->in_flight = true;
    pgclient_submit(to, &x->batch, on_batch, x);
}

static void prepare_calls(struct execution *x)
{
    const struct plan *p = x->plan;

    session_init(&x->session, x->identity, x->engine->roles,
                 x->engine->statement_timeouts_ms[x->identity->role], x->arena);
    session_add_trace(&x->session, x->trace, x->engine->application_name, x->arena);
    /* It may be sent twice, and come by GET: it does not write, whatever its functions say. */
    x->session.read_only = x->operation->kind == AST_QUERY;
    x->calls = ARENA_ARRAY(x->arena, p->nsteps, struct pgcall);
    for (size_t i = 0; i < p->nsteps; i++)
        x->calls[i] = (struct pgcall){.statement = &p->steps[i].statement,
                                      .params = x->params + p->steps[i].first_param,
                                      .guard = p->steps[i].is_guard,
                                      .sync = p->steps[i].sync};
}

/* Values of variables, once it is known that they and what they ask for are not too many. */
static bool take_variables(struct execution *x, struct variables *v)
{
    const struct validate_limits *limits = &x->engine->validate_limits;

    if (x->operation->cost == NULL)
        metric_observe_number(HISTOGRAM_GRAPHQL_COMPLEXITY, x->operation->complexity);
    return limits_variables(x->request.variables, limits->max_list_items, &x->errors) &&
           variables_coerce(x->operation, x->request.variables, x->arena, v, &x->errors) &&
           (x->operation->cost == NULL ||
            complexity_check(x->operation, v, limits->max_complexity, x->arena, &x->errors));
}

/* What would be refused, if the limit was enforced. */
static void note_complexity(const struct execution *x, const struct variables *v)
{
    uint64_t complexity;

    if (x->engine->shadow_complexity == 0)
        return;
    complexity = complexity_of(x->operation, v, x->arena);
    if (complexity <= x->engine->shadow_complexity)
        return;
    metric_add(METRIC_LIMIT_COMPLEXITY_SHADOW, 1);
    LOG(LOG_INFO, "an operation is over security.max_complexity",
        LOG_STR("operation_name", x->request.operation_name), LOG_INT("complexity", complexity),
        LOG_STR("tenant_id", x->identity->tenant), LOG_STR("request_id", x->request_id));
}

/* Once, though it may be run again. */
static bool spend(struct execution *x, const struct variables *v)
{
    if (x->engine->spend == NULL || x->spent || x->ahead)
        return true;
    x->spent = true;
    return x->engine->spend(x, complexity_of(x->operation, v, x->arena));
}

/* What a mutation may ask for besides; queries do not mind. False with errors. */
static bool take_extensions(struct execution *x)
{
    const char *problem = NULL;

    if (x->operation->kind != AST_MUTATION)
        return true;
    x->dry_run = x->request.dry_run;
    if (x->request.idempotency_key.len > 0 && x->dry_run)
        problem = "a dry run cannot have an idempotency key";
    else if (x->request.idempotency_key.len > 0 && by_fields(x))
        problem = "an idempotency key needs one field, or one transaction for all fields";
    if (problem == NULL)
        return true;
    errors_add(&x->errors, BAD_REQUEST, "%s", problem);
    return false;
}

static void prepare_key(struct execution *x)
{
    const struct idempotency_request r = {.key = x->request.idempotency_key,
                                          .document = x->request.query,
                                          .operation_name = x->request.operation_name,
                                          .variables = x->request.variables};

    if (x->operation->kind != AST_MUTATION || r.key.len == 0)
        return;
    x->key = ARENA_NEW(x->arena, struct idempotency);
    idempotency_init(x->key, &r, x->identity, x->session.role, x->engine->idempotency_ttl_ms,
                     x->arena);
}

/* The result cache was asked. */
static void on_looked(struct execution *x, bool found)
{
    if (!found && !x->abandoned) {
        submit(x);
        return;
    }
    if (!found)
        errors_add(&x->errors, SERVICE_UNAVAILABLE, "the request was cancelled");
    finish(x);
}

/* Straight through to the batch, or to an end. */
static void begin(struct execution *x)
{
    struct variables v;

    if (!prepare_operation(x) || !recall_accept(x) || !take_variables(x, &v) || !spend(x, &v) ||
        !prepare_plan(x, &v) || !take_extensions(x) ||
        !bind_parameters(x->plan, &v, x->arena, &x->params, &x->errors)) {
        finish(x);
        return;
    }
    note_complexity(x, &v);
    if (x->plan->nsteps == 0) {
        respond(x);
        return;
    }
    if (deadline_passed(x->until)) {
        errors_add(&x->errors, TIMEOUT, "the request's time was up before it reached the database");
        finish(x);
        return;
    }
    prepare_calls(x);
    prepare_key(x);
    if (!result_begin(x, on_looked))
        submit(x);
}

static void on_recalled(struct execution *x, enum recall_result result)
{
    if (result == RECALL_FOUND)
        begin(x);
    else
        finish(x);
}

void execute_start(struct execution *x)
{
    enum recall_result result;

    x->operation_type = "unknown";
    errors_init(&x->errors, x->arena);
    buf_init(&x->body, x->engine->max_response_bytes);
    result = recall_begin(x, on_recalled);
    if (result != RECALL_WAITING)
        on_recalled(x, result);
}

void execute_cancel(struct execution *x)
{
    x->abandoned = true;
    result_cancel(x);
    if (x->in_flight)
        pgclient_cancel(reading_current(x), &x->batch);
}
