/*
 * plan_composite.c - values of composite types to records of their selected parts.
 *
 * Thread:   any.
 *
 *     case when t1."address" is distinct from null
 *          then row((t1."address")."city", ((t1."address")."amount")::text) end
 *
 * A value of nulls alone is an object of nulls: for "is not null" it would be null.
 * Parts are taken in SQL rather than in C, because the cast that a part's type
 * needs is applied there, and no more is sent than is selected.
 *
 * The column of a view may be an expression, which PostgreSQL works out as often
 * as it is mentioned; there the value is fenced off in a subquery of its own.
 */
#include "planner/plan_composite.h"

struct parts {
    struct compiler *c;
    const struct sqlbuf *sql; /* the value */
    struct sqlbuf items;
    struct {
        struct selected *items;
        size_t n, cap;
    } taken;
};

static uint16_t part_item(struct parts *p, const struct column *part)
{
    struct selected s = {.column = part, .index = (uint16_t)p->taken.n};

    if (p->taken.n > 0)
        sqlbuf_text(&p->items, ", ");
    VEC_PUSH(p->c->in.scratch, &p->taken, s);
    return s.index;
}

/* (value)."part" */
static void write_part(const struct parts *p, const struct column *part, struct sqlbuf *out)
{
    sqlbuf_text(out, "(");
    sqlbuf_append(out, p->sql);
    sqlbuf_text(out, ").");
    sqlbuf_identifier(out, part->name);
}

/* Position of a part that has no parts itself: once, however often it is selected. */
static uint16_t plain_part(struct parts *p, const struct column *part)
{
    uint16_t index;

    for (size_t i = 0; i < p->taken.n; i++)
        if (p->taken.items[i].column == part)
            return p->taken.items[i].index;
    index = part_item(p, part);
    write_part(p, part, &p->items);
    sqlbuf_known(&p->items, part);
    return index;
}

static bool select_part(struct parts *p, const struct selection *s, unsigned depth,
                        struct shape_field *out)
{
    const struct column *part = s->field->column;
    struct sqlbuf value;

    plan_shape_field(p->c, s, out);
    if (s->field->resolver == RESOLVE_TYPENAME) {
        out->kind = SHAPE_TYPENAME;
        out->text = s->parent->name;
        return true;
    }
    CHECK(s->field->resolver == RESOLVE_PART);
    if (part->composite == NULL) {
        out->kind = SHAPE_VALUE;
        out->codec = part->codec;
        out->column = plain_part(p, part);
        return true;
    }
    if (p->taken.n > MAX_ROW_COLUMNS)
        return plan_too_complex(p->c, s, "an object of the operation has too many fields");
    sqlbuf_init(&value, &p->c->params);
    write_part(p, part, &value);
    out->column = part_item(p, NULL);
    return plan_composite(p->c, part, &value, s, depth + 1, &p->items, out);
}

/* case when value is distinct from null then row(…) end */
static bool write_record(struct compiler *c, const struct sqlbuf *sql, const struct selection *s,
                         unsigned depth, struct sqlbuf *out, const struct shape **object)
{
    struct arena *a = c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);
    struct parts p = {.c = c, .sql = sql};

    if (depth > MAX_SHAPE_DEPTH)
        return plan_too_complex(c, s, "the operation is nested too deep");
    sqlbuf_init(&p.items, &c->params);
    for (size_t i = 0; i < s->nchildren; i++)
        if (!select_part(&p, s->children[i], depth, &fields[i]))
            return false;
    if (p.taken.n == 0) { /* only __typename: is it there? */
        part_item(&p, NULL);
        sqlbuf_text(&p.items, "true");
    }
    *shape = (struct shape){
        .fields = fields, .nfields = s->nchildren, .ncolumns = p.taken.n, .presence = -1};
    *object = shape;
    sqlbuf_text(out, "case when ");
    sqlbuf_append(out, sql);
    sqlbuf_text(out, " is distinct from null then row(");
    sqlbuf_append(out, &p.items);
    sqlbuf_text(out, ") end");
    return true;
}

/* t5.v */
static void write_item(struct compiler *c, unsigned alias, struct sqlbuf *out)
{
    sqlbuf_init(out, &c->params);
    sqlbuf_alias(out, alias);
    sqlbuf_text(out, ".v");
}

bool plan_composite(struct compiler *c, const struct column *value, const struct sqlbuf *sql,
                    const struct selection *s, unsigned depth, struct sqlbuf *out,
                    struct shape_field *shape)
{
    unsigned alias;
    struct sqlbuf item;

    shape->kind = value->is_array ? SHAPE_RECORDS : SHAPE_RECORD;
    if (!value->is_array)
        return write_record(c, sql, s, depth, out, &shape->object);
    alias = ++c->aliases;
    write_item(c, alias, &item);
    sqlbuf_text(out, "case when ");
    sqlbuf_append(out, sql);
    sqlbuf_text(out, " is not null then array(select ");
    if (!write_record(c, &item, s, depth, out, &shape->object))
        return false;
    /* In the SELECT list, unnest() gives values; in FROM, it would give their parts. */
    sqlbuf_text(out, " from (select pg_catalog.unnest(");
    sqlbuf_append(out, sql);
    sqlbuf_text(out, ") as v) ");
    sqlbuf_alias(out, alias);
    sqlbuf_text(out, ") end");
    return true;
}

bool plan_composite_column(struct row *r, struct source *source, const struct selection *s,
                           unsigned depth, struct shape_field *out)
{
    const struct column *column = s->field->column;
    struct compiler *c = r->c;
    struct sqlbuf sql, item;
    unsigned alias;

    row_use(r, source, column);
    out->column = row_item(r);
    sqlbuf_init(&sql, &c->params);
    sqlbuf_column(&sql, source->alias, column);
    if (source->relation->kind != RELATION_VIEW)
        return plan_composite(c, column, &sql, s, depth + 1, &r->items, out);
    alias = ++c->aliases;
    write_item(c, alias, &item);
    sqlbuf_text(&r->items, "(select ");
    if (!plan_composite(c, column, &item, s, depth + 1, &r->items, out))
        return false;
    sqlbuf_text(&r->items, " from (select ");
    sqlbuf_append(&r->items, &sql);
    sqlbuf_text(&r->items, " as v offset 0) ");
    sqlbuf_alias(&r->items, alias);
    sqlbuf_text(&r->items, ")");
    return true;
}
