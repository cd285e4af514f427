/*
 * printer.c - canonical text of a document.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: type system definitions (printer_types.c).
 *
 * A space is written only where two tokens would otherwise read as others:
 * between names and numbers, between strings, and before "..." behind a number.
 */
#include "language/printer.h"
#include "language/print.h"

static bool is_word(enum token_kind kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_INT;
}

/* kind: TOKEN_NAME, TOKEN_INT (any number), TOKEN_STRING, TOKEN_SPREAD or TOKEN_BANG (any other).
 */
static void begin(struct printer *p, enum token_kind kind)
{
    if ((is_word(p->last) && is_word(kind)) || (p->last == TOKEN_STRING && kind == TOKEN_STRING) ||
        (p->last == TOKEN_INT && kind == TOKEN_SPREAD))
        buf_append_char(p->out, ' ');
    p->last = kind;
}

void print_name(struct printer *p, struct str name)
{
    begin(p, TOKEN_NAME);
    buf_append_str(p->out, name);
}

void print_punctuator(struct printer *p, char c)
{
    begin(p, TOKEN_BANG);
    buf_append_char(p->out, c);
}

static void print_string(struct printer *p, struct str s)
{
    static const char *const short_escapes[256] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\b'] = "\\b", ['\f'] = "\\f",
        ['\n'] = "\\n", ['\r'] = "\\r",  ['\t'] = "\\t"};

    begin(p, TOKEN_STRING);
    buf_append_char(p->out, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];

        if (short_escapes[c])
            buf_append_str(p->out, str_of(short_escapes[c]));
        else if (c < 0x20 || c == 0x7F)
            buf_printf(p->out, "\\u%04X", c);
        else
            buf_append_char(p->out, (char)c);
    }
    buf_append_char(p->out, '"');
}

void print_description(struct printer *p, struct str description)
{
    if (description.data)
        print_string(p, description);
}

static void print_object(struct printer *p, const struct ast_value *v)
{
    print_punctuator(p, '{');
    for (size_t i = 0; i < v->n; i++) {
        print_name(p, v->fields[i].name);
        print_punctuator(p, ':');
        print_value(p, v->fields[i].value);
    }
    print_punctuator(p, '}');
}

void print_value(struct printer *p, const struct ast_value *v)
{
    switch (v->kind) {
    case AST_VARIABLE:
        print_punctuator(p, '$');
        print_name(p, v->text);
        break;
    case AST_INT:
    case AST_FLOAT:
        begin(p, TOKEN_INT);
        buf_append_str(p->out, v->text);
        break;
    case AST_STRING:
        print_string(p, v->text);
        break;
    case AST_BOOLEAN:
        print_name(p, v->boolean ? STR("true") : STR("false"));
        break;
    case AST_NULL:
        print_name(p, STR("null"));
        break;
    case AST_ENUM:
        print_name(p, v->text);
        break;
    case AST_LIST:
        print_punctuator(p, '[');
        for (size_t i = 0; i < v->n; i++)
            print_value(p, v->items[i]);
        print_punctuator(p, ']');
        break;
    case AST_OBJECT:
        print_object(p, v);
        break;
    }
}

void print_type(struct printer *p, const struct ast_type *t)
{
    if (t->kind == AST_LIST_TYPE) {
        print_punctuator(p, '[');
        print_type(p, t->of);
        print_punctuator(p, ']');
    } else {
        print_name(p, t->name);
    }
    if (t->non_null)
        print_punctuator(p, '!');
}

static void print_arguments(struct printer *p, const struct ast_arguments *args)
{
    if (args->n == 0)
        return;
    print_punctuator(p, '(');
    for (size_t i = 0; i < args->n; i++) {
        print_name(p, args->items[i].name);
        print_punctuator(p, ':');
        print_value(p, args->items[i].value);
    }
    print_punctuator(p, ')');
}

void print_directives(struct printer *p, const struct ast_directives *d)
{
    for (size_t i = 0; i < d->n; i++) {
        print_punctuator(p, '@');
        print_name(p, d->items[i].name);
        print_arguments(p, &d->items[i].arguments);
    }
}

static void print_selections(struct printer *p, const struct ast_selection_set *set);

static void print_selection(struct printer *p, const struct ast_selection *s)
{
    if (s->kind == AST_FIELD) {
        if (s->alias.len) {
            print_name(p, s->alias);
            print_punctuator(p, ':');
        }
        print_name(p, s->name);
        print_arguments(p, &s->arguments);
    } else {
        begin(p, TOKEN_SPREAD);
        buf_append_lit(p->out, "...");
        if (s->kind == AST_INLINE_FRAGMENT && s->name.len)
            print_name(p, STR("on"));
        if (s->name.len)
            print_name(p, s->name);
    }
    print_directives(p, &s->directives);
    print_selections(p, &s->selections);
}

static void print_selections(struct printer *p, const struct ast_selection_set *set)
{
    if (set->n == 0)
        return;
    print_punctuator(p, '{');
    for (size_t i = 0; i < set->n; i++)
        print_selection(p, set->items[i]);
    print_punctuator(p, '}');
}

void print_operation_kind(struct printer *p, enum ast_operation_kind kind)
{
    switch (kind) {
    case AST_QUERY:
        print_name(p, STR("query"));
        break;
    case AST_MUTATION:
        print_name(p, STR("mutation"));
        break;
    case AST_SUBSCRIPTION:
        print_name(p, STR("subscription"));
        break;
    }
}

static void print_variables(struct printer *p, const struct ast_operation *op)
{
    if (op->nvariables == 0)
        return;
    print_punctuator(p, '(');
    for (size_t i = 0; i < op->nvariables; i++) {
        const struct ast_variable_definition *d = &op->variables[i];

        print_description(p, d->description);
        print_punctuator(p, '$');
        print_name(p, d->name);
        print_punctuator(p, ':');
        print_type(p, d->type);
        if (d->default_value) {
            print_punctuator(p, '=');
            print_value(p, d->default_value);
        }
        print_directives(p, &d->directives);
    }
    print_punctuator(p, ')');
}

/* "query{a}" and "{a}" mean the same: the shorter is the canonical one. */
static bool is_shorthand(const struct ast_operation *op)
{
    return op->kind == AST_QUERY && op->name.len == 0 && op->nvariables == 0 &&
           op->directives.n == 0 && op->description.data == NULL;
}

static void print_operation(struct printer *p, const struct ast_operation *op)
{
    if (!is_shorthand(op)) {
        print_description(p, op->description);
        print_operation_kind(p, op->kind);
        if (op->name.len)
            print_name(p, op->name);
        print_variables(p, op);
        print_directives(p, &op->directives);
    }
    print_selections(p, &op->selections);
}

static void print_fragment(struct printer *p, const struct ast_fragment *f)
{
    print_description(p, f->description);
    print_name(p, STR("fragment"));
    print_name(p, f->name);
    print_name(p, STR("on"));
    print_name(p, f->type_condition);
    print_directives(p, &f->directives);
    print_selections(p, &f->selections);
}

/*
 * Behind a definition without a body, "{" would become its body: a shorthand
 * query there is spelled with its keyword.
 */
static void print_definition(struct printer *p, const struct ast_definition *d, bool keyword)
{
    switch (d->kind) {
    case AST_OPERATION_DEFINITION:
        if (keyword && is_shorthand(d->operation))
            print_name(p, STR("query"));
        print_operation(p, d->operation);
        break;
    case AST_FRAGMENT_DEFINITION:
        print_fragment(p, d->fragment);
        break;
    case AST_TYPE_SYSTEM_DEFINITION:
        print_type_system(p, d->type_system);
        break;
    }
}

void printer_canonical(const struct ast_document *d, struct buf *out)
{
    struct printer p = {.out = out, .last = TOKEN_BANG};

    for (size_t i = 0; i < d->n; i++)
        print_definition(&p, &d->definitions[i],
                         i > 0 && d->definitions[i - 1].kind == AST_TYPE_SYSTEM_DEFINITION);
}

void printer_value(const struct ast_value *v, struct buf *out)
{
    struct printer p = {.out = out, .last = TOKEN_BANG};

    print_value(&p, v);
}

void printer_type(const struct ast_type *t, struct buf *out)
{
    struct printer p = {.out = out, .last = TOKEN_BANG};

    print_type(&p, t);
}
