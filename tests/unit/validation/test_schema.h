/*
 * test_schema.h - a schema from SDL text, for tests: no database, no catalog.
 *
 * Memory:   everything is in the schema's arena; give it back with schema_unref().
 * Not here: any check. The text is ours and known to be right.
 */
#ifndef TEST_SCHEMA_H
#define TEST_SCHEMA_H

#include "language/ast_types.h"
#include "language/parser.h"
#include "schema/schema.h"

static const char test_schema_prelude[] =
    "scalar Int scalar Float scalar String scalar Boolean scalar ID "
    "directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT "
    "directive @deprecated(reason: String = \"No longer supported\") on FIELD_DEFINITION | "
    "ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE "
    "directive @specifiedBy(url: String!) on SCALAR "
    "directive @oneOf on INPUT_OBJECT "
    "type __Schema { description: String types: [__Type!]! queryType: __Type! "
    "mutationType: __Type subscriptionType: __Type directives: [__Directive!]! } "
    "type __Type { kind: __TypeKind! name: String description: String specifiedByURL: String "
    "fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] "
    "possibleTypes: [__Type!] enumValues(includeDeprecated: Boolean = false): [__EnumValue!] "
    "inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type "
    "isOneOf: Boolean } "
    "type __Field { name: String! description: String "
    "args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type! "
    "isDeprecated: Boolean! deprecationReason: String } "
    "type __InputValue { name: String! description: String type: __Type! defaultValue: String "
    "isDeprecated: Boolean! deprecationReason: String } "
    "type __EnumValue { name: String! description: String isDeprecated: Boolean! "
    "deprecationReason: String } "
    "enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL } "
    "type __Directive { name: String! description: String isRepeatable: Boolean! "
    "locations: [__DirectiveLocation!]! "
    "args(includeDeprecated: Boolean = false): [__InputValue!]! } "
    "enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION "
    "FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION "
    "ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION } ";

/* The schema most tests use. */
static const char test_schema_sdl[] =
    "scalar JSON scalar Ltree\n"
    "directive @tag(name: String) repeatable on FIELD | QUERY | VARIABLE_DEFINITION\n"
    "directive @onQuery on QUERY directive @onMutation on MUTATION\n"
    "directive @onSubscription on SUBSCRIPTION directive @onField on FIELD\n"
    "directive @onFragment on FRAGMENT_DEFINITION directive @onSpread on FRAGMENT_SPREAD\n"
    "directive @onInline on INLINE_FRAGMENT directive @onVariable on VARIABLE_DEFINITION\n"
    "interface Being { name(surname: Boolean): String }\n"
    "interface Pet implements Being { name(surname: Boolean): String }\n"
    "interface Mammal { mother: Mammal father: Mammal }\n"
    "interface Canine implements Mammal & Being { name(surname: Boolean): String mother: Canine "
    "father: Canine }\n"
    "enum Command { SIT HEEL DOWN }\n"
    "enum Colour { BROWN BLACK SPOTTED }\n"
    "type Dog implements Being & Pet & Mammal & Canine { name(surname: Boolean): String "
    "nickname: String barkVolume: Int barks: Boolean! doesKnow(command: Command): Boolean! "
    "isHousetrained(atOtherHomes: Boolean = true): Boolean! isAtLocation(x: Int, y: Int): Boolean! "
    "mother: Dog father: Dog owner: Human }\n"
    "type Cat implements Being & Pet { name(surname: Boolean): String nickname: String "
    "meows: Boolean! meowVolume: Int furColour: Colour owner: Human! }\n"
    "union CatOrDog = Cat | Dog\n"
    "type Human implements Being { name(surname: Boolean): String pets: [Pet] relatives: [Human]! "
    "iq: Int query: Query }\n"
    "type Alien implements Being { name(surname: Boolean): String iq: Int eyes: Int }\n"
    "union DogOrHuman = Dog | Human\n"
    "union HumanOrAlien = Human | Alien\n"
    "input Point { x: Int! y: Int! z: Int = 0 label: String }\n"
    "input Complex { required: Boolean! nonNull: Boolean! = false int: Int string: String "
    "boolean: Boolean strings: [String] colour: Colour nested: Complex list: [Complex!] "
    "points: [[Point!]!] json: JSON one: One }\n"
    "input One @oneOf { a: Int b: String c: Point d: [Int!] }\n"
    "type Arguments { int(a: Int): Int float(a: Float): Float string(a: String): String "
    "boolean(a: Boolean): Boolean id(a: ID): ID enum(a: Colour): Colour nonNull(a: Int!): Int "
    "two(a: Int!, b: Int!): Int optional(a: Int = 0, b: Int! = 1): Int list(a: [String]): Int "
    "nonNullList(a: [String!]!): Int matrix(a: [[Int!]]): Int complex(a: Complex): Int "
    "point(a: Point!): Int json(a: JSON): Int jsons(a: [JSON]): Int ltree(a: Ltree): Int "
    "one(a: One): Int ones(a: [One!]): Int booleanList(a: [Boolean]): Int "
    "colours(a: [Colour!]!): Int }\n"
    "interface Box { deep: Box plain: String }\n"
    "type IntBox implements Box { scalar: Int deep: IntBox plain: String only: String "
    "lists: [IntBox] same: Int list: [Int] }\n"
    "type StringBox implements Box { scalar: String deep: StringBox plain: String only: String! "
    "lists: [StringBox] same: Int list: [Int]! }\n"
    "union AnyBox = IntBox | StringBox\n"
    "type Query { human(id: ID): Human alien: Alien dog: Dog cat: Cat pet: Pet being: Being "
    "catOrDog: CatOrDog dogOrHuman: DogOrHuman humanOrAlien: HumanOrAlien arguments: Arguments "
    "box: Box anyBox: AnyBox boxes: [Box!]! hello: String }\n"
    "type Mutation { rename(id: ID!, name: String): Human setPoint(point: Point!): Boolean }\n"
    "type Subscription { important: String other: Int }\n";

struct test_schema {
    struct schema *schema;
    struct arena *arena;
    struct type *types;
    size_t ntypes;
};

static struct type *test_schema_find(struct test_schema *b, struct str name)
{
    for (size_t i = 0; i < b->ntypes; i++) {
        if (str_eq(b->types[i].name, name))
            return &b->types[i];
    }
    CHECK(name.len == 0 && "unknown type in a test's schema");
    return NULL;
}

static struct type_ref test_schema_ref(struct test_schema *b, const struct ast_type *t)
{
    struct type_ref r = {0};

    for (; t->kind == AST_LIST_TYPE; t = t->of)
        r.non_null = (uint16_t)(r.non_null | (unsigned)t->non_null << r.nlists++);
    r.non_null = (uint16_t)(r.non_null | (unsigned)t->non_null << r.nlists);
    r.type = test_schema_find(b, t->name);
    return r;
}

static struct input_value *
test_schema_inputs(struct test_schema *b, const struct ast_input_value_definition *defs, size_t n)
{
    struct input_value *inputs = ARENA_ARRAY(b->arena, n, struct input_value);

    for (size_t i = 0; i < n; i++) {
        inputs[i].name = defs[i].name;
        inputs[i].type = test_schema_ref(b, defs[i].type);
        inputs[i].default_value = defs[i].default_value;
        inputs[i].role = str_is(inputs[i].name, "limit")        ? INPUT_LIMIT
                         : str_is(inputs[i].name, "distinctOn") ? INPUT_DISTINCT_ON
                                                                : INPUT_PLAIN;
    }
    return inputs;
}

static void test_schema_fields(struct test_schema *b, struct type *t,
                               const struct ast_type_system_definition *d)
{
    struct field *fields = ARENA_ARRAY(b->arena, d->nfields, struct field);

    for (size_t i = 0; i < d->nfields; i++) {
        fields[i].name = d->fields[i].name;
        fields[i].type = test_schema_ref(b, d->fields[i].type);
        fields[i].arguments =
            test_schema_inputs(b, d->fields[i].arguments, d->fields[i].narguments);
        fields[i].narguments = d->fields[i].narguments;
        fields[i].resolver =
            str_starts(t->name, STR("__")) ? RESOLVE_INTROSPECTION : RESOLVE_COLUMN;
        if (str_ends(fields[i].name, STR("Aggregate")))
            fields[i].resolver = RESOLVE_AGGREGATE;
        if (str_is(fields[i].name, "countDistinct"))
            fields[i].resolver = RESOLVE_COUNT_DISTINCT;
    }
    t->fields = fields;
    t->nfields = d->nfields;
    names_init(&t->members, fields, t->nfields, sizeof *fields, b->arena);
}

static void test_schema_values(struct test_schema *b, struct type *t,
                               const struct ast_type_system_definition *d)
{
    struct enum_value *values = ARENA_ARRAY(b->arena, d->nvalues, struct enum_value);

    for (size_t i = 0; i < d->nvalues; i++) {
        values[i].name = values[i].label = d->values[i].name;
    }
    t->values = values;
    t->nvalues = d->nvalues;
    names_init(&t->members, values, t->nvalues, sizeof *values, b->arena);
}

static const struct type **test_schema_named(struct test_schema *b, const struct ast_named *names,
                                             size_t n)
{
    const struct type **types = ARENA_ARRAY(b->arena, n, const struct type *);

    for (size_t i = 0; i < n; i++)
        types[i] = test_schema_find(b, names[i].name);
    return types;
}

static void test_schema_fill(struct test_schema *b, struct type *t,
                             const struct ast_type_system_definition *d)
{
    if (t->kind == TYPE_OBJECT || t->kind == TYPE_INTERFACE)
        test_schema_fields(b, t, d);
    if (t->kind == TYPE_ENUM)
        test_schema_values(b, t, d);
    if (t->kind == TYPE_INPUT_OBJECT) {
        t->inputs = test_schema_inputs(b, d->inputs, d->ninputs);
        t->ninputs = d->ninputs;
        names_init(&t->members, t->inputs, t->ninputs, sizeof *t->inputs, b->arena);
    }
    t->interfaces = test_schema_named(b, d->interfaces, d->ninterfaces);
    t->ninterfaces = d->ninterfaces;
    if (d->kind == AST_UNION) {
        t->possible = test_schema_named(b, d->members, d->nmembers);
        t->npossible = d->nmembers;
    }
    for (size_t i = 0; i < d->directives.n; i++)
        t->one_of |= str_eq(d->directives.items[i].name, STR("oneOf"));
    if (t->kind == TYPE_SCALAR)
        t->scalar = scalar_find(t->name);
}

/* The object types of an interface. */
static void test_schema_possible(struct test_schema *b, struct type *interface)
{
    const struct type **possible = ARENA_ARRAY(b->arena, b->ntypes, const struct type *);

    for (size_t i = 0; i < b->ntypes; i++) {
        for (size_t k = 0; k < b->types[i].ninterfaces && b->types[i].kind == TYPE_OBJECT; k++) {
            if (b->types[i].interfaces[k] == interface)
                possible[interface->npossible++] = &b->types[i];
        }
    }
    interface->possible = possible;
}

static unsigned test_schema_locations(const struct ast_type_system_definition *d)
{
    static const char *const names[] = {
        "QUERY",           "MUTATION",        "SUBSCRIPTION",       "FIELD", "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION"};
    unsigned bits = 0;

    for (size_t i = 0; i < d->nmembers; i++) {
        for (size_t k = 0; k < COUNT_OF(names); k++)
            bits |= str_is(d->members[i].name, names[k]) ? 1u << k : 0;
    }
    return bits;
}

/* Section 3.5: __schema and __type(name: String!) on the query root, __typename everywhere. */
static void test_schema_meta_fields(struct test_schema *b)
{
    struct schema *s = b->schema;
    struct input_value *name = ARENA_NEW(b->arena, struct input_value);

    name->name = STR("name");
    name->type = (struct type_ref){test_schema_find(b, STR("String")), 0, 1};
    s->typename_field.name = STR("__typename");
    s->typename_field.type = name->type;
    s->schema_field.name = STR("__schema");
    s->schema_field.type = (struct type_ref){test_schema_find(b, STR("__Schema")), 0, 1};
    s->type_field.name = STR("__type");
    s->type_field.type = (struct type_ref){test_schema_find(b, STR("__Type")), 0, 0};
    s->type_field.arguments = name;
    s->type_field.narguments = 1;
}

static void test_schema_define(struct test_schema *b, const struct ast_document *doc)
{
    static const enum type_kind kinds[] = {
        [AST_SCALAR] = TYPE_SCALAR,       [AST_OBJECT_TYPE] = TYPE_OBJECT,
        [AST_INTERFACE] = TYPE_INTERFACE, [AST_UNION] = TYPE_UNION,
        [AST_ENUM_TYPE] = TYPE_ENUM,      [AST_INPUT_OBJECT] = TYPE_INPUT_OBJECT,
    };
    struct directive *directives = ARENA_ARRAY(b->arena, doc->n, struct directive);

    b->types = ARENA_ARRAY(b->arena, doc->n, struct type);
    for (size_t i = 0; i < doc->n; i++) {
        const struct ast_type_system_definition *d = doc->definitions[i].type_system;

        if (d->kind == AST_DIRECTIVE_DEFINITION)
            continue;
        b->types[b->ntypes].index = b->ntypes;
        b->types[b->ntypes].name = d->name;
        b->types[b->ntypes++].kind = kinds[d->kind];
    }
    for (size_t i = 0; i < doc->n; i++) {
        const struct ast_type_system_definition *d = doc->definitions[i].type_system;

        if (d->kind != AST_DIRECTIVE_DEFINITION) {
            test_schema_fill(b, test_schema_find(b, d->name), d);
            continue;
        }
        directives[b->schema->ndirectives++] =
            (struct directive){.name = d->name,
                               .locations = test_schema_locations(d),
                               .repeatable = d->repeatable,
                               .arguments = test_schema_inputs(b, d->inputs, d->ninputs),
                               .narguments = d->ninputs};
    }
    b->schema->directives = directives;
}

/* Root types are named Query, Mutation, Subscription. */
static const struct schema *test_schema_new(const char *sdl)
{
    static const struct parse_limits no_limits;
    struct arena *a = arena_new(0);
    struct test_schema b = {.arena = a, .schema = ARENA_NEW(a, struct schema)};
    struct str text = arena_printf(a, "%s%s", test_schema_prelude, sdl);
    const struct ast_document *doc;
    const struct type **types;
    struct errors errs;

    errors_init(&errs, a);
    CHECK(parser_parse_schema(text, &no_limits, a, &doc, &errs));
    b.schema->arena = a;
    b.schema->references = arena_alloc(a, sizeof(*b.schema->references));
    atomic_init(b.schema->references, 1);
    test_schema_define(&b, doc);
    types = ARENA_ARRAY(a, b.ntypes, const struct type *);
    for (size_t i = 0; i < b.ntypes; i++) {
        if (b.types[i].kind == TYPE_INTERFACE)
            test_schema_possible(&b, &b.types[i]);
        types[i] = &b.types[i];
    }
    b.schema->types = types;
    b.schema->ntypes = b.ntypes;
    names_init_pointers(&b.schema->types_by_name, types, b.ntypes, a);
    b.schema->query = schema_type(b.schema, STR("Query"));
    b.schema->mutation = schema_type(b.schema, STR("Mutation"));
    b.schema->subscription = schema_type(b.schema, STR("Subscription"));
    test_schema_meta_fields(&b);
    return b.schema;
}

#endif
