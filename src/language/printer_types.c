/*
 * printer_types.c - canonical text of type system definitions and extensions.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: executable definitions (printer.c).
 */
#include "language/print.h"

static const struct str keywords[] = {
    [AST_SCHEMA] = STR_INIT("schema"),      [AST_SCALAR] = STR_INIT("scalar"),
    [AST_OBJECT_TYPE] = STR_INIT("type"),   [AST_INTERFACE] = STR_INIT("interface"),
    [AST_UNION] = STR_INIT("union"),        [AST_ENUM_TYPE] = STR_INIT("enum"),
    [AST_INPUT_OBJECT] = STR_INIT("input"), [AST_DIRECTIVE_DEFINITION] = STR_INIT("directive"),
};

static void print_input_values(struct printer *p, const struct ast_input_value_definition *v,
                               size_t n, const char brackets[2])
{
    if (n == 0)
        return;
    print_punctuator(p, brackets[0]);
    for (size_t i = 0; i < n; i++) {
        print_description(p, v[i].description);
        print_name(p, v[i].name);
        print_punctuator(p, ':');
        print_type(p, v[i].type);
        if (v[i].default_value) {
            print_punctuator(p, '=');
            print_value(p, v[i].default_value);
        }
        print_directives(p, &v[i].directives);
    }
    print_punctuator(p, brackets[1]);
}

/* a&b, a|b */
static void print_named(struct printer *p, const struct ast_named *items, size_t n, char between)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            print_punctuator(p, between);
        print_name(p, items[i].name);
    }
}

static void print_roots(struct printer *p, const struct ast_type_system_definition *d)
{
    if (d->nroots == 0)
        return;
    print_punctuator(p, '{');
    for (size_t i = 0; i < d->nroots; i++) {
        print_operation_kind(p, d->roots[i].kind);
        print_punctuator(p, ':');
        print_name(p, d->roots[i].type.name);
    }
    print_punctuator(p, '}');
}

static void print_fields(struct printer *p, const struct ast_type_system_definition *d)
{
    if (d->nfields == 0)
        return;
    print_punctuator(p, '{');
    for (size_t i = 0; i < d->nfields; i++) {
        const struct ast_field_definition *f = &d->fields[i];

        print_description(p, f->description);
        print_name(p, f->name);
        print_input_values(p, f->arguments, f->narguments, "()");
        print_punctuator(p, ':');
        print_type(p, f->type);
        print_directives(p, &f->directives);
    }
    print_punctuator(p, '}');
}

static void print_enum_values(struct printer *p, const struct ast_type_system_definition *d)
{
    if (d->nvalues == 0)
        return;
    print_punctuator(p, '{');
    for (size_t i = 0; i < d->nvalues; i++) {
        print_description(p, d->values[i].description);
        print_name(p, d->values[i].name);
        print_directives(p, &d->values[i].directives);
    }
    print_punctuator(p, '}');
}

static void print_directive_definition(struct printer *p,
                                       const struct ast_type_system_definition *d)
{
    print_punctuator(p, '@');
    print_name(p, d->name);
    print_input_values(p, d->inputs, d->ninputs, "()");
    if (d->repeatable)
        print_name(p, STR("repeatable"));
    print_name(p, STR("on"));
    print_named(p, d->members, d->nmembers, '|');
}

void print_type_system(struct printer *p, const struct ast_type_system_definition *d)
{
    print_description(p, d->description);
    if (d->extension)
        print_name(p, STR("extend"));
    print_name(p, keywords[d->kind]);
    if (d->kind == AST_DIRECTIVE_DEFINITION) {
        print_directive_definition(p, d);
        return;
    }
    if (d->name.len)
        print_name(p, d->name);
    if (d->ninterfaces) {
        print_name(p, STR("implements"));
        print_named(p, d->interfaces, d->ninterfaces, '&');
    }
    print_directives(p, &d->directives);
    if (d->nmembers) {
        print_punctuator(p, '=');
        print_named(p, d->members, d->nmembers, '|');
    }
    print_roots(p, d);
    print_fields(p, d);
    print_enum_values(p, d);
    print_input_values(p, d->inputs, d->ninputs, "{}");
}
