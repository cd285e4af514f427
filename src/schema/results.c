/*
 * results.c - what functions return: nothing, values, rows of exposed relations or of their own.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: reading them (planner/).
 */
#include "schema/functions.h"
#include "schema/naming.h"

static bool is_void(const struct builder *b, const struct doc_function *d)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, d->returns);

    return t != NULL && str_is(t->schema, "pg_catalog") && str_is(t->name, "void");
}

/* Rows of its output arguments; a single one is a value. */
static bool has_own_rows(const struct builder *b, const struct doc_function *d)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, d->returns);
    bool outputs = false;

    for (size_t i = 0; i < d->narguments; i++)
        outputs = outputs || d->arguments[i].mode == 'o' || d->arguments[i].mode == 'b' ||
                  d->arguments[i].mode == 't';
    return outputs && t != NULL && str_is(t->schema, "pg_catalog") && str_is(t->name, "record");
}

/* --- rows of its own -------------------------------------------------------------------------- */

/* Output arguments in their order; out[n] has room for as many as there are arguments. */
static size_t find_outputs(const struct doc_function *d, const struct doc_argument **out)
{
    size_t n = 0;

    for (size_t i = 0; i < d->narguments; i++)
        if (memchr("obt", d->arguments[i].mode, 3) != NULL)
            out[n++] = &d->arguments[i];
    return n;
}

/* PostgreSQL names those without a name by their position among the outputs. */
static struct str output_name(const struct doc_argument *a, size_t i, struct arena *arena)
{
    return a->name.len > 0 ? arena_dup(arena, a->name) : arena_printf(arena, "column%zu", i + 1);
}

static struct str own_rows_reason(struct builder *b, const struct doc_function *d)
{
    const struct doc_argument **outputs =
        ARENA_ARRAY(b->scratch, d->narguments, const struct doc_argument *);
    size_t n = find_outputs(d, outputs);
    struct map names;

    map_init(&names, b->scratch);
    for (size_t i = 0; i < n; i++) {
        struct str name = output_name(outputs[i], i, b->scratch);
        struct str field = naming_camel(name, b->scratch);

        if (!functions_plain_type(b, outputs[i]->type))
            return arena_printf(b->scratch, "its result \"%.*s\" is of type %.*s", STR_ARG(name),
                                STR_ARG(functions_type_name(b, outputs[i]->type)));
        if (field.len == 0)
            return arena_printf(b->scratch, "its result \"%.*s\" has no letter or digit",
                                STR_ARG(name));
        if (!map_add(&names, field, b))
            return arena_printf(b->scratch, "two of its results would be \"%.*s\"", STR_ARG(field));
    }
    return STR("");
}

static struct str own_type_name(struct builder *b, const struct candidate *c)
{
    struct str of = c->place == PLACE_ROW ? c->of->type_name : STR("");

    return arena_printf(b->arena, "%.*s%.*sResult", STR_ARG(of),
                        STR_ARG(naming_upper_first(c->name, b->scratch)));
}

static const struct relation *make_own_rows(struct builder *b, const struct candidate *c)
{
    const struct doc_function *d = c->doc;
    const struct doc_argument **outputs =
        ARENA_ARRAY(b->scratch, d->narguments, const struct doc_argument *);
    size_t n = find_outputs(d, outputs);
    struct column *columns = ARENA_ARRAY(b->arena, n, struct column);
    struct relation *r = ARENA_NEW(b->arena, struct relation);
    struct str origin = arena_printf(b->scratch, "the result of function \"%.*s.%.*s\"",
                                     STR_ARG(d->schema), STR_ARG(d->name));
    struct fields fields = {0};
    struct type *t;

    for (size_t i = 0; i < n; i++) {
        columns[i].name = output_name(outputs[i], i, b->arena);
        columns[i].field_name = naming_camel(columns[i].name, b->arena);
        columns[i].index = i;
        CHECK(values_describe(b, outputs[i]->type, false, &columns[i])); /* own_rows_reason() */
    }
    r->columns = columns;
    r->ncolumns = r->nall_columns = n;
    r->kind = RELATION_VIEW; /* expressions, not to be worked out twice */
    r->type_name = own_type_name(b, c);
    t = builder_add_type(b, TYPE_OBJECT, r->type_name, origin);
    t->description = arena_printf(b->arena, "What %.*s returns.", STR_ARG(c->name));
    r->type = t;
    objects_add_columns(b, r, &fields);
    builder_set_fields(b, t, &fields);
    return r;
}

/* --- all kinds -------------------------------------------------------------------------------- */

struct str results_reason(struct builder *b, const struct candidate *c)
{
    const struct doc_function *d = c->doc;
    const struct doc_type *t = values_base_type(b, d->returns);

    if (functions_row_type(b, d->returns) != NULL)
        return STR("");
    if (has_own_rows(b, d))
        return own_rows_reason(b, d);
    if (is_void(b, d))
        return c->place == PLACE_MUTATION ? STR("") : STR("it returns nothing and changes nothing");
    if (!functions_plain_type(b, d->returns))
        return arena_printf(b->scratch,
                            "its result is of type %.*s, which is not of an exposed relation",
                            STR_ARG(functions_type_name(b, d->returns)));
    /* An array of arrays would have to be rectangular. */
    return d->set && t->element ? STR("it returns a set of lists") : STR("");
}

const struct input_value *results_arguments(struct builder *b, const struct candidate *c, size_t *n)
{
    const struct relation *r = functions_row_type(b, c->doc->returns);

    *n = 0;
    if (c->place == PLACE_MUTATION || !c->doc->set)
        return NULL;
    if (r != NULL) {
        *n = b->built[builder_index(b, r)].nlist;
        return b->built[builder_index(b, r)].list;
    }
    return inputs_page(b, n);
}

struct type_ref results_build(struct builder *b, const struct candidate *c, struct function *f)
{
    const struct doc_function *d = c->doc;
    struct codec *array;

    f->relation = functions_row_type(b, d->returns);
    f->own_rows = f->relation == NULL && has_own_rows(b, d);
    if (f->own_rows)
        f->relation = make_own_rows(b, c);
    if (f->relation != NULL) {
        f->result = d->set ? FUNCTION_ROWS : FUNCTION_ROW;
        return d->set ? type_ref_required_list(f->relation->type)
                      : type_ref_named(f->relation->type);
    }
    if (is_void(b, d)) {
        f->result = FUNCTION_VOID;
        return type_ref_named(builder_scalar(b, "Boolean"));
    }
    CHECK(values_describe(b, d->returns, false, &f->value)); /* results_reason() */
    f->result = d->set ? FUNCTION_VALUES : FUNCTION_VALUE;
    if (!d->set)
        return (struct type_ref){f->value.type, f->value.is_array, 0};
    array = ARENA_NEW(b->arena, struct codec);
    array->kind = CODEC_ARRAY;
    array->element = f->value.codec;
    f->codec = array;
    return (struct type_ref){f->value.type, 1, 1};
}
