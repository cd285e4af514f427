/*
 * planner.c - validated operation to plan: the driver.
 *
 * Thread:   any.
 * Memory:   the plan's arena; what is needed only meanwhile in a scratch arena.
 */
#include "planner/planner.h"

#include "planner/plan_auth.h"
#include "planner/plan_call.h"
#include "planner/plan_change.h"
#include "planner/plan_connection.h"
#include "planner/plan_guard.h"
#include "planner/plan_mutation.h"
#include "planner/plan_node.h"

#include <stdatomic.h>

#define MAX_ROOT_FIELDS  1600
#define MAX_ROOT_COLUMNS 1600 /* PostgreSQL: 1664 */
#define MAX_SOURCES      1000 /* relations in one operation, each to be planned */

/* Parameters of introspection fields. */
struct introspected {
    struct plan_param *items;
    size_t n, cap;
};

static bool reads_database(struct compiler *c, const struct selection *s)
{
    if (s->field->resolver == RESOLVE_NODE)
        return plan_node_type(c, s) != NULL;
    return s->field->resolver == RESOLVE_LIST || s->field->resolver == RESOLVE_BY_KEY ||
           s->field->resolver == RESOLVE_AGGREGATE || s->field->resolver == RESOLVE_GROUPS ||
           s->field->resolver == RESOLVE_CONNECTION || s->field->resolver == RESOLVE_FUNCTION;
}

/* Rows as columns of a statement of their own; others are columns beside others. */
static bool reads_rows(const struct selection *s)
{
    return s->field->resolver == RESOLVE_NODE ||
           (s->field->relation != NULL && s->field->resolver != RESOLVE_CONNECTION);
}

static void next_column(struct sqlbuf *sql, size_t *ncolumns)
{
    if ((*ncolumns)++ == 0)
        sqlbuf_text(sql, "select ");
    else
        sqlbuf_text(sql, ", ");
}

static bool plan_root_connection(struct compiler *c, const struct selection *s, struct sqlbuf *sql,
                                 size_t *ncolumns, struct shape_field *out)
{
    struct connection_columns columns;

    if (!plan_connection(c, s, NULL, *ncolumns, 0, &columns, out))
        return false;
    for (size_t i = 0; i < columns.n; i++) {
        next_column(sql, ncolumns);
        sqlbuf_append(sql, &columns.sql[i]);
    }
    return true;
}

/* The name that __type asks for may be a variable: a parameter, though not of the statement. */
static bool plan_introspection(struct compiler *c, const struct selection *s,
                               struct introspected *names, struct shape_field *out)
{
    out->kind = SHAPE_INTROSPECTION;
    for (size_t i = 0; i < s->field->narguments; i++) {
        struct pvalue v = input_argument(&c->in, s, &s->field->arguments[i]);
        struct plan_param p;
        bool mixed;

        if (s->field->arguments[i].role != INPUT_NAME)
            continue;
        if (v.kind != PVALUE_LEAF || !input_parameter(&c->in, &v, PARAM_TEXT, &p, &mixed))
            return false;
        out->column = (uint16_t)names->n;
        VEC_PUSH(c->in.scratch, names, p);
    }
    return true;
}

/* A root field that is not read from the database. */
static bool plan_constant(struct compiler *c, const struct selection *s, struct introspected *names,
                          struct shape_field *out)
{
    plan_shape_field(c, s, out);
    if (s->field->resolver == RESOLVE_INTROSPECTION)
        return plan_introspection(c, s, names, out);
    if (s->field->resolver == RESOLVE_NODE) {
        out->kind = SHAPE_NULL;
        return plan_node_check(c, s);
    }
    CHECK(s->field->resolver == RESOLVE_TYPENAME);
    out->kind = SHAPE_TYPENAME;
    out->text = s->parent->name;
    return true;
}

/* One column of the statement. */
static bool plan_column(struct compiler *c, const struct selection *s, struct sqlbuf *sql,
                        size_t *ncolumns, struct shape_field *out)
{
    uint16_t column = (uint16_t)*ncolumns;

    next_column(sql, ncolumns);
    if (reads_rows(s)) {
        if (type_ref_is_list(s->field->type))
            sqlbuf_text(sql, "array");
        sqlbuf_text(sql, "(");
        if (!plan_select(c, s, true, sql, out))
            return false;
        sqlbuf_text(sql, ")");
    } else {
        plan_shape_field(c, s, out);
        if (!plan_call_value(c, s, NULL, 0, sql, out))
            return false;
    }
    out->column = column;
    return true;
}

static bool plan_root_field(struct compiler *c, const struct selection *s, bool alone,
                            struct sqlbuf *sql, struct introspected *names, size_t *ncolumns,
                            struct shape_field *out)
{
    if (!reads_database(c, s))
        return plan_constant(c, s, names, out);
    if (s->field->resolver == RESOLVE_CONNECTION)
        return plan_root_connection(c, s, sql, ncolumns, out);
    if (alone) /* it is the whole statement */
        return plan_select(c, s, false, sql, out);
    return plan_column(c, s, sql, ncolumns, out);
}

/* All root fields of a query: one statement, or none. */
static bool plan_query(struct compiler *c, const struct selection *root, struct introspected *names,
                       struct shape_field *fields, struct shape *out)
{
    size_t nreads = 0;
    int last = -1;
    struct sqlbuf sql;
    bool alone;

    for (size_t i = 0; i < root->nchildren; i++) {
        if (!reads_database(c, root->children[i]))
            continue;
        nreads++;
        last = (int)i;
    }
    alone = nreads == 1 && reads_rows(root->children[last]);
    sqlbuf_init(&sql, &c->params);
    for (size_t i = 0; i < root->nchildren; i++)
        if (!plan_root_field(c, root->children[i], alone, &sql, names, &out->ncolumns, &fields[i]))
            return false;
    if (out->ncolumns > MAX_ROOT_COLUMNS)
        return plan_too_complex(c, root->children[last], "the operation has too many root fields");
    if (alone)
        compile_step(c, &sql, last, fields[last].object->ncolumns, false);
    else if (nreads > 0)
        compile_step(c, &sql, nreads == 1 ? last : -1, out->ncolumns, true);
    return true;
}

/* Are there fields that are rolled back by themselves, with others beside them? */
static bool has_parts(const struct compiler *c, const struct selection *root)
{
    size_t nchanges = 0;
    bool any = false;

    for (size_t i = 0; i < root->nchildren; i++) {
        const struct field *f = root->children[i]->field;

        nchanges += f->resolver != RESOLVE_TYPENAME;
        any = any || (f->function != NULL && f->function->result == FUNCTION_OUTCOME);
    }
    return any && nchanges > 1 && !c->schema->field_transactions;
}

/* Each root field of a mutation is statements of its own. */
static bool plan_mutations(struct compiler *c, const struct selection *root,
                           struct shape_field *fields)
{
    bool parts = has_parts(c, root);

    if (parts)
        plan_guard_begin(c);
    for (size_t i = 0; i < root->nchildren; i++) {
        const struct selection *s = root->children[i];

        if (s->field->resolver == RESOLVE_FUNCTION) {
            if (!plan_mutation(c, s, (int)i, &fields[i]))
                return false;
            continue;
        }
        if (s->field->resolver == RESOLVE_CHANGE) {
            if (!plan_change(c, s, (int)i, &fields[i]))
                return false;
            continue;
        }
        CHECK(s->field->resolver == RESOLVE_TYPENAME);
        plan_shape_field(c, s, &fields[i]);
        fields[i].kind = SHAPE_TYPENAME;
        fields[i].text = s->parent->name;
    }
    if (parts)
        plan_guard_commit(c);
    return true;
}

static bool plan_root(struct compiler *c, const struct selection *root, struct introspected *names,
                      struct shape_field *fields, struct shape *out)
{
    out->fields = fields;
    out->nfields = root->nchildren;
    out->presence = -1;
    if (root->nchildren > MAX_ROOT_FIELDS) {
        errors_add(c->in.errs, QUERY_TOO_COMPLEX, "the operation has too many root fields");
        return false;
    }
    if (c->in.op->kind == AST_MUTATION)
        return plan_mutations(c, root, fields);
    return plan_query(c, root, names, fields, out);
}

/* Columns of all rows that are read at once, one inside the other. */
static size_t open_columns(const struct shape *s)
{
    size_t deepest = 0;

    for (size_t i = 0; i < s->nfields; i++) {
        const struct shape_field *f = &s->fields[i];

        if (f->kind == SHAPE_PAGE_CURSOR)
            deepest = size_max(deepest, f->page->ncolumns);
        if (f->object == NULL)
            continue;
        deepest = size_max(deepest, open_columns(f->object) +
                                        (f->kind == SHAPE_OBJECT ? 0 : f->object->ncolumns));
        if (f->otherwise != NULL)
            deepest = size_max(deepest, open_columns(f->otherwise) + f->otherwise->ncolumns);
    }
    return s->nkeys + deepest;
}

/* Names of the catalog are the schema's, which the plan retains with its operation. */
static void keep_mentions(struct plan *p, const struct sqlmentions *m)
{
    p->names = arena_copy(p->arena, m->names.items, m->names.n * sizeof *m->names.items);
    p->nnames = m->names.n;
    p->reads = arena_copy(p->arena, m->reads.items, m->reads.n * sizeof *m->reads.items);
    p->nreads = m->reads.n;
    p->ttl_s = m->ttl_s;
}

static void finish_plan(struct plan *p, struct compiler *c, const struct introspected *names,
                        struct shape_field *fields)
{
    static atomic_uint_fast64_t ids;

    for (size_t i = 0; i < p->root->nfields; i++)
        if (fields[i].kind == SHAPE_INTROSPECTION)
            fields[i].column = (uint16_t)(fields[i].column + c->all_params.n);

    for (size_t i = 0; i < names->n; i++)
        VEC_PUSH(c->in.scratch, &c->all_params, names->items[i]);
    p->params =
        arena_copy(p->arena, c->all_params.items, c->all_params.n * sizeof *c->all_params.items);
    p->nparams = c->all_params.n;
    p->steps = arena_copy(p->arena, c->steps.items, c->steps.n * sizeof *c->steps.items);
    p->nsteps = c->steps.n;
    p->transaction = c->parts;
    keep_mentions(p, &c->mentions);
    p->max_open_columns = p->root->ncolumns + open_columns(p->root);
    p->id = atomic_fetch_add_explicit(&ids, 1, memory_order_relaxed) + 1;
    p->cost_ns = ARENA_NEW(p->arena, uint64_t);
    p->size = arena_used(p->arena);
}

static bool compile(struct plan *p, const struct variables *variables, struct arena *scratch,
                    struct errors *errs)
{
    struct compiler c = {
        .in = {.op = p->operation,
               .variables = variables,
               .arena = p->arena,
               .scratch = scratch,
               .errs = errs},
        .schema = p->operation->schema,
        .guard = -1,
        .mentions = {.ttl_s = UINT32_MAX },
    };
    size_t nerrors = errs->n + errs->dropped;
    const struct selection *root = collect(p->operation, variables, p->arena, errs);
    struct shape *shape = ARENA_NEW(p->arena, struct shape);
    struct introspected names = {NULL, 0, 0};
    struct shape_field *fields;

    if (root == NULL)
        return false;
    fields = ARENA_ARRAY(p->arena, root->nchildren, struct shape_field);
    sqlparams_init(&c.params, scratch);
    c.params.as_known = p->operation->kind == AST_MUTATION;
    c.params.mentions = &c.mentions;
    if (!plan_root(&c, root, &names, fields, shape))
        return false;
    if (c.sources > MAX_SOURCES)
        errors_add(errs, QUERY_TOO_COMPLEX, "the operation reads too many relations");
    if (c.overflow)
        errors_add(errs, QUERY_TOO_COMPLEX, "the operation has too many values");
    /* Some errors are noted where the value is read and do not stop the compilation. */
    if (errs->n + errs->dropped > nerrors)
        return false;
    if (!plan_auth(&c, root, p))
        return false;
    p->root = shape;
    finish_plan(p, &c, &names, fields);
    return true;
}

const struct plan *planner_compile(const struct operation *op, const struct variables *variables,
                                   struct errors *errs)
{
    struct plan *p = plan_new(op);
    struct arena *scratch = arena_new(0);
    bool ok = compile(p, variables, scratch, errs);

    arena_free(scratch);
    if (!ok) {
        plan_unref(p);
        return NULL;
    }
    return p;
}
