/*
 * parser_types.c - the productions of the type system (specification section 3), in its order.
 *
 * Thread:   any.
 * Memory:   see parse.h.
 * Not here: whether the types make sense (schema/checks.c).
 */
#include "language/parse.h"

/* Keywords of definitions, and what they begin. */
static const struct {
    struct str word;
    enum ast_type_system_kind kind;
} keywords[] = {
    {STR_INIT("schema"),    AST_SCHEMA              },
    {STR_INIT("scalar"),    AST_SCALAR              },
    {STR_INIT("type"),      AST_OBJECT_TYPE         },
    {STR_INIT("interface"), AST_INTERFACE           },
    {STR_INIT("union"),     AST_UNION               },
    {STR_INIT("enum"),      AST_ENUM_TYPE           },
    {STR_INIT("input"),     AST_INPUT_OBJECT        },
    {STR_INIT("directive"), AST_DIRECTIVE_DEFINITION},
};

/* Section 3.13. */
static const struct str directive_locations[] = {
    STR_INIT("QUERY"),
    STR_INIT("MUTATION"),
    STR_INIT("SUBSCRIPTION"),
    STR_INIT("FIELD"),
    STR_INIT("FRAGMENT_DEFINITION"),
    STR_INIT("FRAGMENT_SPREAD"),
    STR_INIT("INLINE_FRAGMENT"),
    STR_INIT("VARIABLE_DEFINITION"),
    STR_INIT("SCHEMA"),
    STR_INIT("SCALAR"),
    STR_INIT("OBJECT"),
    STR_INIT("FIELD_DEFINITION"),
    STR_INIT("ARGUMENT_DEFINITION"),
    STR_INIT("INTERFACE"),
    STR_INIT("UNION"),
    STR_INIT("ENUM"),
    STR_INIT("ENUM_VALUE"),
    STR_INIT("INPUT_OBJECT"),
    STR_INIT("INPUT_FIELD_DEFINITION"),
};

static bool find_keyword(const struct parser *p, enum ast_type_system_kind *kind)
{
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (parse_at_keyword(p, keywords[i].word)) {
            *kind = keywords[i].kind;
            return true;
        }
    }
    return false;
}

bool parse_is_type_system_keyword(const struct parser *p)
{
    enum ast_type_system_kind kind;

    return find_keyword(p, &kind) || parse_at_keyword(p, STR("extend"));
}

/* RootOperationTypeDefinition */
static bool parse_root_operation(struct parser *p, struct ast_root_operation *r)
{
    struct str word;

    r->offset = p->token.offset;
    if (!parse_at(p, TOKEN_NAME) || !parse_operation_kind(parse_text(p), &r->kind))
        return parse_unexpected(p, "operation type");
    return parse_name(p, &word, &r->offset) && parse_expect(p, TOKEN_COLON) &&
           parse_name(p, &r->type.name, &r->type.offset);
}

static bool parse_root_operations(struct parser *p, struct ast_type_system_definition *d)
{
    size_t mark = p->used;

    if (!parse_at(p, TOKEN_BRACE_L) && d->extension)
        return true;
    if (!parse_expect(p, TOKEN_BRACE_L))
        return false;
    do {
        struct ast_root_operation r = {0};

        if (!parse_root_operation(p, &r))
            return false;
        parse_push(p, &r, sizeof(r));
    } while (!parse_skip(p, TOKEN_BRACE_R));
    d->roots = parse_take(p, mark, sizeof(*d->roots), &d->nroots);
    return true;
}

/* ImplementsInterfaces */
static bool parse_interfaces(struct parser *p, struct ast_type_system_definition *d)
{
    size_t mark = p->used;

    if (!parse_at_keyword(p, STR("implements")))
        return true;
    parse_advance(p);
    parse_skip(p, TOKEN_AMP);
    do {
        struct ast_named n = {0};

        if (!parse_name(p, &n.name, &n.offset))
            return false;
        parse_push(p, &n, sizeof(n));
    } while (parse_skip(p, TOKEN_AMP));
    d->interfaces = parse_take(p, mark, sizeof(*d->interfaces), &d->ninterfaces);
    return true;
}

/* InputValueDefinition */
static bool parse_input_value(struct parser *p, struct ast_input_value_definition *v)
{
    parse_description(p, &v->description);
    if (!parse_name(p, &v->name, &v->offset) || !parse_expect(p, TOKEN_COLON) ||
        !parse_type(p, &v->type))
        return false;
    if (parse_skip(p, TOKEN_EQUALS) && !parse_const_value(p, &v->default_value))
        return false;
    return parse_const_directives(p, &v->directives);
}

/* ArgumentsDefinition or InputFieldsDefinition: a list between two tokens, which may be absent. */
static bool parse_input_values(struct parser *p, enum token_kind open, enum token_kind close,
                               const struct ast_input_value_definition **out, size_t *n)
{
    size_t mark = p->used;

    if (!parse_skip(p, open))
        return true;
    do {
        struct ast_input_value_definition v = {0};

        if (!parse_input_value(p, &v))
            return false;
        parse_push(p, &v, sizeof(v));
    } while (!parse_skip(p, close));
    *out = parse_take(p, mark, sizeof(**out), n);
    return true;
}

/* FieldsDefinition */
static bool parse_fields(struct parser *p, struct ast_type_system_definition *d)
{
    size_t mark = p->used;

    if (!parse_skip(p, TOKEN_BRACE_L))
        return true;
    do {
        struct ast_field_definition f = {0};

        parse_description(p, &f.description);
        if (!parse_name(p, &f.name, &f.offset) ||
            !parse_input_values(p, TOKEN_PAREN_L, TOKEN_PAREN_R, &f.arguments, &f.narguments) ||
            !parse_expect(p, TOKEN_COLON) || !parse_type(p, &f.type) ||
            !parse_const_directives(p, &f.directives))
            return false;
        parse_push(p, &f, sizeof(f));
    } while (!parse_skip(p, TOKEN_BRACE_R));
    d->fields = parse_take(p, mark, sizeof(*d->fields), &d->nfields);
    return true;
}

/* UnionMemberTypes */
static bool parse_members(struct parser *p, struct ast_type_system_definition *d)
{
    size_t mark = p->used;

    if (!parse_skip(p, TOKEN_EQUALS))
        return true;
    parse_skip(p, TOKEN_PIPE);
    do {
        struct ast_named n = {0};

        if (!parse_name(p, &n.name, &n.offset))
            return false;
        parse_push(p, &n, sizeof(n));
    } while (parse_skip(p, TOKEN_PIPE));
    d->members = parse_take(p, mark, sizeof(*d->members), &d->nmembers);
    return true;
}

/* EnumValuesDefinition */
static bool parse_enum_values(struct parser *p, struct ast_type_system_definition *d)
{
    size_t mark = p->used;

    if (!parse_skip(p, TOKEN_BRACE_L))
        return true;
    do {
        struct ast_enum_value_definition v = {0};

        parse_description(p, &v.description);
        if (parse_at_keyword(p, STR("true")) || parse_at_keyword(p, STR("false")) ||
            parse_at_keyword(p, STR("null")))
            return parse_unexpected(p, "enum value");
        if (!parse_name(p, &v.name, &v.offset) || !parse_const_directives(p, &v.directives))
            return false;
        parse_push(p, &v, sizeof(v));
    } while (!parse_skip(p, TOKEN_BRACE_R));
    d->values = parse_take(p, mark, sizeof(*d->values), &d->nvalues);
    return true;
}

static bool is_directive_location(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(directive_locations); i++) {
        if (str_eq(directive_locations[i], name))
            return true;
    }
    return false;
}

/* DirectiveDefinition: "directive" was read. */
static bool parse_directive_definition(struct parser *p, struct ast_type_system_definition *d)
{
    size_t mark;

    if (!parse_expect(p, TOKEN_AT) || !parse_name(p, &d->name, &d->name_offset) ||
        !parse_input_values(p, TOKEN_PAREN_L, TOKEN_PAREN_R, &d->inputs, &d->ninputs))
        return false;
    d->repeatable = parse_at_keyword(p, STR("repeatable"));
    if (d->repeatable)
        parse_advance(p);
    if (!parse_at_keyword(p, STR("on")))
        return parse_unexpected(p, "\"on\"");
    parse_advance(p);
    parse_skip(p, TOKEN_PIPE);
    mark = p->used;
    do {
        struct ast_named n = {0};

        if (!parse_at(p, TOKEN_NAME) || !is_directive_location(parse_text(p)))
            return parse_unexpected(p, "directive location");
        if (!parse_name(p, &n.name, &n.offset))
            return false;
        parse_push(p, &n, sizeof(n));
    } while (parse_skip(p, TOKEN_PIPE));
    d->members = parse_take(p, mark, sizeof(*d->members), &d->nmembers);
    return true;
}

/* The part of a definition behind its name and directives. */
static bool parse_body(struct parser *p, struct ast_type_system_definition *d)
{
    switch (d->kind) {
    case AST_SCHEMA:
        return parse_root_operations(p, d);
    case AST_SCALAR:
        return true;
    case AST_OBJECT_TYPE:
    case AST_INTERFACE:
        return parse_fields(p, d);
    case AST_UNION:
        return parse_members(p, d);
    case AST_ENUM_TYPE:
        return parse_enum_values(p, d);
    case AST_INPUT_OBJECT:
        return parse_input_values(p, TOKEN_BRACE_L, TOKEN_BRACE_R, &d->inputs, &d->ninputs);
    case AST_DIRECTIVE_DEFINITION:
        break;
    }
    return false;
}

/* An extension that extends nothing is an error. */
static bool is_empty(const struct ast_type_system_definition *d)
{
    return d->directives.n + d->nroots + d->ninterfaces + d->nfields + d->nmembers + d->nvalues +
               d->ninputs ==
           0;
}

bool parse_type_system_definition(struct parser *p, uint32_t offset, struct str description,
                                  const struct ast_type_system_definition **out)
{
    struct ast_type_system_definition *d = ARENA_NEW(p->arena, struct ast_type_system_definition);

    *out = d;
    d->offset = offset;
    d->description = description;
    d->extension = parse_at_keyword(p, STR("extend"));
    if (d->extension) {
        if (description.data)
            return parse_error_at(p, offset, "an extension cannot have a description");
        parse_advance(p);
    }
    if (!find_keyword(p, &d->kind) || (d->extension && d->kind == AST_DIRECTIVE_DEFINITION))
        return parse_unexpected(p, "type system definition");
    parse_advance(p);
    if (d->kind == AST_DIRECTIVE_DEFINITION)
        return parse_directive_definition(p, d);
    if (d->kind != AST_SCHEMA && !parse_name(p, &d->name, &d->name_offset))
        return false;
    if ((d->kind == AST_OBJECT_TYPE || d->kind == AST_INTERFACE) && !parse_interfaces(p, d))
        return false;
    if (!parse_const_directives(p, &d->directives) || !parse_body(p, d))
        return false;
    if (d->extension && is_empty(d))
        return parse_unexpected(p, "an extension of something");
    return true;
}
