/*
 * plan_insert.c - rows to insert or upsert, with the rows of other relations nested in them.
 *
 * Thread:   any.
 * Not here: the rows in a statement (insert_rows.c), what is done with them afterwards
 *           (plan_change.c).
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
 */
#include "planner/plan_insert.h"

#include "planner/insertion.h"
#include "planner/kept.h"
#include "planner/plan_change.h"

#define MAX_NESTED_DEPTH 10

static const char swallowed[] = "not all rows were inserted, so nothing can be inserted with them";

/* --- a statement ------------------------------------------------------------------------------ */

static void guard_all(struct insertion *x, const struct node *n)
{
    struct sqlbuf count;

    sqlbuf_init(&count, &x->c->params);
    sqlbuf_integer(&count, (int64_t)n->rows.n);
    plan_change_check(x->c, x->position, "=", &count, swallowed);
}

/* with w as (insert into "relation" as t1 … returning …) select … from w */
static bool write_insert(struct insertion *x, const struct node *n)
{
    struct compiler *c = x->c;
    const struct source *target = source_new(c, n->relation);
    struct kept kept = {n->key, n->number, n->needed.items, n->needed.n};
    const bool *used = insert_used_inputs(x, n);
    struct sqlbuf sql;

    CHECK(!source_guarded(n->relation)); /* changes are not offered there */
    sqlbuf_init(&sql, &c->params);
    sqlbuf_text(&sql, "with w as (insert into ");
    sqlbuf_qualified(&sql, n->relation->schema, n->relation->name);
    sqlbuf_text(&sql, " as ");
    sqlbuf_alias(&sql, target->alias);
    if (!insert_rows(x, n, used, &sql))
        return false;
    if (n->root && x->field->field->change == CHANGE_UPSERT && !insert_conflict(x, n, &sql))
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

    if (insert_is_uniform(list)) {
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
    if (n->root && !plan_change_at_most(x->c, x->field, x->position))
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
    root->list = insert_is_uniform(&list) ? &list : NULL;
    if (!read_rows(&x, &list, root))
        return false;
    if (root->rows.n == 0)
        write_nothing(&x, root);
    else if (!insert_node(&x, root, 0))
        return false;
    *made = x.made;
    return true;
}
