/*
 * plan_keyset.c - the condition that rows lie behind a place in an order, or before it.
 *
 * Thread:   any.
 *
 * Where no term can be null and all go in one direction it is a comparison of rows, which an index
 * of these columns answers:
 *
 *     (t1."due_date", t1."id") > ($1::date, $2::uuid)
 *
 * Otherwise each term decides where those before it are equal. That the first is not on the other
 * side follows, and is said once more because an index can begin there:
 *
 *     t1."priority" >= $1 and (t1."priority" > $1 or (t1."priority" = $1 and t1."title" < $2))
 *
 * A value may be null, too, and whether it is does not change the statement: what is behind a null
 * is decided by the parameter.
 */
#include "planner/plan_keyset.h"

struct keyset {
    const struct page *page;
    unsigned alias;
    const struct sqlbuf *values;
    enum keyset_side side;
    bool or_there;
    struct sqlbuf *out;
};

static const struct order_term *term_at(const struct keyset *k, size_t i)
{
    return &k->page->order.items[i];
}

/* A row that a to-one relation leads to may be absent, as may what a column is a part of. */
bool plan_can_be_null(const struct order_term *t, unsigned alias)
{
    return !t->column->not_null || t->column->of != NULL || t->alias != alias;
}

static bool can_be_null(const struct keyset *k, size_t i)
{
    return plan_can_be_null(term_at(k, i), k->alias);
}

static enum order_direction direction(const struct keyset *k, size_t i)
{
    enum order_direction d = term_at(k, i)->direction;

    return k->side == KEYSET_BEHIND ? d : plan_reverse(d);
}

/* Is what lies ahead smaller? */
static bool descends(const struct keyset *k, size_t i)
{
    switch (direction(k, i)) {
    case ORDER_ASC:
    case ORDER_ASC_NULLS_FIRST:
    case ORDER_ASC_NULLS_LAST:
        return false;
    case ORDER_DESC:
    case ORDER_DESC_NULLS_FIRST:
    case ORDER_DESC_NULLS_LAST:
        break;
    }
    return true;
}

/* Are all other values ahead of a null? */
static bool nulls_first(const struct keyset *k, size_t i)
{
    switch (direction(k, i)) {
    case ORDER_ASC_NULLS_FIRST:
    case ORDER_DESC:
    case ORDER_DESC_NULLS_FIRST:
        return true;
    case ORDER_ASC:
    case ORDER_ASC_NULLS_LAST:
    case ORDER_DESC_NULLS_LAST:
        break;
    }
    return false;
}

static void write_column(const struct keyset *k, size_t i)
{
    sqlbuf_column(k->out, term_at(k, i)->alias, term_at(k, i)->column);
}

static void write_comparison(const struct keyset *k, size_t i, bool or_equal)
{
    bool less = descends(k, i);

    sqlbuf_text(k->out, " ");
    if (or_equal)
        sqlbuf_operator(k->out, term_at(k, i)->column, less ? STR("<=") : STR(">="));
    else
        sqlbuf_operator(k->out, term_at(k, i)->column, less ? STR("<") : STR(">"));
    sqlbuf_text(k->out, " ");
}

static void write_ahead(const struct keyset *k, size_t i)
{
    bool nullable = can_be_null(k, i);

    if (nullable)
        sqlbuf_text(k->out, "(");
    write_column(k, i);
    write_comparison(k, i, false);
    sqlbuf_append(k->out, &k->values[i]);
    if (!nullable)
        return;
    sqlbuf_text(k->out, " or (");
    write_column(k, i);
    if (nulls_first(k, i))
        sqlbuf_text(k->out, " is not null and ");
    else
        sqlbuf_text(k->out, " is null and ");
    sqlbuf_append(k->out, &k->values[i]);
    if (nulls_first(k, i))
        sqlbuf_text(k->out, " is null))");
    else
        sqlbuf_text(k->out, " is not null))");
}

static void write_equal(const struct keyset *k, size_t i)
{
    bool nullable = can_be_null(k, i);

    if (nullable)
        sqlbuf_text(k->out, "(");
    write_column(k, i);
    sqlbuf_equals(k->out, term_at(k, i)->column);
    sqlbuf_append(k->out, &k->values[i]);
    if (!nullable)
        return;
    /* "is not distinct from" would take its operator from the search path. */
    sqlbuf_text(k->out, " or (");
    write_column(k, i);
    sqlbuf_text(k->out, " is null and ");
    sqlbuf_append(k->out, &k->values[i]);
    sqlbuf_text(k->out, " is null))");
}

/* A comparison of rows looks for all operators in one place. */
static bool compares_as_row(const struct keyset *k)
{
    for (size_t i = 0; i < k->page->order.n; i++)
        if (can_be_null(k, i) || descends(k, i) != descends(k, 0) ||
            (k->page->order.n > 1 && term_at(k, i)->column->operators.len > 0))
            return false;
    return true;
}

static void write_row(const struct keyset *k)
{
    size_t n = k->page->order.n;

    if (n > 1)
        sqlbuf_text(k->out, "(");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            sqlbuf_text(k->out, ", ");
        write_column(k, i);
    }
    if (n > 1)
        sqlbuf_text(k->out, ")");
    write_comparison(k, 0, k->or_there);
    if (n > 1)
        sqlbuf_text(k->out, "(");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            sqlbuf_text(k->out, ", ");
        sqlbuf_append(k->out, &k->values[i]);
    }
    if (n > 1)
        sqlbuf_text(k->out, ")");
}

/* (ahead1 or (equal1 and (ahead2 or (equal2 and …)))) */
static void write_terms(const struct keyset *k)
{
    size_t n = k->page->order.n;

    if (!can_be_null(k, 0)) {
        write_column(k, 0);
        write_comparison(k, 0, true);
        sqlbuf_append(k->out, &k->values[0]);
        sqlbuf_text(k->out, " and ");
    }
    for (size_t i = 0; i < n; i++) {
        sqlbuf_text(k->out, "(");
        write_ahead(k, i);
        if (i + 1 < n || k->or_there) {
            sqlbuf_text(k->out, " or (");
            write_equal(k, i);
        }
        if (i + 1 < n)
            sqlbuf_text(k->out, " and ");
    }
    for (size_t i = 0; i < n; i++) {
        if (i > 0 || k->or_there)
            sqlbuf_text(k->out, ")");
        sqlbuf_text(k->out, ")");
    }
}

void plan_keyset(const struct page *page, unsigned alias, const struct sqlbuf *values,
                 enum keyset_side side, bool or_there, struct sqlbuf *out)
{
    const struct keyset k = {page, alias, values, side, or_there, out};

    CHECK(page->order.n > 0);
    if (compares_as_row(&k))
        write_row(&k);
    else
        write_terms(&k);
}
