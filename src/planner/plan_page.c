/*
 * plan_page.c - order, limit and offset of a list.
 *
 * Thread:   any.
 */
#include "planner/plan_page.h"

#include "planner/paramtext.h"
#include "schema/operators.h"

#define MAX_ORDER_DEPTH 16

/* A to-one relation joined for ordering. */
struct order_join {
    unsigned from;
    unsigned to;
    const struct relationship *relationship;
};

struct order {
    struct compiler *c;
    struct page *page;
    enum aggregate aggregate; /* within the order by one: which */
    struct {
        struct order_join *items;
        size_t n, cap;
    } joins;
};

void plan_direction(struct sqlbuf *b, enum order_direction direction)
{
    switch (direction) {
    case ORDER_ASC:
        break;
    case ORDER_DESC:
        sqlbuf_text(b, " desc");
        break;
    case ORDER_ASC_NULLS_FIRST:
        sqlbuf_text(b, " nulls first");
        break;
    case ORDER_ASC_NULLS_LAST:
        sqlbuf_text(b, " nulls last");
        break;
    case ORDER_DESC_NULLS_FIRST:
        sqlbuf_text(b, " desc nulls first");
        break;
    case ORDER_DESC_NULLS_LAST:
        sqlbuf_text(b, " desc nulls last");
        break;
    }
}

enum order_direction plan_reverse(enum order_direction direction)
{
    switch (direction) {
    case ORDER_ASC:
    case ORDER_ASC_NULLS_LAST:
        return ORDER_DESC;
    case ORDER_DESC:
    case ORDER_DESC_NULLS_FIRST:
        return ORDER_ASC;
    case ORDER_ASC_NULLS_FIRST:
        return ORDER_DESC_NULLS_LAST;
    case ORDER_DESC_NULLS_LAST:
        break;
    }
    return ORDER_ASC_NULLS_FIRST;
}

bool plan_has_column(const struct columns *columns, const struct column *column)
{
    for (size_t i = 0; i < columns->n; i++)
        if (columns->items[i] == column)
            return true;
    return false;
}

static unsigned join(struct order *o, unsigned from, const struct relationship *r)
{
    struct order_join j = {.from = from, .relationship = r};

    for (size_t i = 0; i < o->joins.n; i++)
        if (o->joins.items[i].from == from && o->joins.items[i].relationship == r)
            return o->joins.items[i].to;
    j.to = ++o->c->aliases;
    source_join(&o->page->joins, r, from, j.to);
    VEC_PUSH(o->c->in.scratch, &o->joins, j);
    return j.to;
}

static bool order_element(struct order *o, unsigned alias, const struct column *of,
                          const struct pvalue *element, unsigned depth);

/* {count: DESC} or {sum: {budget: DESC}} */
static bool order_aggregate(struct order *o, unsigned alias, enum aggregate f,
                            const struct pvalue *value, unsigned depth)
{
    bool ok;

    if (f == AGGREGATE_COUNT) {
        VEC_PUSH(o->c->in.scratch, &o->page->order,
                 (struct order_term){compile_aggregate(o->c, f, NULL), alias,
                                     (enum order_direction)input_enum(value)->value});
        return true;
    }
    o->aggregate = f;
    ok = order_element(o, alias, NULL, value, depth + 1);
    o->aggregate = AGGREGATE_NONE;
    return ok;
}

/*
 * {updatedAt: DESC} or {owner: {name: ASC}}: exactly one field, which decides what comes next.
 * of: the column that it is a part of; NULL: of none.
 */
/* {cosine_distance: {to: [1, 2, 3]}}: a column of its own, as part of the order. */
static bool order_distance(struct order *o, unsigned alias, const struct column *of,
                           const struct filter_operator *op, const struct pvalue *value)
{
    struct compiler *c = o->c;
    struct column *made = arena_copy(c->in.arena, of, sizeof *of);
    struct pvalue to = input_member(&c->in, value, 0), way = input_member(&c->in, value, 1);
    struct sqlbuf operand;

    sqlbuf_init(&operand, &c->params);
    if (to.kind != PVALUE_LEAF)
        return input_fail(&c->in, value, "\"to\" cannot be null");
    if (!compile_value(c, &to, PARAM_TEXT, of->type_sql, false, &operand))
        return false;
    made->of = of;
    made->distance = op->distance;
    made->operand = arena_dup(c->in.arena, str_make(operand.data, operand.len));
    VEC_PUSH(c->in.scratch, &o->page->order,
             (struct order_term){made, alias,
                                 way.kind == PVALUE_LEAF
                                     ? (enum order_direction)input_enum(&way)->value
                                     : ORDER_ASC});
    return true;
}

static bool order_element(struct order *o, unsigned alias, const struct column *of,
                          const struct pvalue *element, unsigned depth)
{
    const struct inputs *in = &o->c->in;
    const struct type *t = element->type.type;
    const struct input_value *input = NULL;
    const struct column *column;
    struct pvalue value = {.kind = PVALUE_ABSENT};
    size_t given = 0;

    if (depth > MAX_ORDER_DEPTH)
        return input_fail(in, element, "order is nested more than %d deep", MAX_ORDER_DEPTH);
    for (size_t i = 0; i < t->ninputs && element->kind == PVALUE_OBJECT; i++) {
        struct pvalue member = input_member(in, element, i);

        if (member.kind == PVALUE_ABSENT)
            continue;
        given++;
        value = member;
        input = &t->inputs[i];
    }
    if (given != 1 || value.kind == PVALUE_NULL)
        return input_fail(in, element, "an element of \"orderBy\" must have exactly one field");
    if (input->role == INPUT_AGGREGATE)
        return order_aggregate(o, alias, input->aggregate, &value, depth);
    if (input->role == INPUT_ORDER_DISTANCE)
        return order_distance(o, alias, of, input->op, &value);
    if (input->role == INPUT_ORDER_RELATION)
        return order_element(o, join(o, alias, input->relationship), NULL, &value, depth + 1);
    CHECK(input->role == INPUT_ORDER_COLUMN);
    column = of != NULL ? compile_part(o->c, of, input->column) : input->column;
    if (column->composite != NULL || input->type.type->kind == TYPE_INPUT_OBJECT)
        return order_element(o, alias, column, &value, depth + 1);
    if (o->aggregate != AGGREGATE_NONE)
        column = compile_aggregate(o->c, o->aggregate, column);
    else if (o->page->groups.n > 0 && !plan_has_column(&o->page->groups, column))
        return input_fail(in, element, "\"%.*s\" is not in \"by\"", STR_ARG(input->name));
    VEC_PUSH(o->c->in.scratch, &o->page->order,
             (struct order_term){column, alias, (enum order_direction)input_enum(&value)->value});
    return true;
}

static bool read_order(struct order *o, unsigned alias, const struct pvalue *order_by)
{
    if (order_by->kind != PVALUE_LIST)
        return true;
    for (size_t i = 0; i < order_by->n; i++) {
        struct pvalue element = input_item(&o->c->in, order_by, i);

        if (!order_element(o, alias, NULL, &element, 0))
            return false;
    }
    return true;
}

/* One more term, unless the order has the column already. */
void plan_append(struct compiler *c, struct order_terms *order, unsigned alias,
                 const struct column *column)
{
    for (size_t i = 0; i < order->n; i++)
        if (order->items[i].alias == alias && order->items[i].column == column)
            return;
    VEC_PUSH(c->in.scratch, order, (struct order_term){column, alias, ORDER_ASC});
}

/* Rows that are equal in what was asked for would come in any order, a different one each time. */
static void append_key(struct compiler *c, struct page *page, unsigned alias,
                       const struct relation *r)
{
    const struct key *k = r != NULL ? relation_key(r) : NULL;

    for (size_t i = 0; i < page->groups.n; i++)
        plan_append(c, &page->order, alias, page->groups.items[i]);
    if (page->groups.n > 0)
        return;
    for (size_t i = 0; k != NULL && i < k->n; i++)
        plan_append(c, &page->order, alias, k->columns[i]);
    for (size_t i = 0; k == NULL && i < page->distinct.n; i++)
        plan_append(c, &page->order, alias, page->distinct.items[i]);
}

/*
 * PostgreSQL wants the distinct columns first. Terms that begin the order and are
 * among them keep their place: where all of them are there, as in "the last of
 * each owner, by owner", both orders are one, and it sorts once.
 */
static void set_pick(struct compiler *c, struct page *page, unsigned alias)
{
    const struct order_terms *order = &page->order;
    size_t n = 0;

    for (; n < order->n && order->items[n].alias == alias &&
           plan_has_column(&page->distinct, order->items[n].column);
         n++)
        VEC_PUSH(c->in.scratch, &page->pick, order->items[n]);
    for (size_t i = 0; i < page->distinct.n; i++)
        plan_append(c, &page->pick, alias, page->distinct.items[i]);
    for (; n < order->n; n++)
        VEC_PUSH(c->in.scratch, &page->pick, order->items[n]);
}

bool plan_columns(struct compiler *c, const struct relation *r, const struct pvalue *v,
                  struct columns *out)
{
    for (size_t i = 0; v->kind == PVALUE_LIST && i < v->n; i++) {
        struct pvalue item = input_item(&c->in, v, i);
        const struct column *column;

        if (item.kind != PVALUE_LEAF)
            return false;
        column = &r->columns[input_enum(&item)->value];
        if (!plan_has_column(out, column))
            VEC_PUSH(c->in.scratch, out, column);
    }
    return true;
}

bool plan_range(struct compiler *c, const struct pvalue *v, const struct input_value *input,
                int64_t n, int64_t max)
{
    if (n < 0)
        return input_fail(&c->in, v, "\"%.*s\" cannot be negative", STR_ARG(input->name));
    if (n > max)
        return input_fail(&c->in, v, "\"%.*s\" cannot be more than %lld", STR_ARG(input->name),
                          (long long)max);
    return true;
}

/* " limit 20" or " limit $1::int8"; bind.c checks the value of a variable. */
static bool read_number(struct compiler *c, const struct pvalue *v, const struct input_value *input,
                        enum param_form form, struct sqlbuf *out)
{
    int64_t max = form == PARAM_LIMIT ? c->schema->max_limit : INT64_MAX;
    int64_t n = form == PARAM_LIMIT ? c->schema->default_limit : 0;
    struct plan_param p;
    struct str text;
    bool mixed;

    if (v->kind == PVALUE_LEAF && v->variable >= 0) {
        if (!input_parameter(&c->in, v, form, &p, &mixed))
            return false;
        p.what = input->name;
        if (form == PARAM_LIMIT)
            sqlbuf_text(out, " limit ");
        else
            sqlbuf_text(out, " offset ");
        sqlbuf_parameter(out, &p, STR("int8"), false);
        return true;
    }
    if (v->kind == PVALUE_LEAF) {
        if (!paramtext_literal(v->type.type, v->literal, c->in.scratch, &text) ||
            !str_to_i64(text, &n))
            return input_fail(&c->in, v, "\"%.*s\" must be an integer", STR_ARG(input->name));
        if (!plan_range(c, v, input, n, max))
            return false;
    }
    if (form == PARAM_LIMIT)
        sqlbuf_text(out, " limit ");
    else if (n > 0)
        sqlbuf_text(out, " offset ");
    if (form == PARAM_LIMIT || n > 0)
        sqlbuf_integer(out, n);
    return true;
}

static bool read_groups(struct compiler *c, const struct relation *r, const struct pvalue *v,
                        struct columns *out)
{
    if (!plan_columns(c, r, v, out))
        return false;
    return out->n > 0 || input_fail(&c->in, v, "\"by\" must have at least one field");
}

bool plan_order(struct compiler *c, unsigned alias, const struct relation *r,
                const struct selection *s, struct page *out)
{
    struct order o = {.c = c, .page = out};

    *out = (struct page){.order = {0}};
    sqlbuf_init(&out->joins, &c->params);
    sqlbuf_init(&out->limit, &c->params);
    for (size_t i = 0; i < s->field->narguments; i++) {
        const struct input_value *a = &s->field->arguments[i];
        struct pvalue v;

        if (a->role != INPUT_ORDER_BY && a->role != INPUT_DISTINCT_ON && a->role != INPUT_BY)
            continue;
        v = input_argument(&c->in, s, a);
        if (a->role == INPUT_ORDER_BY && !read_order(&o, alias, &v))
            return false;
        if (a->role == INPUT_DISTINCT_ON && !plan_columns(c, r, &v, &out->distinct))
            return false;
        /* It is the first of its field's arguments. */
        if (a->role == INPUT_BY && !read_groups(c, r, &v, &out->groups))
            return false;
    }
    return true;
}

bool plan_page(struct compiler *c, unsigned alias, const struct relation *r,
               const struct selection *s, struct page *out)
{
    const struct input_value *limit = NULL;
    const struct input_value *offset = NULL;
    struct pvalue absent = {.kind = PVALUE_ABSENT, .variable = -1};
    struct pvalue limit_value = absent;
    struct pvalue offset_value = absent;

    if (!plan_order(c, alias, r, s, out))
        return false;
    out->as_given = s->field->function != NULL && out->order.n == 0 && out->distinct.n == 0;
    if (!out->as_given)
        append_key(c, out, alias, r);
    if (out->distinct.n > 0)
        set_pick(c, out, alias);
    for (size_t i = 0; i < s->field->narguments; i++) {
        const struct input_value *a = &s->field->arguments[i];

        if (a->role == INPUT_LIMIT) {
            limit = a;
            limit_value = input_argument(&c->in, s, a);
        } else if (a->role == INPUT_OFFSET) {
            offset = a;
            offset_value = input_argument(&c->in, s, a);
        }
    }
    return (limit == NULL || read_number(c, &limit_value, limit, PARAM_LIMIT, &out->limit)) &&
           (offset == NULL || read_number(c, &offset_value, offset, PARAM_OFFSET, &out->limit));
}
