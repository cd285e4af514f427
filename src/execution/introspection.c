/*
 * introspection.c - __schema and __type from the schema model (specification section 4).
 *
 * Thread:   any.
 * Memory:   none of its own.
 *
 * Nesting is bounded by that of the document (collect.c). What a document of
 * a few lines can multiply to is bounded by the buf: writing ends when it is full.
 */
#include "execution/introspection.h"

#include "base/jwriter.h"
#include "language/printer.h"

/* What a selection set is applied to; which member counts, its type says. */
struct node {
    struct type_ref type; /* __Type */
    const struct field *field;
    const struct input_value *input;
    const struct enum_value *value;
    const struct directive *directive;
};

struct introspection {
    const struct schema *schema;
    struct buf *out;
};

static const char *const type_kinds[] = {
    [TYPE_SCALAR] = "SCALAR",       [TYPE_OBJECT] = "OBJECT",
    [TYPE_INTERFACE] = "INTERFACE", [TYPE_UNION] = "UNION",
    [TYPE_ENUM] = "ENUM",           [TYPE_INPUT_OBJECT] = "INPUT_OBJECT",
    [SCHEMA_KIND_LIST] = "LIST",    [SCHEMA_KIND_NON_NULL] = "NON_NULL",
};

/* By bit of enum directive_location. */
static const char *const directive_locations[] = {
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
};

static void write_object(const struct introspection *in, const struct selection *s,
                         const struct node *n);

static void write_null(const struct introspection *in)
{
    buf_append_lit(in->out, "null");
}

static void write_text(const struct introspection *in, struct str s)
{
    if (s.len == 0)
        write_null(in);
    else
        jwriter_string(in->out, s);
}

/* --- types --------------------------------------------------------------------------- */

static bool is_named(struct type_ref r)
{
    return !type_ref_non_null(r) && !type_ref_is_list(r);
}

static void write_kind(const struct introspection *in, struct type_ref r)
{
    int kind = (int)r.type->kind;

    if (type_ref_non_null(r))
        kind = SCHEMA_KIND_NON_NULL;
    else if (type_ref_is_list(r))
        kind = SCHEMA_KIND_LIST;
    jwriter_string(in->out, str_of(type_kinds[kind]));
}

static void write_type(const struct introspection *in, const struct selection *s,
                       const struct type *t)
{
    struct node n = {.type = {.type = t}};

    if (t == NULL)
        write_null(in);
    else
        write_object(in, s, &n);
}

static void write_of_type(const struct introspection *in, const struct selection *s,
                          struct type_ref r)
{
    struct node n = {.type = r};

    if (is_named(r)) {
        write_null(in);
        return;
    }
    n.type = type_ref_non_null(r) ? type_ref_nullable(r) : type_ref_item(r);
    write_object(in, s, &n);
}

/* --- lists ------------------------------------------------------------------------------ */

static void separate(const struct introspection *in, bool *first)
{
    if (!*first)
        buf_append_char(in->out, ',');
    *first = false;
}

static void write_types(const struct introspection *in, const struct selection *s,
                        const struct type *const *types, size_t n)
{
    bool first = true;

    buf_append_char(in->out, '[');
    for (size_t i = 0; i < n && buf_ok(in->out); i++) {
        separate(in, &first);
        write_type(in, s, types[i]);
    }
    buf_append_char(in->out, ']');
}

static void write_fields(const struct introspection *in, const struct selection *s,
                         const struct type *t)
{
    bool first = true;

    if (t->kind != TYPE_OBJECT && t->kind != TYPE_INTERFACE) {
        write_null(in);
        return;
    }
    buf_append_char(in->out, '[');
    for (size_t i = 0; i < t->nfields && buf_ok(in->out); i++) {
        struct node n = {.field = &t->fields[i]};

        if (n.field->deprecated.data != NULL && !s->include_deprecated)
            continue;
        separate(in, &first);
        write_object(in, s, &n);
    }
    buf_append_char(in->out, ']');
}

static void write_inputs(const struct introspection *in, const struct selection *s,
                         const struct input_value *inputs, size_t n)
{
    bool first = true;

    buf_append_char(in->out, '[');
    for (size_t i = 0; i < n && buf_ok(in->out); i++) {
        struct node node = {.input = &inputs[i]};

        if (inputs[i].deprecated.data != NULL && !s->include_deprecated)
            continue;
        separate(in, &first);
        write_object(in, s, &node);
    }
    buf_append_char(in->out, ']');
}

static void write_enum_values(const struct introspection *in, const struct selection *s,
                              const struct type *t)
{
    bool first = true;

    if (t->kind != TYPE_ENUM) {
        write_null(in);
        return;
    }
    buf_append_char(in->out, '[');
    for (size_t i = 0; i < t->nvalues && buf_ok(in->out); i++) {
        struct node n = {.value = &t->values[i]};

        if (n.value->deprecated.data != NULL && !s->include_deprecated)
            continue;
        separate(in, &first);
        write_object(in, s, &n);
    }
    buf_append_char(in->out, ']');
}

static void write_directives(const struct introspection *in, const struct selection *s)
{
    bool first = true;

    buf_append_char(in->out, '[');
    for (size_t i = 0; i < in->schema->ndirectives && buf_ok(in->out); i++) {
        struct node n = {.directive = &in->schema->directives[i]};

        separate(in, &first);
        write_object(in, s, &n);
    }
    buf_append_char(in->out, ']');
}

static void write_locations(const struct introspection *in, unsigned locations)
{
    bool first = true;

    buf_append_char(in->out, '[');
    for (size_t i = 0; i < COUNT_OF(directive_locations); i++) {
        if ((locations & 1u << i) == 0)
            continue;
        separate(in, &first);
        jwriter_string(in->out, str_of(directive_locations[i]));
    }
    buf_append_char(in->out, ']');
}

/* --- fields, one function for each introspection type ----------------------------------------- */

static void write_schema_field(const struct introspection *in, const struct selection *s)
{
    const struct schema *schema = in->schema;
    enum introspection_field f = s->field->introspect;

    if (f == INTROSPECT_SCHEMA_TYPES)
        write_types(in, s, schema->types, schema->ntypes);
    else if (f == INTROSPECT_SCHEMA_QUERY_TYPE)
        write_type(in, s, schema->query);
    else if (f == INTROSPECT_SCHEMA_MUTATION_TYPE)
        write_type(in, s, schema->mutation);
    else if (f == INTROSPECT_SCHEMA_SUBSCRIPTION_TYPE)
        write_type(in, s, schema->subscription);
    else if (f == INTROSPECT_SCHEMA_DIRECTIVES)
        write_directives(in, s);
    else /* INTROSPECT_SCHEMA_DESCRIPTION: a schema made from a catalog has none */
        write_null(in);
}

/* Fields of a named type; wrappers have none of these. */
static void write_named_field(const struct introspection *in, const struct selection *s,
                              const struct type *t)
{
    enum introspection_field f = s->field->introspect;
    bool has_interfaces = t->kind == TYPE_OBJECT || t->kind == TYPE_INTERFACE;
    bool is_abstract = t->kind == TYPE_INTERFACE || t->kind == TYPE_UNION;

    if (f == INTROSPECT_TYPE_NAME)
        jwriter_string(in->out, t->name);
    else if (f == INTROSPECT_TYPE_DESCRIPTION)
        write_text(in, t->description);
    else if (f == INTROSPECT_TYPE_SPECIFIED_BY_URL)
        write_text(in, t->specified_by);
    else if (f == INTROSPECT_TYPE_FIELDS)
        write_fields(in, s, t);
    else if (f == INTROSPECT_TYPE_ENUM_VALUES)
        write_enum_values(in, s, t);
    else if (f == INTROSPECT_TYPE_INTERFACES && has_interfaces)
        write_types(in, s, t->interfaces, t->ninterfaces);
    else if (f == INTROSPECT_TYPE_POSSIBLE_TYPES && is_abstract)
        write_types(in, s, t->possible, t->npossible);
    else if (f == INTROSPECT_TYPE_INPUT_FIELDS && t->kind == TYPE_INPUT_OBJECT)
        write_inputs(in, s, t->inputs, t->ninputs);
    else if (f == INTROSPECT_TYPE_IS_ONE_OF && t->kind == TYPE_INPUT_OBJECT)
        jwriter_bool(in->out, t->one_of);
    else
        write_null(in);
}

static void write_type_field(const struct introspection *in, const struct selection *s,
                             struct type_ref r)
{
    if (s->field->introspect == INTROSPECT_TYPE_KIND)
        write_kind(in, r);
    else if (s->field->introspect == INTROSPECT_TYPE_OF_TYPE)
        write_of_type(in, s, r);
    else if (!is_named(r))
        write_null(in);
    else
        write_named_field(in, s, r.type);
}

static void write_type_ref(const struct introspection *in, const struct selection *s,
                           struct type_ref r)
{
    struct node n = {.type = r};

    write_object(in, s, &n);
}

static void write_input_field(const struct introspection *in, const struct selection *s,
                              const struct input_value *i)
{
    struct buf text;

    if (s->field->introspect != INTROSPECT_INPUT_DEFAULT_VALUE || i->default_value == NULL) {
        if (s->field->introspect == INTROSPECT_INPUT_TYPE)
            write_type_ref(in, s, i->type);
        else
            write_null(in);
        return;
    }
    buf_init(&text, 0);
    printer_value(i->default_value, &text);
    jwriter_string(in->out, buf_str(&text));
    buf_fini(&text);
}

static void write_field(const struct introspection *in, const struct selection *s,
                        const struct node *n)
{
    switch (s->field->introspect) {
    case INTROSPECT_NONE: /* __typename */
        jwriter_string(in->out, s->parent->name);
        break;
    case INTROSPECT_SCHEMA:
    case INTROSPECT_TYPE:
        CHECK(!"only on the query root");
        break;
    case INTROSPECT_SCHEMA_DESCRIPTION:
    case INTROSPECT_SCHEMA_TYPES:
    case INTROSPECT_SCHEMA_QUERY_TYPE:
    case INTROSPECT_SCHEMA_MUTATION_TYPE:
    case INTROSPECT_SCHEMA_SUBSCRIPTION_TYPE:
    case INTROSPECT_SCHEMA_DIRECTIVES:
        write_schema_field(in, s);
        break;
    case INTROSPECT_TYPE_KIND:
    case INTROSPECT_TYPE_NAME:
    case INTROSPECT_TYPE_DESCRIPTION:
    case INTROSPECT_TYPE_SPECIFIED_BY_URL:
    case INTROSPECT_TYPE_FIELDS:
    case INTROSPECT_TYPE_INTERFACES:
    case INTROSPECT_TYPE_POSSIBLE_TYPES:
    case INTROSPECT_TYPE_ENUM_VALUES:
    case INTROSPECT_TYPE_INPUT_FIELDS:
    case INTROSPECT_TYPE_OF_TYPE:
    case INTROSPECT_TYPE_IS_ONE_OF:
        write_type_field(in, s, n->type);
        break;
    case INTROSPECT_FIELD_NAME:
        jwriter_string(in->out, n->field->name);
        break;
    case INTROSPECT_FIELD_DESCRIPTION:
        write_text(in, n->field->description);
        break;
    case INTROSPECT_FIELD_ARGS:
        write_inputs(in, s, n->field->arguments, n->field->narguments);
        break;
    case INTROSPECT_FIELD_TYPE:
        write_type_ref(in, s, n->field->type);
        break;
    case INTROSPECT_FIELD_IS_DEPRECATED:
        jwriter_bool(in->out, n->field->deprecated.data != NULL);
        break;
    case INTROSPECT_FIELD_DEPRECATION_REASON:
        write_text(in, n->field->deprecated);
        break;
    case INTROSPECT_INPUT_NAME:
        jwriter_string(in->out, n->input->name);
        break;
    case INTROSPECT_INPUT_DESCRIPTION:
        write_text(in, n->input->description);
        break;
    case INTROSPECT_INPUT_TYPE:
    case INTROSPECT_INPUT_DEFAULT_VALUE:
        write_input_field(in, s, n->input);
        break;
    case INTROSPECT_INPUT_IS_DEPRECATED:
        jwriter_bool(in->out, n->input->deprecated.data != NULL);
        break;
    case INTROSPECT_INPUT_DEPRECATION_REASON:
        write_text(in, n->input->deprecated);
        break;
    case INTROSPECT_ENUM_VALUE_NAME:
        jwriter_string(in->out, n->value->name);
        break;
    case INTROSPECT_ENUM_VALUE_DESCRIPTION:
        write_text(in, n->value->description);
        break;
    case INTROSPECT_ENUM_VALUE_IS_DEPRECATED:
        jwriter_bool(in->out, n->value->deprecated.data != NULL);
        break;
    case INTROSPECT_ENUM_VALUE_DEPRECATION_REASON:
        write_text(in, n->value->deprecated);
        break;
    case INTROSPECT_DIRECTIVE_NAME:
        jwriter_string(in->out, n->directive->name);
        break;
    case INTROSPECT_DIRECTIVE_DESCRIPTION:
        write_text(in, n->directive->description);
        break;
    case INTROSPECT_DIRECTIVE_IS_REPEATABLE:
        jwriter_bool(in->out, n->directive->repeatable);
        break;
    case INTROSPECT_DIRECTIVE_LOCATIONS:
        write_locations(in, n->directive->locations);
        break;
    case INTROSPECT_DIRECTIVE_ARGS:
        write_inputs(in, s, n->directive->arguments, n->directive->narguments);
        break;
    }
}

static void write_object(const struct introspection *in, const struct selection *s,
                         const struct node *n)
{
    buf_append_char(in->out, '{');
    for (size_t i = 0; i < s->nchildren && buf_ok(in->out); i++) {
        if (i > 0)
            buf_append_char(in->out, ',');
        jwriter_key(in->out, s->children[i]->key);
        write_field(in, s->children[i], n);
    }
    buf_append_char(in->out, '}');
}

bool introspection_write(const struct plan *p, const struct shape_field *f,
                         const char *const *params, struct buf *out)
{
    struct introspection in = {.schema = p->operation->schema, .out = out};
    struct node n = {.type = {.type = NULL}};

    if (f->selection->field->introspect == INTROSPECT_SCHEMA) {
        write_object(&in, f->selection, &n);
        return true;
    }
    CHECK(f->selection->field->introspect == INTROSPECT_TYPE);
    n.type.type = schema_type(in.schema, str_of(params[f->column]));
    if (n.type.type == NULL)
        return false;
    write_object(&in, f->selection, &n);
    return true;
}
