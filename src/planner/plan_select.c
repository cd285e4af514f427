/*
 * plan_select.c - lists and single rows to SELECTs of typed columns.
 *
 * Thread:   any.
 * Not here: what a row holds (plan_row.c), predicates (plan_filter.c), order and limit
 *           (plan_page.c).
 *
 * A list without relations below it is one flat SELECT. With relations:
 *
 *     select t1."name", t2."name", array(select row(…) from … where t3.fk = t1."id" …)
 *       from (select t1."id", t1."name" from "v_project" t1 where … order by … limit 20) t1
 *       left join "v_user" t2 on t2."id" = t1."owner_id"
 *      order by …
 *
 * The limit stands below the joins and the nested lists, so that these are
 * worked out for the page only. PostgreSQL would otherwise join all rows first:
 * under row-level security it expects so few of them that it sees no harm.
 * The order is repeated outside, where it is free, because a join may change it.
 * A relation that is only ordered by is joined inside, and again outside if
 * something of it is selected.
 *
 * With distinctOn, one subquery more picks the rows, in the order that it needs
 * for that, below the order of the list:
 *
 *     from (select distinct on (t1."owner_id") t1."id", … from … where …
 *            order by t1."owner_id", …) t1
 *    order by … limit 20
 */
#include "planner/plan_select.h"

#include "planner/plan_aggregate.h"
#include "planner/plan_call.h"
#include "planner/plan_filter.h"
#include "planner/plan_node.h"
#include "planner/plan_page.h"

struct str select_order_name(const struct row *r, size_t n)
{
    return source_free_name(r->c, r->base, arena_printf(r->c->in.scratch, "order_%zu", n + 1));
}

static void write_order(const struct row *r, const struct order_terms *order, bool outside,
                        bool reversed, struct sqlbuf *out)
{
    for (size_t i = 0; i < order->n; i++) {
        const struct order_term *t = &order->items[i];

        if (i == 0)
            sqlbuf_text(out, " order by ");
        else
            sqlbuf_text(out, ", ");
        if (!outside || t->alias == r->base->alias) {
            sqlbuf_column(out, t->alias, t->column);
        } else {
            sqlbuf_alias(out, r->base->alias);
            sqlbuf_text(out, ".");
            sqlbuf_identifier(out, select_order_name(r, i));
        }
        plan_direction(out, reversed ? plan_reverse(t->direction) : t->direction);
    }
}

/* The order in which a function gave the rows, outside. */
static void write_given(const struct row *r, struct sqlbuf *out)
{
    sqlbuf_text(out, " order by ");
    sqlbuf_alias(out, r->base->alias);
    sqlbuf_text(out, ".");
    sqlbuf_identifier(out, select_order_name(r, 0));
}

/* What the outer SELECT mentions of the limited rows. */
static void write_inner_items(const struct row *r, const struct page *page, struct sqlbuf *out)
{
    size_t begin = out->len;

    for (size_t i = 0; i < page->order.n; i++)
        if (page->order.items[i].alias == r->base->alias)
            r->base->used[column_root(page->order.items[i].column)->index] = true;
    source_used(r->c, r->base, out);
    for (size_t i = 0; i < page->order.n; i++) {
        const struct order_term *t = &page->order.items[i];

        if (t->alias == r->base->alias)
            continue;
        if (out->len > begin)
            sqlbuf_text(out, ", ");
        sqlbuf_column(out, t->alias, t->column);
        sqlbuf_text(out, " as ");
        sqlbuf_identifier(out, select_order_name(r, i));
    }
    if (!page->as_given)
        return;
    if (out->len > begin)
        sqlbuf_text(out, ", ");
    sqlbuf_text(out, "pg_catalog.row_number() over () as ");
    sqlbuf_identifier(out, select_order_name(r, 0));
}

/* relation t1 [joins] [where …] order by … */
static void write_rows(const struct row *r, const struct page *page,
                       const struct order_terms *order, const struct sqlbuf *where,
                       struct sqlbuf *out)
{
    source_from(out, r->base);
    sqlbuf_append(out, &page->joins);
    sqlbuf_append(out, where);
    write_order(r, order, false, page->reversed, out);
}

/* (select distinct on (…) … from … order by …) t1 order by … limit … */
static void write_distinct(const struct row *r, const struct page *page, const struct sqlbuf *where,
                           struct sqlbuf *out)
{
    for (size_t i = 0; i < page->distinct.n; i++) {
        /* They may be all there is, and a SELECT with DISTINCT must have something. */
        r->base->used[column_root(page->distinct.items[i])->index] = true;
        if (i > 0)
            sqlbuf_text(out, ", ");
        else
            sqlbuf_text(out, "(select distinct on (");
        sqlbuf_column(out, r->base->alias, page->distinct.items[i]);
    }
    sqlbuf_text(out, ") ");
    write_inner_items(r, page, out);
    sqlbuf_text(out, " from ");
    write_rows(r, page, &page->pick, where, out);
    sqlbuf_text(out, ") ");
    sqlbuf_alias(out, r->base->alias);
    write_order(r, &page->order, true, false, out);
    sqlbuf_append(out, &page->limit);
}

/* What the list has of the relation: its rows in order, up to the limit. */
static void write_page(const struct row *r, const struct page *page, const struct sqlbuf *where,
                       struct sqlbuf *out)
{
    if (page->distinct.n > 0) {
        write_distinct(r, page, where, out);
        return;
    }
    write_rows(r, page, &page->order, where, out);
    sqlbuf_append(out, &page->limit);
}

void select_write(const struct row *r, const struct page *page, const struct sqlbuf *where,
                  bool as_record, struct sqlbuf *out)
{
    row_write(r, as_record, out);
    if (!r->nested && !page->reversed) {
        write_page(r, page, where, out);
        return;
    }
    sqlbuf_text(out, "(select ");
    if (page->distinct.n > 0)
        sqlbuf_text(out, "*");
    else
        write_inner_items(r, page, out);
    sqlbuf_text(out, " from ");
    write_page(r, page, where, out);
    sqlbuf_text(out, ") ");
    sqlbuf_alias(out, r->base->alias);
    sqlbuf_append(out, &r->joins);
    if (page->as_given)
        write_given(r, out);
    else
        write_order(r, &page->order, true, false, out);
}

/* "function"(…) */
static bool read_call(struct compiler *c, const struct selection *s, const struct parent *parent,
                      struct sqlbuf *out)
{
    struct sqlbuf whole;

    sqlbuf_init(out, &c->params);
    if (parent == NULL)
        return plan_call(c, s, NULL, out);
    sqlbuf_init(&whole, &c->params);
    source_whole(c, parent->source, &whole);
    return plan_call(c, s, &whole, out);
}

struct source *select_source(struct compiler *c, const struct selection *s,
                             const struct parent *parent)
{
    struct source *base = source_new(c, s->field->relation);
    struct sqlbuf *call;

    base->paged = true;
    if (s->field->function == NULL)
        return base;
    base->call = call = ARENA_NEW(c->in.scratch, struct sqlbuf);
    return read_call(c, s, parent, call) ? base : NULL;
}

/* Where a row hangs on its parent. A function is called only where there is one. */
static void write_hold(const struct selection *s, unsigned alias, const struct parent *parent,
                       struct sqlbuf *out, bool *any)
{
    const struct relationship *to = s->field->relationship;

    if (s->field->function != NULL && parent->source == parent->row->base)
        return;
    *any = true;
    sqlbuf_text(out, " where ");
    if (s->field->function != NULL) {
        source_is_there(parent->source, out);
        return;
    }
    for (size_t i = 0; i < to->n; i++)
        row_use(parent->row, parent->source, to->from_columns[i]);
    source_match(out, to, parent->source->alias, alias);
}

void select_order(const struct row *r, const struct order_terms *order, struct sqlbuf *out)
{
    write_order(r, order, false, false, out);
}

bool select_where(struct compiler *c, const struct selection *s, unsigned alias,
                  const struct parent *parent, struct sqlbuf *out, bool *any)
{
    sqlbuf_init(out, &c->params);
    *any = false;
    if (parent != NULL)
        write_hold(s, alias, parent, out, any);
    for (size_t i = 0; i < s->field->narguments; i++) {
        if (s->field->arguments[i].role == INPUT_WHERE) {
            struct pvalue v = input_argument(&c->in, s, &s->field->arguments[i]);

            if (!plan_filter(c, alias, &v, out, any))
                return false;
        }
    }
    return true;
}

/* parent: NULL for a root field. */
static bool select_list(struct compiler *c, const struct selection *s, const struct parent *parent,
                        bool as_record, unsigned depth, struct sqlbuf *out,
                        const struct shape **object)
{
    struct source *base = select_source(c, s, parent);
    struct sqlbuf where;
    struct page page;
    struct row r;
    bool any;

    if (base == NULL || !select_where(c, s, base->alias, parent, &where, &any) ||
        !plan_page(c, base->alias, base->relation, s, &page) ||
        !row_gather(c, base, s, depth, &r, object))
        return false;
    select_write(&r, &page, &where, as_record, out);
    return true;
}

/* The row of a function, of which there is one: of nulls in place of none. */
static bool select_function_row(struct compiler *c, const struct selection *s, bool as_record,
                                struct sqlbuf *out, const struct shape **object)
{
    struct source *base = source_new(c, s->field->relation);
    struct sqlbuf call;
    struct row r;

    base->call = &call;
    if (!read_call(c, s, NULL, &call) || !row_gather(c, base, s, 0, &r, object))
        return false;
    row_write(&r, as_record, out);
    source_from(out, base);
    sqlbuf_append(out, &r.joins);
    sqlbuf_text(out, " where ");
    source_is_there(base, out);
    return true;
}

void select_write_one(const struct row *r, const struct sqlbuf *where, bool as_record,
                      struct sqlbuf *out)
{
    const struct relation *relation = r->base->relation;

    row_write(r, as_record, out);
    source_name(out, relation, r->base->alias);
    sqlbuf_append(out, &r->joins);
    sqlbuf_append(out, where);
    /* The key of a view may be declared only, and a scalar subquery must not have a second row. */
    if (relation->kind != RELATION_TABLE && relation->kind != RELATION_PARTITIONED)
        sqlbuf_text(out, " limit 1");
}

static bool select_by_key(struct compiler *c, const struct selection *s, bool as_record,
                          struct sqlbuf *out, const struct shape **object)
{
    const struct relation *relation = s->field->relation;
    struct source *base = source_new(c, relation);
    struct sqlbuf where;
    struct row r;
    bool any = false;

    sqlbuf_init(&where, &c->params);
    for (size_t i = 0; i < s->field->narguments; i++) {
        const struct input_value *a = &s->field->arguments[i];
        struct pvalue v = input_argument(&c->in, s, a);

        if (a->role != INPUT_KEY)
            continue;
        if (any)
            sqlbuf_text(&where, " and ");
        else
            sqlbuf_text(&where, " where ");
        any = true;
        if (!plan_filter_key(c, base->alias, a->column, &v, &where))
            return false;
    }
    CHECK(any);
    if (!row_gather(c, base, s, 0, &r, object))
        return false;
    select_write_one(&r, &where, as_record, out);
    return true;
}

bool plan_select_related(struct compiler *c, const struct selection *s, const struct parent *parent,
                         unsigned depth, struct sqlbuf *out, const struct shape **object)
{
    return select_list(c, s, parent, true, depth, out, object);
}

static bool is_list(const struct selection *s)
{
    return s->field->resolver == RESOLVE_LIST ||
           (s->field->function != NULL && s->field->function->result == FUNCTION_ROWS);
}

bool plan_select(struct compiler *c, const struct selection *s, bool as_record, struct sqlbuf *out,
                 struct shape_field *shape)
{
    plan_shape_field(c, s, shape);
    if (is_list(s)) {
        shape->kind = as_record ? SHAPE_RECORDS : SHAPE_ROWS;
        return select_list(c, s, NULL, as_record, 0, out, &shape->object);
    }
    if (s->field->resolver == RESOLVE_AGGREGATE) {
        shape->kind = as_record ? SHAPE_RECORD : SHAPE_ROW;
        return plan_aggregate(c, s, NULL, as_record, out, &shape->object);
    }
    if (s->field->resolver == RESOLVE_GROUPS) {
        shape->kind = as_record ? SHAPE_RECORDS : SHAPE_ROWS;
        return plan_groups(c, s, as_record, out, &shape->object);
    }
    shape->kind = as_record ? SHAPE_RECORD : SHAPE_ROW;
    if (s->field->function != NULL)
        return select_function_row(c, s, as_record, out, &shape->object);
    if (s->field->resolver == RESOLVE_NODE)
        return plan_node(c, s, as_record, out, &shape->object);
    CHECK(s->field->resolver == RESOLVE_BY_KEY);
    return select_by_key(c, s, as_record, out, &shape->object);
}
