/*
 * payloads.c - functions with one jsonb argument, whose members a composite type declares.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: writing the document (planner/paramdoc.c).
 *
 * FraiseQL's convention: context arguments first, then one jsonb. Its shape is the
 * composite type that the comment's input_type names, or else type_<function>_input,
 * looked for in the function's schema and in "app"; or it is an input of the SDL
 * file (payload_sdl.c).
 */
#include "schema/authrule.h"
#include "schema/functions.h"
#include "schema/naming.h"

static struct doc_type *find_type(const struct builder *b, struct str schema, struct str name)
{
    size_t i;

    for (i = 0; i < b->doc.ntypes; i++) {
        struct doc_type *t = &b->doc.types[i];

        if (t->nattributes > 0 && str_eq(t->name, name) && str_eq(t->schema, schema))
            return t;
    }
    return NULL;
}

/* "app.type_x_input", or without schema. */
static struct doc_type *find_named(const struct builder *b, const struct doc_function *d,
                                   struct str name)
{
    struct doc_type *t;
    struct str schema, rest;

    if (str_cut(name, '.', &schema, &rest))
        return find_type(b, schema, rest);
    t = find_type(b, d->schema, name);
    return t != NULL ? t : find_type(b, STR("app"), name);
}

static bool is_jsonb(const struct builder *b, const struct doc_argument *a)
{
    const struct doc_type *t = values_base_type(b, a->type);

    return t != NULL && str_is(t->schema, "pg_catalog") && str_is(t->name, "jsonb");
}

/* The only argument that the client gives; NULL: there are none, or several. */
static const struct doc_argument *single_argument(const struct doc_function *d)
{
    const struct doc_argument *single = NULL;
    size_t i;

    for (i = 0; i < d->narguments; i++) {
        const struct doc_argument *a = &d->arguments[i];

        if (!parameters_is_input(a) || parameters_is_context(d, a))
            continue;
        if (single != NULL)
            return NULL;
        single = a;
    }
    return single;
}

/* The composite type that declares it; NULL: none does. */
static const struct doc_type *find_shape(struct builder *b, const struct doc_function *d,
                                         const struct doc_argument *a)
{
    const struct function_annotation *said = d->annotation;
    struct str stem = naming_strip(d->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes);
    const struct doc_type *shape;

    if (said == NULL || !is_said(said->input_type))
        return a != NULL
                   ? find_named(b, d, arena_printf(b->scratch, "type_%.*s_input", STR_ARG(stem)))
                   : NULL;
    shape = find_named(b, d, said->input_type.text);
    if (a == NULL)
        place_error(said->input_type.at, b->errs,
                    "function \"%.*s.%.*s\" has no single jsonb argument for an input_type",
                    STR_ARG(d->schema), STR_ARG(d->name));
    else if (shape == NULL)
        place_error(said->input_type.at, b->errs, "there is no composite type \"%.*s\"",
                    STR_ARG(said->input_type.text));
    return shape;
}

bool payloads_find(struct builder *b, const struct candidate *c, struct payload *out)
{
    const struct doc_argument *a = single_argument(c->doc);

    if (a != NULL && (a->mode != 'i' || !is_jsonb(b, a)))
        a = NULL;
    *out = (struct payload){.argument = a, .shape = find_shape(b, c->doc, a)};
    if (a != NULL && out->shape == NULL)
        out->declared = payload_sdl_find(b, c, a);
    return a != NULL && (out->shape != NULL || out->declared != NULL);
}

static void check_type(struct builder *b, const struct doc_type *d, const struct doc_column *from,
                       const struct column *c)
{
    const struct said_type *t = &from->annotation->type;

    if (is_said(t->name) &&
        (!str_eq(t->name.text, c->type->name) || t->nlists != (c->is_array ? 1 : 0)))
        place_error(t->name.at, b->errs,
                    "attribute \"%.*s\" of type \"%.*s.%.*s\" is of type %s%.*s%s",
                    STR_ARG(from->name), STR_ARG(d->schema), STR_ARG(d->name),
                    c->is_array ? "[" : "", STR_ARG(c->type->name), c->is_array ? "]" : "");
}

/* A member of the document. False: it is hidden. */
static bool make_member(struct builder *b, const struct doc_type *d, const struct doc_column *from,
                        struct column *c, struct input_value *out)
{
    const struct field_annotation *said = from->annotation;
    bool id = said != NULL && is_said(said->type.name) && str_is(said->type.name.text, "ID");

    if (said != NULL && said->hide == SAID_YES)
        return false;
    c->name = arena_dup(b->arena, from->name);
    c->field_name = exposure_field_name(b, from);
    comment_read(from->comment, b->arena, &c->comment, &c->deprecated);
    CHECK(values_describe(b, from->type, id, c)); /* the document has it */
    *out = (struct input_value){.name = c->field_name, .role = INPUT_PART, .column = c};
    out->type = values_input(b, c);
    out->description = c->comment;
    out->deprecated = c->deprecated;
    if (said == NULL)
        return true;
    c->auth = authrule_make(b, &said->auth);
    check_type(b, d, from, c);
    out->type.non_null |= said->type.non_null & 1u;
    if (is_said(said->description))
        out->description = arena_dup(b->arena, said->description.text);
    if (is_said(said->deprecated))
        out->deprecated = arena_dup(b->arena, said->deprecated.text);
    return true;
}

static void shape_members(struct builder *b, const struct doc_type *d, struct inputs *out)
{
    struct column *columns = ARENA_ARRAY(b->arena, d->nattributes, struct column);
    struct input_value v;
    size_t i;

    for (i = 0; i < d->nattributes; i++)
        if (make_member(b, d, &d->attributes[i], &columns[i], &v))
            VEC_PUSH(b->scratch, out, v);
}

void payloads_members(struct builder *b, const struct payload *p, struct inputs *out)
{
    if (p->shape != NULL)
        shape_members(b, p->shape, out);
    else
        payload_sdl_members(b, p->declared, out);
}
