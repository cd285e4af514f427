/*
 * insert_conflict.c - what an upsert does with rows that are there already.
 *
 * Thread:   any.
 */
#include "planner/insertion.h"

struct conflict {
    const struct key *key;
    bool *update; /* by column */
    bool any;
};

static const struct key *first_key(const struct relation *r)
{
    for (size_t i = 0; i < r->nkeys; i++)
        if (r->keys[i].arbiter)
            return &r->keys[i];
    return NULL;
}

static bool in_key(const struct key *k, const struct column *c)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->columns[i] == c)
            return true;
    return false;
}

/* Columns that the input gives, by position; false: not the same ones in every row. */
static bool given_columns(struct insertion *x, const struct node *n, bool *given)
{
    for (size_t i = 0; i < n->type->ninputs; i++) {
        size_t rows = 0;

        for (size_t row = 0; row < n->rows.n; row++) {
            struct pvalue v = input_member(&x->c->in, &n->rows.items[row].input, i);

            rows += v.kind != PVALUE_ABSENT;
            if (n->type->inputs[i].role != INPUT_VALUE && v.kind != PVALUE_ABSENT)
                return input_fail(&x->c->in, &v, "nothing can be inserted with a row of an upsert");
        }
        if (rows == 0)
            continue;
        /* What is absent would set what is there to the default. */
        if (rows < n->rows.n)
            return input_fail(&x->c->in, &n->rows.items[0].input,
                              "the rows of an upsert must have the same fields: \"%.*s\" is not in "
                              "all of them",
                              STR_ARG(n->type->inputs[i].name));
        given[n->type->inputs[i].column->index] = true;
    }
    return true;
}

static bool read_update(struct insertion *x, const struct node *n, const struct pvalue *v,
                        const bool *given, struct conflict *out)
{
    for (size_t i = 0; i < v->n; i++) {
        struct pvalue item = input_item(&x->c->in, v, i);
        const struct column *c;

        if (item.kind != PVALUE_LEAF)
            return false;
        c = &n->relation->columns[input_enum(&item)->value];
        if (!given[c->index])
            return input_fail(&x->c->in, &item, "\"%.*s\" is to be updated, but is not given",
                              STR_ARG(c->field_name));
        out->update[c->index] = out->any = true;
    }
    return true;
}

static bool read_conflict(struct insertion *x, const struct node *n, struct conflict *out)
{
    struct pvalue given = {.kind = PVALUE_ABSENT}, update = {.kind = PVALUE_ABSENT};
    const struct relation *r = n->relation;
    bool *columns = ARENA_ARRAY(x->c->in.scratch, r->nall_columns, bool);

    out->key = first_key(r);
    out->update = ARENA_ARRAY(x->c->in.scratch, r->nall_columns, bool);
    if (!given_columns(x, n, columns))
        return false;
    for (size_t i = 0; i < x->field->field->narguments; i++)
        if (x->field->field->arguments[i].role == INPUT_ON_CONFLICT)
            given = input_argument(&x->c->in, x->field, &x->field->field->arguments[i]);
    for (size_t i = 0; given.kind == PVALUE_OBJECT && i < given.type.type->ninputs; i++) {
        struct pvalue v = input_member(&x->c->in, &given, i);

        if (given.type.type->inputs[i].role == INPUT_CONFLICT_UPDATE)
            update = v;
        else if (v.kind == PVALUE_LEAF)
            out->key = &r->keys[input_enum(&v)->value];
    }
    if (update.kind == PVALUE_LIST)
        return read_update(x, n, &update, columns, out);
    for (size_t i = 0; i < r->ncolumns; i++)
        if (columns[i] && r->columns[i].updatable && !in_key(out->key, &r->columns[i]))
            out->update[i] = out->any = true;
    return true;
}

bool insert_conflict(struct insertion *x, const struct node *n, struct sqlbuf *out)
{
    struct conflict k = {0};
    const char *separator = " on conflict (";

    if (!read_conflict(x, n, &k))
        return false;
    for (size_t i = 0; i < k.key->n; i++) {
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_identifier(out, k.key->columns[i]->name);
        separator = ", ";
    }
    if (!k.any) {
        sqlbuf_text(out, ") do nothing");
        return true;
    }
    separator = ") do update set ";
    for (size_t i = 0; i < n->relation->ncolumns; i++) {
        if (!k.update[i])
            continue;
        sqlbuf_raw(out, separator, strlen(separator));
        sqlbuf_identifier(out, n->relation->columns[i].name);
        sqlbuf_text(out, " = excluded.");
        sqlbuf_identifier(out, n->relation->columns[i].name);
        separator = ", ";
    }
    return true;
}
