/*
 * sdlcheck.c - is what is made as the SDL file says?
 *
 * Thread:   one at a time.
 * Memory:   what the schema keeps is in its arena.
 * Not here: reading the file (sdlfile.c).
 */
#include "schema/sdlfile.h"

#include "language/ast_types.h"
#include "language/printer.h"
#include "schema/authrule.h"
#include "schema/naming.h"

/* What is made of a relationship stands for it. */
static bool is_of(struct str field, struct str relationship)
{
    struct str rest = str_sub(field, relationship.len, SIZE_MAX);

    return str_starts(field, relationship) &&
           (rest.len == 0 || str_is(rest, "Connection") || str_is(rest, "Aggregate"));
}

bool sdl_exposes(const struct type_annotation *t, struct str name)
{
    size_t i;

    if (t == NULL || t->declared == NULL)
        return true;
    for (i = 0; i < t->declared->n; i++)
        if (is_of(t->declared->items[i].name, name))
            return !t->declared->items[i].hide;
    return !t->closed;
}

/* --- fields ----------------------------------------------------------------------------------- */

static struct str print_type(struct builder *b, struct type_ref r)
{
    struct str out;
    struct buf text;

    buf_init(&text, 0);
    type_ref_print(r, &text);
    out = arena_dup(b->errs->arena, buf_str(&text));
    buf_fini(&text);
    return out;
}

/* A column whose type was compared already, where it became one. */
static bool was_compared(const struct field *f, const struct declared_field *d)
{
    return f->column != NULL && f->relationship == NULL && f->type.type->kind != TYPE_OBJECT &&
           !(str_is(f->type.type->name, "JSON") && scalar_find(d->type.name.text) == NULL);
}

/* What is not null may be declared as if it could be, but not the other way round. */
static void settle_type(struct builder *b, const struct type *t, const struct declared_field *d,
                        struct field *f)
{
    if (!str_eq(f->type.type->name, d->type.name.text) || f->type.nlists != d->type.nlists) {
        if (!was_compared(f, d))
            place_error(d->type.name.at, b->errs, "\"%.*s.%.*s\" is of type %.*s", STR_ARG(t->name),
                        STR_ARG(d->name), STR_ARG(print_type(b, f->type)));
        return;
    }
    if (d->type.non_null & ~f->type.non_null)
        place_error(d->type.name.at, b->errs,
                    "\"%.*s.%.*s\" may be null where it is declared not to be: it is of type %.*s",
                    STR_ARG(t->name), STR_ARG(d->name), STR_ARG(print_type(b, f->type)));
    f->type.non_null &= d->type.non_null;
}

static bool same_type(struct type_ref r, const struct ast_type *t)
{
    struct buf a = {0}, b = {0};
    bool same;

    type_ref_print(r, &a);
    printer_type(t, &b);
    same = str_eq(buf_str(&a), buf_str(&b));
    buf_fini(&a);
    buf_fini(&b);
    return same;
}

/* Arguments are generated: they may be left out, or have to be as they are. */
static void check_arguments(struct builder *b, const struct type *t, const struct declared_field *d,
                            const struct field *f)
{
    size_t i;

    for (i = 0; i < d->ast->narguments; i++) {
        const struct ast_input_value_definition *a = &d->ast->arguments[i];
        const struct input_value *v = field_argument(f, a->name);
        struct place at = sdl_place(&b->sdl->reader, a->offset);

        if (v == NULL)
            place_error(at, b->errs, "\"%.*s.%.*s\" has no argument \"%.*s\"", STR_ARG(t->name),
                        STR_ARG(d->name), STR_ARG(a->name));
        else if (!same_type(v->type, a->type))
            place_error(at, b->errs, "argument \"%.*s\" of \"%.*s.%.*s\" is of type %.*s",
                        STR_ARG(a->name), STR_ARG(t->name), STR_ARG(d->name),
                        STR_ARG(print_type(b, v->type)));
    }
}

static void settle_field(struct builder *b, const struct type *t, const struct declared_field *d,
                         struct field *f)
{
    settle_type(b, t, d, f);
    check_arguments(b, t, d, f);
    if (d->description.data != NULL)
        f->description = arena_dup(b->arena, d->description);
    if (d->deprecated.data != NULL)
        f->deprecated = arena_dup(b->arena, d->deprecated);
    f->weight = d->weight;
    f->cache = (struct field_ttl){d->cache.said, d->cache.seconds};
    authrule_settle(b, &d->auth, f);
}

/* Why a function is not served, if that is why a field is not there. */
static struct str reason_of(const struct builder *b, const struct sdl_directives *of)
{
    size_t i;

    for (i = 0; is_said(of->function) && i < b->schema->nskipped; i++) {
        struct str name = b->schema->skipped[i].name;

        if (str_eq(name, of->function.text) ||
            (str_ends(name, of->function.text) &&
             name.data[name.len - of->function.text.len - 1] == '.'))
            return b->schema->skipped[i].reason;
    }
    return STR("");
}

static void tell_missing(struct builder *b, const struct sdl_type *t,
                         const struct declared_field *d, const struct sdl_directives *of)
{
    struct str reason = reason_of(b, of);
    struct error *e;

    if (of->told || of->on.said || is_said(of->column) || b->opt->partial)
        return;
    if (reason.len > 0) {
        place_error(d->at, b->errs, "function \"%.*s\" is not exposed: %.*s",
                    STR_ARG(of->function.text), STR_ARG(reason));
        return;
    }
    e = place_error(d->at, b->errs, "there is nothing that could be \"%.*s.%.*s\"",
                    STR_ARG(t->name), STR_ARG(d->name));
    if (t->kind == SDL_RELATION)
        e->hint = STR("name a column with @column(name:), or columns with @relation(on:)");
    else if (t->kind == SDL_ROOT)
        e->hint = STR("name a function with @function(name:)");
}

/* What a type's interfaces ask for cannot be left out. */
static bool is_of_interface(const struct builder *b, const struct type *t, struct str name)
{
    size_t i;

    for (i = 0; i < t->ninterfaces; i++)
        if (schema_field(b->schema, t->interfaces[i], name) != NULL)
            return true;
    return false;
}

/* Of a definition, what it lists stands in its order already. */
static bool stays(const struct builder *b, const struct type *t, const struct sdl_type *declared,
                  const struct map *listed, const struct field *f)
{
    const struct sdl_directives *of = map_get(listed, f->name);

    if (of == NULL)
        return !declared->closed || is_of_interface(b, t, f->name);
    return !declared->closed && !of->hide;
}

void sdl_settle_fields(struct builder *b, struct type *t, struct fields *fields)
{
    struct sdl_type *declared = b->sdl != NULL ? map_get(&b->sdl->types, t->name) : NULL;
    struct fields out = {0};
    struct map made, listed;
    size_t i;

    if (declared == NULL || t->introspection)
        return;
    declared->seen = true;
    if (declared->directives.auth.said)
        t->auth = authrule_make(b, &declared->directives.auth);
    map_init(&made, b->scratch);
    map_init(&listed, b->scratch);
    for (i = 0; i < fields->n; i++)
        (void)map_add(&made, fields->items[i].name, &fields->items[i]);
    /* A definition has its fields in its own order. */
    for (i = 0; i < declared->fields.n; i++) {
        const struct declared_field *d = &declared->fields.items[i];

        struct field *f = map_get(&made, d->name);

        map_put(&listed, d->name, &declared->of_fields[i]);
        if (d->hide)
            continue;
        if (f == NULL)
            tell_missing(b, declared, d, &declared->of_fields[i]);
        else
            settle_field(b, t, d, f);
        if (f != NULL && declared->closed)
            VEC_PUSH(b->scratch, &out, *f);
    }
    for (i = 0; i < fields->n; i++)
        if (stays(b, t, declared, &listed, &fields->items[i]))
            VEC_PUSH(b->scratch, &out, fields->items[i]);
    *fields = out;
}

/* --- other types ------------------------------------------------------------------------------ */

static struct type *type_made(struct builder *b, const struct sdl_other *o, enum type_kind kind)
{
    struct type *t = builder_find_type(b, o->ast->name);

    if (t != NULL && t->kind == kind)
        return t;
    if (t == NULL && b->opt->partial)
        return NULL;
    place_error(o->at, b->errs,
                t == NULL ? "there is nothing that type \"%.*s\" could be"
                          : "type \"%.*s\" is of another kind",
                STR_ARG(o->ast->name));
    return NULL;
}

/* All values of the type in the database, with descriptions of their own. */
static void settle_enum(struct builder *b, const struct sdl_other *o, struct type *t)
{
    struct enum_value *values = ARENA_ARRAY(b->arena, t->nvalues, struct enum_value);
    size_t i, j;

    if (t->nvalues > 0)
        memcpy(values, t->values, t->nvalues * sizeof(*values));
    for (i = 0; i < o->ast->nvalues; i++) {
        const struct ast_enum_value_definition *v = &o->ast->values[i];
        struct sdl_directives of;

        sdl_directives_read(&b->sdl->reader, &v->directives, ON_ENUM_VALUE, &of);
        for (j = 0; j < t->nvalues && !str_eq(values[j].name, v->name); j++)
            continue;
        if (j == t->nvalues) {
            place_error(sdl_place(&b->sdl->reader, v->offset), b->errs,
                        "enum \"%.*s\" has no value \"%.*s\"", STR_ARG(t->name), STR_ARG(v->name));
            continue;
        }
        if (v->description.data != NULL)
            values[j].description = arena_dup(b->arena, v->description);
        if (is_said(of.deprecated))
            values[j].deprecated = arena_dup(b->arena, of.deprecated.text);
    }
    for (j = 0; j < t->nvalues; j++) {
        for (i = 0; i < o->ast->nvalues && !str_eq(o->ast->values[i].name, values[j].name); i++)
            continue;
        if (i == o->ast->nvalues)
            place_error(o->at, b->errs, "enum \"%.*s\" has the value \"%.*s\" as well",
                        STR_ARG(t->name), STR_ARG(values[j].name));
    }
    builder_set_values(b, t, values, t->nvalues);
}

static void check_inputs(struct builder *b, const struct sdl_other *o, const struct type *t)
{
    size_t i;

    for (i = 0; i < o->ast->ninputs; i++) {
        const struct ast_input_value_definition *d = &o->ast->inputs[i];
        const struct input_value *v = schema_input(t, d->name);

        if (v == NULL || !same_type(v->type, d->type))
            place_error(sdl_place(&b->sdl->reader, d->offset), b->errs, "\"%.*s.%.*s\" is %s%.*s",
                        STR_ARG(t->name), STR_ARG(d->name), v == NULL ? "not there" : "of type ",
                        STR_ARG(v == NULL ? STR("") : print_type(b, v->type)));
    }
    if (o->ast->ninputs < t->ninputs)
        place_error(o->at, b->errs, "input \"%.*s\" has more fields", STR_ARG(t->name));
}

static void check_members(struct builder *b, const struct sdl_other *o, const struct type *t)
{
    bool same = t->npossible == o->ast->nmembers;
    size_t i, j;

    for (i = 0; same && i < o->ast->nmembers; i++) {
        for (j = 0; j < t->npossible && !str_eq(t->possible[j]->name, o->ast->members[i].name); j++)
            continue;
        same = j < t->npossible;
    }
    if (!same)
        place_error(o->at, b->errs, "union \"%.*s\" has other members", STR_ARG(t->name));
}

static void check_fields(struct builder *b, const struct sdl_other *o, const struct type *t)
{
    size_t i;

    for (i = 0; i < o->ast->nfields; i++) {
        const struct ast_field_definition *d = &o->ast->fields[i];
        const struct field *f = schema_field(b->schema, t, d->name);

        if (f == NULL || !same_type(f->type, d->type))
            place_error(sdl_place(&b->sdl->reader, d->offset), b->errs, "\"%.*s.%.*s\" is %s%.*s",
                        STR_ARG(t->name), STR_ARG(d->name), f == NULL ? "not there" : "of type ",
                        STR_ARG(f == NULL ? STR("") : print_type(b, f->type)));
    }
    if (o->ast->nfields < t->nfields)
        place_error(o->at, b->errs, "interface \"%.*s\" has more fields", STR_ARG(t->name));
}

static void check_other(struct builder *b, const struct sdl_other *o)
{
    static const enum type_kind kinds[] = {[AST_SCALAR] = TYPE_SCALAR,
                                           [AST_INTERFACE] = TYPE_INTERFACE,
                                           [AST_UNION] = TYPE_UNION,
                                           [AST_ENUM_TYPE] = TYPE_ENUM,
                                           [AST_INPUT_OBJECT] = TYPE_INPUT_OBJECT};
    struct type *t;
    struct sdl_directives of;

    /* A scalar that is known, but that nothing here is of, does no harm. */
    if (o->ast->kind == AST_SCALAR && scalar_find(o->ast->name) != NULL)
        return;
    t = type_made(b, o, kinds[o->ast->kind]);
    if (t == NULL)
        return;
    if (o->ast->kind != AST_ENUM_TYPE)
        sdl_directives_read(&b->sdl->reader, &o->ast->directives,
                            o->ast->kind == AST_SCALAR ? ON_SCALAR : ON_INPUT_OBJECT, &of);
    if (o->ast->description.data != NULL)
        t->description = arena_dup(b->arena, o->ast->description);
    if (t->kind == TYPE_ENUM)
        settle_enum(b, o, t);
    else if (t->kind == TYPE_INPUT_OBJECT && !o->told)
        check_inputs(b, o, t);
    else if (t->kind == TYPE_UNION)
        check_members(b, o, t);
    else if (t->kind == TYPE_INTERFACE)
        check_fields(b, o, t);
}

void sdl_check(struct builder *b)
{
    size_t i;

    if (b->sdl == NULL)
        return;
    for (i = 0; i < b->sdl->types.n; i++) {
        const struct sdl_type *t = b->sdl->types.entries[i].value;

        if (!t->seen && !b->opt->partial && !is_said(t->directives.relation))
            place_error(t->at, b->errs, "there is nothing that type \"%.*s\" could be",
                        STR_ARG(t->name))
                ->hint = STR("name a relation with @source(relation:)");
    }
    for (i = 0; i < b->sdl->others.n; i++)
        check_other(b, &b->sdl->others.items[i]);
}
