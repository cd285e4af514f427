/*
 * diffside.c - one of two schemas to be compared, from text.
 *
 * Thread:   any.
 * Memory:   the arena given.
 * Not here: answers to introspection queries as text (clientschema.c), comparing (schemadiff.c).
 */
#include "base/jval.h"
#include "language/ast_types.h"
#include "language/parser.h"
#include "schema/schemadiff.h"

bool diffside_is_specified(struct str name)
{
    return str_is(name, "Int") || str_is(name, "Float") || str_is(name, "String") ||
           str_is(name, "Boolean") || str_is(name, "ID");
}

/* Every schema has these; @auth is for what is defined only. */
static bool is_specified_directive(struct str name)
{
    return str_is(name, "skip") || str_is(name, "include") || str_is(name, "deprecated") ||
           str_is(name, "specifiedBy") || str_is(name, "oneOf") || str_is(name, "auth");
}

static const void *joined(struct arena *a, const void *x, size_t nx, const void *y, size_t ny,
                          size_t size, size_t *n)
{
    char *out = arena_array(a, nx + ny, size);

    if (nx > 0)
        memcpy(out, x, nx * size);
    if (ny > 0)
        memcpy(out + nx * size, y, ny * size);
    *n = nx + ny;
    return out;
}

/* A definition and an extension, whichever came first. */
static const struct ast_type_system_definition *merged(struct arena *a,
                                                       const struct ast_type_system_definition *x,
                                                       const struct ast_type_system_definition *y)
{
    struct ast_type_system_definition *out = arena_copy(a, x, sizeof(*x));

    out->interfaces = joined(a, x->interfaces, x->ninterfaces, y->interfaces, y->ninterfaces,
                             sizeof(*x->interfaces), &out->ninterfaces);
    out->fields =
        joined(a, x->fields, x->nfields, y->fields, y->nfields, sizeof(*x->fields), &out->nfields);
    out->members = joined(a, x->members, x->nmembers, y->members, y->nmembers, sizeof(*x->members),
                          &out->nmembers);
    out->values =
        joined(a, x->values, x->nvalues, y->values, y->nvalues, sizeof(*x->values), &out->nvalues);
    out->inputs =
        joined(a, x->inputs, x->ninputs, y->inputs, y->ninputs, sizeof(*x->inputs), &out->ninputs);
    return out;
}

static void put(struct map *m, struct arena *a, const struct ast_type_system_definition *d)
{
    const struct ast_type_system_definition *other = map_get(m, d->name);

    if (other != NULL)
        d = merged(a, other, d);
    map_put(m, d->name, arena_copy(a, d, sizeof(*d)));
}

/* The scalars that come with the language are in a schema as soon as it uses them. */
static void use_type(struct schemadiff_side *s, struct arena *a, const struct ast_type *t)
{
    struct ast_type_system_definition *d;

    while (t->kind == AST_LIST_TYPE)
        t = t->of;
    if (!diffside_is_specified(t->name) || map_get(&s->types, t->name) != NULL)
        return;
    d = ARENA_NEW(a, struct ast_type_system_definition);
    d->kind = AST_SCALAR;
    d->name = t->name;
    map_add(&s->types, t->name, d);
}

static void use_inputs(struct schemadiff_side *s, struct arena *a,
                       const struct ast_input_value_definition *inputs, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        use_type(s, a, inputs[i].type);
}

static void use_types(struct schemadiff_side *s, struct arena *a,
                      const struct ast_type_system_definition *d)
{
    static const struct ast_type always[] = {{.name = STR_INIT("String")},
                                             {.name = STR_INIT("Boolean")}};
    size_t i;

    for (i = 0; i < COUNT_OF(always); i++)
        use_type(s, a, &always[i]);
    use_inputs(s, a, d->inputs, d->ninputs);
    for (i = 0; i < d->nfields; i++) {
        use_type(s, a, d->fields[i].type);
        use_inputs(s, a, d->fields[i].arguments, d->fields[i].narguments);
    }
}

static void tell(const struct sourcetext *source, const struct errors *from, bool places,
                 struct errors *errs)
{
    const struct error *e;

    for (e = from->first; e != NULL; e = e->next)
        sourcetext_error(source,
                         places && e->nlocations > 0 ? e->locations[0] : (struct location){1, 1},
                         errs, "%.*s", STR_ARG(e->message));
}

/* The text of an answer to an introspection query as definitions. */
static bool read_json(const struct sourcetext *source, struct arena *a, struct str *out,
                      struct errors *errs)
{
    static const struct jval_limits limits = {.max_depth = 100, .max_values = 20000000};
    const struct jval *answer;
    struct errors own;
    struct buf text;
    bool ok;

    errors_init(&own, a);
    if (!jval_parse(source->text, &limits, a, &answer, &own)) {
        tell(source, &own, true, errs);
        return false;
    }
    buf_init(&text, 0);
    ok = clientschema_print(answer, &text);
    if (ok)
        *out = arena_dup(a, buf_str(&text));
    else
        sourcetext_error(source, (struct location){1, 1}, errs,
                         "not an answer to an introspection query");
    buf_fini(&text);
    return ok;
}

bool schemadiff_read(const struct sourcetext *source, struct arena *a, struct schemadiff_side *out,
                     struct errors *errs)
{
    static const struct parse_limits no_limits;
    struct str text = source->text, trimmed = str_trim(source->text);
    bool json = trimmed.len > 0 && trimmed.data[0] == '{';
    const struct ast_document *document;
    struct errors own;
    size_t i;

    if (json && !read_json(source, a, &text, errs))
        return false;
    errors_init(&own, a);
    if (!parser_parse_schema(text, &no_limits, a, &document, &own)) {
        tell(source, &own, !json, errs);
        return false;
    }
    map_init(&out->types, a);
    map_init(&out->directives, a);
    out->no_auth = json;
    for (i = 0; i < document->n; i++) {
        const struct ast_type_system_definition *d = document->definitions[i].type_system;

        if (d == NULL || d->kind == AST_SCHEMA)
            continue;
        if (d->kind != AST_DIRECTIVE_DEFINITION)
            put(&out->types, a, d);
        else if (!is_specified_directive(d->name))
            put(&out->directives, a, d);
        use_types(out, a, d);
    }
    return true;
}
