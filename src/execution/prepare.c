/*
 * prepare.c - from a document to its operation, and from that to its plan: stages 5 to 9.
 *
 * Thread:   see prepare.h.
 * Not here: running the plan (execute.c).
 */
#include "execution/prepare.h"

#include "execution/authorize.h"
#include "metrics/metrics.h"
#include "planner/planner.h"

/* Time since `since` into a phase's histogram. */
static uint64_t phase(enum histogram h, uint64_t since)
{
    uint64_t ns = monotonic_ns() - since;

    metric_observe(h, ns);
    return ns;
}

static const char *const operation_types[] = {
    [AST_QUERY] = "query",
    [AST_MUTATION] = "mutation",
    [AST_SUBSCRIPTION] = "subscription",
};

/* --- document to operation ------------------------------------------------------- */

bool prepare_operation(struct execution *x)
{
    const struct engine *e = x->engine;
    const struct schema *schema = schema_current(e->schema, x->identity->role);
    struct turbo_key key = {.document = x->request.query,
                            .operation_name = x->request.operation_name,
                            .role = str_of(e->roles[x->identity->role])};

    if (schema == NULL) {
        errors_add(&x->errors, SERVICE_UNAVAILABLE, "the schema is not loaded yet");
        return false;
    }
    key.schema_version = schema->version;
    if (e->turbo != NULL)
        x->operation = turbo_operation(e->turbo, &key);
    x->turbo_hit = x->operation != NULL;
    if (x->operation == NULL) {
        struct validate_input in = {
            .schema = schema,
            .text = x->request.query,
            .operation_name = x->request.operation_name,
            .parse_limits = &e->parse_limits,
            .limits = &e->validate_limits,
            .suggestions = e->suggestions,
        };

        uint64_t since = monotonic_ns();

        x->operation = validate(&in, &x->errors);
        x->parse_ns = phase(HISTOGRAM_PHASE_VALIDATE, since);
        stage_add(&x->stages.times[STAGE_VALIDATE], since, x->parse_ns);
        if (x->operation != NULL && e->turbo != NULL)
            turbo_put_operation(e->turbo, &key, x->operation);
    }
    schema_unref(schema);
    if (x->operation == NULL)
        return false;
    x->operation_type = operation_types[x->operation->kind];
    if (x->request.query_only && x->operation->kind != AST_QUERY) {
        errors_add(&x->errors, METHOD_NOT_ALLOWED, "GET may only carry queries");
        return false;
    }
    return true;
}

/* --- operation to plan -------------------------------------------------------------- */

/* __typename is no matter of policy; fields that @skip leaves out tell nothing. */
static bool check_introspection(struct execution *x)
{
    enum introspection_policy policy = x->engine->introspection;
    const struct shape *root = x->plan->root;

    if (policy == INTROSPECTION_ON ||
        (policy == INTROSPECTION_AUTHENTICATED && x->identity->authenticated))
        return true;
    for (size_t i = 0; i < root->nfields; i++) {
        const struct shape_field *f = &root->fields[i];

        if (f->kind != SHAPE_INTROSPECTION)
            continue;
        error_at(
            errors_add(&x->errors, INTROSPECTION_DISABLED, "introspection is %s",
                       policy == INTROSPECTION_OFF ? "disabled" : "for authenticated requests"),
            &x->errors, plan_location(x->plan, f->offset));
        return false;
    }
    return true;
}

static void keep_plan(const struct execution *x, const struct digest *skeleton)
{
    struct buf sample;

    buf_init(&sample, 0);
    if (x->request.variables != NULL)
        jval_write(x->request.variables, &sample);
    else
        buf_append_lit(&sample, "{}");
    turbo_put_plan(x->engine->turbo, x->operation, skeleton, x->plan, buf_str(&sample));
    buf_fini(&sample);
}

bool prepare_plan(struct execution *x, const struct variables *v)
{
    const struct engine *e = x->engine;
    struct digest skeleton = variables_skeleton(x->operation, v);

    if (e->turbo != NULL)
        x->plan = turbo_plan(e->turbo, x->operation, &skeleton);
    if (x->plan == NULL) {
        uint64_t since = monotonic_ns();

        x->turbo_hit = false;
        x->plan = planner_compile(x->operation, v, &x->errors);
        x->plan_ns = phase(HISTOGRAM_PHASE_PLAN, since);
        stage_add(&x->stages.times[STAGE_PLAN], since, x->plan_ns);
        if (x->plan == NULL) {
            if (x->errors.first->code == QUERY_TOO_COMPLEX)
                metric_add(METRIC_LIMIT_PLAN, 1);
            return false;
        }
        if (e->turbo != NULL)
            keep_plan(x, &skeleton);
    }
    return check_introspection(x) && authorize(x->plan, x->identity, &x->errors);
}
