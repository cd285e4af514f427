/*
 * parser.c - GraphQL text to a tree: one function per production, in the order of the grammar.
 *
 * Thread:   any.
 * Memory:   see parse.h.
 * Not here: type system definitions (parser_types.c), meaning (validation/).
 */
#include <stdarg.h>

#include "language/parse.h"
#include "language/source.h"
#include "metrics/metrics.h"

/* Every level is a few stack frames, here and in those who walk the tree. */
#define HARD_MAX_DEPTH 500

#define MAX_TEXT ((size_t)INT32_MAX)

/* --- tokens, errors, lists ---------------------------------------------------- */

void parse_advance(struct parser *p)
{
    lexer_next(&p->lexer, &p->token);
    if (p->limits->max_tokens && p->token.kind != TOKEN_EOF && ++p->ntokens > p->limits->max_tokens)
        p->token.kind = TOKEN_ERROR;
}

bool parse_error_at(struct parser *p, uint32_t offset, const char *fmt, ...)
{
    struct str text = str_make(p->lexer.text, p->lexer.len);
    struct str message;
    char line[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    message = str_of(line);
    error_at(errors_add(p->errs, GRAPHQL_PARSE_FAILED, "syntax error: %.*s", STR_ARG(message)),
             p->errs, source_location(text, offset));
    return false;
}

static bool too_complex(struct parser *p, const char *what, size_t limit, enum metric refused)
{
    struct str text = str_make(p->lexer.text, p->lexer.len);

    metric_add(refused, 1);
    error_at(
        errors_add(p->errs, QUERY_TOO_COMPLEX, "document exceeds the limit of %zu %s", limit, what),
        p->errs, source_location(text, p->token.offset));
    return false;
}

bool parse_unexpected(struct parser *p, const char *expected)
{
    struct token t = p->token;
    struct str text = lexer_text(&p->lexer, t);

    if (p->limits->max_tokens && p->ntokens > p->limits->max_tokens)
        return too_complex(p, "tokens", p->limits->max_tokens, METRIC_LIMIT_TOKENS);
    switch (t.kind) {
    case TOKEN_ERROR:
        return parse_error_at(p, t.offset, "%s", p->lexer.error);
    case TOKEN_NAME:
    case TOKEN_INT:
    case TOKEN_FLOAT:
        text.len = size_min(text.len, 64);
        return parse_error_at(p, t.offset, "expected %s, found %s \"%.*s\"", expected,
                              lexer_kind_name(t.kind), STR_ARG(text));
    default:
        return parse_error_at(p, t.offset, "expected %s, found %s", expected,
                              lexer_kind_name(t.kind));
    }
}

bool parse_enter(struct parser *p)
{
    if (++p->depth > p->max_depth)
        return too_complex(p, "levels of nesting", p->max_depth, METRIC_LIMIT_NESTING);
    return true;
}

void parse_push(struct parser *p, const void *item, size_t size)
{
    if (p->cap - p->used < size) {
        char *bigger = arena_alloc_raw(p->arena, p->cap * 2);

        memcpy(bigger, p->items, p->used);
        p->items = bigger;
        p->cap *= 2;
    }
    memcpy(p->items + p->used, item, size);
    p->used += size;
}

void *parse_take(struct parser *p, size_t mark, size_t size, size_t *n)
{
    size_t bytes = p->used - mark;

    *n = bytes / size;
    p->used = mark;
    return bytes ? arena_copy(p->arena, p->items + mark, bytes) : NULL;
}

bool parse_name(struct parser *p, struct str *name, uint32_t *offset)
{
    if (!parse_at(p, TOKEN_NAME))
        return parse_unexpected(p, "name");
    *name = parse_text(p);
    *offset = p->token.offset;
    parse_advance(p);
    return true;
}

void parse_description(struct parser *p, struct str *out)
{
    if (!parse_at(p, TOKEN_STRING) && !parse_at(p, TOKEN_BLOCK_STRING))
        return;
    *out = lexer_string(&p->lexer, p->token, p->arena);
    parse_advance(p);
}

/* --- values (section 2.10) ---------------------------------------------------- */

static bool parse_value(struct parser *p, bool constant, const struct ast_value **out);

static bool parse_list(struct parser *p, bool constant, struct ast_value *v)
{
    size_t mark = p->used;

    parse_advance(p);
    if (!parse_enter(p))
        return false;
    while (!parse_skip(p, TOKEN_BRACKET_R)) {
        const struct ast_value *item;

        if (!parse_value(p, constant, &item))
            return false;
        parse_push(p, &item, sizeof(item));
    }
    parse_leave(p);
    v->kind = AST_LIST;
    v->items = parse_take(p, mark, sizeof(*v->items), &v->n);
    return true;
}

static bool parse_object(struct parser *p, bool constant, struct ast_value *v)
{
    size_t mark = p->used;

    parse_advance(p);
    if (!parse_enter(p))
        return false;
    while (!parse_skip(p, TOKEN_BRACE_R)) {
        struct ast_object_field f = {0};

        if (!parse_name(p, &f.name, &f.offset) || !parse_expect(p, TOKEN_COLON) ||
            !parse_value(p, constant, &f.value))
            return false;
        parse_push(p, &f, sizeof(f));
    }
    parse_leave(p);
    v->kind = AST_OBJECT;
    v->fields = parse_take(p, mark, sizeof(*v->fields), &v->n);
    return true;
}

static bool parse_variable(struct parser *p, struct str *name)
{
    uint32_t offset;

    return parse_expect(p, TOKEN_DOLLAR) && parse_name(p, name, &offset);
}

static void parse_name_value(struct parser *p, struct ast_value *v)
{
    struct str name = parse_text(p);

    if (str_eq(name, STR("true")) || str_eq(name, STR("false"))) {
        v->kind = AST_BOOLEAN;
        v->boolean = name.len == 4;
    } else if (str_eq(name, STR("null"))) {
        v->kind = AST_NULL;
    } else {
        v->kind = AST_ENUM;
    }
    v->text = name;
    parse_advance(p);
}

static bool parse_value(struct parser *p, bool constant, const struct ast_value **out)
{
    struct ast_value *v = ARENA_NEW(p->arena, struct ast_value);

    *out = v;
    v->offset = p->token.offset;
    switch (p->token.kind) {
    case TOKEN_BRACKET_L:
        return parse_list(p, constant, v);
    case TOKEN_BRACE_L:
        return parse_object(p, constant, v);
    case TOKEN_INT:
    case TOKEN_FLOAT:
        v->kind = p->token.kind == TOKEN_INT ? AST_INT : AST_FLOAT;
        v->text = parse_text(p);
        parse_advance(p);
        return true;
    case TOKEN_STRING:
    case TOKEN_BLOCK_STRING:
        v->kind = AST_STRING;
        v->block = p->token.kind == TOKEN_BLOCK_STRING;
        parse_description(p, &v->text);
        return true;
    case TOKEN_NAME:
        parse_name_value(p, v);
        return true;
    case TOKEN_DOLLAR:
        if (constant)
            return parse_error_at(p, v->offset, "a variable cannot be used in a constant value");
        v->kind = AST_VARIABLE;
        return parse_variable(p, &v->text);
    default:
        return parse_unexpected(p, "value");
    }
}

bool parse_const_value(struct parser *p, const struct ast_value **out)
{
    return parse_value(p, true, out);
}

/* --- arguments, directives, types (sections 2.6, 2.12, 2.13) ------------------- */

static bool parse_arguments(struct parser *p, bool constant, struct ast_arguments *out)
{
    size_t mark = p->used;

    if (!parse_skip(p, TOKEN_PAREN_L))
        return true;
    do {
        struct ast_argument arg = {0};

        if (!parse_name(p, &arg.name, &arg.offset) || !parse_expect(p, TOKEN_COLON) ||
            !parse_value(p, constant, &arg.value))
            return false;
        parse_push(p, &arg, sizeof(arg));
    } while (!parse_skip(p, TOKEN_PAREN_R));
    out->items = parse_take(p, mark, sizeof(*out->items), &out->n);
    return true;
}

static bool parse_directives(struct parser *p, bool constant, struct ast_directives *out)
{
    size_t mark = p->used;

    if (!parse_at(p, TOKEN_AT))
        return true;
    while (parse_at(p, TOKEN_AT)) {
        struct ast_directive d = {.offset = p->token.offset};
        uint32_t name_offset;

        parse_advance(p);
        if (!parse_name(p, &d.name, &name_offset) || !parse_arguments(p, constant, &d.arguments))
            return false;
        p->ndirectives++;
        parse_push(p, &d, sizeof(d));
    }
    out->items = parse_take(p, mark, sizeof(*out->items), &out->n);
    return true;
}

bool parse_const_directives(struct parser *p, struct ast_directives *out)
{
    return parse_directives(p, true, out);
}

bool parse_type(struct parser *p, const struct ast_type **out)
{
    struct ast_type *t = ARENA_NEW(p->arena, struct ast_type);
    uint32_t name_offset;

    *out = t;
    t->offset = p->token.offset;
    if (parse_skip(p, TOKEN_BRACKET_L)) {
        t->kind = AST_LIST_TYPE;
        if (!parse_enter(p) || !parse_type(p, &t->of) || !parse_expect(p, TOKEN_BRACKET_R))
            return false;
        parse_leave(p);
    } else if (!parse_name(p, &t->name, &name_offset)) {
        return false;
    }
    t->non_null = parse_skip(p, TOKEN_BANG);
    return true;
}

/* --- selections (sections 2.5 and 2.9) ----------------------------------------- */

static bool parse_selection(struct parser *p, struct ast_selection *out);

static bool parse_selection_set(struct parser *p, struct ast_selection_set *out)
{
    size_t mark = p->used;

    out->offset = p->token.offset;
    if (!parse_expect(p, TOKEN_BRACE_L) || !parse_enter(p))
        return false;
    do {
        struct ast_selection *s = ARENA_NEW(p->arena, struct ast_selection);

        if (!parse_selection(p, s))
            return false;
        parse_push(p, &s, sizeof(s));
    } while (!parse_skip(p, TOKEN_BRACE_R));
    parse_leave(p);
    out->items = parse_take(p, mark, sizeof(*out->items), &out->n);
    return true;
}

static bool parse_field(struct parser *p, struct ast_selection *s)
{
    s->kind = AST_FIELD;
    if (!parse_name(p, &s->name, &s->name_offset))
        return false;
    if (parse_skip(p, TOKEN_COLON)) {
        s->alias = s->name;
        if (!parse_name(p, &s->name, &s->name_offset))
            return false;
    }
    if (!parse_arguments(p, false, &s->arguments) || !parse_directives(p, false, &s->directives))
        return false;
    return !parse_at(p, TOKEN_BRACE_L) || parse_selection_set(p, &s->selections);
}

/* FragmentSpread or InlineFragment: "..." was read. */
static bool parse_fragment_use(struct parser *p, struct ast_selection *s)
{
    bool condition = parse_at_keyword(p, STR("on"));

    s->name_offset = p->token.offset;
    if (!condition && parse_at(p, TOKEN_NAME)) {
        s->kind = AST_FRAGMENT_SPREAD;
        return parse_name(p, &s->name, &s->name_offset) &&
               parse_directives(p, false, &s->directives);
    }
    s->kind = AST_INLINE_FRAGMENT;
    if (condition) {
        parse_advance(p);
        if (!parse_name(p, &s->name, &s->name_offset))
            return false;
    }
    return parse_directives(p, false, &s->directives) && parse_selection_set(p, &s->selections);
}

static bool parse_selection(struct parser *p, struct ast_selection *s)
{
    s->offset = p->token.offset;
    if (parse_skip(p, TOKEN_SPREAD))
        return parse_fragment_use(p, s);
    return parse_field(p, s);
}

/* --- operations and fragments (sections 2.4, 2.9, 2.11) -------------------------- */

static bool parse_variable_definition(struct parser *p, struct ast_variable_definition *d)
{
    parse_description(p, &d->description);
    d->offset = p->token.offset;
    if (!parse_variable(p, &d->name) || !parse_expect(p, TOKEN_COLON) || !parse_type(p, &d->type))
        return false;
    if (parse_skip(p, TOKEN_EQUALS) && !parse_const_value(p, &d->default_value))
        return false;
    return parse_const_directives(p, &d->directives);
}

static bool parse_variable_definitions(struct parser *p, struct ast_operation *op)
{
    size_t mark = p->used;

    if (!parse_skip(p, TOKEN_PAREN_L))
        return true;
    do {
        struct ast_variable_definition d = {0};

        if (!parse_variable_definition(p, &d))
            return false;
        parse_push(p, &d, sizeof(d));
    } while (!parse_skip(p, TOKEN_PAREN_R));
    op->variables = parse_take(p, mark, sizeof(*op->variables), &op->nvariables);
    return true;
}

bool parse_operation_kind(struct str word, enum ast_operation_kind *out)
{
    if (str_eq(word, STR("query")))
        *out = AST_QUERY;
    else if (str_eq(word, STR("mutation")))
        *out = AST_MUTATION;
    else if (str_eq(word, STR("subscription")))
        *out = AST_SUBSCRIPTION;
    else
        return false;
    return true;
}

/* At the keyword (or the brace), behind the description. */
static bool parse_operation(struct parser *p, struct ast_operation *op)
{
    op->name_offset = op->offset;
    if (parse_at(p, TOKEN_BRACE_L)) {
        op->shorthand = true;
        return parse_selection_set(p, &op->selections);
    }
    parse_advance(p);
    if (parse_at(p, TOKEN_NAME) && !parse_name(p, &op->name, &op->name_offset))
        return false;
    return parse_variable_definitions(p, op) && parse_directives(p, false, &op->directives) &&
           parse_selection_set(p, &op->selections);
}

/* At the keyword, behind the description. */
static bool parse_fragment(struct parser *p, struct ast_fragment *f)
{
    parse_advance(p);
    if (parse_at_keyword(p, STR("on")))
        return parse_unexpected(p, "fragment name");
    if (!parse_name(p, &f->name, &f->name_offset))
        return false;
    if (!parse_at_keyword(p, STR("on")))
        return parse_unexpected(p, "\"on\"");
    parse_advance(p);
    return parse_name(p, &f->type_condition, &f->type_condition_offset) &&
           parse_directives(p, false, &f->directives) && parse_selection_set(p, &f->selections);
}

static bool parse_definition(struct parser *p, struct ast_document *doc, struct ast_definition *d)
{
    struct str description = {0};
    enum ast_operation_kind kind = AST_QUERY;

    d->offset = p->token.offset;
    parse_description(p, &description);
    if (description.data && parse_at(p, TOKEN_BRACE_L))
        return parse_error_at(p, d->offset, "a query shorthand cannot have a description");
    if (parse_at(p, TOKEN_BRACE_L) ||
        (parse_at(p, TOKEN_NAME) && parse_operation_kind(parse_text(p), &kind))) {
        struct ast_operation *op = ARENA_NEW(p->arena, struct ast_operation);

        *op = (struct ast_operation){.kind = kind, .offset = d->offset, .description = description};
        d->kind = AST_OPERATION_DEFINITION;
        d->operation = op;
        doc->noperations++;
        return parse_operation(p, op);
    }
    if (parse_at_keyword(p, STR("fragment"))) {
        struct ast_fragment *f = ARENA_NEW(p->arena, struct ast_fragment);

        *f = (struct ast_fragment){.offset = d->offset, .description = description};
        d->kind = AST_FRAGMENT_DEFINITION;
        d->fragment = f;
        doc->nfragments++;
        return parse_fragment(p, f);
    }
    if (!parse_is_type_system_keyword(p))
        return parse_unexpected(p, p->schema ? "definition" : "operation or fragment");
    if (!p->schema)
        return parse_error_at(p, p->token.offset,
                              "type system definitions are not allowed in this document");
    d->kind = AST_TYPE_SYSTEM_DEFINITION;
    return parse_type_system_definition(p, d->offset, description, &d->type_system);
}

static bool parse_document(struct parser *p, struct ast_document *doc)
{
    size_t mark = p->used;

    parse_advance(p);
    do {
        struct ast_definition d = {0};

        if (!parse_definition(p, doc, &d))
            return false;
        parse_push(p, &d, sizeof(d));
    } while (!parse_at(p, TOKEN_EOF));
    doc->definitions = parse_take(p, mark, sizeof(*doc->definitions), &doc->n);
    doc->ntokens = p->ntokens;
    doc->ndirectives = p->ndirectives;
    return true;
}

/* --- public --------------------------------------------------------------------- */

static bool parse_text_as(struct str text, bool schema, const struct parse_limits *lim,
                          struct arena *a, const struct ast_document **out, struct errors *errs)
{
    _Alignas(max_align_t) char stack[4096];
    size_t max_bytes = lim->max_bytes ? size_min(lim->max_bytes, MAX_TEXT) : MAX_TEXT;
    struct parser p = {.arena = a,
                       .errs = errs,
                       .limits = lim,
                       .schema = schema,
                       .max_depth = HARD_MAX_DEPTH,
                       .items = stack,
                       .cap = sizeof(stack)};
    struct ast_document *doc;

    if (text.len > max_bytes) {
        errors_add(errs, QUERY_TOO_COMPLEX, "document is longer than %zu bytes", max_bytes);
        metric_add(METRIC_LIMIT_DOCUMENT_BYTES, 1);
        return false;
    }
    if (lim->max_depth)
        p.max_depth = size_min(lim->max_depth, HARD_MAX_DEPTH);
    lexer_init(&p.lexer, text);
    doc = ARENA_NEW(a, struct ast_document);
    doc->source = text;
    if (!parse_document(&p, doc))
        return false;
    *out = doc;
    return true;
}

bool parser_parse(struct str text, const struct parse_limits *lim, struct arena *a,
                  const struct ast_document **out, struct errors *errs)
{
    return parse_text_as(text, false, lim, a, out, errs);
}

bool parser_parse_schema(struct str text, const struct parse_limits *lim, struct arena *a,
                         const struct ast_document **out, struct errors *errs)
{
    return parse_text_as(text, true, lim, a, out, errs);
}

const struct ast_operation *ast_find_operation(const struct ast_document *d, struct str name)
{
    if (name.len == 0 && d->noperations != 1)
        return NULL;
    for (size_t i = 0; i < d->n; i++) {
        const struct ast_operation *op = d->definitions[i].operation;

        if (op && (name.len == 0 || str_eq(op->name, name)))
            return op;
    }
    return NULL;
}

const struct ast_fragment *ast_find_fragment(const struct ast_document *d, struct str name)
{
    for (size_t i = 0; i < d->n; i++) {
        const struct ast_fragment *f = d->definitions[i].fragment;

        if (f && str_eq(f->name, name))
            return f;
    }
    return NULL;
}
