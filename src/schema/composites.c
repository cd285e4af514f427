/*
 * composites.c - composite types: their objects, conditions and order by parts, and inputs.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: reading and writing such values (planner/plan_composite.c, planner/paramtext.c).
 *
 * Rows of relations are types too, but a relation is served under its own
 * privileges or not at all: a value of such a type keeps its text form.
 */
#include "schema/build.h"
#include "schema/naming.h"
#include "schema/operators.h"

/* A composite value is null only if it is not there; one of nulls alone is for SQL's "is null". */
static const struct filter_operator isnull = {
    .name = STR_INIT("isnull"),
    .classes = FILTER_ANY,
    .operand = OPERAND_BOOLEAN,
    .sql = "%c is not distinct from null",
    .sql_false = "%c is distinct from null",
    .description = "True: is null. False: is not null.",
};

static void make_parts(struct builder *b, const struct doc_type *d, struct composite *c)
{
    struct column *parts = ARENA_ARRAY(b->arena, d->nattributes, struct column);
    size_t i;

    for (i = 0; i < d->nattributes; i++) {
        const struct doc_column *from = &d->attributes[i];
        struct column *part = &parts[i];

        part->name = arena_dup(b->arena, from->name);
        part->field_name = naming_camel(from->name, b->arena);
        if (part->field_name.len == 0)
            part->field_name = arena_printf(b->arena, "attribute%d", from->num);
        comment_read(from->comment, b->arena, &part->comment, &part->deprecated);
        part->index = i;
        if (!values_describe(b, from->type, false, part))
            errors_add(b->errs, SCHEMA_INVALID,
                       "malformed catalog document: attribute \"%.*s\" of type \"%.*s.%.*s\" has "
                       "no type",
                       STR_ARG(from->name), STR_ARG(d->schema), STR_ARG(d->name));
    }
    c->parts = parts;
    c->nparts = d->nattributes;
}

static void set_fields(struct builder *b, const struct composite *c, struct type *object)
{
    struct fields fields = {0};
    size_t i;

    for (i = 0; i < c->nparts; i++) {
        const struct column *part = &c->parts[i];
        struct field f = {.name = part->field_name, .resolver = RESOLVE_PART, .column = part};

        f.description = part->comment;
        f.deprecated = part->deprecated;
        f.type = (struct type_ref){part->type, part->is_array, 0};
        VEC_PUSH(b->scratch, &fields, f);
    }
    builder_set_fields(b, object, &fields);
}

const struct composite *composite_make(struct builder *b, struct doc_type *d)
{
    struct composite *c = ARENA_NEW(b->arena, struct composite);
    struct str name = naming_pascal(d->name, b->arena);
    struct type *object;

    d->composite = c;
    c->sql = arena_dup(b->arena, d->sql);
    c->index = b->composites.n;
    VEC_PUSH(b->scratch, &b->composites, c);
    if (name.len == 0)
        name = arena_printf(b->arena, "Composite%u", d->oid);
    if (builder_find_type(b, name) != NULL || scalar_find(name) != NULL)
        name = arena_printf(b->arena, "%.*sValue", STR_ARG(name));
    object = builder_add_type(b, TYPE_OBJECT, name,
                              arena_printf(b->scratch, "composite type \"%.*s.%.*s\"",
                                           STR_ARG(d->schema), STR_ARG(d->name)));
    comment_read(d->comment, b->arena, &object->description, &(struct str){0});
    object->composite = c;
    c->object = object;
    make_parts(b, d, c);
    set_fields(b, c, object);
    return c;
}

static struct type *derived_type(struct builder *b, const struct composite *c, const char *suffix)
{
    struct str of = c->object->name;

    return builder_add_type(b, TYPE_INPUT_OBJECT,
                            arena_printf(b->arena, "%.*s%s", STR_ARG(of), suffix),
                            arena_printf(b->scratch, "an input of type \"%.*s\"", STR_ARG(of)));
}

const struct type *composite_where(struct builder *b, const struct composite *of)
{
    struct composite *c = b->composites.items[of->index];
    struct inputs inputs = {0};
    struct type *where;
    bool has_isnull = false;
    size_t i;

    if (c->where != NULL)
        return c->where;
    where = derived_type(b, c, "WhereInput");
    where->description = arena_printf(b->arena, "Conditions on a %.*s. All of them have to hold.",
                                      STR_ARG(c->object->name));
    c->where = where;
    for (i = 0; i < c->nparts; i++) {
        const struct column *part = &c->parts[i];
        struct input_value v = {.name = part->field_name, .role = INPUT_WHERE_COLUMN};

        has_isnull = has_isnull || str_eq(part->field_name, isnull.name);
        v.column = part;
        v.deprecated = part->deprecated;
        v.type = type_ref_named(inputs_filter(b, part));
        VEC_PUSH(b->scratch, &inputs, v);
    }
    if (!has_isnull)
        VEC_PUSH(b->scratch, &inputs,
                 (struct input_value){.name = isnull.name,
                                      .description = str_of(isnull.description),
                                      .role = INPUT_OPERATOR,
                                      .op = &isnull,
                                      .type = type_ref_named(builder_scalar(b, "Boolean"))});
    inputs_add_logic(b, where, &inputs);
    builder_set_inputs(b, where, &inputs);
    return where;
}

const struct type *composite_order_by(struct builder *b, const struct composite *of)
{
    struct composite *c = b->composites.items[of->index];
    struct inputs inputs = {0};
    struct type *order_by;
    size_t i;

    if (c->order_by != NULL)
        return c->order_by;
    for (i = 0; i < c->nparts; i++)
        inputs_add_order(b, &c->parts[i], &inputs);
    if (inputs.n == 0)
        return NULL;
    order_by = derived_type(b, c, "OrderByInput");
    order_by->description = arena_printf(b->arena, "What to sort by of a %.*s: one of these.",
                                         STR_ARG(c->object->name));
    builder_set_inputs(b, order_by, &inputs);
    c->order_by = order_by;
    return order_by;
}

static const struct type *composite_input(struct builder *b, const struct composite *of)
{
    struct composite *c = b->composites.items[of->index];
    struct inputs inputs = {0};
    struct type *input;
    size_t i;

    if (c->input != NULL)
        return c->input;
    input = derived_type(b, c, "Input");
    input->description = c->object->description;
    input->composite = c;
    c->input = input;
    for (i = 0; i < c->nparts; i++) {
        const struct column *part = &c->parts[i];
        struct input_value v = {.name = part->field_name, .role = INPUT_PART, .column = part};

        v.description = part->comment;
        v.deprecated = part->deprecated;
        v.type = values_input(b, part);
        VEC_PUSH(b->scratch, &inputs, v);
    }
    builder_set_inputs(b, input, &inputs);
    return input;
}

struct type_ref values_input(struct builder *b, const struct column *value)
{
    const struct type *t = value->type;

    if (value->composite != NULL)
        t = composite_input(b, value->composite);
    return (struct type_ref){t, value->is_array, 0};
}
