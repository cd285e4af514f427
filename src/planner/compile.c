/*
 * compile.c - FROM items and how they are joined.
 *
 * Thread:   any.
 */
#include "planner/compile.h"

struct source *source_new(struct compiler *c, const struct relation *r)
{
    struct source *s = ARENA_NEW(c->in.scratch, struct source);

    s->alias = ++c->aliases;
    s->relation = r;
    s->used = ARENA_ARRAY(c->in.scratch, r->ncolumns, bool);
    return s;
}

void source_name(struct sqlbuf *b, const struct relation *r, unsigned alias)
{
    sqlbuf_qualified(b, r->schema, r->name);
    sqlbuf_text(b, " ");
    sqlbuf_alias(b, alias);
}

void source_match(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to)
{
    for (size_t i = 0; i < r->n; i++) {
        if (i > 0)
            sqlbuf_text(b, " and ");
        sqlbuf_column(b, to, r->to_columns[i]);
        sqlbuf_text(b, " = ");
        sqlbuf_column(b, from, r->from_columns[i]);
    }
}

static bool has_column(const struct relationship *r, const struct column *c)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->to_columns[i] == c)
            return true;
    return false;
}

/* Does the database guarantee one row at most? A declared relationship may lead anywhere. */
static bool leads_to_key(const struct relationship *r)
{
    for (size_t i = 0; i < r->to->nkeys; i++) {
        const struct key *k = &r->to->keys[i];
        size_t n = 0;

        while (n < k->n && has_column(r, k->columns[n]))
            n++;
        if (k->n > 0 && n == k->n)
            return true;
    }
    return false;
}

void source_join(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to)
{
    bool unique = leads_to_key(r);

    if (unique)
        sqlbuf_text(b, " left join ");
    else
        sqlbuf_text(b, " left join lateral (select * from ");
    source_name(b, r->to, to);
    if (unique)
        sqlbuf_text(b, " on ");
    else
        sqlbuf_text(b, " where ");
    source_match(b, r, from, to);
    if (!unique) {
        sqlbuf_text(b, " limit 1) ");
        sqlbuf_alias(b, to);
        sqlbuf_text(b, " on true");
    }
}
