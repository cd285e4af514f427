/*
 * plan_insert.c - rows to insert or upsert, with the rows of other relations nested in them.
 *
 * Thread:   any.
 * Not here: what is done with the rows afterwards (plan_change.c).
 *
 * The rows of one relation at one place of the input are one statement, however
 * many they are. Rows that others refer to come first, those that refer to them
 * later; both find the columns they need in settings of the transaction, in the
 * order of the rows:
 *
 *     with w as (insert into "v_user" as t1 ("name") values ($1::text) returning t1."id")
 *     select count(*)::int4, …, set_config('fraiseql.row1_1', …) from w
 *     with w as (insert into "v_project" as t1 ("name", "owner_id")
 *                values ($1::text, (current_setting('fraiseql.row1_1')::uuid[])[1]) …) …
 *
 * A row that a trigger swallows would move the others: where rows are counted on,
 * a step between makes sure that all are there.
 *
 * What is absent is the default. A list that comes whole from a variable, and
 * whose rows all have the same fields, is one array for each field, so that one
 * plan serves whatever number of rows.
 */
#include "planner/plan_insert.h"

#include "planner/plan_change.h"
#include "planner/plan_result.h"

#define MAX_NESTED_DEPTH 10

static const char swallowed[] = "not all rows were inserted, so nothing can be inserted with them";

/* What all rows of one field have in common. */
struct insertion {
    struct compiler *c;
    const struct selection *field;
    int position;
    unsigned nodes; /* numbers given out */
    size_t made;    /* the step that inserts the root's rows */
};

struct row_in {
    struct pvalue input;
    size_t parent; /* its position among the rows of the node it is nested in */
};

/* A column that gets what another node's rows have in theirs. */
struct filled {
    const struct column *column;
    struct str by; /* name of the relation, for messages */
    unsigned number;
    size_t index; /* among what that node keeps */
    const struct column *from;
    const size_t *rows; /* for each row, the other's position from 1; 0: none. NULL: its parent */
};

/* Rows of one relation at one place of the input. */
struct node {
    const struct relation *relation;
    const struct type *type; /* of the input */
    struct {
        struct row_in *items;
        size_t n, cap;
    } rows;
    struct {
        struct filled *items;
        size_t n, cap;
    } filled;
    struct {
        const struct column **items;
        size_t n, cap;
    } needed;                  /* by other nodes */
    const struct pvalue *list; /* the variable that all rows are, as arrays; NULL: one by one */
    const struct key *key;     /* to be kept; NULL: nobody reads the rows again */
    unsigned number;
    bool root;
};

struct nodes {
    struct node **items;
    size_t n, cap;
};

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

/* By position of the input: is there anything to say of it in a row? */
static bool *used_inputs(struct insertion *x, const struct node *n)
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

/* Do the plans of such a variable not depend on its length? See variables_skeleton(). */
static bool is_uniform(const struct pvalue *list)
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

/* --- on conflict ------------------------------------------------------------------------------ */

struct conflict {
    const struct key *key;
    bool *update; /* by column */
    bool any;
};

static const struct key *first_key(const struct relation *r)
{
    for (size_t i = 0; i < r->nkeys; i++)
        if (r->keys[i].arbiter)
            return &r->keys[i];
    return NULL;
}

static bool in_key(const struct key *k, const struct column *c)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->columns[i] == c)
            return true;
    return false;
}

/* Columns that the input gives, by position; false: not the same ones in every row. */
static bool given_columns(struct insertion *x, const struct node *n, bool *given)
{
    for (size_t i = 0; i < n->type->ninputs; i++) {
        size_t rows = 0;

        for (size_t row = 0; row < n->rows.n; row++) {
            struct pvalue v = input_member(&x->c->in, &n->rows.items[row].input, i);

            rows += v.kind != PVALUE_ABSENT;
            if (n->type->inputs[i].role != INPUT_VALUE && v.kind != PVALUE_ABSENT)
                return input_fail(&x->c->in, &v, "nothing can be inserted with a row of an upsert");
        }
        if (rows == 0)
            continue;
        /* What is absent would set what is there to the default. */
        if (rows < n->rows.n)
            return input_fail(&x->c->in, &n->rows.items[0].input,
                              "the rows of an upsert must have the same fields: \"%.*s\" is not in "
                              "all of them",
                              STR_ARG(n->type->inputs[i].name));
        given[n->type->inputs[i].column->index] = true;
    }
    return true;
}

static bool read_update(struct insertion *x, const struct node *n, const struct pvalue *v,
                        const bool *given, struct conflict *out)
{
    for (size_t i = 0; i < v->n; i++) {
        struct pvalue item = input_item(&x->c->in, v, i);
        const struct column *c;

        if (item.kind != PVALUE_LEAF)
            return false;
        c = &n->relation->columns[input_enum(&item)->value];
        if (!given[c->index])
            return input_fail(&x->c->in, &item, "\"%.*s\" is to be updated, but is not given",
                              STR_ARG(c->field_name));
        out->update[c->index] = out->any = true;
    }
    return true;
}

static bool read_conflict(struct insertion *x, const struct node *n, struct conflict *out)
{
    struct pvalue given = {.kind = PVALUE_ABSENT}, update = {.kind = PVALUE_ABSENT};
    const struct relation *r = n->relation;
    bool *columns = ARENA_ARRAY(x->c->in.scratch, r->nall_columns, bool);

    out->key = first_key(r);
    out->update = ARENA_ARRAY(x->c->in.scratch, r->nall_columns, bool);
    if (!given_columns(x, n, columns))
        return false;
    for (size_t i = 0; i < x->field->field->narguments; i++)
        if (x->field->field->arguments[i].role == INPUT_ON_CONFLICT)
            given = input_argument(&x->c->in, x->field, &x->field->field->arguments[i]);
    for (size_t i = 0; given.kind == PVALUE_OBJECT && i < given.type.type->ninputs; i++) {
        struct pvalue v = input_member(&x->c->in, &given, i);

        if (given.type.type->inputs[i].role == INPUT_CONFLICT_UPDATE)
            update = v;
        else if (v.kind == PVALUE_LEAF)
            out->key = &r->keys[input_enum(&v)->value];
    }
    if (update.kind == PVALUE_LIST)
        return read_update(x, n, &update, columns, out);
    for (size_t i = 0; i < r->ncolumns; i++)
        if (columns[i] && r->columns[i].updatable && !in_key(out->key, &r->columns[i]))
            out->update[i] = out->any = true;
    return true;
}

/*  on conflict ("id") do update set "name" = excluded."name" */
static bool write_conflict(struct insertion *x, const struct node *n, struct sqlbuf *out)
{
    struct conflict k = {0};
    const char *separator = " on conflict (";

    if (!read_conflict(x, n, &k))
        return false;
    for (size_t i = 0; i < k.key->n; i++) {
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_identifier(out, k.key->columns[i]->name);
        separator = ", ";
    }
    if (!k.any) {
        sqlbuf_text(out, ") do nothing");
        return true;
    }
    separator = ") do update set ";
    for (size_t i = 0; i < n->relation->ncolumns; i++) {
        if (!k.update[i])
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_identifier(out, n->relation->columns[i].name);
        sqlbuf_text(out, " = excluded.");
        sqlbuf_identifier(out, n->relation->columns[i].name);
        separator = ", ";
    }
    return true;
}

/* --- a statement ------------------------------------------------------------------------------ */

static void guard_all(struct insertion *x, const struct node *n)
{
    struct sqlbuf count;

    sqlbuf_init(&count, &x->c->params);
    sqlbuf_integer(&count, (int64_t)n->rows.n);
    plan_guard(x->c, x->position, "=", &count, swallowed);
}

/* with w as (insert into "relation" as t1 … returning …) select … from w */
static bool write_insert(struct insertion *x, const struct node *n)
{
    struct compiler *c = x->c;
    const struct source *target = source_new(c, n->relation);
    struct kept kept = {n->key, n->number, n->needed.items, n->needed.n};
    const bool *used = used_inputs(x, n);
    struct sqlbuf sql;

    CHECK(!source_guarded(n->relation)); /* changes are not offered there */
    sqlbuf_init(&sql, &c->params);
    sqlbuf_text(&sql, "with w as (insert into ");
    sqlbuf_qualified(&sql, n->relation->schema, n->relation->name);
    sqlbuf_text(&sql, " as ");
    sqlbuf_alias(&sql, target->alias);
    if (n->list != NULL ? !write_unnest(x, n, used, &sql) : !write_values(x, n, used, &sql))
        return false;
    if (n->root && x->field->field->change == CHANGE_UPSERT && !write_conflict(x, n, &sql))
        return false;
    kept_returning(&kept, target->alias, &sql);
    sqlbuf_text(&sql, ") ");
    if (n->root)
        x->made = c->steps.n;
    compile_step(c, &sql, x->position, kept_select(&kept, &sql), true);
    return true;
}

/* No rows: the same columns, and no keys. */
static void write_nothing(struct insertion *x, const struct node *n)
{
    struct kept kept = {.key = n->key};
    const struct source *none = source_new(x->c, n->relation);
    struct sqlbuf sql;

    sqlbuf_init(&sql, &x->c->params);
    sqlbuf_text(&sql, "with w as (select ");
    for (size_t i = 0; i < n->key->n; i++) {
        if (i > 0)
            sqlbuf_text(&sql, ", ");
        sqlbuf_column(&sql, none->alias, n->key->columns[i]);
    }
    sqlbuf_text(&sql, " from ");
    source_name(&sql, n->relation, none->alias);
    sqlbuf_text(&sql, " where false) ");
    x->made = x->c->steps.n;
    compile_step(x->c, &sql, x->position, kept_select(&kept, &sql), true);
}

/* --- nested rows ------------------------------------------------------------------------------ */

/* Where a column stands among what a node keeps for others. */
static size_t need(struct insertion *x, struct node *n, const struct column *c)
{
    for (size_t i = 0; i < n->needed.n; i++)
        if (n->needed.items[i] == c)
            return i;
    VEC_PUSH(x->c->in.scratch, &n->needed, c);
    return n->needed.n - 1;
}

static struct node *new_node(struct insertion *x, const struct relation *r, const struct type *t)
{
    struct node *n = ARENA_NEW(x->c->in.scratch, struct node);

    n->relation = r;
    n->type = t;
    n->number = ++x->nodes;
    return n;
}

static bool add_row(struct insertion *x, struct node *n, const struct pvalue *v, size_t parent)
{
    if (v->kind != PVALUE_OBJECT) /* null where it cannot be: noted already */
        return false;
    VEC_PUSH(x->c->in.scratch, &n->rows, (struct row_in){*v, parent});
    return true;
}

/* The rows of a list in one row of another node: among the others, or by themselves as arrays. */
static bool gather_list(struct insertion *x, const struct pvalue *list, size_t parent,
                        struct node *others, struct nodes *out)
{
    struct node *into = others;

    if (is_uniform(list)) {
        into = new_node(x, others->relation, others->type);
        into->list = arena_copy(x->c->in.scratch, list, sizeof *list);
        VEC_PUSH(x->c->in.scratch, out, into);
    }
    for (size_t i = 0; i < list->n; i++) {
        struct pvalue item = input_item(&x->c->in, list, i);

        if (!add_row(x, into, &item, parent))
            return false;
    }
    return true;
}

/* The rows of a relation that are nested in those of n. */
static bool gather(struct insertion *x, const struct node *n, size_t input, struct nodes *out)
{
    const struct input_value *in = &n->type->inputs[input];
    struct node *nested = new_node(x, in->relationship->to, in->type.type);

    for (size_t row = 0; row < n->rows.n; row++) {
        struct pvalue v = input_member(&x->c->in, &n->rows.items[row].input, input);

        if (v.kind == PVALUE_OBJECT && !add_row(x, nested, &v, row))
            return false;
        if (v.kind == PVALUE_LIST && !gather_list(x, &v, row, nested, out))
            return false;
    }
    if (nested->rows.n > 0)
        VEC_PUSH(x->c->in.scratch, out, nested);
    return true;
}

static bool insert_node(struct insertion *x, struct node *n, unsigned depth);

/* Rows that n's refer to: inserted before. */
static bool insert_before(struct insertion *x, struct node *n, const struct relationship *w,
                          struct node *to, unsigned depth)
{
    size_t *rows = ARENA_ARRAY(x->c->in.scratch, n->rows.n, size_t);

    for (size_t i = 0; i < to->rows.n; i++)
        rows[to->rows.items[i].parent] = i + 1;
    for (size_t i = 0; i < w->n; i++) {
        struct filled f = {.column = w->from_columns[i],
                           .by = w->to->type_name,
                           .number = to->number,
                           .index = need(x, to, w->to_columns[i]),
                           .from = w->to_columns[i],
                           .rows = rows};

        VEC_PUSH(x->c->in.scratch, &n->filled, f);
    }
    return insert_node(x, to, depth + 1);
}

/* Rows that refer to n's: they will find what they need. */
static void prepare_later(struct insertion *x, struct node *n, const struct relationship *w,
                          struct node *nested)
{
    for (size_t i = 0; i < w->n; i++) {
        struct filled f = {.column = w->to_columns[i],
                           .by = n->relation->type_name,
                           .number = n->number,
                           .index = need(x, n, w->from_columns[i]),
                           .from = w->from_columns[i]};

        VEC_PUSH(x->c->in.scratch, &nested->filled, f);
    }
}

/* What is nested in n's rows: inserted before, or to be inserted later. */
static bool insert_nested(struct insertion *x, struct node *n, unsigned depth, struct nodes *later)
{
    for (size_t i = 0; i < n->type->ninputs; i++) {
        const struct relationship *w = n->type->inputs[i].relationship;
        struct nodes nested = {0};

        if (n->type->inputs[i].role != INPUT_VALUE_RELATION)
            continue;
        if (!gather(x, n, i, &nested))
            return false;
        for (size_t j = 0; j < nested.n; j++) {
            if (w->foreign_key == KEY_HERE && !insert_before(x, n, w, nested.items[j], depth))
                return false;
            if (w->foreign_key == KEY_HERE)
                continue;
            prepare_later(x, n, w, nested.items[j]);
            VEC_PUSH(x->c->in.scratch, later, nested.items[j]);
        }
    }
    return true;
}

static bool insert_node(struct insertion *x, struct node *n, unsigned depth)
{
    struct nodes later = {0};

    if (depth > MAX_NESTED_DEPTH)
        return input_fail(&x->c->in, &n->rows.items[0].input, "rows are nested more than %d deep",
                          MAX_NESTED_DEPTH);
    if (!insert_nested(x, n, depth, &later) || !write_insert(x, n))
        return false;
    if (n->needed.n > 0)
        guard_all(x, n);
    if (n->root && !plan_guard_at_most(x->c, x->field, x->position))
        return false;
    for (size_t i = 0; i < later.n; i++)
        if (!insert_node(x, later.items[i], depth + 1))
            return false;
    return plan_change_fits(x->c, x->field);
}

/* --- the field -------------------------------------------------------------------------------- */

/* The rows of the argument `input`. */
static bool read_rows(struct insertion *x, const struct pvalue *v, struct node *root)
{
    if (v->kind == PVALUE_OBJECT)
        return add_row(x, root, v, 0);
    for (size_t i = 0; v->kind == PVALUE_LIST && i < v->n; i++) {
        struct pvalue item = input_item(&x->c->in, v, i);

        if (!add_row(x, root, &item, 0))
            return false;
    }
    return v->kind == PVALUE_LIST;
}

bool plan_insert(struct compiler *c, const struct selection *s, int position, size_t *made)
{
    struct insertion x = {.c = c, .field = s, .position = position};
    struct pvalue list = {.kind = PVALUE_ABSENT};
    struct node *root = NULL;

    for (size_t i = 0; i < s->field->narguments; i++) {
        if (s->field->arguments[i].role != INPUT_ROWS)
            continue;
        list = input_argument(&c->in, s, &s->field->arguments[i]);
        root = new_node(&x, s->field->relation, s->field->arguments[i].type.type);
    }
    CHECK(root != NULL);
    root->root = true;
    root->key = relation_key(root->relation);
    root->list = is_uniform(&list) ? &list : NULL;
    if (!read_rows(&x, &list, root))
        return false;
    if (root->rows.n == 0)
        write_nothing(&x, root);
    else if (!insert_node(&x, root, 0))
        return false;
    *made = x.made;
    return true;
}
