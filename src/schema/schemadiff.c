/*
 * schemadiff.c - what changed between two schemas, and whom it breaks.
 *
 * Thread:   any.
 * Memory:   the arena given.
 * Not here: reading the two (diffside.c).
 */
#include "schema/schemadiff.h"

#include "language/ast_types.h"
#include "language/printer.h"

#include <stdlib.h>

struct comparison {
    struct arena *arena;
    struct schema_changes *out;
    bool no_auth; /* of one of them it is not known */
};

static void add(struct comparison *c, enum change_severity severity, const char *type,
                const char *fmt, ...) PRINTF_LIKE(4, 5);

static void add(struct comparison *c, enum change_severity severity, const char *type,
                const char *fmt, ...)
{
    struct schema_change change = {.severity = severity, .type = type};
    va_list args;

    va_start(args, fmt);
    change.description = arena_vprintf(c->arena, fmt, args);
    va_end(args);
    VEC_PUSH(c->arena, c->out, change);
}

/* --- types of values -------------------------------------------------------------------------- */

/* Is what the old type promises still so? */
static bool safe_for_output(const struct ast_type *x, const struct ast_type *y)
{
    if (x->non_null && !y->non_null)
        return false;
    if (x->kind != y->kind)
        return false;
    return x->kind == AST_LIST_TYPE ? safe_for_output(x->of, y->of) : str_eq(x->name, y->name);
}

/* Is what the old type takes still taken? */
static bool safe_for_input(const struct ast_type *x, const struct ast_type *y)
{
    if (y->non_null && !x->non_null)
        return false;
    if (x->kind != y->kind)
        return false;
    return x->kind == AST_LIST_TYPE ? safe_for_input(x->of, y->of) : str_eq(x->name, y->name);
}

static bool same_type(const struct ast_type *x, const struct ast_type *y)
{
    return safe_for_output(x, y) && safe_for_output(y, x);
}

static struct str type_text(struct comparison *c, const struct ast_type *t)
{
    struct str out;
    struct buf text;

    buf_init(&text, 0);
    printer_type(t, &text);
    out = arena_dup(c->arena, buf_str(&text));
    buf_fini(&text);
    return out;
}

static struct str value_text(struct comparison *c, const struct ast_value *v)
{
    struct str out;
    struct buf text;

    buf_init(&text, 0);
    printer_value(v, &text);
    out = arena_dup(c->arena, buf_str(&text));
    buf_fini(&text);
    return out;
}

static bool is_number(const struct ast_value *v)
{
    return v->kind == AST_INT || v->kind == AST_FLOAT;
}

static bool same_value(struct comparison *c, const struct ast_value *x, const struct ast_value *y);

static bool same_object(struct comparison *c, const struct ast_value *x, const struct ast_value *y)
{
    size_t i, j;

    for (i = 0; i < x->n; i++) {
        for (j = 0; j < y->n && !str_eq(y->fields[j].name, x->fields[i].name); j++)
            continue;
        if (j == y->n || !same_value(c, x->fields[i].value, y->fields[j].value))
            return false;
    }
    return x->n == y->n;
}

static bool same_value(struct comparison *c, const struct ast_value *x, const struct ast_value *y)
{
    size_t i;

    if (is_number(x) && is_number(y))
        return str_eq(x->text, y->text) || strtod(arena_dup(c->arena, x->text).data, NULL) ==
                                               strtod(arena_dup(c->arena, y->text).data, NULL);
    if (x->kind != y->kind)
        return false;
    if (x->kind == AST_OBJECT)
        return same_object(c, x, y);
    if (x->kind != AST_LIST)
        return str_eq(x->text, y->text) && x->boolean == y->boolean;
    for (i = 0; i < x->n && i < y->n; i++)
        if (!same_value(c, x->items[i], y->items[i]))
            return false;
    return x->n == y->n;
}

static bool is_required(const struct ast_input_value_definition *v)
{
    return v->type->non_null && v->default_value == NULL;
}

static bool is_deprecated(const struct ast_directives *d)
{
    size_t i;

    for (i = 0; i < d->n; i++)
        if (str_is(d->items[i].name, "deprecated"))
            return true;
    return false;
}

/* --- members ---------------------------------------------------------------------------------- */

/* Every member begins with a description or a name: how to get the name. */
static const struct ast_input_value_definition *
find_input(const struct ast_input_value_definition *inputs, size_t n, struct str name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (str_eq(inputs[i].name, name))
            return &inputs[i];
    return NULL;
}

static bool has_named(const struct ast_named *items, size_t n, struct str name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (str_eq(items[i].name, name))
            return true;
    return false;
}

static void compare_deprecation(struct comparison *c, struct str of, struct str name,
                                const struct ast_directives *x, const struct ast_directives *y)
{
    if (is_deprecated(x) != is_deprecated(y))
        add(c, CHANGE_SAFE, "DEPRECATION_CHANGED", "%.*s.%.*s is %s deprecated.", STR_ARG(of),
            STR_ARG(name), is_deprecated(y) ? "now" : "no longer");
}

/* "@auth(roles: […])"; empty: none. */
static struct str auth_text(struct comparison *c, const struct ast_directives *d)
{
    struct str out = STR("");

    for (size_t i = 0; i < d->n; i++) {
        const struct ast_directive *one = &d->items[i];

        for (size_t j = 0; str_is(one->name, "auth") && j < one->arguments.n; j++)
            out = arena_printf(c->arena, "%.*s%s%.*s: %.*s", STR_ARG(out), j > 0 ? ", " : "(",
                               STR_ARG(one->arguments.items[j].name),
                               STR_ARG(value_text(c, one->arguments.items[j].value)));
        if (str_is(one->name, "auth"))
            return arena_printf(c->arena, "@auth%.*s%s", STR_ARG(out), out.len > 0 ? ")" : "");
    }
    return out;
}

/* Who was served may be refused. What introspection tells has no such rules. */
static void compare_auth(struct comparison *c, struct str what, const struct ast_directives *x,
                         const struct ast_directives *y)
{
    struct str before = auth_text(c, x), after = auth_text(c, y);

    if (c->no_auth || str_eq(before, after))
        return;
    if (before.len == 0)
        add(c, CHANGE_DANGEROUS, "AUTH_ADDED", "%.*s now needs %.*s.", STR_ARG(what),
            STR_ARG(after));
    else if (after.len == 0)
        add(c, CHANGE_SAFE, "AUTH_REMOVED", "%.*s no longer needs %.*s.", STR_ARG(what),
            STR_ARG(before));
    else
        add(c, CHANGE_DANGEROUS, "AUTH_CHANGED", "%.*s needs %.*s instead of %.*s.", STR_ARG(what),
            STR_ARG(after), STR_ARG(before));
}

static void compare_argument(struct comparison *c, struct str of,
                             const struct ast_input_value_definition *x,
                             const struct ast_input_value_definition *y)
{
    if (!safe_for_input(x->type, y->type)) {
        add(c, CHANGE_BREAKING, "ARG_CHANGED_KIND",
            "%.*s arg %.*s has changed type from %.*s to %.*s.", STR_ARG(of), STR_ARG(x->name),
            STR_ARG(type_text(c, x->type)), STR_ARG(type_text(c, y->type)));
        return;
    }
    if (!same_type(x->type, y->type))
        add(c, CHANGE_SAFE, "ARG_CHANGED_KIND_SAFE",
            "%.*s arg %.*s has changed type from %.*s to %.*s.", STR_ARG(of), STR_ARG(x->name),
            STR_ARG(type_text(c, x->type)), STR_ARG(type_text(c, y->type)));
    if (x->default_value == NULL)
        return;
    if (y->default_value == NULL)
        add(c, CHANGE_DANGEROUS, "ARG_DEFAULT_VALUE_CHANGE",
            "%.*s arg %.*s defaultValue was removed.", STR_ARG(of), STR_ARG(x->name));
    else if (!same_value(c, x->default_value, y->default_value))
        add(c, CHANGE_DANGEROUS, "ARG_DEFAULT_VALUE_CHANGE",
            "%.*s arg %.*s has changed defaultValue from %.*s to %.*s.", STR_ARG(of),
            STR_ARG(x->name), STR_ARG(value_text(c, x->default_value)),
            STR_ARG(value_text(c, y->default_value)));
}

static void compare_arguments(struct comparison *c, struct str of,
                              const struct ast_field_definition *x,
                              const struct ast_field_definition *y)
{
    size_t i;

    for (i = 0; i < x->narguments; i++) {
        const struct ast_input_value_definition *a = &x->arguments[i];
        const struct ast_input_value_definition *b =
            find_input(y->arguments, y->narguments, a->name);

        if (find_input(x->arguments, x->narguments, a->name) != a)
            continue; /* a name that stands twice, in what is no legal schema */
        if (b == NULL)
            add(c, CHANGE_BREAKING, "ARG_REMOVED", "%.*s arg %.*s was removed.", STR_ARG(of),
                STR_ARG(a->name));
        else
            compare_argument(c, of, a, b);
    }
    for (i = 0; i < y->narguments; i++) {
        const struct ast_input_value_definition *b = &y->arguments[i];

        if (find_input(x->arguments, x->narguments, b->name) != NULL)
            continue;
        if (is_required(b))
            add(c, CHANGE_BREAKING, "REQUIRED_ARG_ADDED", "A required arg %.*s on %.*s was added.",
                STR_ARG(b->name), STR_ARG(of));
        else
            add(c, CHANGE_DANGEROUS, "OPTIONAL_ARG_ADDED",
                "An optional arg %.*s on %.*s was added.", STR_ARG(b->name), STR_ARG(of));
    }
}

static void index_fields(struct comparison *c, const struct ast_type_system_definition *d,
                         struct map *out)
{
    size_t i;

    map_init(out, c->arena);
    for (i = 0; i < d->nfields; i++)
        (void)map_add(out, d->fields[i].name,
                      arena_copy(c->arena, &d->fields[i], sizeof(d->fields[i])));
}

static void compare_field(struct comparison *c, struct str type,
                          const struct ast_field_definition *x,
                          const struct ast_field_definition *y)
{
    struct str of = arena_printf(c->arena, "%.*s.%.*s", STR_ARG(type), STR_ARG(x->name));
    bool safe = safe_for_output(x->type, y->type);

    compare_arguments(c, of, x, y);
    if (!same_type(x->type, y->type))
        add(c, safe ? CHANGE_SAFE : CHANGE_BREAKING,
            safe ? "FIELD_CHANGED_KIND_SAFE" : "FIELD_CHANGED_KIND",
            "%.*s changed type from %.*s to %.*s.", STR_ARG(of), STR_ARG(type_text(c, x->type)),
            STR_ARG(type_text(c, y->type)));
    compare_deprecation(c, type, x->name, &x->directives, &y->directives);
    compare_auth(c, of, &x->directives, &y->directives);
}

static void compare_fields(struct comparison *c, const struct ast_type_system_definition *x,
                           const struct ast_type_system_definition *y)
{
    struct map before, after;
    size_t i;

    index_fields(c, x, &before);
    index_fields(c, y, &after);
    for (i = 0; i < x->nfields; i++) {
        const struct ast_field_definition *f = map_get(&after, x->fields[i].name);
        const struct ast_field_definition *first = map_get(&before, x->fields[i].name);

        if (first->type != x->fields[i].type)
            continue;
        if (f == NULL)
            add(c, CHANGE_BREAKING, "FIELD_REMOVED", "%.*s.%.*s was removed.", STR_ARG(x->name),
                STR_ARG(x->fields[i].name));
        else
            compare_field(c, x->name, &x->fields[i], f);
    }
    for (i = 0; i < y->nfields; i++)
        if (map_get(&before, y->fields[i].name) == NULL)
            add(c, CHANGE_SAFE, "FIELD_ADDED", "%.*s.%.*s was added.", STR_ARG(x->name),
                STR_ARG(y->fields[i].name));
}

static void compare_interfaces(struct comparison *c, const struct ast_type_system_definition *x,
                               const struct ast_type_system_definition *y)
{
    size_t i;

    for (i = 0; i < y->ninterfaces; i++)
        if (!has_named(x->interfaces, x->ninterfaces, y->interfaces[i].name))
            add(c, CHANGE_DANGEROUS, "IMPLEMENTED_INTERFACE_ADDED",
                "%.*s added to interfaces implemented by %.*s.", STR_ARG(y->interfaces[i].name),
                STR_ARG(x->name));
    for (i = 0; i < x->ninterfaces; i++)
        if (!has_named(y->interfaces, y->ninterfaces, x->interfaces[i].name))
            add(c, CHANGE_BREAKING, "IMPLEMENTED_INTERFACE_REMOVED",
                "%.*s no longer implements interface %.*s.", STR_ARG(x->name),
                STR_ARG(x->interfaces[i].name));
}

static void compare_members(struct comparison *c, const struct ast_type_system_definition *x,
                            const struct ast_type_system_definition *y)
{
    size_t i;

    for (i = 0; i < y->nmembers; i++)
        if (!has_named(x->members, x->nmembers, y->members[i].name))
            add(c, CHANGE_DANGEROUS, "TYPE_ADDED_TO_UNION", "%.*s was added to union type %.*s.",
                STR_ARG(y->members[i].name), STR_ARG(x->name));
    for (i = 0; i < x->nmembers; i++)
        if (!has_named(y->members, y->nmembers, x->members[i].name))
            add(c, CHANGE_BREAKING, "TYPE_REMOVED_FROM_UNION",
                "%.*s was removed from union type %.*s.", STR_ARG(x->members[i].name),
                STR_ARG(x->name));
}

static const struct ast_enum_value_definition *
find_value(const struct ast_type_system_definition *d, struct str name)
{
    size_t i;

    for (i = 0; i < d->nvalues; i++)
        if (str_eq(d->values[i].name, name))
            return &d->values[i];
    return NULL;
}

static void compare_values(struct comparison *c, const struct ast_type_system_definition *x,
                           const struct ast_type_system_definition *y)
{
    size_t i;

    for (i = 0; i < y->nvalues; i++)
        if (find_value(x, y->values[i].name) == NULL)
            add(c, CHANGE_DANGEROUS, "VALUE_ADDED_TO_ENUM", "%.*s was added to enum type %.*s.",
                STR_ARG(y->values[i].name), STR_ARG(x->name));
    for (i = 0; i < x->nvalues; i++) {
        const struct ast_enum_value_definition *v = find_value(y, x->values[i].name);

        if (find_value(x, x->values[i].name) != &x->values[i])
            continue;
        if (v == NULL)
            add(c, CHANGE_BREAKING, "VALUE_REMOVED_FROM_ENUM",
                "%.*s was removed from enum type %.*s.", STR_ARG(x->values[i].name),
                STR_ARG(x->name));
        else
            compare_deprecation(c, x->name, v->name, &x->values[i].directives, &v->directives);
    }
}

static void compare_inputs(struct comparison *c, const struct ast_type_system_definition *x,
                           const struct ast_type_system_definition *y)
{
    size_t i;

    for (i = 0; i < y->ninputs; i++) {
        const struct ast_input_value_definition *b = &y->inputs[i];

        if (find_input(x->inputs, x->ninputs, b->name) != NULL)
            continue;
        add(c, is_required(b) ? CHANGE_BREAKING : CHANGE_DANGEROUS,
            is_required(b) ? "REQUIRED_INPUT_FIELD_ADDED" : "OPTIONAL_INPUT_FIELD_ADDED",
            "%s field %.*s on input type %.*s was added.",
            is_required(b) ? "A required" : "An optional", STR_ARG(b->name), STR_ARG(x->name));
    }
    for (i = 0; i < x->ninputs; i++) {
        const struct ast_input_value_definition *a = &x->inputs[i];
        const struct ast_input_value_definition *b = find_input(y->inputs, y->ninputs, a->name);
        bool safe = b != NULL && safe_for_input(a->type, b->type);

        if (find_input(x->inputs, x->ninputs, a->name) != a)
            continue;
        if (b == NULL)
            add(c, CHANGE_BREAKING, "FIELD_REMOVED", "%.*s.%.*s was removed.", STR_ARG(x->name),
                STR_ARG(a->name));
        else if (!same_type(a->type, b->type))
            add(c, safe ? CHANGE_SAFE : CHANGE_BREAKING,
                safe ? "FIELD_CHANGED_KIND_SAFE" : "FIELD_CHANGED_KIND",
                "%.*s.%.*s changed type from %.*s to %.*s.", STR_ARG(x->name), STR_ARG(a->name),
                STR_ARG(type_text(c, a->type)), STR_ARG(type_text(c, b->type)));
        if (b != NULL)
            compare_deprecation(c, x->name, a->name, &a->directives, &b->directives);
    }
}

/* --- types and directives --------------------------------------------------------------------- */

static const char *kind_name(enum ast_type_system_kind kind)
{
    switch (kind) {
    case AST_SCALAR:
        return "a Scalar type";
    case AST_OBJECT_TYPE:
        return "an Object type";
    case AST_INTERFACE:
        return "an Interface type";
    case AST_UNION:
        return "a Union type";
    case AST_ENUM_TYPE:
        return "an Enum type";
    case AST_INPUT_OBJECT:
        return "an Input type";
    case AST_SCHEMA:
    case AST_DIRECTIVE_DEFINITION:
        break;
    }
    return "something else";
}

static void compare_type(struct comparison *c, const struct ast_type_system_definition *x,
                         const struct ast_type_system_definition *y)
{
    if (x->kind != y->kind) {
        add(c, CHANGE_BREAKING, "TYPE_CHANGED_KIND", "%.*s changed from %s to %s.",
            STR_ARG(x->name), kind_name(x->kind), kind_name(y->kind));
        return;
    }
    compare_auth(c, x->name, &x->directives, &y->directives);
    compare_fields(c, x, y);
    compare_interfaces(c, x, y);
    compare_members(c, x, y);
    compare_values(c, x, y);
    compare_inputs(c, x, y);
}

static void compare_directive(struct comparison *c, const struct ast_type_system_definition *x,
                              const struct ast_type_system_definition *y)
{
    size_t i;

    for (i = 0; i < y->ninputs; i++)
        if (is_required(&y->inputs[i]) &&
            find_input(x->inputs, x->ninputs, y->inputs[i].name) == NULL)
            add(c, CHANGE_BREAKING, "REQUIRED_DIRECTIVE_ARG_ADDED",
                "A required arg %.*s on directive %.*s was added.", STR_ARG(y->inputs[i].name),
                STR_ARG(x->name));
    for (i = 0; i < x->ninputs; i++)
        if (find_input(y->inputs, y->ninputs, x->inputs[i].name) == NULL)
            add(c, CHANGE_BREAKING, "DIRECTIVE_ARG_REMOVED", "%.*s was removed from %.*s.",
                STR_ARG(x->inputs[i].name), STR_ARG(x->name));
    if (x->repeatable && !y->repeatable)
        add(c, CHANGE_BREAKING, "DIRECTIVE_REPEATABLE_REMOVED",
            "Repeatable flag was removed from %.*s.", STR_ARG(x->name));
    for (i = 0; i < x->nmembers; i++)
        if (!has_named(y->members, y->nmembers, x->members[i].name))
            add(c, CHANGE_BREAKING, "DIRECTIVE_LOCATION_REMOVED", "%.*s was removed from %.*s.",
                STR_ARG(x->members[i].name), STR_ARG(x->name));
}

static void compare_directives(struct comparison *c, const struct map *before,
                               const struct map *after)
{
    size_t i;

    for (i = 0; i < before->n; i++) {
        const struct ast_type_system_definition *x = before->entries[i].value,
                                                *y = map_get(after, x->name);

        if (y == NULL)
            add(c, CHANGE_BREAKING, "DIRECTIVE_REMOVED", "%.*s was removed.", STR_ARG(x->name));
        else
            compare_directive(c, x, y);
    }
    for (i = 0; i < after->n; i++)
        if (map_get(before, after->entries[i].key) == NULL)
            add(c, CHANGE_SAFE, "DIRECTIVE_ADDED", "%.*s was added.",
                STR_ARG(after->entries[i].key));
}

static void compare_types(struct comparison *c, const struct map *before, const struct map *after)
{
    size_t i;

    for (i = 0; i < before->n; i++) {
        const struct ast_type_system_definition *x = before->entries[i].value,
                                                *y = map_get(after, x->name);

        if (y != NULL)
            compare_type(c, x, y);
        else if (diffside_is_specified(x->name))
            add(c, CHANGE_BREAKING, "TYPE_REMOVED",
                "Standard scalar %.*s was removed because it is not referenced anymore.",
                STR_ARG(x->name));
        else
            add(c, CHANGE_BREAKING, "TYPE_REMOVED", "%.*s was removed.", STR_ARG(x->name));
    }
    for (i = 0; i < after->n; i++)
        if (map_get(before, after->entries[i].key) == NULL)
            add(c, CHANGE_SAFE, "TYPE_ADDED", "%.*s was added.", STR_ARG(after->entries[i].key));
}

static void sort_changes(struct arena *a, struct schema_changes *l)
{
    struct schema_change *sorted = ARENA_ARRAY(a, l->n, struct schema_change);
    size_t n = 0, i;
    int severity;

    for (severity = CHANGE_BREAKING; severity <= CHANGE_SAFE; severity++)
        for (i = 0; i < l->n; i++)
            if ((int)l->items[i].severity == severity)
                sorted[n++] = l->items[i];
    l->items = sorted;
    l->cap = l->n;
}

void schemadiff_compare(const struct schemadiff_side *before, const struct schemadiff_side *after,
                        struct arena *a, struct schema_changes *out)
{
    struct comparison c = {.arena = a, .out = out, .no_auth = before->no_auth || after->no_auth};

    *out = (struct schema_changes){0};
    compare_types(&c, &before->types, &after->types);
    compare_directives(&c, &before->directives, &after->directives);
    sort_changes(a, out);
}
