/*
 * parameters.c - arguments of functions: which come from the identity, and the input of the others.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: writing them into a call (planner/plan_call.c).
 */
#include "schema/functions.h"
#include "schema/naming.h"

static const struct str context_prefix = STR_INIT("auth_");

static bool is_context(const struct doc_argument *a)
{
    return a->name.len > context_prefix.len && str_starts(a->name, context_prefix);
}

/* The setting that holds the claim an argument is named after; empty: none does. */
static struct str context_setting(const struct builder *b, const struct doc_argument *a)
{
    struct str claim = str_sub(a->name, context_prefix.len, SIZE_MAX);
    size_t i;

    for (i = 0; i < b->opt->nclaims; i++)
        if (str_eq(b->opt->claims[i].name, claim))
            return b->opt->claims[i].setting;
    return str_make(NULL, 0);
}

static struct str argument_reason(struct builder *b, const struct doc_function *f, size_t i)
{
    const struct doc_argument *a = &f->arguments[i];
    struct str field;
    size_t j;

    if (a->mode != 'i')
        return arena_printf(b->scratch, "argument %zu is %s", i + 1,
                            a->mode == 'v' ? "variadic" : "an output");
    if (a->name.len == 0)
        return arena_printf(b->scratch, "argument %zu has no name", i + 1);
    if (!functions_plain_type(b, a->type))
        return arena_printf(b->scratch, "argument \"%.*s\" is of type %.*s", STR_ARG(a->name),
                            STR_ARG(functions_type_name(b, a->type)));
    if (is_context(a)) {
        if (context_setting(b, a).len > 0)
            return STR("");
        return arena_printf(b->scratch, "auth.claims has no claim for argument \"%.*s\"",
                            STR_ARG(a->name));
    }
    field = naming_camel(a->name, b->scratch);
    if (field.len == 0)
        return arena_printf(b->scratch, "argument \"%.*s\" has no letter or digit",
                            STR_ARG(a->name));
    for (j = 0; j < i; j++)
        if (!is_context(&f->arguments[j]) &&
            str_eq(naming_camel(f->arguments[j].name, b->scratch), field))
            return arena_printf(b->scratch, "two of its arguments would be \"%.*s\"",
                                STR_ARG(field));
    return STR("");
}

struct str parameters_reason(struct builder *b, const struct doc_function *d)
{
    size_t i;

    for (i = 0; i < d->narguments; i++) {
        struct str reason = argument_reason(b, d, i);

        if (reason.len > 0)
            return reason;
    }
    return STR("");
}

/* No value of a list that the client gives has to be there: PostgreSQL's arrays may have nulls. */
static struct type_ref argument_type(struct builder *b, const struct column *value, bool optional)
{
    struct type_ref type = values_input(b, value);

    type.non_null = !optional;
    return type;
}

void parameters_build(struct builder *b, const struct doc_function *d, struct function *f,
                      struct inputs *inputs)
{
    struct parameter *parameters = ARENA_ARRAY(b->arena, d->narguments, struct parameter);
    size_t i;

    f->parameters = parameters;
    f->nparameters = d->narguments;
    for (i = 0; i < d->narguments; i++) {
        const struct doc_argument *from = &d->arguments[i];
        struct parameter *p = &parameters[i];
        struct input_value v = {.role = INPUT_FUNCTION, .parameter = (int)i + 1};
        struct column value = {0};

        p->name = arena_dup(b->arena, from->name);
        p->type_sql = arena_dup(b->arena, functions_type_name(b, from->type));
        p->optional = i >= d->narguments - d->ndefaults;
        if (is_context(from)) {
            p->setting = arena_dup(b->arena, context_setting(b, from));
            continue;
        }
        CHECK(values_describe(b, from->type, false, &value)); /* functions_plain_type() */
        v.name = naming_camel(from->name, b->arena);
        v.type = argument_type(b, &value, p->optional);
        VEC_PUSH(b->scratch, inputs, v);
    }
}

void parameters_set_input(struct builder *b, const struct candidate *c, const struct inputs *inputs,
                          struct field *field)
{
    struct str of = arena_printf(b->scratch, "the input of function \"%.*s.%.*s\"",
                                 STR_ARG(c->doc->schema), STR_ARG(c->doc->name));
    struct input_value *argument;
    struct type *t;

    if (inputs->n == 0)
        return;
    t = builder_add_type(
        b, TYPE_INPUT_OBJECT,
        arena_printf(b->arena, "%.*sInput", STR_ARG(naming_upper_first(c->name, b->scratch))), of);
    t->description = arena_printf(b->arena, "Arguments of %.*s.", STR_ARG(c->name));
    builder_set_inputs(b, t, inputs);
    argument = ARENA_NEW(b->arena, struct input_value);
    argument->name = STR("input");
    argument->type = type_ref_required(t);
    field->arguments = argument;
    field->narguments = 1;
}
