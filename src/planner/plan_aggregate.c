/*
 * plan_aggregate.c - aggregates and groups to a SELECT of what is asked for, each once.
 *
 * Thread:   any.
 * Not here: which aggregates there are (schema/aggregates.c), conditions (plan_filter.c), order and
 *           limit (plan_page.c).
 *
 * What hangs on a row of a list is a scalar subquery of it, as a nested list is:
 * the page of the parent is cut before, so it runs for the rows of the page only,
 * by the index that the foreign key should have.
 */
#include "planner/plan_aggregate.h"

#include "language/source.h"
#include "planner/plan_filter.h"

struct gathering {
    struct compiler *c;
    struct row *row;
    const struct columns *by; /* of groups; NULL: of all rows */
};

static bool gather_object(struct gathering *g, const struct selection *s, enum aggregate function,
                          const struct shape **out);

/* The column that countDistinct(field:) names; NULL with errors added. */
static const struct column *counted_column(const struct gathering *g, const struct selection *s)
{
    struct pvalue v = input_argument(&g->c->in, s, &s->field->arguments[0]);

    if (v.kind != PVALUE_LEAF)
        return NULL;
    return &g->row->base->relation->columns[input_enum(&v)->value];
}

static const struct column *key_column(const struct gathering *g, const struct selection *s)
{
    const struct column *key = s->field->column;

    if (plan_has_column(g->by, key))
        return key;
    error_at(errors_add(g->c->in.errs, BAD_USER_INPUT, "\"%.*s\" is not in \"by\"",
                        STR_ARG(s->field->name)),
             g->c->in.errs, source_location(g->c->in.op->document->source, s->ast->offset));
    return NULL;
}

/* What is selected for a field; function: what its parent is of. NULL with errors added. */
static const struct column *column_of(const struct gathering *g, const struct selection *s,
                                      enum aggregate function)
{
    enum resolver resolver = s->field->resolver;
    const struct column *of;

    if (resolver == RESOLVE_COUNT)
        return compile_aggregate(g->c, AGGREGATE_COUNT, NULL);
    if (resolver == RESOLVE_AGGREGATED)
        return compile_aggregate(g->c, function, s->field->column);
    if (resolver == RESOLVE_GROUP_KEY)
        return key_column(g, s);
    CHECK(resolver == RESOLVE_COUNT_DISTINCT);
    of = counted_column(g, s);
    return of != NULL ? compile_aggregate(g->c, AGGREGATE_COUNT_DISTINCT, of) : NULL;
}

static bool gather_field(struct gathering *g, const struct selection *s, enum aggregate function,
                         struct shape_field *out)
{
    const struct column *column;

    plan_shape_field(g->c, s, out);
    if (s->field->resolver == RESOLVE_TYPENAME) {
        out->kind = SHAPE_TYPENAME;
        out->text = s->parent->name;
        return true;
    }
    if (s->field->resolver == RESOLVE_AGGREGATES) {
        out->kind = SHAPE_OBJECT;
        return gather_object(g, s, s->field->aggregate, &out->object);
    }
    column = column_of(g, s, function);
    if (column == NULL)
        return false;
    if (g->row->nitems >= MAX_ROW_COLUMNS)
        return plan_too_complex(g->c, s, "an object of the operation has too many fields");
    out->kind = SHAPE_VALUE;
    out->column = row_column(g->row, g->row->base, column);
    out->codec = column->codec;
    return true;
}

static bool gather_object(struct gathering *g, const struct selection *s, enum aggregate function,
                          const struct shape **out)
{
    struct arena *a = g->c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);

    shape->fields = fields;
    shape->nfields = s->nchildren;
    shape->presence = -1;
    for (size_t i = 0; i < s->nchildren; i++)
        if (!gather_field(g, s->children[i], function, &fields[i]))
            return false;
    VEC_PUSH(g->c->in.scratch, &g->row->shapes, shape);
    *out = shape;
    return true;
}

bool plan_aggregate(struct compiler *c, const struct selection *s, const struct parent *parent,
                    bool as_record, struct sqlbuf *out, const struct shape **object)
{
    struct source *base = source_new(c, s->field->relation);
    struct row r;
    struct gathering g = {.c = c, .row = &r};
    struct sqlbuf where;
    bool any;

    row_begin(c, base, &r);
    if (!select_where(c, s, base->alias, parent, &where, &any) ||
        !gather_object(&g, s, AGGREGATE_NONE, object))
        return false;
    if (r.nitems == 0) /* only __typename: an aggregate all the same, so that there is one row */
        row_column(&r, base, compile_aggregate(c, AGGREGATE_COUNT, NULL));
    row_end(&r);
    row_write(&r, as_record, out);
    source_name(out, base->relation, base->alias);
    sqlbuf_append(out, &where);
    return true;
}

/* --- groups --------------------------------------------------------------------------------- */

static bool read_having(struct compiler *c, const struct selection *s, unsigned alias,
                        struct sqlbuf *out)
{
    for (size_t i = 0; i < s->field->narguments; i++) {
        if (s->field->arguments[i].role == INPUT_HAVING) {
            struct pvalue v = input_argument(&c->in, s, &s->field->arguments[i]);

            return plan_filter_groups(c, alias, &v, out);
        }
    }
    return true;
}

static void write_keys(const struct page *page, unsigned alias, struct sqlbuf *out)
{
    for (size_t i = 0; i < page->groups.n; i++) {
        if (i > 0)
            sqlbuf_text(out, ", ");
        else
            sqlbuf_text(out, " group by ");
        sqlbuf_column(out, alias, page->groups.items[i]);
    }
}

bool plan_groups(struct compiler *c, const struct selection *s, bool as_record, struct sqlbuf *out,
                 const struct shape **object)
{
    struct source *base = source_new(c, s->field->relation);
    struct page page;
    struct row r;
    struct gathering g = {.c = c, .row = &r, .by = &page.groups};
    struct sqlbuf where, having;
    bool any;

    sqlbuf_init(&having, &c->params);
    row_begin(c, base, &r);
    if (!select_where(c, s, base->alias, NULL, &where, &any) ||
        !plan_page(c, base->alias, base->relation, s, &page) ||
        !read_having(c, s, base->alias, &having) || !gather_object(&g, s, AGGREGATE_NONE, object))
        return false;
    row_end(&r);
    row_write(&r, as_record, out);
    source_name(out, base->relation, base->alias);
    sqlbuf_append(out, &where);
    write_keys(&page, base->alias, out);
    sqlbuf_append(out, &having);
    select_order(&r, &page.order, out);
    sqlbuf_append(out, &page.limit);
    return true;
}
