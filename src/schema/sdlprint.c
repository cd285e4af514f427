/*
 * sdlprint.c - a schema as text in the schema definition language.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: introspection (execution/introspection.c).
 */
#include "schema/sdlprint.h"

#include "base/jwriter.h"
#include "language/printer.h"
#include "schema/authrule.h"
#include "schema/sdldirective.h"

/* Would a block string keep this text? It drops common indentation and empty lines at the ends. */
static bool fits_block(struct str s)
{
    size_t i;

    if (s.len == 0 || s.data[0] == ' ' || s.data[0] == '\t' || s.data[0] == '\n' ||
        s.data[s.len - 1] == '\n' || s.data[s.len - 1] == ' ')
        return false;
    for (i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' && s.data[i] != '\n' && s.data[i] != '\t')
            return false;
    return true;
}

static void print_line(struct str line, struct buf *out)
{
    size_t i;

    for (i = 0; i < line.len; i++) {
        if (line.len - i >= 3 && memcmp(line.data + i, "\"\"\"", 3) == 0) {
            buf_append_lit(out, "\\\"\"\"");
            i += 2;
        } else {
            buf_append_char(out, line.data[i]);
        }
    }
}

void sdl_print_description(struct str s, const char *indent, struct buf *out)
{
    struct str line, rest = s;
    bool more = true;

    if (s.len == 0)
        return;
    buf_printf(out, "%s", indent);
    if (!fits_block(s)) {
        jwriter_string(out, s);
        buf_append_char(out, '\n');
        return;
    }
    buf_append_lit(out, "\"\"\"");
    if (s.len < 80 && str_find(s, '\n') == s.len && s.data[s.len - 1] != '"' &&
        s.data[s.len - 1] != '\\') {
        print_line(s, out);
    } else {
        while (more) {
            more = str_cut(rest, '\n', &line, &rest);
            buf_append_char(out, '\n');
            if (line.len > 0)
                buf_printf(out, "%s", indent);
            print_line(line, out);
        }
        buf_printf(out, "\n%s", indent);
    }
    buf_append_lit(out, "\"\"\"\n");
}

void sdl_print_deprecated(struct str reason, struct buf *out)
{
    if (reason.data == NULL)
        return;
    buf_append_lit(out, " @deprecated");
    if (str_is(reason, "No longer supported"))
        return;
    buf_append_lit(out, "(reason: ");
    jwriter_string(out, reason);
    buf_append_char(out, ')');
}

static void print_input(const struct input_value *v, struct buf *out)
{
    buf_append_str(out, v->name);
    buf_append_lit(out, ": ");
    type_ref_print(v->type, out);
    if (v->default_value != NULL) {
        buf_append_lit(out, " = ");
        printer_value(v->default_value, out);
    }
    sdl_print_deprecated(v->deprecated, out);
}

static bool any_description(const struct input_value *args, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (args[i].description.len)
            return true;
    return false;
}

static void print_arguments(const struct input_value *args, size_t n, struct buf *out)
{
    bool lines = any_description(args, n);
    size_t i;

    if (n == 0)
        return;
    buf_append_char(out, '(');
    for (i = 0; i < n; i++) {
        if (lines) {
            buf_append_char(out, '\n');
            sdl_print_description(args[i].description, "    ", out);
            buf_append_lit(out, "    ");
        } else if (i > 0) {
            buf_append_lit(out, ", ");
        }
        print_input(&args[i], out);
    }
    buf_printf(out, "%s)", lines ? "\n  " : "");
}

static void print_fields(const struct type *t, struct buf *out)
{
    size_t i;

    buf_append_lit(out, " {\n");
    for (i = 0; i < t->nfields; i++) {
        const struct field *f = &t->fields[i];

        sdl_print_description(f->description, "  ", out);
        buf_append_lit(out, "  ");
        buf_append_str(out, f->name);
        print_arguments(f->arguments, f->narguments, out);
        buf_append_lit(out, ": ");
        type_ref_print(f->type, out);
        authrule_print(authrule_of_field(f), out);
        sdl_print_deprecated(f->deprecated, out);
        buf_append_char(out, '\n');
    }
    buf_append_lit(out, "}\n");
}

static void print_names(const char *before, const struct type *const *types, size_t n,
                        const char *between, struct buf *out)
{
    size_t i;

    for (i = 0; i < n; i++) {
        buf_printf(out, "%s", i == 0 ? before : between);
        buf_append_str(out, types[i]->name);
    }
}

void sdl_print_enum(const struct type *t, struct buf *out)
{
    size_t i;

    buf_append_lit(out, " {\n");
    for (i = 0; i < t->nvalues; i++) {
        sdl_print_description(t->values[i].description, "  ", out);
        buf_append_lit(out, "  ");
        buf_append_str(out, t->values[i].name);
        sdl_print_deprecated(t->values[i].deprecated, out);
        buf_append_char(out, '\n');
    }
    buf_append_lit(out, "}\n");
}

static void print_inputs(const struct type *t, struct buf *out)
{
    size_t i;

    if (t->one_of)
        buf_append_lit(out, " @oneOf");
    buf_append_lit(out, " {\n");
    for (i = 0; i < t->ninputs; i++) {
        sdl_print_description(t->inputs[i].description, "  ", out);
        buf_append_lit(out, "  ");
        print_input(&t->inputs[i], out);
        buf_append_char(out, '\n');
    }
    buf_append_lit(out, "}\n");
}

static void print_type(const struct type *t, struct buf *out)
{
    static const char *const keywords[] = {"scalar ", "type ", "interface ",
                                           "union ",  "enum ", "input "};

    sdl_print_description(t->description, "", out);
    buf_printf(out, "%s", keywords[t->kind]);
    buf_append_str(out, t->name);
    switch (t->kind) {
    case TYPE_SCALAR:
        if (t->specified_by.len) {
            buf_append_lit(out, " @specifiedBy(url: ");
            jwriter_string(out, t->specified_by);
            buf_append_char(out, ')');
        }
        buf_append_char(out, '\n');
        break;
    case TYPE_OBJECT:
    case TYPE_INTERFACE:
        print_names(" implements ", t->interfaces, t->ninterfaces, " & ", out);
        authrule_print(t->auth, out);
        print_fields(t, out);
        break;
    case TYPE_UNION:
        print_names(" = ", t->possible, t->npossible, " | ", out);
        buf_append_char(out, '\n');
        break;
    case TYPE_ENUM:
        sdl_print_enum(t, out);
        break;
    case TYPE_INPUT_OBJECT:
        print_inputs(t, out);
        break;
    }
}

/* Roots need no telling while they have their usual names and no other type has. */
static bool is_usual(const struct schema *s, const char *name, const struct type *root)
{
    return schema_type(s, str_of(name)) == root;
}

static void print_roots(const struct schema *s, struct buf *out)
{
    if (is_usual(s, "Query", s->query) && is_usual(s, "Mutation", s->mutation) &&
        is_usual(s, "Subscription", s->subscription))
        return;
    buf_printf(out, "schema {\n  query: %.*s\n", STR_ARG(s->query->name));
    if (s->mutation != NULL)
        buf_printf(out, "  mutation: %.*s\n", STR_ARG(s->mutation->name));
    if (s->subscription != NULL)
        buf_printf(out, "  subscription: %.*s\n", STR_ARG(s->subscription->name));
    buf_append_lit(out, "}\n\n");
}

void schema_print(const struct schema *s, struct buf *out)
{
    bool first = true;
    size_t i;

    print_roots(s, out);
    if (s->has_auth) {
        sdl_directive_print(STR("auth"), out);
        buf_append_char(out, '\n');
    }
    for (i = 0; i < s->ntypes; i++) {
        const struct type *t = s->types[i];

        if (t->introspection || (t->scalar != NULL && t->scalar->built_in))
            continue;
        if (!first)
            buf_append_char(out, '\n');
        print_type(t, out);
        first = false;
    }
}
