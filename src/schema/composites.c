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
#include "schema/authrule.h"
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

/* A composite, and those around it. */
struct around {
    const struct around *out;
    const struct composite *composite;
};

/* What is said of an attribute in its comment. */
static void annotate_part(struct builder *b, const struct doc_column *from, struct column *part)
{
    const struct field_annotation *f = from->annotation;

    if (f == NULL)
        return;
    if (is_said(f->name))
        part->field_name = arena_dup(b->arena, f->name.text);
    if (is_said(f->description))
        part->comment = arena_dup(b->arena, f->description.text);
    if (is_said(f->deprecated))
        part->deprecated = arena_dup(b->arena, f->deprecated.text);
    part->required = f->required == SAID_YES;
    part->auth = authrule_make(b, &f->auth);
    if (f->hide == SAID_YES || f->fields != NULL || is_said(f->shape) || f->relations.n > 0)
        place_error(
            f->at, b->errs,
            "an attribute of a composite type can have a name, a type, a description, auth, "
            "and be required or deprecated");
    if (is_said(f->type.name) &&
        (!str_eq(f->type.name.text, part->type->name) || (f->type.nlists > 0) != part->is_array))
        place_error(f->type.name.at, b->errs, "attribute \"%.*s\" is of type %s%.*s%s",
                    STR_ARG(from->name), part->is_array ? "[" : "", STR_ARG(part->type->name),
                    part->is_array ? "]" : "");
}

void composite_set_parts(struct builder *b, const struct doc_type *d, struct composite *c)
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
        else
            annotate_part(b, from, part);
    }
    c->parts = parts;
    c->nparts = d->nattributes;
}

void composite_set_fields(struct builder *b, const struct composite *c, struct type *object)
{
    struct fields fields = {0};
    size_t i;

    for (i = 0; i < c->nparts; i++) {
        const struct column *part = &c->parts[i];
        struct field f = {.name = part->field_name, .resolver = RESOLVE_PART, .column = part};

        f.description = part->comment;
        f.deprecated = part->deprecated;
        f.type = type_ref_of_column(part);
        VEC_PUSH(b->scratch, &fields, f);
    }
    builder_set_fields(b, object, &fields);
}

struct composite *composite_new(struct builder *b, struct str stem)
{
    struct composite *c = ARENA_NEW(b->arena, struct composite);

    c->stem = stem;
    c->index = b->composites.n;
    VEC_PUSH(b->scratch, &b->composites, c);
    return c;
}

const struct composite *composite_make(struct builder *b, struct doc_type *d)
{
    struct str name = values_type_name(b, d);
    struct composite *c;
    struct type *object;

    if (name.len == 0)
        name = arena_printf(b->arena, "Composite%u", d->oid);
    if (builder_find_type(b, name) != NULL || scalar_find(name) != NULL)
        name = arena_printf(b->arena, "%.*sValue", STR_ARG(name));
    object = builder_add_type(b, TYPE_OBJECT, name,
                              arena_printf(b->scratch, "composite type \"%.*s.%.*s\"",
                                           STR_ARG(d->schema), STR_ARG(d->name)));
    values_describe_type(b, object, d);
    if (d->annotation != NULL)
        object->auth = authrule_make(b, &d->annotation->auth);
    c = composite_new(b, name);
    c->sql = arena_dup(b->arena, d->sql);
    c->object = object;
    object->composite = c;
    d->composite = c;
    composite_set_parts(b, d, c);
    composite_set_fields(b, c, object);
    return c;
}

static struct type *derived_type(struct builder *b, const struct composite *c, const char *suffix)
{
    struct str of = c->stem;

    return builder_add_type(b, TYPE_INPUT_OBJECT,
                            arena_printf(b->arena, "%.*s%s", STR_ARG(of), suffix),
                            arena_printf(b->scratch, "an input of type \"%.*s\"", STR_ARG(of)));
}

static void add_isnull(struct builder *b, struct inputs *out)
{
    VEC_PUSH(b->scratch, out,
             (struct input_value){.name = isnull.name,
                                  .description = str_of(isnull.description),
                                  .role = INPUT_OPERATOR,
                                  .op = &isnull,
                                  .type = type_ref_named(builder_scalar(b, "Boolean"))});
}

const struct type *composite_list_where(struct builder *b, const struct composite *of)
{
    struct composite *c = b->composites.items[of->index];
    struct inputs inputs = {0};
    struct type *where;

    if (c->list_where != NULL)
        return c->list_where;
    where = derived_type(b, c, "ListWhereInput");
    where->description =
        arena_printf(b->arena, "Conditions on a list of %.*s.", STR_ARG(c->object->name));
    c->list_where = where;
    inputs_add_quantifiers(b, composite_where(b, c), &inputs);
    add_isnull(b, &inputs);
    builder_set_inputs(b, where, &inputs);
    return where;
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
        add_isnull(b, &inputs);
    inputs_add_logic(b, where, &inputs);
    builder_set_inputs(b, where, &inputs);
    return where;
}

/* Documents may be parts of each other: `looked` are the composites around this one. */
static bool is_sortable(const struct composite *c, const struct around *looked)
{
    struct around here = {looked, c};
    const struct around *a;
    size_t i;

    for (a = looked; a != NULL; a = a->out)
        if (a->composite == c)
            return false;
    for (i = 0; i < c->nparts; i++)
        if (column_sortable(&c->parts[i]) ||
            (c->parts[i].composite != NULL && !c->parts[i].is_array &&
             is_sortable(c->parts[i].composite, &here)))
            return true;
    return false;
}

const struct type *composite_order_by(struct builder *b, const struct composite *of)
{
    struct composite *c = b->composites.items[of->index];
    struct inputs inputs = {0};
    struct type *order_by;
    size_t i;

    if (c->order_by != NULL)
        return c->order_by;
    if (!is_sortable(c, NULL))
        return NULL;
    order_by = derived_type(b, c, "OrderByInput");
    order_by->description = arena_printf(b->arena, "What to sort by of a %.*s: one of these.",
                                         STR_ARG(c->object->name));
    c->order_by = order_by;
    for (i = 0; i < c->nparts; i++)
        inputs_add_order(b, &c->parts[i], &inputs);
    builder_set_inputs(b, order_by, &inputs);
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
        v.type.non_null = part->required;
        VEC_PUSH(b->scratch, &inputs, v);
    }
    builder_set_inputs(b, input, &inputs);
    return input;
}

struct type_ref values_input(struct builder *b, const struct column *value)
{
    const struct type *t = value->type;

    if (value->document)
        return type_ref_named(builder_scalar(b, "JSON"));
    if (value->composite != NULL)
        t = composite_input(b, value->composite);
    return (struct type_ref){t, value->is_array, 0};
}
