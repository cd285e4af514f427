/*
 * warm.c - compiles what is hot for schemas that are about to be published.
 *
 * Thread:   jobs.
 * Memory:   an arena for each run.
 */
#include "execution/warm.h"

#include "planner/planner.h"

#define MAX_PLANS 500
#define MAX_MS    500

static const struct jval_limits sample_limits = {.max_depth = 64, .max_values = 4096};

/* Position of a role's schema, or n. */
static size_t role_of(const struct engine *e, struct str role, size_t n)
{
    size_t i = 0;

    while (i < n && !str_is(role, e->roles[i]))
        i++;
    return i;
}

/* The operation under the next schema: found or validated. NULL: it is not valid there. */
static const struct operation *next_operation(const struct engine *e, const struct turbo_key *key,
                                              const struct schema *schema, struct errors *errs)
{
    const struct validate_input in = {.schema = schema,
                                      .text = key->document,
                                      .operation_name = key->operation_name,
                                      .parse_limits = &e->parse_limits,
                                      .limits = &e->validate_limits};
    const struct operation *op = turbo_operation(e->turbo, key);

    if (op != NULL)
        return op;
    op = validate(&in, errs);
    if (op != NULL)
        turbo_put_operation(e->turbo, key, op);
    return op;
}

static void compile(const struct engine *e, const struct operation *op, struct str sample,
                    struct arena *a, struct errors *errs)
{
    const struct jval *given;
    struct variables v;
    struct digest skeleton;
    const struct plan *plan;

    if (sample.data == NULL || !jval_parse(sample, &sample_limits, a, &given, errs) ||
        !variables_coerce(op, given, a, &v, errs))
        return;
    skeleton = variables_skeleton(op, &v);
    plan = planner_compile(op, &v, errs);
    if (plan == NULL)
        return;
    turbo_put_plan(e->turbo, op, &skeleton, plan, sample);
    plan_unref(plan);
}

static void warm(const struct engine *e, const struct turbo_hot *hot,
                 const struct schema *const *next, size_t nroles)
{
    size_t role = role_of(e, hot->key.role, nroles);
    struct turbo_key key = hot->key;
    const struct operation *op;
    struct arena *a;
    struct errors errs;

    if (role == nroles || next[role]->version == key.schema_version)
        return;
    a = arena_new(0);
    errors_init(&errs, a);
    key.schema_version = next[role]->version;
    op = next_operation(e, &key, next[role], &errs);
    if (op != NULL)
        compile(e, op, hot->sample, a, &errs);
    operation_unref(op);
    arena_free(a);
}

void warm_plans(const struct engine *e, const struct schema *const *next, size_t nroles)
{
    struct deadline until = deadline_in_ms(MAX_MS);
    struct turbo_hot *hot;
    struct arena *a;
    size_t n;

    if (e->turbo == NULL)
        return;
    a = arena_new(0);
    n = turbo_hot(e->turbo, MAX_PLANS, a, &hot);
    for (size_t i = 0; i < n && !deadline_passed(until); i++)
        warm(e, &hot[i], next, nroles);
    arena_free(a);
}
