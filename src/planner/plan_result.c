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

/* "relation" t1 [joins] where t1."key" = (keys)[1] */
static void write_by_key(const struct source *base, const struct key *k, const struct sqlbuf *joins,
                         struct sqlbuf *out)
{
    source_name(out, base->relation, base->alias);
    if (joins != NULL)
        sqlbuf_append(out, joins);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, " and ");
        else
            sqlbuf_text(out, " where ");
        plan_result_match(k, i, base->alias, out);
    }
}

/* One row at most, as a key has it. */
static void write_result_row(const struct row *r, const struct key *k, struct sqlbuf *out)
{
    const struct relation *relation = r->base->relation;

    write_by_key(r->base, k, &r->joins, out);
    if (relation->kind != RELATION_TABLE && relation->kind != RELATION_PARTITIONED)
        sqlbuf_text(out, " limit 1");
}

/* (select (k.item).*) t1 where not exists (…): the row as the function gave it. The caller says of
 * what the last is. */
static void write_given(const struct source *base, struct sqlbuf *out)
{
    sqlbuf_text(out, "(select (k.item).*) ");
    sqlbuf_alias(out, base->alias);
    sqlbuf_text(out, " where ");
    if (source_guarded(base->relation)) {
        source_guard(out, base->relation, base->alias);
        sqlbuf_text(out, " and ");
    }
    sqlbuf_text(out, "not exists (select from ");
}

/*
 * The row as it is now, or where it is gone as the function gave it, which is looked at only then:
 *
 *     ((select t1."id", … from "relation" t1 where t1."id" = (keys)[1] limit 1)
 *      union all
 *      select t1."id", … from (select current_setting('fraiseql.row')::"relation" as item
 *                               where current_setting('fraiseql.row') <> '' offset 0) k
 *        cross join lateral (select (k.item).*) t1
 *       where not exists (select from "relation" t1 where t1."id" = (keys)[1])) t1
 */
static void write_either_row(const struct row *r, const struct key *k, struct sqlbuf *out)
{
    const struct source *base = r->base;

    sqlbuf_text(out, "((select ");
    source_used(r->c, base, out);
    sqlbuf_text(out, " from ");
    write_by_key(base, k, NULL, out);
    sqlbuf_text(out, " limit 1) union all select ");
    source_used(r->c, base, out);
    sqlbuf_text(out, " from (select pg_catalog.current_setting('fraiseql.row')::");
    sqlbuf_qualified(out, base->relation->schema, base->relation->name);
    sqlbuf_text(out, " as item where pg_catalog.current_setting('fraiseql.row') <> '' offset 0) k "
                     "cross join lateral ");
    write_given(base, out);
    write_by_key(base, k, NULL, out);
    sqlbuf_text(out, ")) ");
    sqlbuf_alias(out, base->alias);
    sqlbuf_append(out, &r->joins);
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
 * The rows as the function gave them, numbered: an ordinality column would stand beside theirs, and
 * could have the name of one. The caller goes on with "lateral" for each.
 */
static void write_items(const struct relation *r, struct sqlbuf *out)
{
    sqlbuf_text(out, "(select pg_catalog.unnest(a.items) as item, pg_catalog.generate_series(1, "
                     "pg_catalog.cardinality(a.items)) as n from (select "
                     "pg_catalog.current_setting('fraiseql.rows')::");
    sqlbuf_qualified(out, r->schema, r->name);
    sqlbuf_text(out, "[] as items offset 0) a) k cross join lateral (");
}

/* Without a key: the rows as they are. */
static void write_result_values(const struct row *r, struct sqlbuf *out)
{
    write_items(r->base->relation, out);
    sqlbuf_text(out, "select (k.item).*) ");
    sqlbuf_alias(out, r->base->alias);
    sqlbuf_append(out, &r->joins);
    if (source_guarded(r->base->relation)) {
        sqlbuf_text(out, " where ");
        source_guard(out, r->base->relation, r->base->alias);
    }
    sqlbuf_text(out, " order by k.n");
}

/* The same for each of several:
 *
 *     lateral (with f as materialized (select t1."id", … from "relation" t1 where t1."id" =
 * (k.item)."id" limit 1) select * from f union all select t1."id", … from (select (k.item).*) t1
 * where not exists (select from f)) t1
 */
static void write_either_rows(const struct row *r, const struct key *k, struct sqlbuf *out)
{
    const struct source *base = r->base;

    write_items(base->relation, out);
    sqlbuf_text(out, "with f as materialized (select ");
    source_used(r->c, base, out);
    sqlbuf_text(out, " from ");
    source_name(out, base->relation, base->alias);
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, " and ");
        else
            sqlbuf_text(out, " where ");
        sqlbuf_column(out, base->alias, k->columns[i]);
        sqlbuf_equals(out, k->columns[i]);
        sqlbuf_text(out, "(k.item).");
        sqlbuf_identifier(out, k->columns[i]->name);
    }
    sqlbuf_text(out, " limit 1) select * from f union all select ");
    source_used(r->c, base, out);
    sqlbuf_text(out, " from ");
    write_given(base, out);
    sqlbuf_text(out, "f)) ");
    sqlbuf_alias(out, base->alias);
    sqlbuf_append(out, &r->joins);
    sqlbuf_text(out, " order by k.n");
}

bool plan_result_has_row(const struct selection *s)
{
    return s->field->function != NULL && !s->field->function->definer;
}

bool plan_select_kept(struct compiler *c, const struct selection *s, bool one, struct sqlbuf *out,
                      struct shape_field *shape)
{
    const struct relation *relation = s->field->relation;
    const struct key *k = plan_result_key(relation);
    struct source *base = source_new(c, relation);
    struct row r;

    shape->kind = one ? SHAPE_ROW : SHAPE_ROWS;
    base->paged = k != NULL && plan_result_has_row(s);
    if (!row_gather(c, base, s, 0, &r, &shape->object))
        return false;
    if (base->paged)
        base->used[k->columns[0]->index] = true; /* there must be one */
    row_write(&r, false, out);
    if (k == NULL)
        write_result_values(&r, out);
    else if (base->paged && one)
        write_either_row(&r, k, out);
    else if (base->paged)
        write_either_rows(&r, k, out);
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
