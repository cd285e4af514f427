/*
 * payload_sdl.c - the shape of a jsonb argument as inputs of the SDL file.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: shapes that composite types are (payloads.c).
 *
 *     input CreateContactInput { firstName: String! @column(name: "first_name") places:
 * [PlaceInput!] } input PlaceInput { city: String }
 *
 * An input of the name that the function's input has is its shape, unless it is
 * just what the input would be without one: { payload: JSON }.
 */
#include "schema/functions.h"
#include "schema/naming.h"
#include "schema/sdlfile.h"

#include "language/ast_types.h"

static struct sdl_other *find_input(const struct builder *b, struct str name)
{
    size_t i;

    for (i = 0; b->sdl != NULL && i < b->sdl->others.n; i++) {
        struct sdl_other *o = &b->sdl->others.items[i];

        if (o->ast->kind == AST_INPUT_OBJECT && str_eq(o->ast->name, name))
            return o;
    }
    return NULL;
}

/* { payload: JSON } */
static bool is_argument(struct builder *b, const struct sdl_other *o, const struct doc_argument *a)
{
    return o->ast->ninputs == 1 && o->ast->inputs[0].type->kind == AST_NAMED_TYPE &&
           str_is(o->ast->inputs[0].type->name, "JSON") &&
           str_eq(o->ast->inputs[0].name, naming_camel(a->name, b->scratch));
}

struct sdl_other *payload_sdl_find(struct builder *b, const struct candidate *c,
                                   const struct doc_argument *a)
{
    struct str name =
        arena_printf(b->scratch, "%.*sInput", STR_ARG(naming_upper_first(c->name, b->scratch)));
    struct sdl_other *o = find_input(b, name);

    return o != NULL && !is_argument(b, o, a) ? o : NULL;
}

/* An enum type of the database, by its GraphQL name; NULL if there is none. */
static const struct type *find_enum(struct builder *b, struct str name)
{
    struct column value = {0};
    size_t i;

    for (i = 0; i < b->doc.ntypes; i++) {
        const struct doc_type *t = &b->doc.types[i];

        if (t->kind == 'e' && str_eq(naming_pascal(t->name, b->scratch), name) &&
            values_describe(b, t->oid, false, &value))
            return value.type;
    }
    return NULL;
}

static const struct type *find_type(struct builder *b, struct str name)
{
    const struct scalar *s = scalar_find(name);
    const struct type *made = builder_find_type(b, name);
    struct sdl_other *o;
    struct inputs members = {0};
    struct type *t;

    if (s != NULL)
        return builder_scalar(b, arena_dup(b->scratch, name).data);
    if (made != NULL)
        return type_is_input(made) ? made : NULL;
    o = find_input(b, name);
    if (o == NULL)
        return find_enum(b, name);
    /* It may be a part of itself. */
    t = builder_add_type(b, TYPE_INPUT_OBJECT, arena_dup(b->arena, name),
                         STR("an input of the SDL file"));
    payload_sdl_members(b, o, &members);
    builder_set_inputs(b, t, &members);
    return t;
}

static bool make_member(struct builder *b, const struct ast_input_value_definition *d,
                        struct input_value *out)
{
    struct column *c = ARENA_NEW(b->arena, struct column);
    const struct ast_type *type = d->type;
    struct sdl_directives of;
    unsigned level = 0;

    sdl_directives_read(&b->sdl->reader, &d->directives, ON_INPUT_FIELD_DEFINITION, &of);
    for (; type->kind == AST_LIST_TYPE && level < TYPE_REF_MAX_LISTS; type = type->of, level++)
        out->type.non_null |= (uint16_t)(type->non_null << level);
    out->type.non_null |= (uint16_t)(type->non_null << level);
    out->type.nlists = (uint8_t)level;
    out->type.type = type->kind == AST_NAMED_TYPE ? find_type(b, type->name) : NULL;
    if (out->type.type == NULL)
        place_error(sdl_place(&b->sdl->reader, type->offset), b->errs,
                    "there is no input type \"%.*s\"", STR_ARG(type->name));
    if (d->default_value != NULL)
        place_error(sdl_place(&b->sdl->reader, d->offset), b->errs,
                    "a member of a document has no default: it is absent or given");
    c->name =
        is_said(of.column) ? arena_dup(b->arena, of.column.text) : naming_snake(d->name, b->arena);
    c->field_name = out->name = arena_dup(b->arena, d->name);
    out->role = INPUT_PART;
    out->column = c;
    if (d->description.data != NULL)
        out->description = arena_dup(b->arena, d->description);
    if (is_said(of.deprecated))
        out->deprecated = arena_dup(b->arena, of.deprecated.text);
    return out->type.type != NULL;
}

void payload_sdl_members(struct builder *b, struct sdl_other *o, struct inputs *out)
{
    size_t i;

    for (i = 0; i < o->ast->ninputs; i++) {
        struct input_value v = {0};

        if (make_member(b, &o->ast->inputs[i], &v))
            VEC_PUSH(b->scratch, out, v);
        else
            o->told = true;
    }
}
