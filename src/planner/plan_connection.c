/*
 * plan_connection.c - connections: a page of a list by keyset, and what lies around it.
 *
 * Thread:   any.
 * Not here: the condition of a cursor (plan_keyset.c), which row is a page's last
 *           (execution/response_page.c).
 *
 * A connection is up to four columns of the row it belongs to, each only if it is asked for:
 *
 *     array(select row(…) from … where … and (t1."a", t1."id") > ($1, $2) order by … limit 21)
 *     (select count(*) from … where …)
 *     exists(select from … where … and (t1."a", t1."id") <= ($1, $2))    what is before `after`
 *     exists(select from … where … and (t1."a", t1."id") >= ($3, $4))    what is behind `before`
 *
 * One row more than the page has tells if there are more on the side that the page ends at; what
 * lies beyond a cursor on the other side is looked for. With `last` the page is cut from the end of
 * the order, and put in order again.
 *
 * A cursor holds the values of every term of the order, so that a place is found whatever has
 * become of the row. It begins with a digest of the order.
 */
#include "planner/plan_connection.h"

#include "language/source.h"

#include "base/digest.h"
#include "base/jwriter.h"
#include "planner/paramtext.h"
#include "planner/plan_keyset.h"

#define MAX_ORDER_TERMS 200

static const struct codec count_codec = {.kind = CODEC_INT4};

/* A cursor that was given. */
struct place {
    bool given;
    struct sqlbuf *values; /* for each term of the order: parameter and cast */
};

struct connection {
    struct compiler *c;
    const struct selection *s;
    struct source *base;
    struct page page;
    struct sqlbuf where;
    bool any; /* where has a condition */
    bool backward;
    struct plan_param limit; /* of a variable; see limit_value */
    bool limit_varies;
    int64_t limit_value;
    struct place after;
    struct place before;
    struct opaque_form *form; /* of its cursors */
    bool selects[CONNECTION_END_CURSOR + 1];
    struct row row;
    uint16_t *cursor_columns; /* of the row */
    int rows_column;          /* of the row the connection is a part of; -1: not needed */
    int count_column;
    struct shape_page *out;
};

/* --- what is selected ----------------------------------------------------------------- */

/* The parts of a connection, of its edges and its page info. */
static void find_parts(struct connection *k, const struct selection *s)
{
    for (size_t i = 0; i < s->nchildren; i++) {
        const struct selection *child = s->children[i];

        if (child->field->resolver != RESOLVE_CONNECTION_PART)
            continue;
        k->selects[child->field->part] = true;
        if (child->field->part == CONNECTION_EDGES || child->field->part == CONNECTION_PAGE_INFO)
            find_parts(k, child);
    }
}

static bool needs_cursors(const struct connection *k)
{
    return k->selects[CONNECTION_EDGE_CURSOR] || k->selects[CONNECTION_START_CURSOR] ||
           k->selects[CONNECTION_END_CURSOR];
}

/* What was given is checked in the statement, if it is of a variable, so it has to be there. */
static bool needs_rows(const struct connection *k)
{
    return k->selects[CONNECTION_EDGES] || k->selects[CONNECTION_NODES] || needs_cursors(k) ||
           k->selects[CONNECTION_HAS_NEXT] || k->selects[CONNECTION_HAS_PREVIOUS] ||
           k->after.given || k->before.given || k->limit_varies;
}

/* --- order -------------------------------------------------------------------------------- */

/* Without a key that clients may know, everything that has an order: rows that agree in it are at
 * one place. */
static void append_key(struct connection *k)
{
    const struct relation *r = k->base->relation;
    const struct key *key = relation_visible_key(r);

    for (size_t i = 0; key != NULL && i < key->n; i++)
        plan_append(k->c, &k->page.order, k->base->alias, key->columns[i]);
    for (size_t i = 0; key == NULL && i < r->ncolumns; i++)
        if (column_sortable(&r->columns[i]))
            plan_append(k->c, &k->page.order, k->base->alias, &r->columns[i]);
}

/* owner.name desc */
static void describe_element(const struct inputs *in, const struct pvalue *element, struct buf *out)
{
    const struct type *t = element->type.type;

    if (element->kind == PVALUE_LEAF) {
        enum order_direction d = (enum order_direction)input_enum(element)->value;

        /* One order has one digest, however it is said. */
        if (d == ORDER_ASC_NULLS_LAST)
            d = ORDER_ASC;
        else if (d == ORDER_DESC_NULLS_FIRST)
            d = ORDER_DESC;
        buf_printf(out, " %d\n", (int)d);
        return;
    }
    for (size_t i = 0; i < t->ninputs && element->kind == PVALUE_OBJECT; i++) {
        struct pvalue member = input_member(in, element, i);

        if (member.kind == PVALUE_ABSENT)
            continue;
        buf_append_char(out, '.');
        buf_append_str(out, t->inputs[i].name);
        describe_element(in, &member, out);
    }
}

/* Relation and order, in a few characters. */
static struct str order_digest(struct connection *k)
{
    const struct relation *r = k->base->relation;
    struct digest digest;
    char hex[2 * DIGEST_SIZE + 1];
    struct buf text;

    buf_init(&text, 0);
    jwriter_string(&text, r->schema);
    jwriter_string(&text, r->name);
    for (size_t i = 0; i < k->s->field->narguments; i++) {
        const struct input_value *a = &k->s->field->arguments[i];
        struct pvalue v = input_argument(&k->c->in, k->s, a);

        for (size_t j = 0; a->role == INPUT_ORDER_BY && v.kind == PVALUE_LIST && j < v.n; j++) {
            struct pvalue element = input_item(&k->c->in, &v, j);

            describe_element(&k->c->in, &element, &text);
        }
    }
    /* The key, or what stands in for it, may have become another since. */
    for (size_t i = 0; i < k->page.order.n; i++)
        jwriter_string(&text, k->page.order.items[i].column->name);
    digest = digest_sha256(buf_str(&text));
    buf_fini(&text);
    digest_hex(&digest, hex);
    return arena_dup(k->c->in.arena, str_make(hex, 12));
}

static bool no_distance(const struct connection *k)
{
    error_at(errors_add(k->c->in.errs, BAD_USER_INPUT,
                        "a connection cannot be sorted by a distance; a list can"),
             k->c->in.errs, source_location(k->c->in.op->document->source, k->s->ast->offset));
    return false;
}

static bool read_order(struct connection *k)
{
    struct arena *a = k->c->in.arena;
    const struct codec **codecs;
    bool *nullable;

    if (!plan_order(k->c, k->base->alias, k->base->relation, k->s, &k->page))
        return false;
    append_key(k);
    if (k->page.order.n > MAX_ORDER_TERMS)
        return plan_too_complex(k->c, k->s, "the order of a connection has too many terms");
    /* A cursor has no room for the vector, and would be taken for one of another. */
    for (size_t i = 0; i < k->page.order.n; i++)
        if (k->page.order.items[i].column->distance.len > 0)
            return no_distance(k);
    codecs = ARENA_ARRAY(a, k->page.order.n, const struct codec *);
    nullable = ARENA_ARRAY(a, k->page.order.n, bool);
    for (size_t i = 0; i < k->page.order.n; i++) {
        codecs[i] = k->page.order.items[i].column->codec;
        nullable[i] = plan_can_be_null(&k->page.order.items[i], k->base->alias);
    }
    k->form = ARENA_NEW(a, struct opaque_form);
    *k->form = (struct opaque_form){order_digest(k), k->page.order.n, codecs, nullable,
                                    "is not a cursor of this order"};
    return true;
}

/* --- first, last, after, before ------------------------------------------------------------- */

/* Each value of the cursor as a parameter of its column's type. */
static bool read_place(struct connection *k, const struct input_value *argument,
                       const struct pvalue *v, struct place *out)
{
    struct plan_param p = {.variable = -1};
    const struct jval *const *values = NULL;
    bool mixed;

    if (v->kind != PVALUE_LEAF)
        return true;
    if (v->variable < 0)
        values = opaque_values(k->form, v->literal->text, k->c->in.arena);
    else if (!input_parameter(&k->c->in, v, PARAM_OPAQUE, &p, &mixed))
        return false;
    out->given = true;
    out->values = ARENA_ARRAY(k->c->in.scratch, k->form->n, struct sqlbuf);
    p.what = argument->name;
    for (size_t i = 0; i < k->form->n; i++) {
        if (v->variable >= 0) {
            p.opaque = k->form;
            p.item = (uint32_t)i;
        } else if (values == NULL ||
                   !paramtext_opaque(k->form, values, i, k->c->in.arena, &p.constant)) {
            return input_fail(&k->c->in, v, "\"%.*s\" %s", STR_ARG(argument->name),
                              k->form->problem);
        }
        sqlbuf_init(&out->values[i], &k->c->params);
        sqlbuf_parameter(&out->values[i], &p, k->page.order.items[i].column->type_sql, false);
    }
    return true;
}

/* v: first or last, or neither. */
static bool read_limit(struct connection *k, const struct input_value *argument,
                       const struct pvalue *v)
{
    int64_t n = k->c->schema->default_limit;
    struct str text;
    bool mixed;

    if (v->kind == PVALUE_LEAF && v->variable >= 0) {
        k->limit_varies = true;
        if (!input_parameter(&k->c->in, v, PARAM_LIMIT, &k->limit, &mixed))
            return false;
        k->limit.what = argument->name;
        return true;
    }
    if (v->kind == PVALUE_LEAF) {
        if (!paramtext_literal(v->type.type, v->literal, k->c->in.scratch, &text) ||
            !str_to_i64(text, &n))
            return input_fail(&k->c->in, v, "\"%.*s\" must be an integer", STR_ARG(argument->name));
        if (!plan_range(k->c, v, argument, n, k->c->schema->max_limit))
            return false;
    }
    k->limit_value = n;
    return true;
}

static bool read_paging(struct connection *k)
{
    const struct input_value *numbers[2] = {NULL, NULL};
    struct pvalue values[2] = {{.kind = PVALUE_ABSENT}, {.kind = PVALUE_ABSENT}};

    for (size_t i = 0; i < k->s->field->narguments; i++) {
        const struct input_value *a = &k->s->field->arguments[i];
        struct pvalue v;

        if (a->role != INPUT_FIRST && a->role != INPUT_LAST && a->role != INPUT_AFTER &&
            a->role != INPUT_BEFORE)
            continue;
        v = input_argument(&k->c->in, k->s, a);
        if (a->role == INPUT_FIRST || a->role == INPUT_LAST) {
            numbers[a->role == INPUT_LAST] = a;
            values[a->role == INPUT_LAST] = v;
        } else if (!read_place(k, a, &v, a->role == INPUT_AFTER ? &k->after : &k->before)) {
            return false;
        }
    }
    k->backward = values[1].kind == PVALUE_LEAF;
    if (k->backward && values[0].kind == PVALUE_LEAF)
        return input_fail(&k->c->in, &values[1], "\"first\" and \"last\" exclude each other");
    return read_limit(k, numbers[k->backward], &values[k->backward]);
}

/* --- SQL ---------------------------------------------------------------------------------- */

static void write_conjunction(bool *any, struct sqlbuf *out)
{
    if (*any)
        sqlbuf_text(out, " and ");
    else
        sqlbuf_text(out, " where ");
    *any = true;
}

static void write_limit(struct connection *k)
{
    struct sqlbuf *limit = &k->page.limit;

    k->out->param = -1;
    k->out->limit = k->limit_value;
    sqlbuf_text(limit, " limit ");
    if (k->limit_varies) {
        /* Of this step, whose parameters follow those of the steps before it. */
        k->out->param =
            (int)(k->c->all_params.n - 1 + sqlbuf_parameter(limit, &k->limit, STR("int8"), false));
        sqlbuf_text(limit, " + 1");
    } else {
        sqlbuf_integer(limit, k->limit_value + 1);
    }
}

/* array(select row(…) from … where … order by … limit …) */
static void write_rows(struct connection *k, struct sqlbuf *out)
{
    struct sqlbuf where;
    bool any = k->any;

    sqlbuf_init(&where, &k->c->params);
    sqlbuf_append(&where, &k->where);
    if (k->after.given) {
        write_conjunction(&any, &where);
        plan_keyset(&k->page, k->base->alias, k->after.values, KEYSET_BEHIND, false, &where);
    }
    if (k->before.given) {
        write_conjunction(&any, &where);
        plan_keyset(&k->page, k->base->alias, k->before.values, KEYSET_BEFORE, false, &where);
    }
    write_limit(k);
    k->page.reversed = k->backward;
    sqlbuf_text(out, "array(");
    select_write(&k->row, &k->page, &where, true, out);
    sqlbuf_text(out, ")");
}

static void write_count(const struct connection *k, struct sqlbuf *out)
{
    sqlbuf_text(out, "(select pg_catalog.count(*)::int4 from ");
    source_name(out, k->base->relation, k->base->alias);
    sqlbuf_append(out, &k->where);
    sqlbuf_text(out, ")");
}

/* Is there a row at a place, or beyond it? */
static void write_beyond(const struct connection *k, const struct place *p, enum keyset_side side,
                         struct sqlbuf *out)
{
    bool any = k->any;

    sqlbuf_text(out, "exists(select from ");
    source_name(out, k->base->relation, k->base->alias);
    sqlbuf_append(out, &k->page.joins);
    sqlbuf_append(out, &k->where);
    write_conjunction(&any, out);
    plan_keyset(&k->page, k->base->alias, p->values, side, true, out);
    sqlbuf_text(out, ")");
}

/* --- the rows and their shape ----------------------------------------------------------------- */

/* The values of the cursor in the row. */
static void select_cursor(struct connection *k)
{
    k->cursor_columns = ARENA_ARRAY(k->c->in.arena, k->form->n, uint16_t);
    for (size_t i = 0; i < k->form->n; i++) {
        const struct order_term *t = &k->page.order.items[i];

        if (t->alias == k->base->alias) {
            k->cursor_columns[i] = row_column(&k->row, k->base, t->column);
            continue;
        }
        /* It stands in the subquery that limits the rows, which has to be there for that. */
        k->row.nested = true;
        k->cursor_columns[i] = row_item(&k->row);
        sqlbuf_alias(&k->row.items, k->base->alias);
        sqlbuf_text(&k->row.items, ".");
        sqlbuf_identifier(&k->row.items, select_order_name(&k->row, i));
        sqlbuf_known(&k->row.items, t->column);
    }
    k->out->cursor = (struct shape_opaque){*k->form, k->cursor_columns};
}

static bool shape_parts(struct connection *k, const struct selection *s, unsigned depth,
                        const struct shape **out);

static bool shape_part(struct connection *k, const struct selection *s, unsigned depth,
                       struct shape_field *out)
{
    out->page = k->out;
    switch (s->field->part) {
    case CONNECTION_EDGES:
        out->kind = SHAPE_PAGE;
        return shape_parts(k, s, depth + 1, &out->object);
    case CONNECTION_NODES:
        out->kind = SHAPE_PAGE;
        return row_select(&k->row, s, depth + 1, &out->object);
    case CONNECTION_EDGE_NODE:
        out->kind = SHAPE_OBJECT;
        return row_select(&k->row, s, depth + 1, &out->object);
    case CONNECTION_EDGE_CURSOR:
        out->kind = SHAPE_OPAQUE;
        out->opaque = &k->out->cursor;
        return true;
    case CONNECTION_PAGE_INFO:
        out->kind = SHAPE_OBJECT;
        return shape_parts(k, s, depth + 1, &out->object);
    case CONNECTION_TOTAL_COUNT:
        out->kind = SHAPE_VALUE;
        out->codec = &count_codec;
        out->column = (uint16_t)k->count_column;
        return true;
    case CONNECTION_HAS_NEXT:
    case CONNECTION_HAS_PREVIOUS:
        out->kind = SHAPE_PAGE_MORE;
        out->end = s->field->part == CONNECTION_HAS_NEXT;
        return true;
    case CONNECTION_START_CURSOR:
    case CONNECTION_END_CURSOR:
        out->kind = SHAPE_PAGE_CURSOR;
        out->end = s->field->part == CONNECTION_END_CURSOR;
        return true;
    case CONNECTION_NONE:
        break;
    }
    CHECK(!"no part of a connection");
    return false;
}

static bool shape_parts(struct connection *k, const struct selection *s, unsigned depth,
                        const struct shape **out)
{
    struct arena *a = k->c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);

    *shape = (struct shape){.fields = fields, .nfields = s->nchildren, .presence = -1};
    for (size_t i = 0; i < s->nchildren; i++) {
        const struct selection *child = s->children[i];

        plan_shape_field(k->c, child, &fields[i]);
        if (child->field->resolver == RESOLVE_TYPENAME) {
            fields[i].kind = SHAPE_TYPENAME;
            fields[i].text = child->parent->name;
        } else if (!shape_part(k, child, depth, &fields[i])) {
            return false;
        }
    }
    VEC_PUSH(k->c->in.scratch, &k->row.shapes, shape);
    *out = shape;
    return true;
}

/* --- all of it -------------------------------------------------------------------------------- */

/* The next column, if it is needed; -1: none. */
static int place_column(bool needed, size_t first, size_t *n)
{
    return needed ? (int)(first + (*n)++) : -1;
}

static void place_columns(struct connection *k, size_t first)
{
    size_t n = 0;

    /* All parameters of the condition are in the statement, so something has to mention it. */
    k->rows_column = place_column(needs_rows(k) || !k->selects[CONNECTION_TOTAL_COUNT], first, &n);
    k->out->before = place_column(k->after.given && k->selects[CONNECTION_HAS_PREVIOUS], first, &n);
    k->out->behind = place_column(k->before.given && k->selects[CONNECTION_HAS_NEXT], first, &n);
    k->count_column = place_column(k->selects[CONNECTION_TOTAL_COUNT], first, &n);
    k->out->column = (uint16_t)(k->rows_column < 0 ? 0 : k->rows_column);
    k->out->backward = k->backward;
}

static struct sqlbuf *add_column(struct connection *k, struct connection_columns *columns)
{
    struct sqlbuf *out = &columns->sql[columns->n++];

    sqlbuf_init(out, &k->c->params);
    return out;
}

static void write_columns(struct connection *k, struct connection_columns *columns)
{
    columns->n = 0;
    if (k->rows_column >= 0)
        write_rows(k, add_column(k, columns));
    if (k->out->before >= 0)
        write_beyond(k, &k->after, KEYSET_BEFORE, add_column(k, columns));
    if (k->out->behind >= 0)
        write_beyond(k, &k->before, KEYSET_BEHIND, add_column(k, columns));
    if (k->count_column >= 0)
        write_count(k, add_column(k, columns));
}

bool plan_connection(struct compiler *c, const struct selection *s, const struct parent *parent,
                     size_t first, unsigned depth, struct connection_columns *columns,
                     struct shape_field *shape)
{
    struct connection k = {.c = c, .s = s, .base = select_source(c, s, parent)};

    k.out = ARENA_NEW(c->in.arena, struct shape_page);
    plan_shape_field(c, s, shape);
    shape->kind = SHAPE_OBJECT;
    find_parts(&k, s);
    if (!select_where(c, s, k.base->alias, parent, &k.where, &k.any) || !read_order(&k) ||
        !read_paging(&k))
        return false;
    place_columns(&k, first);
    row_begin(c, k.base, &k.row);
    if (needs_cursors(&k))
        select_cursor(&k);
    if (!shape_parts(&k, s, depth, &shape->object))
        return false;
    row_end(&k.row);
    k.out->ncolumns = k.row.nitems;
    write_columns(&k, columns);
    return true;
}
