/*
 * kept.c - what is kept of changed rows, for later statements.
 *
 * Thread:   any.
 */
#include "planner/kept.h"

static bool is_key_column(const struct key *k, const struct column *c)
{
    for (size_t i = 0; k != NULL && i < k->n; i++)
        if (k->columns[i] == c)
            return true;
    return false;
}

static void write_return(unsigned alias, const struct column *c, bool *any, struct sqlbuf *out)
{
    if (*any)
        sqlbuf_text(out, ", ");
    else
        sqlbuf_text(out, " returning ");
    *any = true;
    sqlbuf_column(out, alias, c);
}

void kept_returning(const struct kept *k, unsigned alias, struct sqlbuf *out)
{
    bool any = false;

    for (size_t i = 0; k->key != NULL && i < k->key->n; i++)
        write_return(alias, k->key->columns[i], &any, out);
    for (size_t i = 0; i < k->nothers; i++)
        if (!is_key_column(k->key, k->others[i]))
            write_return(alias, k->others[i], &any, out);
    if (!any)
        sqlbuf_text(out, " returning 1 as one");
}

static void write_kept(const struct column *c, struct sqlbuf *out)
{
    sqlbuf_text(out, "', coalesce(pg_catalog.array_agg(w.");
    sqlbuf_identifier(out, c->name);
    sqlbuf_text(out, ")::text, '{}'), true)");
}

static void write_row_setting(unsigned number, size_t i, struct sqlbuf *out)
{
    sqlbuf_text(out, "'fraiseql.row");
    sqlbuf_integer(out, number);
    sqlbuf_text(out, "_");
    sqlbuf_integer(out, (int64_t)i + 1);
}

size_t kept_select(const struct kept *k, struct sqlbuf *out)
{
    size_t nkey = k->key != NULL ? k->key->n : 0;

    sqlbuf_text(out, "select pg_catalog.count(*)::int4, "
                     "pg_catalog.set_config('fraiseql.affected', pg_catalog.count(*)::text, true)");
    for (size_t i = 0; i < nkey; i++) {
        sqlbuf_text(out, ", pg_catalog.set_config('fraiseql.key");
        sqlbuf_integer(out, (int64_t)i + 1);
        write_kept(k->key->columns[i], out);
    }
    for (size_t i = 0; i < k->nothers; i++) {
        sqlbuf_text(out, ", pg_catalog.set_config(");
        write_row_setting(k->number, i, out);
        write_kept(k->others[i], out);
    }
    sqlbuf_text(out, " from w");
    return 2 + nkey + k->nothers;
}

void kept_array(unsigned number, size_t i, const struct column *column, struct sqlbuf *out)
{
    sqlbuf_text(out, "pg_catalog.current_setting(");
    write_row_setting(number, i, out);
    sqlbuf_text(out, "')");
    sqlbuf_cast(out, column->type_sql, true);
}
