/*
 * clientschema.c - the answer to an introspection query as text in the definition language.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: whether it is legal: who parses the text sees.
 */
#include "base/jval.h"
#include "base/jwriter.h"
#include "schema/schemadiff.h"

#define MAX_WRAPPERS 64

static struct str text_of(const struct jval *v, const char *name)
{
    const struct jval *m = jval_get(v, str_of(name));

    return m != NULL && m->kind == JVAL_STRING ? m->text : str_make(NULL, 0);
}

/* An empty one where it is no list. */
static const struct jval *list_of(const struct jval *v, const char *name)
{
    static const struct jval none = {.kind = JVAL_ARRAY};
    const struct jval *m = jval_get(v, str_of(name));

    return m != NULL && m->kind == JVAL_ARRAY ? m : &none;
}

static void print_type(const struct jval *t, struct buf *out)
{
    char closing[MAX_WRAPPERS];
    size_t n = 0;

    for (; t != NULL && n < MAX_WRAPPERS; t = jval_get(t, STR("ofType"))) {
        struct str kind = text_of(t, "kind");

        if (str_is(kind, "NON_NULL")) {
            closing[n++] = '!';
        } else if (str_is(kind, "LIST")) {
            buf_append_char(out, '[');
            closing[n++] = ']';
        } else {
            buf_append_str(out, text_of(t, "name"));
            break;
        }
    }
    while (n > 0)
        buf_append_char(out, closing[--n]);
}

static void print_deprecated(const struct jval *v, struct buf *out)
{
    const struct jval *is = jval_get(v, STR("isDeprecated"));

    if (is == NULL || is->kind != JVAL_BOOL || !is->boolean)
        return;
    buf_append_lit(out, " @deprecated(reason: ");
    jwriter_string(out, text_of(v, "deprecationReason"));
    buf_append_char(out, ')');
}

static void print_inputs(const struct jval *list, char open, char close, struct buf *out)
{
    size_t i;

    if (list->n == 0)
        return;
    buf_append_char(out, open);
    for (i = 0; i < list->n; i++) {
        struct str fallback = text_of(list->items[i], "defaultValue");

        buf_append_char(out, ' ');
        buf_append_str(out, text_of(list->items[i], "name"));
        buf_append_char(out, ':');
        print_type(jval_get(list->items[i], STR("type")), out);
        if (fallback.data != NULL)
            buf_printf(out, " = %.*s", STR_ARG(fallback));
        print_deprecated(list->items[i], out);
    }
    buf_append_char(out, close);
}

static void print_fields(const struct jval *t, struct buf *out)
{
    const struct jval *interfaces = list_of(t, "interfaces"), *fields = list_of(t, "fields");
    size_t i;

    for (i = 0; i < interfaces->n; i++) {
        buf_printf(out, "%s", i == 0 ? " implements " : " & ");
        buf_append_str(out, text_of(interfaces->items[i], "name"));
    }
    if (fields->n == 0)
        return;
    buf_append_lit(out, " {");
    for (i = 0; i < fields->n; i++) {
        buf_append_char(out, ' ');
        buf_append_str(out, text_of(fields->items[i], "name"));
        print_inputs(list_of(fields->items[i], "args"), '(', ')', out);
        buf_append_char(out, ':');
        print_type(jval_get(fields->items[i], STR("type")), out);
        print_deprecated(fields->items[i], out);
    }
    buf_append_char(out, '}');
}

static void print_members(const struct jval *types, struct buf *out)
{
    size_t i;

    for (i = 0; i < types->n; i++) {
        buf_printf(out, "%s", i == 0 ? " = " : " | ");
        buf_append_str(out, text_of(types->items[i], "name"));
    }
}

static void print_values(const struct jval *values, struct buf *out)
{
    size_t i;

    buf_append_lit(out, " {");
    for (i = 0; i < values->n; i++) {
        buf_append_char(out, ' ');
        buf_append_str(out, text_of(values->items[i], "name"));
        print_deprecated(values->items[i], out);
    }
    buf_append_char(out, '}');
}

static void print_definition(const struct jval *t, struct buf *out)
{
    struct str kind = text_of(t, "kind"), name = text_of(t, "name");

    if (str_starts(name, STR("__")))
        return;
    if (str_is(kind, "SCALAR")) {
        buf_printf(out, "scalar %.*s", STR_ARG(name));
    } else if (str_is(kind, "OBJECT") || str_is(kind, "INTERFACE")) {
        buf_printf(out, "%s %.*s", str_is(kind, "OBJECT") ? "type" : "interface", STR_ARG(name));
        print_fields(t, out);
    } else if (str_is(kind, "UNION")) {
        buf_printf(out, "union %.*s", STR_ARG(name));
        print_members(list_of(t, "possibleTypes"), out);
    } else if (str_is(kind, "ENUM")) {
        buf_printf(out, "enum %.*s", STR_ARG(name));
        print_values(list_of(t, "enumValues"), out);
    } else {
        buf_printf(out, "input %.*s", STR_ARG(name));
        print_inputs(list_of(t, "inputFields"), '{', '}', out);
    }
    buf_append_char(out, '\n');
}

static void print_directive(const struct jval *d, struct buf *out)
{
    const struct jval *places = list_of(d, "locations");
    const struct jval *repeatable = jval_get(d, STR("isRepeatable"));
    size_t i;

    buf_printf(out, "directive @%.*s", STR_ARG(text_of(d, "name")));
    print_inputs(list_of(d, "args"), '(', ')', out);
    if (repeatable != NULL && repeatable->kind == JVAL_BOOL && repeatable->boolean)
        buf_append_lit(out, " repeatable");
    for (i = 0; i < places->n; i++) {
        buf_printf(out, "%s", i == 0 ? " on " : " | ");
        if (places->items[i]->kind == JVAL_STRING)
            buf_append_str(out, places->items[i]->text);
    }
    buf_append_char(out, '\n');
}

bool clientschema_print(const struct jval *answer, struct buf *out)
{
    const struct jval *data = jval_get(answer, STR("data"));
    const struct jval *schema = jval_get(data != NULL ? data : answer, STR("__schema"));
    const struct jval *types, *directives;
    size_t i;

    if (schema == NULL || schema->kind != JVAL_OBJECT)
        return false;
    types = list_of(schema, "types");
    directives = list_of(schema, "directives");
    for (i = 0; i < types->n; i++)
        print_definition(types->items[i], out);
    for (i = 0; i < directives->n; i++)
        print_directive(directives->items[i], out);
    return types->n > 0;
}
