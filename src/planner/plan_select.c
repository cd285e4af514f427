/*
 * plan_select.c - selection tree to a SELECT of typed columns, and the shape of its rows.
 *
 * Thread:   any.
 * Not here: predicates (plan_filter.c), order and limit (plan_page.c).
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
 */
#include "planner/plan_select.h"

#include "language/source.h"
#include "planner/plan_filter.h"
#include "planner/plan_page.h"

#define MAX_ROW_COLUMNS 1600 /* PostgreSQL: 1664, of a row and of row(…) */
#define MAX_SHAPE_DEPTH 100

struct to_one {
    unsigned from;
    const struct relationship *relationship;
    struct source *source;
};

struct selected {
    unsigned alias;
    const struct column *column;
    uint16_t index;
};

/* The columns of one row while they are gathered. */
struct row {
    struct compiler *c;
    struct source *base;
    struct sqlbuf items;
    size_t nitems;
    struct sqlbuf joins;
    bool nested; /* has joins or lists: needs the subquery that limits it */
    struct {
        struct selected *items;
        size_t n, cap;
    } columns;
    struct {
        struct to_one *items;
        size_t n, cap;
    } to_ones;
    struct {
        struct shape **items;
        size_t n, cap;
    } shapes; /* that read this row */
};

void plan_shape_field(struct compiler *c, const struct selection *s, struct shape_field *out)
{
    const struct type_ref type = s->field->type;

    out->key_json = arena_printf(c->in.arena, "\"%.*s\":", STR_ARG(s->key));
    out->key = s->key;
    out->selection = s;
    out->offset = s->ast->offset;
    out->non_null = type_ref_non_null(type);
    out->items_non_null = type_ref_is_list(type) && type_ref_non_null(type_ref_item(type));
}

static bool too_complex(struct compiler *c, const struct selection *s, const char *message)
{
    error_at(errors_add(c->in.errs, QUERY_TOO_COMPLEX, "%s", message), c->in.errs,
             source_location(c->in.op->document->source, s->ast->offset));
    return false;
}

/* Mention a column outside the subquery that limits the base. */
static void use(struct row *r, struct source *s, const struct column *column)
{
    if (s == r->base)
        s->used[column->index] = true;
}

static uint16_t next_item(struct row *r)
{
    if (r->nitems > 0)
        sqlbuf_text(&r->items, ", ");
    return (uint16_t)r->nitems++;
}

/* Index of a column of a source in the row: selected once, however often it is asked for. */
static uint16_t row_column(struct row *r, struct source *s, const struct column *column)
{
    uint16_t index;

    for (size_t i = 0; i < r->columns.n; i++)
        if (r->columns.items[i].alias == s->alias && r->columns.items[i].column == column)
            return r->columns.items[i].index;
    use(r, s, column);
    index = next_item(r);
    sqlbuf_value(&r->items, s->alias, column);
    VEC_PUSH(r->c->in.scratch, &r->columns, (struct selected){s->alias, column, index});
    return index;
}

static struct source *row_join(struct row *r, struct source *from, const struct relationship *to)
{
    struct to_one t = {.from = from->alias, .relationship = to};

    for (size_t i = 0; i < r->to_ones.n; i++)
        if (r->to_ones.items[i].from == from->alias && r->to_ones.items[i].relationship == to)
            return r->to_ones.items[i].source;
    t.source = source_new(r->c, to->to);
    for (size_t i = 0; i < to->n; i++)
        use(r, from, to->from_columns[i]);
    source_join(&r->joins, to, from->alias, t.source->alias);
    r->nested = true;
    VEC_PUSH(r->c->in.scratch, &r->to_ones, t);
    return t.source;
}

static bool select_list(struct compiler *c, const struct selection *s, struct row *parent,
                        struct source *parent_source, bool as_record, unsigned depth,
                        struct sqlbuf *out, const struct shape **object);
static bool select_object(struct row *r, struct source *source, const struct selection *s,
                          int presence, unsigned depth, const struct shape **out);

static bool select_to_one(struct row *r, struct source *source, const struct selection *s,
                          unsigned depth, struct shape_field *out)
{
    const struct relationship *to = s->field->relationship;
    struct source *joined = row_join(r, source, to);

    out->kind = SHAPE_OBJECT;
    /* It is compared with =, so it is not null where there is a row. */
    return select_object(r, joined, s, row_column(r, joined, to->to_columns[0]), depth + 1,
                         &out->object);
}

static bool select_to_many(struct row *r, struct source *source, const struct selection *s,
                           unsigned depth, struct shape_field *out)
{
    struct sqlbuf list;

    sqlbuf_init(&list, &r->c->params);
    out->kind = SHAPE_RECORDS;
    r->nested = true;
    if (!select_list(r->c, s, r, source, true, depth + 1, &list, &out->object))
        return false;
    out->column = next_item(r);
    sqlbuf_text(&r->items, "array(");
    sqlbuf_append(&r->items, &list);
    sqlbuf_text(&r->items, ")");
    return true;
}

static bool select_field(struct row *r, struct source *source, const struct selection *s,
                         unsigned depth, struct shape_field *out)
{
    plan_shape_field(r->c, s, out);
    if (r->nitems > MAX_ROW_COLUMNS)
        return too_complex(r->c, s, "an object of the operation has too many fields");
    switch (s->field->resolver) {
    case RESOLVE_COLUMN:
        out->kind = SHAPE_VALUE;
        out->column = row_column(r, source, s->field->column);
        out->codec = s->field->column->codec;
        return true;
    case RESOLVE_TO_ONE:
        return select_to_one(r, source, s, depth, out);
    case RESOLVE_TO_MANY:
        return select_to_many(r, source, s, depth, out);
    case RESOLVE_TYPENAME:
        out->kind = SHAPE_TYPENAME;
        out->text = s->parent->name;
        return true;
    case RESOLVE_BY_KEY:
    case RESOLVE_LIST:
    case RESOLVE_FUNCTION:
    case RESOLVE_INTROSPECTION:
        break;
    }
    CHECK(!"a row has no such field");
    return false;
}

static bool select_object(struct row *r, struct source *source, const struct selection *s,
                          int presence, unsigned depth, const struct shape **out)
{
    struct arena *a = r->c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);

    if (depth > MAX_SHAPE_DEPTH)
        return too_complex(r->c, s, "the operation is nested too deep");
    shape->fields = fields;
    shape->nfields = s->nchildren;
    shape->presence = presence;
    for (size_t i = 0; i < s->nchildren; i++)
        if (!select_field(r, source, s->children[i], depth, &fields[i]))
            return false;
    VEC_PUSH(r->c->in.scratch, &r->shapes, shape);
    *out = shape;
    return true;
}

/* Compile the columns of a row of the base, and all that hangs on it. */
static bool gather_row(struct compiler *c, struct source *base, const struct selection *s,
                       unsigned depth, struct row *r, const struct shape **object)
{
    *r = (struct row){.c = c, .base = base};
    sqlbuf_init(&r->items, &c->params);
    sqlbuf_init(&r->joins, &c->params);
    if (!select_object(r, base, s, -1, depth, object))
        return false;
    if (r->nitems == 0) { /* only __typename: the row still has to arrive */
        next_item(r);
        sqlbuf_text(&r->items, "true");
    }
    for (size_t i = 0; i < r->shapes.n; i++)
        r->shapes.items[i]->ncolumns = r->nitems;
    return true;
}

static void write_items(const struct row *r, bool as_record, struct sqlbuf *out)
{
    sqlbuf_text(out, "select ");
    if (as_record)
        sqlbuf_text(out, "row(");
    sqlbuf_append(out, &r->items);
    if (as_record)
        sqlbuf_text(out, ")");
    sqlbuf_text(out, " from ");
}

/* A name for the n-th order term in the limiting subquery that is no column of the relation. */
static struct str order_name(const struct row *r, size_t n)
{
    struct arena *a = r->c->in.scratch;
    struct str name = arena_printf(a, "order_%zu", n + 1);

    for (size_t i = 0; i < r->base->relation->ncolumns; i++) {
        if (str_eq(r->base->relation->columns[i].name, name)) {
            name = arena_printf(a, "%.*s_", STR_ARG(name));
            i = (size_t)-1; /* look through all again */
        }
    }
    return name;
}

static void write_order(const struct row *r, const struct page *page, bool outside,
                        struct sqlbuf *out)
{
    for (size_t i = 0; i < page->order.n; i++) {
        const struct order_term *t = &page->order.items[i];

        if (i == 0)
            sqlbuf_text(out, " order by ");
        else
            sqlbuf_text(out, ", ");
        if (!outside || t->alias == r->base->alias) {
            sqlbuf_column(out, t->alias, t->column);
        } else {
            sqlbuf_alias(out, r->base->alias);
            sqlbuf_text(out, ".");
            sqlbuf_identifier(out, order_name(r, i));
        }
        plan_direction(out, t->direction);
    }
}

/* What the outer SELECT mentions of the limited rows. */
static void write_inner_items(const struct row *r, const struct page *page, struct sqlbuf *out)
{
    const char *separator = "";

    for (size_t i = 0; i < page->order.n; i++)
        if (page->order.items[i].alias == r->base->alias)
            r->base->used[page->order.items[i].column->index] = true;
    for (size_t i = 0; i < r->base->relation->ncolumns; i++) {
        if (!r->base->used[i])
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_column(out, r->base->alias, &r->base->relation->columns[i]);
        separator = ", ";
    }
    for (size_t i = 0; i < page->order.n; i++) {
        const struct order_term *t = &page->order.items[i];

        if (t->alias == r->base->alias)
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_column(out, t->alias, t->column);
        sqlbuf_text(out, " as ");
        sqlbuf_identifier(out, order_name(r, i));
        separator = ", ";
    }
}

/* from relation t1 [joins] [where …] order by … limit … */
static void write_page(const struct row *r, const struct page *page, const struct sqlbuf *where,
                       struct sqlbuf *out)
{
    source_name(out, r->base->relation, r->base->alias);
    sqlbuf_append(out, &page->joins);
    sqlbuf_append(out, where);
    write_order(r, page, false, out);
    sqlbuf_append(out, &page->limit);
}

static bool read_where(struct compiler *c, const struct selection *s, unsigned alias,
                       struct sqlbuf *out, bool any)
{
    for (size_t i = 0; i < s->field->narguments; i++) {
        if (s->field->arguments[i].role == INPUT_WHERE) {
            struct pvalue v = input_argument(&c->in, s, &s->field->arguments[i]);

            if (!plan_filter(c, alias, &v, out, &any))
                return false;
        }
    }
    return true;
}

/* parent: NULL for a root field. */
static bool select_list(struct compiler *c, const struct selection *s, struct row *parent,
                        struct source *parent_source, bool as_record, unsigned depth,
                        struct sqlbuf *out, const struct shape **object)
{
    const struct relationship *to = parent != NULL ? s->field->relationship : NULL;
    struct source *base = source_new(c, to != NULL ? to->to : s->field->relation);
    struct page page;
    struct sqlbuf where;
    struct row r;

    sqlbuf_init(&where, &c->params);
    if (to != NULL) {
        for (size_t i = 0; i < to->n; i++)
            use(parent, parent_source, to->from_columns[i]);
        sqlbuf_text(&where, " where ");
        source_match(&where, to, parent_source->alias, base->alias);
    }
    if (!read_where(c, s, base->alias, &where, to != NULL) ||
        !plan_page(c, base->alias, base->relation, s, &page) ||
        !gather_row(c, base, s, depth, &r, object))
        return false;
    write_items(&r, as_record, out);
    if (!r.nested) {
        write_page(&r, &page, &where, out);
        return true;
    }
    sqlbuf_text(out, "(select ");
    write_inner_items(&r, &page, out);
    sqlbuf_text(out, " from ");
    write_page(&r, &page, &where, out);
    sqlbuf_text(out, ") ");
    sqlbuf_alias(out, base->alias);
    sqlbuf_append(out, &r.joins);
    write_order(&r, &page, true, out);
    return true;
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
    if (!gather_row(c, base, s, 0, &r, object))
        return false;
    write_items(&r, as_record, out);
    source_name(out, relation, base->alias);
    sqlbuf_append(out, &r.joins);
    sqlbuf_append(out, &where);
    /* The key of a view may be declared only, and a scalar subquery must not have a second row. */
    if (relation->kind != RELATION_TABLE && relation->kind != RELATION_PARTITIONED)
        sqlbuf_text(out, " limit 1");
    return true;
}

/* --- what a function returned ----------------------------------------------------------------- */

const struct key *plan_result_key(const struct relation *r)
{
    const struct key *k = relation_key(r);

    /* An array of arrays would have to be rectangular. */
    for (size_t i = 0; k != NULL && i < k->n; i++)
        if (k->columns[i]->is_array)
            return NULL;
    return k;
}

/* current_setting('fraiseql.key1')::type[] */
static void write_key_values(const struct key *k, size_t i, struct sqlbuf *out)
{
    sqlbuf_text(out, "pg_catalog.current_setting('fraiseql.key");
    sqlbuf_integer(out, (int64_t)i + 1);
    sqlbuf_text(out, "')");
    sqlbuf_cast(out, k->columns[i]->type_sql, true);
}

/* "relation" t1 [joins] where t1."key" = (keys)[1]: one row at most, as a key has it. */
static void write_result_row(const struct row *r, const struct key *k, struct sqlbuf *out)
{
    const struct relation *relation = r->base->relation;

    source_name(out, relation, r->base->alias);
    sqlbuf_append(out, &r->joins);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, " and ");
        else
            sqlbuf_text(out, " where ");
        sqlbuf_column(out, r->base->alias, k->columns[i]);
        sqlbuf_text(out, " = (");
        write_key_values(k, i, out);
        sqlbuf_text(out, ")[1]");
    }
    if (relation->kind != RELATION_TABLE && relation->kind != RELATION_PARTITIONED)
        sqlbuf_text(out, " limit 1");
}

/* unnest(keys) with ordinality k(k1, n) join "relation" t1 on t1."key" = k.k1 [joins] order by k.n
 */
static void write_result_rows(const struct row *r, const struct key *k, struct sqlbuf *out)
{
    sqlbuf_text(out, "pg_catalog.unnest(");
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, ", ");
        write_key_values(k, i, out);
    }
    sqlbuf_text(out, ") with ordinality k(");
    for (size_t i = 0; i < k->n; i++) {
        sqlbuf_text(out, "k");
        sqlbuf_integer(out, (int64_t)i + 1);
        sqlbuf_text(out, ", ");
    }
    sqlbuf_text(out, "n) join ");
    source_name(out, r->base->relation, r->base->alias);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, " and ");
        else
            sqlbuf_text(out, " on ");
        sqlbuf_column(out, r->base->alias, k->columns[i]);
        sqlbuf_text(out, " = k.k");
        sqlbuf_integer(out, (int64_t)i + 1);
    }
    sqlbuf_append(out, &r->joins);
    sqlbuf_text(out, " order by k.n");
}

/*
 * Without a key, the rows as the function gave them, numbered: an ordinality column would stand
 * beside theirs, and could have the name of one.
 */
static void write_result_values(const struct row *r, struct sqlbuf *out)
{
    sqlbuf_text(out, "(select pg_catalog.unnest(a.items) as item, pg_catalog.generate_series(1, "
                     "pg_catalog.cardinality(a.items)) as n from (select "
                     "pg_catalog.current_setting('fraiseql.rows')::");
    sqlbuf_qualified(out, r->base->relation->schema, r->base->relation->name);
    sqlbuf_text(out, "[] as items offset 0) a) k cross join lateral (select (k.item).*) ");
    sqlbuf_alias(out, r->base->alias);
    sqlbuf_append(out, &r->joins);
    sqlbuf_text(out, " order by k.n");
}

bool plan_select_result(struct compiler *c, const struct selection *s, struct sqlbuf *out,
                        struct shape_field *shape)
{
    const struct relation *relation = s->field->relation;
    const struct key *k = plan_result_key(relation);
    struct source *base = source_new(c, relation);
    bool one = s->field->function->result == FUNCTION_ROW;
    struct row r;

    shape->kind = one ? SHAPE_ROW : SHAPE_ROWS;
    if (!gather_row(c, base, s, 0, &r, &shape->object))
        return false;
    write_items(&r, false, out);
    if (k == NULL)
        write_result_values(&r, out);
    else if (one)
        write_result_row(&r, k, out);
    else
        write_result_rows(&r, k, out);
    return true;
}

bool plan_select(struct compiler *c, const struct selection *s, bool as_record, struct sqlbuf *out,
                 struct shape_field *shape)
{
    plan_shape_field(c, s, shape);
    if (s->field->resolver == RESOLVE_LIST) {
        shape->kind = as_record ? SHAPE_RECORDS : SHAPE_ROWS;
        return select_list(c, s, NULL, NULL, as_record, 0, out, &shape->object);
    }
    CHECK(s->field->resolver == RESOLVE_BY_KEY);
    shape->kind = as_record ? SHAPE_RECORD : SHAPE_ROW;
    return select_by_key(c, s, as_record, out, &shape->object);
}
