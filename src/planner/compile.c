/*
 * compile.c - statements, values in them, FROM items and how they are joined.
 *
 * Thread:   any.
 */
#include "planner/compile.h"

/* The alias of a join table, t0: each is in a subselect of its own. */
#define VIA 0

void compile_step(struct compiler *c, const struct sqlbuf *sql, int field, size_t ncolumns,
                  bool one_row)
{
    struct plan_step step = {
        .first_param = c->all_params.n,
        .ncolumns = ncolumns,
        .field = field,
        .guard = c->guard,
        .one_row = one_row,
    };
    bool as_known;

    pgstatement_init(&step.statement, arena_dup(c->in.arena, str_make(sql->data, sql->len)),
                     c->params.n);
    for (size_t i = 0; i < c->params.n; i++)
        VEC_PUSH(c->in.scratch, &c->all_params, c->params.items[i]);
    VEC_PUSH(c->in.scratch, &c->steps, step);
    c->sources += c->aliases;
    c->overflow = c->overflow || c->params.overflow;
    c->aliases = 0;
    as_known = c->params.as_known;
    sqlparams_init(&c->params, c->in.scratch);
    c->params.as_known = as_known;
    c->params.mentions = &c->mentions;
}

static bool mixed_value(struct compiler *c, const struct pvalue *v, struct sqlbuf *out);

/* An item of such a literal: $1::text, or what has variables in it in the text of its type. */
static bool mixed_item(struct compiler *c, const struct pvalue *item, struct sqlbuf *out)
{
    struct plan_param p = {.variable = -1};
    bool mixed = false;

    if (item->kind != PVALUE_NULL && item->kind != PVALUE_ABSENT &&
        !input_parameter(&c->in, item, PARAM_TEXT, &p, &mixed))
        return false;
    if (!mixed) {
        sqlbuf_parameter(out, &p, STR("text"), false);
        return true;
    }
    if (!mixed_value(c, item, out))
        return false;
    if (item->kind == PVALUE_LIST) /* how deep they nest is up to the type */
        sqlbuf_cast(out, STR("text"), true);
    sqlbuf_cast(out, STR("text"), false);
    return true;
}

/* A literal with variables in it: array[$1::text, $2::text], row($1::text, null)::address. */
static bool mixed_value(struct compiler *c, const struct pvalue *v, struct sqlbuf *out)
{
    bool record = v->kind == PVALUE_OBJECT;
    size_t n = record ? v->type.type->ninputs : v->n;

    if (record)
        sqlbuf_text(out, "row(");
    else
        sqlbuf_text(out, "array[");
    for (size_t i = 0; i < n; i++) {
        struct pvalue item = record ? input_member(&c->in, v, i) : input_item(&c->in, v, i);

        if (i > 0)
            sqlbuf_text(out, ", ");
        if (!mixed_item(c, &item, out))
            return false;
    }
    if (!record) {
        sqlbuf_text(out, "]");
        return true;
    }
    sqlbuf_text(out, ")");
    sqlbuf_cast(out, v->type.type->composite->sql, false);
    return true;
}

bool compile_value(struct compiler *c, const struct pvalue *v, enum param_form form,
                   struct str cast, bool array, struct sqlbuf *out)
{
    struct plan_param p;
    bool mixed;

    if (!input_parameter(&c->in, v, form, &p, &mixed))
        return false;
    if (!mixed) {
        sqlbuf_parameter(out, &p, cast, array);
        return true;
    }
    if (!mixed_value(c, v, out))
        return false;
    sqlbuf_cast(out, cast, array);
    return true;
}

const struct column *compile_part(struct compiler *c, const struct column *of,
                                  const struct column *part)
{
    struct column *bound = arena_copy(c->in.arena, part, sizeof *part);

    bound->of = of;
    bound->document = part->document || (of->document && part->composite != NULL);
    return bound;
}

static const struct codec count_codec = {.kind = CODEC_INT4};
static const struct column count_column = {
    .type_sql = STR_INIT("int4"), .codec = &count_codec, .expression = STR_INIT("::int4")};

const struct column *compile_aggregate(struct compiler *c, enum aggregate f,
                                       const struct column *of)
{
    bool count = f == AGGREGATE_COUNT || f == AGGREGATE_COUNT_DISTINCT;
    const struct column *like = count ? &count_column : column_aggregate(of, f);
    struct column *made = arena_copy(c->in.arena, like, sizeof *like);

    made->aggregate = f;
    made->of = of;
    return made;
}

struct source *source_new(struct compiler *c, const struct relation *r)
{
    struct source *s = ARENA_NEW(c->in.scratch, struct source);

    s->alias = ++c->aliases;
    s->relation = r;
    s->used = ARENA_ARRAY(c->in.scratch, r->nall_columns, bool);
    return s;
}

struct str source_free_name(struct compiler *c, const struct source *s, struct str wanted)
{
    for (size_t i = 0; i < s->relation->nall_columns; i++) {
        if (str_eq(s->relation->columns[i].name, wanted)) {
            wanted = arena_printf(c->in.scratch, "%.*s_", STR_ARG(wanted));
            i = (size_t)-1; /* look through all again */
        }
    }
    return wanted;
}

/* An alias alone would be taken for a column of that name. Cast, because rows of a subquery are of
 * no type; those of the relation stay what they are. */
void source_whole(struct compiler *c, struct source *s, struct sqlbuf *out)
{
    sqlbuf_alias(out, s->alias);
    if (s->paged) {
        s->whole = true;
        sqlbuf_text(out, ".");
        sqlbuf_identifier(out, source_free_name(c, s, STR("row")));
        return;
    }
    sqlbuf_text(out, ".*::");
    sqlbuf_qualified(out, s->relation->schema, s->relation->name);
}

void source_used(struct compiler *c, const struct source *s, struct sqlbuf *out)
{
    struct source inside = {.alias = s->alias, .relation = s->relation};
    bool any = false;

    for (size_t i = 0; i < s->relation->nall_columns; i++) {
        if (!s->used[i])
            continue;
        if (any)
            sqlbuf_text(out, ", ");
        any = true;
        sqlbuf_column(out, s->alias, &s->relation->columns[i]);
    }
    if (!s->whole)
        return;
    if (any)
        sqlbuf_text(out, ", ");
    source_whole(c, &inside, out);
    sqlbuf_text(out, " as ");
    sqlbuf_identifier(out, source_free_name(c, s, STR("row")));
}

void source_is_there(const struct source *s, struct sqlbuf *out)
{
    if (s->present != NULL) {
        sqlbuf_column(out, s->alias, s->present);
        sqlbuf_text(out, " is not null");
        return;
    }
    sqlbuf_text(out, "not (");
    sqlbuf_alias(out, s->alias);
    sqlbuf_text(out, ".* is null)");
}

/*
 * The item as it is, or under the tenant's condition. A join with a row of no columns is a place
 * for that, and leaves t1 what it is: the relation, whole rows and columns that cannot be read
 * included. It costs nothing to run.
 */
static void write_guarded(struct sqlbuf *b, const struct sqlbuf *call, const struct relation *r,
                          unsigned alias)
{
    bool guarded = source_guarded(r);

    sqlbuf_reads(b, r);
    if (guarded)
        sqlbuf_text(b, "(");
    if (call != NULL)
        sqlbuf_append(b, call);
    else
        sqlbuf_qualified(b, r->schema, r->name);
    sqlbuf_text(b, " ");
    sqlbuf_alias(b, alias);
    if (!guarded)
        return;
    sqlbuf_text(b, " join (select) g");
    sqlbuf_integer(b, alias);
    sqlbuf_text(b, " on ");
    source_guard(b, r, alias);
    sqlbuf_text(b, ")");
}

void source_name(struct sqlbuf *b, const struct relation *r, unsigned alias)
{
    write_guarded(b, NULL, r, alias);
}

void source_from(struct sqlbuf *b, const struct source *s)
{
    write_guarded(b, s->call, s->relation, s->alias);
}

void source_guard(struct sqlbuf *b, const struct relation *r, unsigned alias)
{
    sqlbuf_column(b, alias, r->tenant_column);
    sqlbuf_equals(b, r->tenant_column);
    sqlbuf_raw(b, r->tenant_value.data, r->tenant_value.len);
}

/*
 * exists (select from join table t0 where t0.task_id = t1.id and t0.tag_id = t2.id). A join
 * would give a row once for each row between: that there is one only may be just declared.
 */
static void match_through(struct sqlbuf *b, const struct relationship *r, unsigned from,
                          unsigned to)
{
    const struct junction *j = r->via;

    sqlbuf_text(b, "exists (select from ");
    source_name(b, j->relation, VIA);
    sqlbuf_text(b, " where ");
    for (size_t i = 0; i < r->n + j->nfar; i++) {
        bool near = i < r->n;

        if (i > 0)
            sqlbuf_text(b, " and ");
        sqlbuf_column(b, VIA, near ? j->near_columns[i] : j->far_columns[i - r->n]);
        sqlbuf_equals(b, near ? r->from_columns[i] : r->to_columns[i - r->n]);
        if (near)
            sqlbuf_column(b, from, r->from_columns[i]);
        else
            sqlbuf_column(b, to, r->to_columns[i - r->n]);
    }
    sqlbuf_text(b, ")");
}

void source_match(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to)
{
    if (r->via != NULL) {
        match_through(b, r, from, to);
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        if (i > 0)
            sqlbuf_text(b, " and ");
        sqlbuf_column(b, to, r->to_columns[i]);
        sqlbuf_equals(b, r->to_columns[i]);
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
