/*
 * functions.c - the mutation root: functions of the database and their inputs.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: which functions the role may call (sql/catalog.sql), calling them (planner/).
 *
 * A function that cannot be served as it is stands in schema->skipped with the
 * reason; nothing of it is in the schema.
 */
#include "schema/build.h"
#include "schema/naming.h"

static const struct str context_prefix = STR_INIT("auth_");

struct candidate {
    const struct doc_function *doc;
    struct str name;   /* of the mutation */
    struct str reason; /* empty: it is served */
};

/* --- what can be served ----------------------------------------------------------------------- */

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

/* A value that has a text form, or a list of such. */
static bool is_plain_type(const struct builder *b, uint32_t oid)
{
    const struct doc_type *t = values_base_type(b, oid);

    if (t != NULL && t->element)
        t = values_base_type(b, t->element);
    return t != NULL && memchr("berm", t->kind, 4) != NULL;
}

static struct str type_name(const struct builder *b, uint32_t oid)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, oid);

    return t != NULL ? t->sql : STR("unknown");
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
    if (!is_plain_type(b, a->type))
        return arena_printf(b->scratch, "argument \"%.*s\" is of type %.*s", STR_ARG(a->name),
                            STR_ARG(type_name(b, a->type)));
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

static const struct relation *result_relation(const struct builder *b, const struct doc_function *f)
{
    const struct doc_relation *r = f->row ? catalogdoc_relation(&b->doc, f->row) : NULL;

    return r != NULL ? r->made : NULL;
}

static bool is_void(const struct builder *b, const struct doc_function *f)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, f->returns);

    return t != NULL && str_is(t->schema, "pg_catalog") && str_is(t->name, "void");
}

static struct str result_reason(struct builder *b, const struct doc_function *f)
{
    if (result_relation(b, f) != NULL)
        return STR("");
    if (!is_void(b, f) && !is_plain_type(b, f->returns))
        return arena_printf(b->scratch,
                            "its result is of type %.*s, which is not of an exposed relation",
                            STR_ARG(type_name(b, f->returns)));
    return f->set ? STR("it returns a set of values") : STR("");
}

/* Overloads stand side by side in the document: with defaults, a call could mean either. */
static bool is_overloaded(const struct builder *b, const struct doc_function *f)
{
    const struct doc_function *all = b->doc.functions;
    size_t i = (size_t)(f - all);

    return (i > 0 && str_eq(all[i - 1].schema, f->schema) && str_eq(all[i - 1].name, f->name)) ||
           (i + 1 < b->doc.nfunctions && str_eq(all[i + 1].schema, f->schema) &&
            str_eq(all[i + 1].name, f->name));
}

static struct str skip_reason(struct builder *b, const struct candidate *c)
{
    const struct doc_function *f = c->doc;
    size_t i;

    if (is_overloaded(b, f))
        return STR("it is overloaded");
    if (f->volatility != 'v')
        return STR("only volatile functions are served, as mutations");
    if (c->name.len == 0)
        return STR("its name has no letter or digit");
    for (i = 0; i < f->narguments; i++) {
        struct str reason = argument_reason(b, f, i);

        if (reason.len > 0)
            return reason;
    }
    return result_reason(b, f);
}

/* Two that would be one mutation: neither is. */
static void skip_same_names(struct builder *b, struct candidate *all, size_t n)
{
    struct map names;
    size_t i;

    map_init(&names, b->scratch);
    for (i = 0; i < n; i++) {
        struct candidate *other;

        if (all[i].reason.len > 0 || map_add(&names, all[i].name, &all[i]))
            continue;
        other = map_get(&names, all[i].name);
        all[i].reason = arena_printf(b->scratch, "\"%.*s.%.*s\" would be the mutation \"%.*s\" too",
                                     STR_ARG(other->doc->schema), STR_ARG(other->doc->name),
                                     STR_ARG(all[i].name));
        other->reason = arena_printf(b->scratch, "\"%.*s.%.*s\" would be the mutation \"%.*s\" too",
                                     STR_ARG(all[i].doc->schema), STR_ARG(all[i].doc->name),
                                     STR_ARG(all[i].name));
    }
}

static struct candidate *find_candidates(struct builder *b)
{
    struct candidate *all = ARENA_ARRAY(b->scratch, b->doc.nfunctions, struct candidate);
    size_t i;

    for (i = 0; i < b->doc.nfunctions; i++) {
        struct candidate *c = &all[i];

        c->doc = &b->doc.functions[i];
        c->name = naming_camel(
            naming_strip(c->doc->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes), b->arena);
        c->reason = skip_reason(b, c);
    }
    skip_same_names(b, all, b->doc.nfunctions);
    return all;
}

/* --- what is made of it ----------------------------------------------------------------------- */

/* No value of a list that the client gives has to be there: PostgreSQL's arrays may have nulls. */
static struct type_ref argument_type(const struct column *value, bool optional)
{
    return (struct type_ref){value->type, value->is_array, !optional};
}

static void make_parameters(struct builder *b, const struct doc_function *d, struct function *f,
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
        p->type_sql = arena_dup(b->arena, type_name(b, from->type));
        p->optional = i >= d->narguments - d->ndefaults;
        if (is_context(from)) {
            p->setting = arena_dup(b->arena, context_setting(b, from));
            continue;
        }
        CHECK(values_describe(b, from->type, false, &value)); /* is_plain_type() */
        v.name = naming_camel(from->name, b->arena);
        v.type = argument_type(&value, p->optional);
        VEC_PUSH(b->scratch, inputs, v);
    }
}

/* The one argument `input` of a mutation. */
static void set_input(struct builder *b, const struct candidate *c, const struct inputs *inputs,
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

static struct type_ref set_result(struct builder *b, const struct doc_function *d,
                                  struct function *f)
{
    f->relation = result_relation(b, d);
    if (f->relation != NULL) {
        f->result = d->set ? FUNCTION_ROWS : FUNCTION_ROW;
        return d->set ? type_ref_required_list(f->relation->type)
                      : type_ref_named(f->relation->type);
    }
    if (is_void(b, d)) {
        f->result = FUNCTION_VOID;
        return type_ref_named(builder_scalar(b, "Boolean"));
    }
    f->result = FUNCTION_VALUE;
    CHECK(values_describe(b, d->returns, false, &f->value));
    return (struct type_ref){f->value.type, f->value.is_array, 0};
}

static void add_mutation(struct builder *b, const struct candidate *c, struct fields *root)
{
    struct function *f = ARENA_NEW(b->arena, struct function);
    struct field field = {.name = c->name, .resolver = RESOLVE_FUNCTION, .function = f};
    struct inputs inputs = {0};

    f->oid = c->doc->oid;
    f->schema = arena_dup(b->arena, c->doc->schema);
    f->name = arena_dup(b->arena, c->doc->name);
    comment_read(c->doc->comment, b->arena, &field.description, &field.deprecated);
    make_parameters(b, c->doc, f, &inputs);
    set_input(b, c, &inputs, &field);
    field.type = set_result(b, c->doc, f);
    field.relation = f->relation;
    VEC_PUSH(b->scratch, root, field);
}

static void note_skipped(struct builder *b, const struct candidate *all)
{
    struct skipped_function *skipped =
        ARENA_ARRAY(b->arena, b->doc.nfunctions, struct skipped_function);
    size_t i, n = 0;

    for (i = 0; i < b->doc.nfunctions; i++) {
        if (all[i].reason.len == 0)
            continue;
        skipped[n].name = arena_printf(b->arena, "%.*s.%.*s", STR_ARG(all[i].doc->schema),
                                       STR_ARG(all[i].doc->name));
        skipped[n++].reason = arena_dup(b->arena, all[i].reason);
    }
    b->schema->skipped = skipped;
    b->schema->nskipped = n;
}

void functions_build(struct builder *b)
{
    const struct candidate *all = find_candidates(b);
    struct fields root = {0};
    struct type *mutation;
    size_t i;

    note_skipped(b, all);
    for (i = 0; i < b->doc.nfunctions; i++)
        if (all[i].reason.len == 0)
            add_mutation(b, &all[i], &root);
    b->schema->nfunctions = root.n;
    if (root.n == 0)
        return;
    mutation = builder_add_type(b, TYPE_OBJECT, STR("Mutation"), STR("the mutation root"));
    mutation->description = STR("Changes. Those of one operation are made in order and in one "
                                "transaction: all of them or none.");
    builder_set_fields(b, mutation, &root);
    b->schema->mutation = mutation;
}
