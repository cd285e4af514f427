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
/* Of what is registered: nobody waits for it but at the start. */
#define MAX_REGISTERED_MS 2000

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
    const struct operation *op, *old;
    struct operation_usage used;
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
    old = turbo_operation(e->turbo, &hot->key);
    if (op != NULL && old != NULL) {
        used = operation_take_usage(old);
        operation_add_usage(op, &used);
    }
    operation_unref(old);
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

/* --- what is registered ----------------------------------------------------------------------- */

/* What is found once it is there is hot: it need not come twice to stay. */
static void compile_hot(const struct engine *e, const struct operation *op, struct str variables,
                        struct arena *a)
{
    struct str sample = variables.data != NULL ? variables : STR("{}");
    const struct jval *given;
    struct variables v;
    struct digest skeleton;
    struct errors ignored;
    const struct plan *plan;

    errors_init(&ignored, a);
    if (!jval_parse(sample, &sample_limits, a, &given, &ignored) ||
        !variables_coerce(op, given, a, &v, &ignored))
        return;
    skeleton = variables_skeleton(op, &v);
    plan = turbo_plan(e->turbo, op, &skeleton);
    if (plan == NULL) {
        compile(e, op, sample, a, &ignored);
        plan = turbo_plan(e->turbo, op, &skeleton);
    }
    plan_unref(plan);
}

/* Under one schema, by the name and, for a document's only operation, without. */
static bool warm_one(const struct engine *e, const struct registered *r, size_t role,
                     const struct schema *schema, struct arena *a, struct errors *errs)
{
    struct turbo_key key = {r->document, r->operation_name, str_of(e->roles[role]),
                            schema->version};
    const struct operation *op = next_operation(e, &key, schema, errs);

    if (op == NULL)
        return false;
    operation_unref(turbo_operation(e->turbo, &key));
    compile_hot(e, op, r->variables, a);
    if (op->document->noperations == 1) {
        key.operation_name = key.operation_name.len > 0 ? STR("") : op->ast->name;
        turbo_put_operation(e->turbo, &key, op);
        operation_unref(turbo_operation(e->turbo, &key));
    }
    operation_unref(op);
    return true;
}

/* NULL: it is valid for one of the roles at least. */
static const char *warm_roles(const struct engine *e, const struct registered *r,
                              const struct schema *const *next, size_t nroles, struct arena *out)
{
    struct arena *a = arena_new(0);
    const char *problem = NULL;
    bool valid = false;

    for (size_t role = 0; role < nroles; role++) {
        struct errors errs;

        errors_init(&errs, a);
        if (warm_one(e, r, role, next[role], a, &errs))
            valid = true;
        else if (problem == NULL)
            problem = arena_dup(out, errs.first->message).data;
    }
    arena_free(a);
    return valid ? NULL : problem;
}

size_t warm_registered(const struct engine *e, const struct registered *list, size_t n,
                       const struct schema *const *next, size_t nroles, struct arena *a,
                       const char **invalid)
{
    struct deadline until = deadline_in_ms(MAX_REGISTERED_MS);
    size_t i = 0;

    CHECK(e->turbo != NULL);
    for (; i < n && !deadline_passed(until); i++)
        invalid[i] = warm_roles(e, &list[i], next, nroles, a);
    return i;
}
