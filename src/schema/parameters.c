/*
 * parameters.c - arguments of functions: which come from the identity, and where the others are.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: writing them into a call (planner/plan_call.c).
 *
 * Those of a field of a root are the fields of its argument `input`, so that they can have any
 * name; those of a field of a row are its arguments.
 */
#include "schema/functions.h"
#include "schema/naming.h"

static const struct str context_prefix = STR_INIT("auth_");

bool parameters_is_input(const struct doc_argument *a)
{
    return a->mode == 'i' || a->mode == 'b' || a->mode == 'v';
}

/* The claim that fills an argument; empty: the client does. */
static struct str context_claim(const struct doc_function *d, const struct doc_argument *a)
{
    const struct function_annotation *said = d->annotation;

    for (size_t i = 0; said != NULL && i < said->context_params.n; i++)
        if (str_eq(said->context_params.items[i].parameter.text, a->name))
            return said->context_params.items[i].claim;
    if (a->name.len > context_prefix.len && str_starts(a->name, context_prefix))
        return str_sub(a->name, context_prefix.len, SIZE_MAX);
    return STR("");
}

bool parameters_is_context(const struct doc_function *d, const struct doc_argument *a)
{
    return context_claim(d, a).len > 0;
}

/* The setting that holds the claim; empty: none does. */
static struct str context_setting(const struct builder *b, const struct doc_function *d,
                                  const struct doc_argument *a)
{
    struct str claim = context_claim(d, a);

    for (size_t i = 0; i < b->opt->nclaims; i++)
        if (str_eq(b->opt->claims[i].name, claim))
            return b->opt->claims[i].setting;
    return str_make(NULL, 0);
}

/* What a comment says are parameters has to be some. */
static void check_context(struct builder *b, const struct doc_function *d)
{
    const struct function_annotation *said = d->annotation;

    for (size_t i = 0; said != NULL && i < said->context_params.n; i++) {
        const struct said *name = &said->context_params.items[i].parameter;
        size_t j = 0;

        while (j < d->narguments &&
               !(parameters_is_input(&d->arguments[j]) && str_eq(d->arguments[j].name, name->text)))
            j++;
        if (j == d->narguments)
            place_error(name->at, b->errs, "function \"%.*s.%.*s\" has no parameter \"%.*s\"",
                        STR_ARG(d->schema), STR_ARG(d->name), STR_ARG(name->text));
    }
}

/* --- what can be served ----------------------------------------------------------------------- */

/* Another one before it that the client would give under the same name. */
static bool is_twice(struct builder *b, const struct doc_function *d, size_t i, struct str field)
{
    for (size_t j = 0; j < i; j++) {
        const struct doc_argument *a = &d->arguments[j];

        if (parameters_is_input(a) && !parameters_is_context(d, a) &&
            str_eq(naming_camel(a->name, b->scratch), field))
            return true;
    }
    return false;
}

static struct str argument_reason(struct builder *b, const struct doc_function *d, size_t i)
{
    const struct doc_argument *a = &d->arguments[i];
    struct str field;

    if (a->name.len == 0)
        return arena_printf(b->scratch, "argument %zu has no name", i + 1);
    if (!functions_plain_type(b, a->type))
        return arena_printf(b->scratch, "argument \"%.*s\" is of type %.*s", STR_ARG(a->name),
                            STR_ARG(functions_type_name(b, a->type)));
    /* A call that names others cannot leave it to its default. */
    if (a->mode == 'v' && d->ndefaults > 0)
        return arena_printf(b->scratch, "argument \"%.*s\" is variadic and has a default",
                            STR_ARG(a->name));
    if (parameters_is_context(d, a)) {
        if (context_setting(b, d, a).len > 0)
            return STR("");
        return arena_printf(b->scratch, "auth.claims has no claim for argument \"%.*s\"",
                            STR_ARG(a->name));
    }
    field = naming_camel(a->name, b->scratch);
    if (field.len == 0)
        return arena_printf(b->scratch, "argument \"%.*s\" has no letter or digit",
                            STR_ARG(a->name));
    if (is_twice(b, d, i, field))
        return arena_printf(b->scratch, "two of its arguments would be \"%.*s\"", STR_ARG(field));
    return STR("");
}

struct str parameters_reason(struct builder *b, const struct candidate *c)
{
    const struct doc_function *d = c->doc;
    bool row = c->place == PLACE_ROW;

    for (size_t i = 0; i < d->narguments; i++) {
        struct str reason;

        if (!parameters_is_input(&d->arguments[i]))
            continue;
        reason = row ? STR("") : argument_reason(b, d, i);
        row = false;
        if (reason.len > 0)
            return reason;
    }
    return STR("");
}

/* --- what is made of it ----------------------------------------------------------------------- */

/* No value of a list that the client gives has to be there: PostgreSQL's arrays may have nulls. */
static struct type_ref argument_type(struct builder *b, const struct column *value, bool optional)
{
    struct type_ref type = values_input(b, value);

    type.non_null = !optional;
    return type;
}

/* The parameter, and unless it comes from elsewhere the input value for it. */
static void make_parameter(struct builder *b, const struct doc_function *d,
                           const struct doc_argument *from, size_t number, struct parameter *p,
                           struct inputs *inputs)
{
    struct input_value v = {.role = INPUT_FUNCTION, .parameter = (int)number};
    struct column value = {0};

    p->name = arena_dup(b->arena, from->name);
    p->type_sql = arena_dup(b->arena, functions_type_name(b, from->type));
    p->variadic = from->mode == 'v';
    if (p->row)
        return;
    if (parameters_is_context(d, from)) {
        p->setting = arena_dup(b->arena, context_setting(b, d, from));
        return;
    }
    CHECK(values_describe(b, from->type, false, &value)); /* functions_plain_type() */
    v.name = naming_camel(from->name, b->arena);
    v.type = argument_type(b, &value, p->optional || p->variadic);
    VEC_PUSH(b->scratch, inputs, v);
}

static struct type *make_input_type(struct builder *b, const struct candidate *c,
                                    const struct inputs *fields)
{
    struct str of = arena_printf(b->scratch, "the input of function \"%.*s.%.*s\"",
                                 STR_ARG(c->doc->schema), STR_ARG(c->doc->name));
    struct str name =
        arena_printf(b->arena, "%.*sInput", STR_ARG(naming_upper_first(c->name, b->scratch)));
    struct type *t = builder_add_type(b, TYPE_INPUT_OBJECT, name, of);

    t->description = arena_printf(b->arena, "Arguments of %.*s.", STR_ARG(c->name));
    builder_set_inputs(b, t, fields);
    return t;
}

static struct input_value make_input(struct builder *b, const struct candidate *c,
                                     const struct inputs *fields)
{
    struct type *t = make_input_type(b, c, fields);
    struct input_value input = {.name = STR("input"), .role = INPUT_ARGUMENTS};

    input.type = type_ref_named(t);
    for (size_t i = 0; i < fields->n; i++)
        if (type_ref_non_null(fields->items[i].type))
            input.type = type_ref_required(t);
    return input;
}

/* All of the input is one parameter. */
static struct input_value make_document(struct builder *b, const struct candidate *c,
                                        const struct payload *payload, const struct parameter *p,
                                        size_t number)
{
    struct input_value input = {
        .name = STR("input"), .role = INPUT_DOCUMENT, .parameter = (int)number};
    struct inputs members = {0};
    struct type *t;

    payloads_members(b, payload, &members);
    t = make_input_type(b, c, &members);
    t->is_document = true;
    input.type = p->optional ? type_ref_named(t) : type_ref_required(t);
    return input;
}

void parameters_build(struct builder *b, const struct candidate *c, struct function *f,
                      struct inputs *arguments)
{
    const struct doc_function *d = c->doc;
    struct parameter *parameters = ARENA_ARRAY(b->arena, d->narguments, struct parameter);
    struct payload payload;
    bool document = c->place != PLACE_ROW && payloads_find(b, c, &payload);
    struct inputs inputs = {0};
    size_t n = 0, ninputs = 0;

    check_context(b, d);
    for (size_t i = 0; i < d->narguments; i++)
        ninputs += parameters_is_input(&d->arguments[i]);
    for (size_t i = 0; i < d->narguments; i++) {
        struct parameter *p = &parameters[n];

        if (!parameters_is_input(&d->arguments[i]))
            continue;
        p->row = c->place == PLACE_ROW && n == 0;
        p->optional = n >= ninputs - d->ndefaults;
        make_parameter(b, d, &d->arguments[i], ++n, p, &inputs);
        if (document && &d->arguments[i] == payload.argument)
            VEC_PUSH(b->scratch, arguments, make_document(b, c, &payload, p, n));
    }
    f->parameters = parameters;
    f->nparameters = n;
    if (c->place == PLACE_ROW)
        *arguments = inputs;
    else if (inputs.n > 0 && !document)
        VEC_PUSH(b->scratch, arguments, make_input(b, c, &inputs));
}
