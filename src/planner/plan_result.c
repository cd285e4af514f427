/*
 * plan_result.c - the SELECT that reads what a function returned.
 *
 * Thread:   any.
 * Not here: the call itself, which keeps the keys of its rows (plan_mutation.c).
 */
#include "planner/plan_result.h"

#include "planner/plan_row.h"

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

void plan_result_match(const struct key *k, size_t i, unsigned alias, struct sqlbuf *out)
{
    sqlbuf_column(out, alias, k->columns[i]);
    sqlbuf_equals(out, k->columns[i]);
    sqlbuf_text(out, "(");
    write_key_values(k, i, out);
    sqlbuf_text(out, ")[1]");
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
        plan_result_match(k, i, r->base->alias, out);
    }
    if (relation->kind != RELATION_TABLE && relation->kind != RELATION_PARTITIONED)
        sqlbuf_text(out, " limit 1");
}

/* unnest(keys) with ordinality k(k1, n) join "relation" t1 on t1."key" = k.k1 [joins] order by k.n
 */
static void write_result_rows(const struct row *r, const struct key *k, struct sqlbuf *out)
{
    /* Of several arrays "unnest" without its schema, which any may be, would do as well. */
    if (k->n > 1)
        sqlbuf_text(out, "rows from (");
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, ", ");
        sqlbuf_text(out, "pg_catalog.unnest(");
        write_key_values(k, i, out);
        sqlbuf_text(out, ")");
    }
    if (k->n > 1)
        sqlbuf_text(out, ")");
    sqlbuf_text(out, " with ordinality k(");
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
        sqlbuf_equals(out, k->columns[i]);
        sqlbuf_text(out, "k.k");
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
    if (source_guarded(r->base->relation)) {
        sqlbuf_text(out, " where ");
        source_guard(out, r->base->relation, r->base->alias);
    }
    sqlbuf_text(out, " order by k.n");
}

bool plan_select_kept(struct compiler *c, const struct selection *s, bool one, struct sqlbuf *out,
                      struct shape_field *shape)
{
    const struct relation *relation = s->field->relation;
    const struct key *k = plan_result_key(relation);
    struct source *base = source_new(c, relation);
    struct row r;

    shape->kind = one ? SHAPE_ROW : SHAPE_ROWS;
    if (!row_gather(c, base, s, 0, &r, &shape->object))
        return false;
    row_write(&r, false, out);
    if (k == NULL)
        write_result_values(&r, out);
    else if (one)
        write_result_row(&r, k, out);
    else
        write_result_rows(&r, k, out);
    return true;
}

bool plan_select_result(struct compiler *c, const struct selection *s, struct sqlbuf *out,
                        struct shape_field *shape)
{
    return plan_select_kept(c, s, s->field->function->result == FUNCTION_ROW, out, shape);
}
