/*
 * plan_aggregate.c - aggregates to a SELECT of those that are asked for, each once.
 *
 * Thread:   any.
 * Not here: which aggregates there are (schema/aggregates.c), conditions (plan_filter.c).
 *
 * What hangs on a row of a list is a scalar subquery of it, as a nested list is:
 * the page of the parent is cut before, so it runs for the rows of the page only,
 * by the index that the foreign key should have.
 */
#include "planner/plan_aggregate.h"

/* An item of the SELECT. */
struct tally {
    enum resolver resolver;      /* RESOLVE_COUNT, RESOLVE_COUNT_DISTINCT, RESOLVE_AGGREGATED */
    enum aggregate function;     /* RESOLVE_AGGREGATED */
    const struct column *column; /* NULL: RESOLVE_COUNT */
};

struct gathering {
    struct row *row;
    struct {
        struct known {
            struct tally tally;
            uint16_t index; /* in the row */
        } * items;
        size_t n, cap;
    } known;
};

static const struct codec count_codec = {.kind = CODEC_INT4};

static void write_tally(struct sqlbuf *out, const struct tally *t, unsigned alias)
{
    if (t->resolver == RESOLVE_COUNT) {
        sqlbuf_text(out, "pg_catalog.count(*)::int4");
        return;
    }
    if (t->resolver == RESOLVE_COUNT_DISTINCT) {
        sqlbuf_text(out, "pg_catalog.count(distinct ");
        sqlbuf_column(out, alias, t->column);
        sqlbuf_text(out, ")::int4");
        return;
    }
    sqlbuf_qualified(out, t->column->aggregates->schema, aggregate_name(t->function));
    sqlbuf_text(out, "(");
    sqlbuf_column(out, alias, t->column);
    if (t->column->aggregates->cast)
        sqlbuf_cast(out, t->column->type_sql, false);
    sqlbuf_text(out, ")");
    sqlbuf_expression(out, column_aggregate(t->column, t->function));
}

/* Index in the row: selected once, however often it is asked for. */
static uint16_t tally_index(struct gathering *g, struct tally t)
{
    struct known k = {.tally = t};

    for (size_t i = 0; i < g->known.n; i++) {
        const struct tally *other = &g->known.items[i].tally;

        if (other->resolver == t.resolver && other->function == t.function &&
            other->column == t.column)
            return g->known.items[i].index;
    }
    k.index = row_item(g->row);
    write_tally(&g->row->items, &t, g->row->base->alias);
    VEC_PUSH(g->row->c->in.scratch, &g->known, k);
    return k.index;
}

/* The column that countDistinct(field:) names; NULL with errors added. */
static const struct column *counted_column(struct gathering *g, const struct selection *s)
{
    struct pvalue v = input_argument(&g->row->c->in, s, &s->field->arguments[0]);

    if (v.kind != PVALUE_LEAF)
        return NULL;
    return &g->row->base->relation->columns[input_enum(&v)->value];
}

static bool gather_object(struct gathering *g, const struct selection *s, enum aggregate function,
                          const struct shape **out);

static bool gather_field(struct gathering *g, const struct selection *s, enum aggregate function,
                         struct shape_field *out)
{
    struct tally t = {.resolver = s->field->resolver, .column = s->field->column};

    plan_shape_field(g->row->c, s, out);
    if (t.resolver == RESOLVE_TYPENAME) {
        out->kind = SHAPE_TYPENAME;
        out->text = s->parent->name;
        return true;
    }
    if (t.resolver == RESOLVE_AGGREGATES) {
        out->kind = SHAPE_OBJECT;
        return gather_object(g, s, s->field->aggregate, &out->object);
    }
    out->kind = SHAPE_VALUE;
    out->codec = &count_codec;
    if (t.resolver == RESOLVE_AGGREGATED) {
        t.function = function;
        out->codec = column_aggregate(t.column, function)->codec;
    } else if (t.resolver == RESOLVE_COUNT_DISTINCT) {
        t.column = counted_column(g, s);
        if (t.column == NULL)
            return false;
    } else {
        CHECK(t.resolver == RESOLVE_COUNT);
    }
    if (g->row->nitems >= MAX_ROW_COLUMNS)
        return plan_too_complex(g->row->c, s, "an object of the operation has too many fields");
    out->column = tally_index(g, t);
    return true;
}

static bool gather_object(struct gathering *g, const struct selection *s, enum aggregate function,
                          const struct shape **out)
{
    struct arena *a = g->row->c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);

    shape->fields = fields;
    shape->nfields = s->nchildren;
    shape->presence = -1;
    for (size_t i = 0; i < s->nchildren; i++)
        if (!gather_field(g, s->children[i], function, &fields[i]))
            return false;
    VEC_PUSH(g->row->c->in.scratch, &g->row->shapes, shape);
    *out = shape;
    return true;
}

bool plan_aggregate(struct compiler *c, const struct selection *s, const struct parent *parent,
                    bool as_record, struct sqlbuf *out, const struct shape **object)
{
    struct source *base = source_new(c, s->field->relation);
    struct row r;
    struct gathering g = {.row = &r};
    struct sqlbuf where;
    bool any;

    row_begin(c, base, &r);
    if (!select_where(c, s, base->alias, parent, &where, &any) ||
        !gather_object(&g, s, AGGREGATE_SUM, object))
        return false;
    if (r.nitems == 0) /* only __typename: an aggregate all the same, so that there is one row */
        tally_index(&g, (struct tally){.resolver = RESOLVE_COUNT});
    row_end(&r);
    row_write(&r, as_record, out);
    source_name(out, base->relation, base->alias);
    sqlbuf_append(out, &where);
    return true;
}
