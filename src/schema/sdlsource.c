/*
 * sdlsource.c - a schema as the file of type definitions that makes it.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: reading such a file (sdlfile.c), the schema as clients see it (sdlprint.c).
 *
 * Everything that could be said otherwise is said: where a name is that of
 * naming.c, where a relationship leads. Only what cannot be written is left to
 * be found by its name.
 */
#include "base/jwriter.h"
#include "schema/authrule.h"
#include "schema/naming.h"
#include "schema/sdldirective.h"
#include "schema/sdlprint.h"

struct source {
    const struct schema *schema;
    struct arena *scratch;
    struct buf *out;
    bool *written; /* by index of types: it is in the file */
};

/* --- which types ------------------------------------------------------------------------------ */

/* Others have relations that are only what a function returns. */
static bool is_relation_type(const struct source *s, const struct type *t)
{
    const struct relation *r = t->relation;

    return t->kind == TYPE_OBJECT && r != NULL && r->type == t && r >= s->schema->relations &&
           r < s->schema->relations + s->schema->nrelations;
}

static void mark(struct source *s, const struct type *t);

/* Types of values: what is made of columns, down to the parts of documents. */
static void mark_fields(struct source *s, const struct type *t)
{
    size_t i;

    for (i = 0; i < t->nfields; i++)
        if (t->fields[i].column != NULL && t->fields[i].relationship == NULL)
            mark(s, t->fields[i].type.type);
}

static void mark(struct source *s, const struct type *t)
{
    if (s->written[t->index] || t->introspection)
        return;
    s->written[t->index] = true;
    mark_fields(s, t);
}

/* Others are written for what is said of them only. */
static bool has_auth(const struct type *t)
{
    size_t i;

    for (i = 0; i < t->nfields; i++)
        if (t->fields[i].auth != NULL)
            return true;
    return t->auth != NULL;
}

static void mark_all(struct source *s)
{
    size_t i;

    for (i = 0; i < s->schema->ntypes; i++) {
        const struct type *t = s->schema->types[i];

        if (t == s->schema->query || t == s->schema->mutation || is_relation_type(s, t) ||
            has_auth(t))
            mark(s, t);
    }
}

/* --- directives ------------------------------------------------------------------------------- */

static struct str qualified(struct source *s, struct str schema, struct str name)
{
    return arena_printf(s->scratch, "%.*s.%.*s", STR_ARG(schema), STR_ARG(name));
}

static void print_source(struct source *s, const struct relation *r)
{
    const struct key *k = relation_key(r);
    size_t i;

    buf_append_lit(s->out, " @source(relation: ");
    jwriter_string(s->out, qualified(s, r->schema, r->name));
    for (i = 0; i < r->ncolumns && r->columns[i].of == NULL; i++)
        continue;
    if (i < r->ncolumns) {
        buf_append_lit(s->out, ", column: ");
        jwriter_string(s->out, r->columns[i].of->name);
    }
    for (i = 0; k != NULL && k->declared && i < k->n; i++) {
        buf_printf(s->out, "%s", i == 0 ? ", key: [" : ", ");
        jwriter_string(s->out, k->columns[i]->name);
    }
    buf_printf(s->out, "%s)", k != NULL && k->declared ? "]" : "");
}

static bool is_key(const struct relation *r, const struct column *const *columns, size_t n)
{
    const struct key *k = relation_key(r);
    size_t i;

    if (k == NULL || k->n != n)
        return false;
    for (i = 0; i < n; i++)
        if (k->columns[i] != columns[i])
            return false;
    return true;
}

/* In on: a column's name ends at the first =, and has no space at its ends. */
static bool can_be_written(const struct column *c)
{
    return str_find(c->name, '=') == c->name.len && str_eq(str_trim(c->name), c->name) &&
           c->name.len > 0;
}

static void print_pairs(struct source *s, const struct relationship *w, bool here, bool there)
{
    size_t i;

    for (i = 0; i < w->n; i++) {
        const struct column *from = w->from_columns[i], *to = w->to_columns[i];

        if (i > 0)
            buf_append_lit(s->out, ", ");
        if (here && there)
            jwriter_string(s->out, arena_printf(s->scratch, "%.*s = %.*s", STR_ARG(from->name),
                                                STR_ARG(to->name)));
        else
            jwriter_string(s->out, here ? from->name : to->name);
    }
}

static void print_relation(struct source *s, const struct relationship *w)
{
    bool here = !w->to_many || !is_key(w->from, w->from_columns, w->n);
    bool there = w->to_many || !is_key(w->to, w->to_columns, w->n);
    size_t i;

    if (w->via != NULL)
        return;
    for (i = 0; i < w->n; i++)
        if (!can_be_written(w->from_columns[i]) || !can_be_written(w->to_columns[i]))
            return;
    buf_printf(s->out, " @relation(on: %s", w->n > 1 ? "[" : "");
    print_pairs(s, w, here, there);
    buf_printf(s->out, "%s)", w->n > 1 ? "]" : "");
}

/* A column is found by the name that its field has anyway, a key by the field's in snake_case,
 * unless it could be taken for a relationship. */
static void print_column(struct source *s, const struct field *f, bool key)
{
    if (key ? str_eq(naming_snake(f->name, s->scratch), f->column->name) &&
                  !is_relation_type(s, f->type.type)
            : str_eq(f->name, naming_camel(f->column->name, s->scratch)))
        return;
    buf_append_lit(s->out, " @column(name: ");
    jwriter_string(s->out, f->column->name);
    buf_append_char(s->out, ')');
}

static void print_function(struct source *s, const struct function *f)
{
    /* Several may have one name, told apart by the rows that they take. */
    if (f->shares_name)
        return;
    buf_append_lit(s->out, " @function(name: ");
    jwriter_string(s->out, qualified(s, f->schema, f->name));
    buf_append_char(s->out, ')');
}

static void print_ttl(struct source *s, const struct field_ttl *t)
{
    if (t->said)
        buf_printf(s->out, " @cache(ttl: %lu)", (unsigned long)t->seconds);
}

static void print_directives(struct source *s, const struct type *t, const struct field *f)
{
    if (f->function != NULL)
        print_function(s, f->function);
    else if (is_relation_type(s, t) &&
             (f->resolver == RESOLVE_TO_ONE || f->resolver == RESOLVE_TO_MANY))
        print_relation(s, f->relationship);
    else if (is_relation_type(s, t) && f->resolver == RESOLVE_COLUMN)
        print_column(s, f, f->column->of != NULL);
    else if (f->resolver == RESOLVE_PART && t->composite->sql.len == 0)
        print_column(s, f, true);
    if (f->weight > 0)
        buf_printf(s->out, " @cost(weight: %u)", f->weight);
    print_ttl(s, &f->cache);
    authrule_print(authrule_of_field(f), s->out);
    sdl_print_deprecated(f->deprecated, s->out);
}

/* --- definitions ------------------------------------------------------------------------------ */

static void print_object(struct source *s, const struct type *t)
{
    size_t i;

    buf_append_lit(s->out, "type ");
    buf_append_str(s->out, t->name);
    if (is_relation_type(s, t))
        print_source(s, t->relation);
    print_ttl(s, &t->cache);
    authrule_print(t->auth, s->out);
    buf_append_lit(s->out, " {\n");
    for (i = 0; i < t->nfields; i++) {
        const struct field *f = &t->fields[i];

        sdl_print_description(f->description, "  ", s->out);
        buf_append_lit(s->out, "  ");
        buf_append_str(s->out, f->name);
        buf_append_lit(s->out, ": ");
        type_ref_print(f->type, s->out);
        print_directives(s, t, f);
        buf_append_char(s->out, '\n');
    }
    buf_append_lit(s->out, "}\n");
}

static void print_type(struct source *s, const struct type *t)
{
    buf_append_char(s->out, '\n');
    sdl_print_description(t->description, "", s->out);
    switch (t->kind) {
    case TYPE_OBJECT:
        print_object(s, t);
        break;
    case TYPE_ENUM:
        buf_append_lit(s->out, "enum ");
        buf_append_str(s->out, t->name);
        sdl_print_enum(t, s->out);
        break;
    case TYPE_SCALAR:
        buf_append_lit(s->out, "scalar ");
        buf_append_str(s->out, t->name);
        buf_append_char(s->out, '\n');
        break;
    case TYPE_INTERFACE:
    case TYPE_UNION:
    case TYPE_INPUT_OBJECT:
        break;
    }
}

void schema_print_source(const struct schema *schema, struct buf *out)
{
    struct source s = {.schema = schema, .scratch = arena_new(0), .out = out};
    size_t i;

    s.written = ARENA_ARRAY(s.scratch, schema->ntypes, bool);
    mark_all(&s);
    sdl_directives_print(out);
    for (i = 0; i < schema->ntypes; i++) {
        const struct type *t = schema->types[i];
        bool value = t->kind == TYPE_OBJECT || t->kind == TYPE_ENUM || t->kind == TYPE_SCALAR;

        if (s.written[i] && value && !(t->scalar != NULL && t->scalar->built_in))
            print_type(&s, t);
    }
    arena_free(s.scratch);
}
