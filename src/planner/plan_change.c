/*
 * plan_change.c - a root field that changes rows of a relation: insert, update, upsert, delete.
 *
 * Thread:   any.
 * Not here: the statements of an insert (plan_insert.c), the SELECT that reads rows again
 *           (plan_result.c).
 *
 * As with functions, what stands beside a change in its statement does not see
 * it. So the change leaves the keys of its rows, and a second statement reads them:
 *
 *     with w as (update "v_task" t1 set "title" = $1::text where … returning t1."id")
 *     select count(*)::int4, set_config('fraiseql.key1', …) from w
 *
 * A row that is deleted is read in the statement that deletes it, which still
 * sees everything as it was before:
 *
 *     with w as (delete from "v_task" t1 where … returning t1."id", t1."project_id")
 *     select t2."id", t3."name" from w t2 left join "v_project" t3 on …
 */
#include "planner/plan_change.h"

#include "planner/kept.h"
#include "planner/plan_filter.h"
#include "planner/plan_insert.h"
#include "planner/plan_result.h"
#include "planner/plan_row.h"

static const char too_many_rows[] = "the change would affect more rows than \"atMost\"";

/* --- how much, how many
 * ---------------------------------------------------------------------------- */

bool plan_change_fits(struct compiler *c, const struct selection *s)
{
    /* Each is sent, parsed and planned. */
    enum {
        MAX_STEPS = 400
    };

    return c->steps.n <= MAX_STEPS ||
           plan_too_complex(c, s, "the operation needs too many statements");
}

void plan_change_check(struct compiler *c, int position, const char *comparison,
                       const struct sqlbuf *limit, const char *refusal)
{
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    sqlbuf_text(&sql, "select 1 / (pg_catalog.current_setting('fraiseql.affected')::int8 ");
    sqlbuf_raw(&sql, comparison, strlen(comparison));
    sqlbuf_text(&sql, " ");
    sqlbuf_append(&sql, limit);
    sqlbuf_text(&sql, ")::int4");
    compile_step(c, &sql, position, 1, true);
    c->steps.items[c->steps.n - 1].refusal = refusal;
}

bool plan_change_at_most(struct compiler *c, const struct selection *s, int position)
{
    struct plan_param p;
    struct sqlbuf limit;
    int64_t n;
    bool mixed;

    for (size_t i = 0; i < s->field->narguments; i++) {
        struct pvalue v;

        if (s->field->arguments[i].role != INPUT_AT_MOST)
            continue;
        v = input_argument(&c->in, s, &s->field->arguments[i]);
        if (v.kind != PVALUE_LEAF)
            return true;
        if (!input_parameter(&c->in, &v, PARAM_OFFSET, &p, &mixed))
            return false;
        if (p.variable < 0 && (!str_to_i64(p.constant, &n) || n < 0))
            return input_fail(&c->in, &v, "\"atMost\" cannot be negative");
        p.what = STR("atMost");
        sqlbuf_init(&limit, &c->params);
        sqlbuf_parameter(&limit, &p, STR("int8"), false);
        plan_change_check(c, position, "<=", &limit, too_many_rows);
    }
    return true;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void set_typename(const struct selection *s, struct shape_field *out)
{
    out->kind = SHAPE_TYPENAME;
    out->text = s->parent->name;
}

static void set_affected(struct shape_field *out)
{
    static const struct codec count = {.kind = CODEC_INT4};

    out->kind = SHAPE_VALUE;
    out->column = 0;
    out->codec = &count;
}

static struct shape *payload_shape(struct compiler *c, const struct selection *s,
                                   struct shape_field **fields)
{
    struct shape *shape = ARENA_NEW(c->in.arena, struct shape);

    *fields = ARENA_ARRAY(c->in.arena, s->nchildren, struct shape_field);
    shape->fields = *fields;
    shape->nfields = s->nchildren;
    shape->presence = -1;
    return shape;
}

/* The statement that reads the rows whose keys are kept. */
static bool read_kept(struct compiler *c, const struct selection *s, int position, bool one,
                      struct shape_field *out)
{
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    if (!plan_select_kept(c, s, one, &sql, out))
        return false;
    out->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, out->object->ncolumns, false);
    return true;
}

/* affectedCount stands in the row of the change itself, which is step `made`. */
static bool answer_many(struct compiler *c, const struct selection *s, int position, size_t made,
                        struct shape_field *out)
{
    struct shape_field *fields;
    struct shape *shape = payload_shape(c, s, &fields);

    out->kind = SHAPE_ROW;
    out->step = (uint16_t)made;
    out->object = shape;
    shape->ncolumns = c->steps.items[made].ncolumns;
    for (size_t i = 0; i < s->nchildren; i++) {
        const struct selection *child = s->children[i];

        plan_shape_field(c, child, &fields[i]);
        if (child->field->resolver == RESOLVE_RETURNING) {
            if (!read_kept(c, child, position, false, &fields[i]))
                return false;
        } else if (child->field->resolver == RESOLVE_AFFECTED) {
            set_affected(&fields[i]);
        } else {
            set_typename(child, &fields[i]);
        }
    }
    return true;
}

/* "relation" t1: reads have a condition where row security does not keep tenants apart, but changes
 * are not offered there. */
static void write_target(const struct relation *r, unsigned alias, struct sqlbuf *out)
{
    CHECK(!source_guarded(r));
    source_name(out, r, alias);
}

/* --- which rows ------------------------------------------------------------------------------- */

/* " where …" of an update or delete of rows t1. */
static bool write_where(struct compiler *c, const struct selection *s, unsigned alias,
                        struct sqlbuf *out)
{
    bool any = false;
    bool ok = true;

    c->strict = true;
    for (size_t i = 0; ok && i < s->field->narguments; i++) {
        const struct input_value *a = &s->field->arguments[i];
        struct pvalue v = input_argument(&c->in, s, a);

        if (a->role == INPUT_WHERE) {
            ok = plan_filter(c, alias, &v, out, &any);
        } else if (a->role == INPUT_KEY) {
            if (any)
                sqlbuf_text(out, " and ");
            else
                sqlbuf_text(out, " where ");
            any = true;
            ok = plan_filter_key(c, alias, a->column, &v, out);
        }
    }
    c->strict = false;
    /* Not one condition: `where` was null, where it must not be, and noted. */
    return ok && any;
}

/* --- update ----------------------------------------------------------------------------------- */

static bool write_assignments(struct compiler *c, const struct pvalue *input, struct sqlbuf *out)
{
    const struct type *t = input->type.type;
    bool any = false;

    for (size_t i = 0; i < t->ninputs; i++) {
        const struct column *column = t->inputs[i].column;
        struct pvalue v = input_member(&c->in, input, i);

        if (v.kind == PVALUE_ABSENT)
            continue;
        if (any)
            sqlbuf_text(out, ", ");
        else
            sqlbuf_text(out, " set ");
        any = true;
        sqlbuf_identifier(out, column->name);
        sqlbuf_text(out, " = ");
        if (!plan_insert_value(c, column, &v, out))
            return false;
    }
    return any || input_fail(&c->in, input, "\"input\" has no field to set");
}

static bool plan_update(struct compiler *c, const struct selection *s, int position)
{
    const struct relation *r = s->field->relation;
    const struct source *target = source_new(c, r);
    struct kept kept = {.key = relation_key(r)};
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    sqlbuf_text(&sql, "with w as (update ");
    write_target(r, target->alias, &sql);
    for (size_t i = 0; i < s->field->narguments; i++) {
        struct pvalue v = input_argument(&c->in, s, &s->field->arguments[i]);

        if (s->field->arguments[i].role == INPUT_ROWS &&
            (v.kind != PVALUE_OBJECT || !write_assignments(c, &v, &sql)))
            return false;
    }
    if (!write_where(c, s, target->alias, &sql))
        return false;
    kept_returning(&kept, target->alias, &sql);
    sqlbuf_text(&sql, ") ");
    compile_step(c, &sql, position, kept_select(&kept, &sql), true);
    return true;
}

/* --- delete ----------------------------------------------------------------------------------- */

/* A row of the deleted ones, as the rest of the statement sees it. */
struct deleted {
    struct source *source;
    struct row row;
};

static void write_key_order(const struct deleted *d, struct sqlbuf *out)
{
    const struct key *k = relation_key(d->source->relation);

    for (size_t i = 0; i < k->n; i++) {
        if (i == 0)
            sqlbuf_text(out, " order by ");
        else
            sqlbuf_text(out, ", ");
        sqlbuf_column(out, d->source->alias, k->columns[i]);
    }
}

/* select … from w t2 left join … order by t2."id" */
static void write_deleted(const struct deleted *d, bool as_record, struct sqlbuf *out)
{
    row_write(&d->row, as_record, out);
    sqlbuf_text(out, "w ");
    sqlbuf_alias(out, d->source->alias);
    sqlbuf_append(out, &d->row.joins);
    write_key_order(d, out);
}

static bool gather_deleted(struct compiler *c, const struct selection *s, struct source *target,
                           struct deleted *d, const struct shape **object)
{
    const struct relation *r = s->field->relation;
    const struct key *k = relation_key(r);

    d->source = source_new(c, r);
    d->source->paged = true;
    if (!row_gather(c, d->source, s, 0, &d->row, object))
        return false;
    for (size_t i = 0; i < k->n; i++)
        d->source->used[k->columns[i]->index] = true;
    for (size_t i = 0; i < r->nall_columns; i++)
        target->used[i] = target->used[i] || d->source->used[i];
    target->whole = target->whole || d->source->whole;
    return true;
}

/* with w as (delete from "relation" t1 where … returning …) */
static bool write_delete(struct compiler *c, const struct selection *s, const struct source *target,
                         struct sqlbuf *out)
{
    size_t begin;

    sqlbuf_text(out, "with w as (delete from ");
    write_target(target->relation, target->alias, out);
    if (!write_where(c, s, target->alias, out))
        return false;
    sqlbuf_text(out, " returning ");
    begin = out->len;
    source_used(c, target, out);
    if (out->len == begin)
        sqlbuf_text(out, "1 as one");
    sqlbuf_text(out, ") ");
    return true;
}

static bool plan_delete_one(struct compiler *c, const struct selection *s, int position,
                            struct shape_field *shape)
{
    struct source *target = source_new(c, s->field->relation);
    struct deleted d;
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    if (!gather_deleted(c, s, target, &d, &shape->object) || !write_delete(c, s, target, &sql))
        return false;
    write_deleted(&d, false, &sql);
    shape->kind = SHAPE_ROW;
    shape->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, shape->object->ncolumns, false);
    return true;
}

/* All in one row: the number, and for each `returning` an array of records. */
static bool plan_delete_many(struct compiler *c, const struct selection *s, int position,
                             struct shape_field *out)
{
    struct source *target = source_new(c, s->field->relation);
    struct shape_field *fields;
    struct shape *shape = payload_shape(c, s, &fields);
    struct deleted d;
    struct sqlbuf sql, lists;

    sqlbuf_init(&sql, &c->params);
    sqlbuf_init(&lists, &c->params);
    shape->ncolumns = 2;
    for (size_t i = 0; i < s->nchildren; i++) {
        const struct selection *child = s->children[i];

        plan_shape_field(c, child, &fields[i]);
        if (child->field->resolver == RESOLVE_RETURNING) {
            if (!gather_deleted(c, child, target, &d, &fields[i].object))
                return false;
            fields[i].kind = SHAPE_RECORDS;
            fields[i].column = (uint16_t)shape->ncolumns++;
            sqlbuf_text(&lists, ", array(");
            write_deleted(&d, true, &lists);
            sqlbuf_text(&lists, ")");
        } else if (child->field->resolver == RESOLVE_AFFECTED) {
            set_affected(&fields[i]);
        } else {
            set_typename(child, &fields[i]);
        }
    }
    if (!write_delete(c, s, target, &sql))
        return false;
    sqlbuf_text(&sql, "select n.n, pg_catalog.set_config('fraiseql.affected', n.n::text, true)");
    sqlbuf_append(&sql, &lists);
    sqlbuf_text(&sql, " from (select pg_catalog.count(*)::int4 from w) n(n)");
    out->kind = SHAPE_ROW;
    out->object = shape;
    out->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, shape->ncolumns, true);
    return plan_change_at_most(c, s, position);
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool plan_written(struct compiler *c, const struct selection *s, int position,
                         struct shape_field *shape)
{
    bool one = s->field->key != NULL;
    size_t made = c->steps.n;

    if (s->field->change == CHANGE_UPDATE) {
        if (!plan_update(c, s, position) || !plan_change_at_most(c, s, position))
            return false;
    } else if (!plan_insert(c, s, position, &made)) {
        return false;
    }
    return one ? read_kept(c, s, position, true, shape) : answer_many(c, s, position, made, shape);
}

bool plan_change(struct compiler *c, const struct selection *s, int position,
                 struct shape_field *shape)
{
    bool ok;

    plan_shape_field(c, s, shape);
    if (s->field->change != CHANGE_DELETE)
        ok = plan_written(c, s, position, shape);
    else if (s->field->key != NULL)
        ok = plan_delete_one(c, s, position, shape);
    else
        ok = plan_delete_many(c, s, position, shape);
    return ok && plan_change_fits(c, s);
}
