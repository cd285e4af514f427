/*
 * sqlbuf.c - SQL text: the only place that quotes names and numbers parameters.
 *
 * Thread:   one at a time.
 * Memory:   text grows in the scratch arena of its parameters.
 */
#include "planner/sqlbuf.h"

#include <inttypes.h>

#define MAX_PARAMETERS 65535 /* int16 of the Bind message, unsigned */
#define SHARED_RECENT  256   /* how far back an equal parameter is looked for */

void sqlparams_init(struct sqlparams *p, struct arena *scratch)
{
    *p = (struct sqlparams){.scratch = scratch};
}

void sqlbuf_init(struct sqlbuf *b, struct sqlparams *params)
{
    *b = (struct sqlbuf){.params = params};
}

void sqlbuf_raw(struct sqlbuf *b, const char *text, size_t len)
{
    if (b->cap - b->len < len) {
        size_t cap = size_max(2 * b->cap, size_max(b->len + len, 64));
        char *data = arena_alloc_raw(b->params->scratch, cap);

        if (b->len > 0)
            memcpy(data, b->data, b->len);
        b->data = data;
        b->cap = cap;
    }
    if (len > 0)
        memcpy(b->data + b->len, text, len);
    b->len += len;
}

void sqlbuf_identifier(struct sqlbuf *b, struct str name)
{
    size_t from = 0;

    sqlbuf_text(b, "\"");
    for (size_t i = 0; i < name.len; i++) {
        CHECK(name.data[i] != '\0'); /* PostgreSQL has no such name */
        if (name.data[i] == '"') {
            sqlbuf_raw(b, name.data + from, i + 1 - from);
            from = i; /* the quote once more, as the first byte of the rest */
        }
    }
    sqlbuf_raw(b, name.data + from, name.len - from);
    sqlbuf_text(b, "\"");
}

static void mention(const struct sqlparams *p, struct str schema, struct str name)
{
    struct sqlmentions *m = p->mentions;
    struct plan_name mentioned = {schema, name};

    if (m == NULL)
        return;
    for (size_t i = 0; i < m->names.n; i++)
        if (str_eq(m->names.items[i].schema, schema) && str_eq(m->names.items[i].name, name))
            return;
    VEC_PUSH(p->scratch, &m->names, mentioned);
}

void sqlmentions_read(struct sqlmentions *m, const struct relation *r, struct arena *scratch)
{
    for (size_t i = 0; i < m->reads.n; i++)
        if (m->reads.items[i] == r)
            return;
    VEC_PUSH(scratch, &m->reads, r);
}

void sqlbuf_reads(struct sqlbuf *b, const struct relation *r)
{
    if (b->params->mentions != NULL)
        sqlmentions_read(b->params->mentions, r, b->params->scratch);
}

void sqlbuf_qualified(struct sqlbuf *b, struct str schema, struct str name)
{
    mention(b->params, schema, name);
    sqlbuf_identifier(b, schema);
    sqlbuf_text(b, ".");
    sqlbuf_identifier(b, name);
}

void sqlbuf_alias(struct sqlbuf *b, unsigned alias)
{
    sqlbuf_text(b, "t");
    sqlbuf_integer(b, alias);
}

/* pg_catalog.sum(t1."budget") */
static void write_aggregate(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    const struct aggregates *of = c->of != NULL ? c->of->aggregates : NULL;

    if (c->aggregate == AGGREGATE_COUNT) {
        sqlbuf_text(b, "pg_catalog.count(*)");
        return;
    }
    if (c->aggregate == AGGREGATE_COUNT_DISTINCT) {
        sqlbuf_text(b, "pg_catalog.count(distinct ");
        sqlbuf_column(b, alias, c->of);
    } else {
        sqlbuf_qualified(b, of->schema, aggregate_name(c->aggregate));
        sqlbuf_text(b, "(");
        sqlbuf_column(b, alias, c->of);
        if (of->cast)
            sqlbuf_cast(b, c->of->type_sql, false);
    }
    sqlbuf_text(b, ")");
}

void sqlbuf_literal(struct sqlbuf *b, struct str text)
{
    bool backslash = text.len > 0 && memchr(text.data, '\\', text.len) != NULL;

    /* The other form would depend on standard_conforming_strings. */
    if (backslash)
        sqlbuf_text(b, "E");
    sqlbuf_text(b, "'");
    for (size_t i = 0; i < text.len; i++) {
        CHECK(text.data[i] != '\0');
        if (text.data[i] == '\'' || text.data[i] == '\\')
            sqlbuf_raw(b, &text.data[i], 1);
        sqlbuf_raw(b, &text.data[i], 1);
    }
    sqlbuf_text(b, "'");
}

static void write_column(struct sqlbuf *b, unsigned alias, const struct column *c);

/* What is inside of a document, as jsonb: t7."data"->'address' */
static void write_json(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    if (c->of == NULL || !c->of->document) {
        write_column(b, alias, c);
        return;
    }
    write_json(b, alias, c->of);
    sqlbuf_text(b, "->");
    sqlbuf_literal(b, c->name);
}

/* case when it is an array then array(select item.value::type from its items) end */
static void write_json_list(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    sqlbuf_text(b, "case when pg_catalog.jsonb_typeof(");
    write_json(b, alias, c);
    sqlbuf_text(b, ") = 'array' then array(select item.value");
    if (!str_is(c->element_sql, "text"))
        sqlbuf_cast(b, c->element_sql, false);
    sqlbuf_text(b, " from pg_catalog.jsonb_array_elements_text(");
    write_json(b, alias, c);
    sqlbuf_text(b, ") item(value)) end");
}

/* A key of a document as a value of what it is declared as. JSON's null is null. */
static void write_key(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    sqlbuf_text(b, "(");
    if (c->is_array && c->comparable) {
        write_json_list(b, alias, c);
    } else if (c->document || c->is_array || c->codec->json == JSON_ANY) {
        sqlbuf_text(b, "nullif(");
        write_json(b, alias, c);
        sqlbuf_text(b, ", 'null')");
    } else {
        write_json(b, alias, c->of);
        sqlbuf_text(b, "->>");
        sqlbuf_literal(b, c->name);
    }
    sqlbuf_text(b, ")");
    if (!c->is_array && !c->document && c->codec->json != JSON_ANY && !str_is(c->type_sql, "text"))
        sqlbuf_cast(b, c->type_sql, false);
}

/* Recursion is bounded by the depth of what names the part: a filter, an order, a type. */
static void write_column(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    if (c->aggregate != AGGREGATE_NONE) {
        write_aggregate(b, alias, c);
    } else if (c->distance.len > 0) {
        sqlbuf_text(b, "(");
        write_column(b, alias, c->of);
        sqlbuf_text(b, " ");
        sqlbuf_operator(b, c->of, c->distance);
        sqlbuf_text(b, " ");
        sqlbuf_raw(b, c->operand.data, c->operand.len);
        sqlbuf_text(b, ")");
    } else if (c->of == NULL) {
        sqlbuf_alias(b, alias);
        sqlbuf_text(b, ".");
        sqlbuf_identifier(b, c->name);
    } else if (c->of->document) {
        write_key(b, alias, c);
    } else {
        sqlbuf_text(b, "(");
        write_column(b, alias, c->of);
        sqlbuf_text(b, ").");
        sqlbuf_identifier(b, c->name);
    }
}

void sqlbuf_column(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    write_column(b, alias, c);
}

void sqlbuf_value(struct sqlbuf *b, unsigned alias, const struct column *c)
{
    sqlbuf_column(b, alias, c);
    sqlbuf_known(b, c);
}

void sqlbuf_known(struct sqlbuf *b, const struct column *c)
{
    /* A type of a schema might be one that the role may read, but not name. */
    bool nameable = c->type_sql.len > 0 && memchr(c->type_sql.data, '.', c->type_sql.len) == NULL;

    if (nameable && (b->params->as_known || c->expression.len > 0))
        sqlbuf_cast(b, c->type_sql, false);
    sqlbuf_raw(b, c->expression.data, c->expression.len);
}

void sqlbuf_cast(struct sqlbuf *b, struct str type_sql, bool array)
{
    sqlbuf_text(b, "::");
    sqlbuf_raw(b, type_sql.data, type_sql.len);
    if (array)
        sqlbuf_text(b, "[]");
}

void sqlbuf_integer(struct sqlbuf *b, int64_t v)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRId64, v);

    sqlbuf_raw(b, digits, (size_t)n);
}

static bool same_source(const struct plan_param *a, const struct plan_param *b)
{
    if (a->variable != b->variable || a->opaque != b->opaque || a->item != b->item)
        return false;
    if (a->variable < 0)
        return a->literal == b->literal &&
               (a->constant.data == NULL) == (b->constant.data == NULL) &&
               str_eq(a->constant, b->constant);
    /* The same place of a variable, but under another type it would become another text. */
    return type_ref_eq(a->type, b->type) && a->nsteps == b->nsteps &&
           (a->nsteps == 0 || memcmp(a->steps, b->steps, a->nsteps * sizeof *a->steps) == 0);
}

static size_t number_parameter(struct sqlparams *ps, const struct plan_param *p, struct str cast)
{
    for (size_t i = ps->n > SHARED_RECENT ? ps->n - SHARED_RECENT : 0; i < ps->n; i++)
        if (ps->items[i].form == p->form && str_eq(ps->casts[i], cast) &&
            same_source(&ps->items[i], p))
            return i + 1;
    if (ps->n == MAX_PARAMETERS) {
        ps->overflow = true;
        return MAX_PARAMETERS;
    }
    if (ps->n == ps->cap) {
        size_t cap = ps->cap;

        ps->casts = arena_grow(ps->scratch, ps->casts, ps->n, &cap, sizeof *ps->casts);
        ps->items = arena_grow(ps->scratch, ps->items, ps->n, &ps->cap, sizeof *ps->items);
        CHECK(cap == ps->cap);
    }
    ps->casts[ps->n] = cast;
    ps->items[ps->n] = *p;
    return ++ps->n;
}

size_t sqlbuf_parameter(struct sqlbuf *b, const struct plan_param *p, struct str cast, bool array)
{
    struct arena *scratch = b->params->scratch;
    struct str whole = array ? arena_printf(scratch, "%.*s[]", STR_ARG(cast)) : cast;
    size_t number = number_parameter(b->params, p, whole);

    sqlbuf_text(b, "$");
    sqlbuf_integer(b, (int64_t)number);
    sqlbuf_cast(b, whole, false);
    return number;
}

void sqlbuf_append(struct sqlbuf *b, const struct sqlbuf *piece)
{
    sqlbuf_raw(b, piece->data, piece->len);
}

void sqlbuf_operator(struct sqlbuf *b, const struct column *c, struct str name)
{
    if (c->operators.len > 0) {
        sqlbuf_text(b, "operator(");
        sqlbuf_raw(b, c->operators.data, c->operators.len);
        sqlbuf_text(b, ".");
    }
    sqlbuf_raw(b, name.data, name.len);
    if (c->operators.len > 0)
        sqlbuf_text(b, ")");
}

void sqlbuf_equals(struct sqlbuf *b, const struct column *c)
{
    sqlbuf_text(b, " ");
    sqlbuf_operator(b, c, STR("="));
    sqlbuf_text(b, " ");
}

void sqlbuf_pattern(struct sqlbuf *b, const char *pattern, const struct sqlpattern *with)
{
    struct str rest = str_of(pattern), name;

    while (rest.len > 0) {
        char c = rest.len > 1 && rest.data[0] == '%' ? rest.data[1] : '\0';

        if (c == 'c') {
            sqlbuf_append(b, with->column);
        } else if (c == 'p' || c == 'q') {
            sqlbuf_append(b, with->operands[c - 'p']);
        } else if (c == 's') {
            sqlbuf_raw(b, with->type->operators.data, with->type->operators.len);
        } else if (c == '{') {
            CHECK(str_cut(str_sub(rest, 2, rest.len), '}', &name, &rest));
            sqlbuf_operator(b, with->type, name);
            continue;
        } else {
            sqlbuf_raw(b, rest.data, 1);
            rest = str_sub(rest, 1, rest.len);
            continue;
        }
        rest = str_sub(rest, 2, rest.len);
    }
}
