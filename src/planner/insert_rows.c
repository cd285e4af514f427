/*
 * insert_rows.c - the rows of an INSERT: values by values, or as arrays.
 *
 * Thread:   any.
 * Not here: which rows are inserted when (plan_insert.c).
 *
 * What is absent is the default. A list that comes whole from a variable, and
 * whose rows all have the same fields, is one array for each field, so that one
 * plan serves whatever number of rows.
 */
#include "planner/insertion.h"

#include "planner/kept.h"
#include "planner/plan_insert.h"

/* --- values ----------------------------------------------------------------------------------- */

bool plan_insert_value(struct compiler *c, const struct column *column, const struct pvalue *v,
                       struct sqlbuf *out)
{
    if (v->kind != PVALUE_NULL)
        return compile_value(c, v, PARAM_TEXT, column->type_sql, false, out);
    if (column->not_null)
        return input_fail(&c->in, v, "\"%.*s\" cannot be null", STR_ARG(column->field_name));
    sqlbuf_text(out, "null");
    return true;
}

/* nullif(current_setting($1::text, true), '')::type */
static void write_tenant(struct compiler *c, const struct column *column, struct sqlbuf *out)
{
    struct plan_param setting = {
        .form = PARAM_TEXT, .variable = -1, .constant = c->schema->tenant_setting};

    sqlbuf_text(out, "nullif(pg_catalog.current_setting(");
    sqlbuf_parameter(out, &setting, STR("text"), false);
    sqlbuf_text(out, ", true), '')");
    sqlbuf_cast(out, column->type_sql, false);
}

static const struct filled *find_filled(const struct node *n, const struct column *column,
                                        size_t row)
{
    for (size_t i = 0; i < n->filled.n; i++)
        if (n->filled.items[i].column == column &&
            (n->filled.items[i].rows == NULL || n->filled.items[i].rows[row] > 0))
            return &n->filled.items[i];
    return NULL;
}

/* (current_setting('fraiseql.row1_1')::uuid[])[3] */
static void write_filled(const struct node *n, const struct filled *f, size_t row,
                         struct sqlbuf *out)
{
    size_t at = f->rows != NULL ? f->rows[row] : n->rows.items[row].parent + 1;

    sqlbuf_text(out, "(");
    kept_array(f->number, f->index, f->from, out);
    sqlbuf_text(out, ")[");
    sqlbuf_integer(out, (int64_t)at);
    sqlbuf_text(out, "]");
}

/* What the input does not give. */
static bool write_absent(struct insertion *x, const struct node *n, size_t row,
                         const struct column *column, struct sqlbuf *out)
{
    const struct filled *f = find_filled(n, column, row);

    if (f != NULL)
        write_filled(n, f, row, out);
    else if (column->is_tenant)
        write_tenant(x->c, column, out);
    else if (!column->needed)
        sqlbuf_text(out, "default");
    else
        return input_fail(&x->c->in, &n->rows.items[row].input, "\"%.*s\" is missing",
                          STR_ARG(column->field_name));
    return true;
}

/* The tenant is part of every key, and has to be the same anyhow. */
static bool check_given_once(struct insertion *x, const struct node *n, size_t row,
                             const struct column *column, const struct pvalue *v)
{
    const struct filled *f = find_filled(n, column, row);

    return f == NULL || column == n->relation->tenant_column ||
           input_fail(&x->c->in, v, "\"%.*s\" is given by the %.*s it is inserted with",
                      STR_ARG(column->field_name), STR_ARG(f->by));
}

static bool write_cell(struct insertion *x, const struct node *n, size_t row, size_t input,
                       struct sqlbuf *out)
{
    const struct column *column = n->type->inputs[input].column;
    struct pvalue v = input_member(&x->c->in, &n->rows.items[row].input, input);

    if (v.kind == PVALUE_ABSENT)
        return write_absent(x, n, row, column, out);
    return check_given_once(x, n, row, column, &v) && plan_insert_value(x->c, column, &v, out);
}

/* --- which columns ---------------------------------------------------------------------------- */

bool *insert_used_inputs(struct insertion *x, const struct node *n)
{
    bool *used = ARENA_ARRAY(x->c->in.scratch, n->type->ninputs, bool);
    const struct input_value *first = NULL;
    bool any = false;

    for (size_t i = 0; i < n->type->ninputs; i++) {
        const struct input_value *in = &n->type->inputs[i];

        if (in->role != INPUT_VALUE)
            continue;
        if (first == NULL)
            first = in;
        used[i] = in->column->is_tenant || in->column->needed;
        for (size_t row = 0; row < n->rows.n && !used[i]; row++) {
            struct pvalue v = input_member(&x->c->in, &n->rows.items[row].input, i);

            used[i] = v.kind != PVALUE_ABSENT || find_filled(n, in->column, row) != NULL;
        }
        any = any || used[i];
    }
    /* "default values" is for one row only. */
    if (!any)
        used[first - n->type->inputs] = true;
    return used;
}

static void write_columns(const struct node *n, const bool *used, struct sqlbuf *out)
{
    const char *separator = " (";

    for (size_t i = 0; i < n->type->ninputs; i++) {
        if (!used[i])
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_identifier(out, n->type->inputs[i].column->name);
        separator = ", ";
    }
    sqlbuf_text(out, ")");
}

static bool write_row(struct insertion *x, const struct node *n, const bool *used, size_t row,
                      struct sqlbuf *out)
{
    const char *separator = "(";

    for (size_t i = 0; i < n->type->ninputs; i++) {
        if (!used[i])
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        separator = ", ";
        if (!write_cell(x, n, row, i, out))
            return false;
    }
    sqlbuf_text(out, ")");
    return true;
}

static bool write_values(struct insertion *x, const struct node *n, const bool *used,
                         struct sqlbuf *out)
{
    write_columns(n, used, out);
    sqlbuf_text(out, " values ");
    for (size_t row = 0; row < n->rows.n; row++) {
        if (row > 0)
            sqlbuf_text(out, ", ");
        if (!write_row(x, n, used, row, out))
            return false;
    }
    return true;
}

/* --- arrays ----------------------------------------------------------------------------------- */

bool insert_is_uniform(const struct pvalue *list)
{
    return list->kind == PVALUE_LIST && list->variable >= 0 && list->nsteps == 0 &&
           variables_rows_uniform(list->json, list->type.type);
}

/* $1::text[]: what all rows have for one member. */
static void write_array(struct insertion *x, const struct pvalue *list, size_t input,
                        struct sqlbuf *out)
{
    uint32_t *steps = ARENA_NEW(x->c->in.arena, uint32_t);
    struct plan_param p = {.form = PARAM_COLUMN,
                           .variable = list->variable,
                           .steps = steps,
                           .nsteps = 1,
                           .type = list->type.type->inputs[input].type,
                           .offset = list->offset};

    *steps = (uint32_t)input;
    sqlbuf_parameter(out, &p, STR("text"), true);
}

/* ("name") select u.c1::text from rows from (unnest($1::text[])) with ordinality u(c1, n) … */
static bool write_unnest(struct insertion *x, const struct node *n, const bool *used,
                         struct sqlbuf *out)
{
    const struct jval *first = n->list->json->items[0];
    const char *separator = " select ";
    struct sqlbuf arrays, names;
    size_t count = 0;

    sqlbuf_init(&arrays, &x->c->params);
    sqlbuf_init(&names, &x->c->params);
    write_columns(n, used, out);
    for (size_t i = 0; i < n->type->ninputs; i++) {
        const struct input_value *in = &n->type->inputs[i];

        if (!used[i])
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        separator = ", ";
        if (jval_get(first, in->name) == NULL) {
            if (!write_absent(x, n, 0, in->column, out))
                return false;
            continue;
        }
        if (!check_given_once(x, n, 0, in->column, n->list))
            return false;
        if (count++ > 0)
            sqlbuf_text(&arrays, ", ");
        sqlbuf_text(&arrays, "pg_catalog.unnest(");
        write_array(x, n->list, i, &arrays);
        sqlbuf_text(&arrays, ")");
        sqlbuf_text(&names, "c");
        sqlbuf_integer(&names, (int64_t)count);
        sqlbuf_text(&names, ", ");
        sqlbuf_text(out, "u.c");
        sqlbuf_integer(out, (int64_t)count);
        sqlbuf_cast(out, in->column->type_sql, false);
    }
    sqlbuf_text(out, " from rows from (");
    sqlbuf_append(out, &arrays);
    sqlbuf_text(out, ") with ordinality u(");
    sqlbuf_append(out, &names);
    sqlbuf_text(out, "n) order by u.n");
    return true;
}

bool insert_rows(struct insertion *x, const struct node *n, const bool *used, struct sqlbuf *out)
{
    return n->list != NULL ? write_unnest(x, n, used, out) : write_values(x, n, used, out);
}
