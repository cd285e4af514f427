/*
 * metatypes.c - what every schema has: introspection types and directives.
 *
 * Thread:   one at a time; the tables are constant.
 * Memory:   in the schema's arena.
 * Not here: answering introspection (execution/introspection.c).
 */
#include "schema/build.h"

/* Type of a field: a name with wrappers. */
enum wrap {
    NULLABLE,
    REQUIRED,      /* T! */
    LIST,          /* [T!] */
    REQUIRED_LIST, /* [T!]! */
};

/* Type, field, its type's name and wrappers, has it includeDeprecated?, which. Specification
 * section 4.2.2; fields of a type stand together. */
static const struct meta_field {
    const char *type;
    const char *name;
    const char *of;
    enum wrap wrap;
    bool include_deprecated;
    enum introspection_field introspect;
} meta_fields[] = {
  /* clang-format off */
    { "__Schema", "description", "String", NULLABLE, false, INTROSPECT_SCHEMA_DESCRIPTION },
    { "__Schema", "types", "__Type", REQUIRED_LIST, false, INTROSPECT_SCHEMA_TYPES },
    { "__Schema", "queryType", "__Type", REQUIRED, false, INTROSPECT_SCHEMA_QUERY_TYPE },
    { "__Schema", "mutationType", "__Type", NULLABLE, false, INTROSPECT_SCHEMA_MUTATION_TYPE },
    { "__Schema", "subscriptionType", "__Type", NULLABLE, false, INTROSPECT_SCHEMA_SUBSCRIPTION_TYPE },
    { "__Schema", "directives", "__Directive", REQUIRED_LIST, false, INTROSPECT_SCHEMA_DIRECTIVES },
    { "__Type", "kind", "__TypeKind", REQUIRED, false, INTROSPECT_TYPE_KIND },
    { "__Type", "name", "String", NULLABLE, false, INTROSPECT_TYPE_NAME },
    { "__Type", "description", "String", NULLABLE, false, INTROSPECT_TYPE_DESCRIPTION },
    { "__Type", "specifiedByURL", "String", NULLABLE, false, INTROSPECT_TYPE_SPECIFIED_BY_URL },
    { "__Type", "fields", "__Field", LIST, true, INTROSPECT_TYPE_FIELDS },
    { "__Type", "interfaces", "__Type", LIST, false, INTROSPECT_TYPE_INTERFACES },
    { "__Type", "possibleTypes", "__Type", LIST, false, INTROSPECT_TYPE_POSSIBLE_TYPES },
    { "__Type", "enumValues", "__EnumValue", LIST, true, INTROSPECT_TYPE_ENUM_VALUES },
    { "__Type", "inputFields", "__InputValue", LIST, true, INTROSPECT_TYPE_INPUT_FIELDS },
    { "__Type", "ofType", "__Type", NULLABLE, false, INTROSPECT_TYPE_OF_TYPE },
    { "__Type", "isOneOf", "Boolean", NULLABLE, false, INTROSPECT_TYPE_IS_ONE_OF },
    { "__Field", "name", "String", REQUIRED, false, INTROSPECT_FIELD_NAME },
    { "__Field", "description", "String", NULLABLE, false, INTROSPECT_FIELD_DESCRIPTION },
    { "__Field", "args", "__InputValue", REQUIRED_LIST, true, INTROSPECT_FIELD_ARGS },
    { "__Field", "type", "__Type", REQUIRED, false, INTROSPECT_FIELD_TYPE },
    { "__Field", "isDeprecated", "Boolean", REQUIRED, false, INTROSPECT_FIELD_IS_DEPRECATED },
    { "__Field", "deprecationReason", "String", NULLABLE, false, INTROSPECT_FIELD_DEPRECATION_REASON },
    { "__InputValue", "name", "String", REQUIRED, false, INTROSPECT_INPUT_NAME },
    { "__InputValue", "description", "String", NULLABLE, false, INTROSPECT_INPUT_DESCRIPTION },
    { "__InputValue", "type", "__Type", REQUIRED, false, INTROSPECT_INPUT_TYPE },
    { "__InputValue", "defaultValue", "String", NULLABLE, false, INTROSPECT_INPUT_DEFAULT_VALUE },
    { "__InputValue", "isDeprecated", "Boolean", REQUIRED, false, INTROSPECT_INPUT_IS_DEPRECATED },
    { "__InputValue", "deprecationReason", "String", NULLABLE, false, INTROSPECT_INPUT_DEPRECATION_REASON },
    { "__EnumValue", "name", "String", REQUIRED, false, INTROSPECT_ENUM_VALUE_NAME },
    { "__EnumValue", "description", "String", NULLABLE, false, INTROSPECT_ENUM_VALUE_DESCRIPTION },
    { "__EnumValue", "isDeprecated", "Boolean", REQUIRED, false, INTROSPECT_ENUM_VALUE_IS_DEPRECATED },
    { "__EnumValue", "deprecationReason", "String", NULLABLE, false, INTROSPECT_ENUM_VALUE_DEPRECATION_REASON },
    { "__Directive", "name", "String", REQUIRED, false, INTROSPECT_DIRECTIVE_NAME },
    { "__Directive", "description", "String", NULLABLE, false, INTROSPECT_DIRECTIVE_DESCRIPTION },
    { "__Directive", "isRepeatable", "Boolean", REQUIRED, false, INTROSPECT_DIRECTIVE_IS_REPEATABLE },
    { "__Directive", "locations", "__DirectiveLocation", REQUIRED_LIST, false, INTROSPECT_DIRECTIVE_LOCATIONS },
    { "__Directive", "args", "__InputValue", REQUIRED_LIST, true, INTROSPECT_DIRECTIVE_ARGS },
  /* clang-format on */
};

/* Enum, value, number. */
static const struct meta_value {
    const char *type;
    struct str name;
    int value;
} meta_values[] = {
  /* clang-format off */
    { "__TypeKind", STR_INIT("SCALAR"), TYPE_SCALAR },
    { "__TypeKind", STR_INIT("OBJECT"), TYPE_OBJECT },
    { "__TypeKind", STR_INIT("INTERFACE"), TYPE_INTERFACE },
    { "__TypeKind", STR_INIT("UNION"), TYPE_UNION },
    { "__TypeKind", STR_INIT("ENUM"), TYPE_ENUM },
    { "__TypeKind", STR_INIT("INPUT_OBJECT"), TYPE_INPUT_OBJECT },
    { "__TypeKind", STR_INIT("LIST"), SCHEMA_KIND_LIST },
    { "__TypeKind", STR_INIT("NON_NULL"), SCHEMA_KIND_NON_NULL },
    { "__DirectiveLocation", STR_INIT("QUERY"), ON_QUERY },
    { "__DirectiveLocation", STR_INIT("MUTATION"), ON_MUTATION },
    { "__DirectiveLocation", STR_INIT("SUBSCRIPTION"), ON_SUBSCRIPTION },
    { "__DirectiveLocation", STR_INIT("FIELD"), ON_FIELD },
    { "__DirectiveLocation", STR_INIT("FRAGMENT_DEFINITION"), ON_FRAGMENT_DEFINITION },
    { "__DirectiveLocation", STR_INIT("FRAGMENT_SPREAD"), ON_FRAGMENT_SPREAD },
    { "__DirectiveLocation", STR_INIT("INLINE_FRAGMENT"), ON_INLINE_FRAGMENT },
    { "__DirectiveLocation", STR_INIT("VARIABLE_DEFINITION"), ON_VARIABLE_DEFINITION },
    { "__DirectiveLocation", STR_INIT("SCHEMA"), ON_SCHEMA },
    { "__DirectiveLocation", STR_INIT("SCALAR"), ON_SCALAR },
    { "__DirectiveLocation", STR_INIT("OBJECT"), ON_OBJECT },
    { "__DirectiveLocation", STR_INIT("FIELD_DEFINITION"), ON_FIELD_DEFINITION },
    { "__DirectiveLocation", STR_INIT("ARGUMENT_DEFINITION"), ON_ARGUMENT_DEFINITION },
    { "__DirectiveLocation", STR_INIT("INTERFACE"), ON_INTERFACE },
    { "__DirectiveLocation", STR_INIT("UNION"), ON_UNION },
    { "__DirectiveLocation", STR_INIT("ENUM"), ON_ENUM },
    { "__DirectiveLocation", STR_INIT("ENUM_VALUE"), ON_ENUM_VALUE },
    { "__DirectiveLocation", STR_INIT("INPUT_OBJECT"), ON_INPUT_OBJECT },
    { "__DirectiveLocation", STR_INIT("INPUT_FIELD_DEFINITION"), ON_INPUT_FIELD_DEFINITION },
  /* clang-format on */
};

static const struct ast_value default_false = {.kind = AST_BOOLEAN};
static const struct ast_value default_reason = {.kind = AST_STRING,
                                                .text = STR_INIT("No longer supported")};

/* Name, argument (NULL: none), its type and default, locations, description. Specification section
 * 3.13. */
static const struct meta_directive {
    struct str name;
    const char *argument;
    const char *of;
    const struct ast_value *default_value;
    unsigned locations;
    const char *description;
    const char *argument_description;
} meta_directives[] = {
  /* clang-format off */
    { STR_INIT("include"), "if", "Boolean", NULL, ON_FIELD | ON_FRAGMENT_SPREAD | ON_INLINE_FRAGMENT,
      "Includes this field or fragment only when the argument is true.", "Included when true." },
    { STR_INIT("skip"), "if", "Boolean", NULL, ON_FIELD | ON_FRAGMENT_SPREAD | ON_INLINE_FRAGMENT,
      "Leaves this field or fragment out when the argument is true.", "Skipped when true." },
    { STR_INIT("deprecated"), "reason", "String", &default_reason,
      ON_FIELD_DEFINITION | ON_ARGUMENT_DEFINITION | ON_INPUT_FIELD_DEFINITION | ON_ENUM_VALUE,
      "Marks what should no longer be used.", "Why, and what to use instead, in Markdown." },
    { STR_INIT("specifiedBy"), "url", "String", NULL, ON_SCALAR,
      "Tells where a scalar is specified.", "The address of the specification." },
    { STR_INIT("oneOf"), NULL, NULL, NULL, ON_INPUT_OBJECT,
      "Marks an input object of which exactly one field has to be given.", NULL },
  /* clang-format on */
};

static struct type_ref wrapped(const struct type *t, enum wrap wrap)
{
    switch (wrap) {
    case NULLABLE:
        return type_ref_named(t);
    case REQUIRED:
        return type_ref_required(t);
    case LIST:
        return type_ref_list(t);
    case REQUIRED_LIST:
        break;
    }
    return type_ref_required_list(t);
}

/* An introspection type, or one of the built-in scalars. */
static const struct type *meta_type(struct builder *b, const char *name)
{
    return name[0] == '_' ? builder_find_type(b, str_of(name)) : builder_scalar(b, name);
}

static void declare(struct builder *b, enum type_kind kind, const char *name)
{
    struct type *t = builder_find_type(b, str_of(name));

    if (t != NULL)
        return;
    t = builder_add_type(b, kind, str_of(name), STR("introspection"));
    t->introspection = true;
}

static void set_meta_fields(struct builder *b, struct type *t,
                            const struct input_value *include_deprecated)
{
    struct fields fields = {0};
    size_t i;

    for (i = 0; i < COUNT_OF(meta_fields); i++) {
        const struct meta_field *m = &meta_fields[i];
        struct field f = {.name = str_of(m->name), .resolver = RESOLVE_INTROSPECTION};

        if (!str_is(t->name, m->type))
            continue;
        f.introspect = m->introspect;
        f.type = wrapped(meta_type(b, m->of), m->wrap);
        if (m->include_deprecated) {
            f.arguments = include_deprecated;
            f.narguments = 1;
        }
        VEC_PUSH(b->scratch, &fields, f);
    }
    builder_set_fields(b, t, &fields);
}

static void set_meta_values(struct builder *b, struct type *t)
{
    struct enum_value values[COUNT_OF(meta_values)] = {0};
    size_t i, n = 0;

    for (i = 0; i < COUNT_OF(meta_values); i++) {
        if (!str_is(t->name, meta_values[i].type))
            continue;
        values[n].name = values[n].label = meta_values[i].name;
        values[n++].value = meta_values[i].value;
    }
    builder_set_values(b, t, values, n);
}

static void set_directives(struct builder *b)
{
    struct directive *out = ARENA_ARRAY(b->arena, COUNT_OF(meta_directives), struct directive);
    size_t i;

    for (i = 0; i < COUNT_OF(meta_directives); i++) {
        const struct meta_directive *m = &meta_directives[i];
        struct input_value *arg = ARENA_NEW(b->arena, struct input_value);

        out[i].name = m->name;
        out[i].description = str_of(m->description);
        out[i].locations = m->locations;
        if (m->argument == NULL)
            continue;
        arg->name = str_of(m->argument);
        arg->description = str_of(m->argument_description);
        arg->type = type_ref_required(builder_scalar(b, m->of));
        arg->default_value = m->default_value;
        out[i].arguments = arg;
        out[i].narguments = 1;
    }
    b->schema->directives = out;
    b->schema->ndirectives = COUNT_OF(meta_directives);
}

static void set_root_fields(struct builder *b)
{
    struct schema *s = b->schema;
    struct input_value *name = ARENA_NEW(b->arena, struct input_value);

    name->name = STR("name");
    name->role = INPUT_NAME;
    name->type = type_ref_required(builder_scalar(b, "String"));
    s->typename_field = (struct field){.name = STR("__typename"),
                                       .resolver = RESOLVE_TYPENAME,
                                       .type = type_ref_required(builder_scalar(b, "String"))};
    s->schema_field = (struct field){.name = STR("__schema"),
                                     .resolver = RESOLVE_INTROSPECTION,
                                     .introspect = INTROSPECT_SCHEMA,
                                     .type = type_ref_required(meta_type(b, "__Schema"))};
    s->type_field = (struct field){.name = STR("__type"),
                                   .resolver = RESOLVE_INTROSPECTION,
                                   .introspect = INTROSPECT_TYPE,
                                   .type = type_ref_named(meta_type(b, "__Type")),
                                   .arguments = name,
                                   .narguments = 1};
}

void metatypes_build(struct builder *b)
{
    struct input_value *include_deprecated = ARENA_NEW(b->arena, struct input_value);
    size_t i, n = b->types.n;

    for (i = 0; i < COUNT_OF(meta_fields); i++)
        declare(b, TYPE_OBJECT, meta_fields[i].type);
    for (i = 0; i < COUNT_OF(meta_values); i++)
        declare(b, TYPE_ENUM, meta_values[i].type);
    include_deprecated->name = STR("includeDeprecated");
    include_deprecated->role = INPUT_INCLUDE_DEPRECATED;
    include_deprecated->type = type_ref_required(builder_scalar(b, "Boolean"));
    include_deprecated->default_value = &default_false;
    for (i = n; i < b->types.n; i++) {
        if (b->types.items[i]->kind == TYPE_OBJECT)
            set_meta_fields(b, b->types.items[i], include_deprecated);
        else if (b->types.items[i]->kind == TYPE_ENUM)
            set_meta_values(b, b->types.items[i]);
    }
    set_directives(b);
    set_root_fields(b);
}
