/*
 * variables.c - coercion of variable values, and what of them a plan depends on.
 *
 * Thread:   any.
 * Memory:   values are in the arena given, or point into the JSON given.
 * Not here: whether the document uses variables rightly (rules_variables.c).
 */
#include "validation/variables.h"
#include "base/buf.h"
#include "schema/opaque.h"
#include "schema/scalars.h"

/* Coercion stops there: one bad value is enough to refuse, the others are for convenience. */
#define MAX_ERRORS 50

/* Where in a variable's value we are, innermost first. */
struct step {
    const struct step *parent; /* NULL: the variable itself */
    struct str name;           /* of a variable or an input field; data is NULL for a list item */
    size_t index;
};

struct coercion {
    const struct operation_variable *variable;
    struct arena *arena;
    struct errors *errs;
    size_t nerrors;
};

static const struct jval null_value = {.kind = JVAL_NULL};

/* --- errors --------------------------------------------------------------------------- */

static void print_path(const struct step *s, struct buf *out)
{
    if (s->parent == NULL) {
        buf_append_char(out, '$');
    } else {
        print_path(s->parent, out);
        if (s->name.data == NULL) {
            buf_printf(out, "[%zu]", s->index);
            return;
        }
        buf_append_char(out, '.');
    }
    buf_append_str(out, s->name);
}

/* BAD_USER_INPUT with `variable "$a.b[0]": …`. Values are not echoed: they may be secrets. */
static const struct jval *fail(struct coercion *c, const struct step *at, const char *what,
                               struct str name)
{
    struct buf path;
    struct error *e;

    buf_init(&path, 0);
    print_path(at, &path);
    e = errors_add(c->errs, BAD_USER_INPUT, "variable \"%.*s\": %s%s%.*s%s",
                   STR_ARG(buf_str(&path)), what, name.len ? " \"" : "", STR_ARG(name),
                   name.len ? "\"" : "");
    error_at(e, c->errs, c->variable->at);
    buf_fini(&path);
    c->nerrors++;
    return NULL;
}

static struct str type_name(struct coercion *c, struct type_ref type)
{
    struct buf b;
    struct str name;

    buf_init(&b, 0);
    type_ref_print(type, &b);
    name = arena_dup(c->arena, buf_str(&b));
    buf_fini(&b);
    return name;
}

/* --- building values -------------------------------------------------------------------- */

static const struct jval *make_list(struct arena *a, const struct jval **items, size_t n)
{
    struct jval *list = ARENA_NEW(a, struct jval);

    list->kind = JVAL_ARRAY;
    list->items = items;
    list->n = n;
    return list;
}

static const struct jval *make_text(struct arena *a, enum jval_kind kind, struct str text)
{
    struct jval *v = ARENA_NEW(a, struct jval);

    v->kind = kind;
    v->text = text;
    return v;
}

/*
 * An object from a value per input field of its type, in the type's order, with
 * defaults where there is none; absent ones are left out.
 */
static const struct jval *make_object(struct arena *a, const struct type *type,
                                      const struct jval **values)
{
    struct jval *object = ARENA_NEW(a, struct jval);
    struct jval_member *members = ARENA_ARRAY(a, type->ninputs, struct jval_member);
    size_t n = 0;

    for (size_t i = 0; i < type->ninputs; i++) {
        const struct input_value *input = &type->inputs[i];

        if (values[i] == NULL && input->default_value)
            values[i] = variables_from_literal(input->default_value, input->type, a);
        if (values[i])
            members[n++] = (struct jval_member){input->name, values[i]};
    }
    object->kind = JVAL_OBJECT;
    object->members = members;
    object->n = n;
    return object;
}

/* --- JSON to values ----------------------------------------------------------------------- */

static const struct jval *coerce(struct coercion *c, const struct jval *v, struct type_ref type,
                                 const struct step *at);

static const struct jval *coerce_list(struct coercion *c, const struct jval *v,
                                      struct type_ref type, const struct step *at)
{
    size_t n = v->kind == JVAL_ARRAY ? v->n : 1;
    const struct jval **items = ARENA_ARRAY(c->arena, n, const struct jval *);
    bool ok = true;

    if (v->kind != JVAL_ARRAY) {
        /* A list of one; its item is not a step of the client's making. */
        items[0] = coerce(c, v, type_ref_item(type), at);
        return items[0] ? make_list(c->arena, items, 1) : NULL;
    }
    for (size_t i = 0; i < n && c->nerrors < MAX_ERRORS; i++) {
        struct step item = {.parent = at, .index = i};

        items[i] = coerce(c, v->items[i], type_ref_item(type), &item);
        ok &= items[i] != NULL;
    }
    return ok && c->nerrors < MAX_ERRORS ? make_list(c->arena, items, n) : NULL;
}

/* Exactly one member, not null (section 3.10.1). */
static bool check_one_of(struct coercion *c, const struct jval *v, const struct type *type,
                         const struct step *at)
{
    if (v->n == 1 && v->members[0].value->kind != JVAL_NULL)
        return true;
    fail(c, at, "must have exactly one field, which is not null, to be a", type->name);
    return false;
}

static const struct jval *coerce_object(struct coercion *c, const struct jval *v,
                                        const struct type *type, const struct step *at)
{
    const struct jval **values;
    size_t errors_before = c->nerrors;

    if (v->kind != JVAL_OBJECT)
        return fail(c, at, "expected an object of type", type->name);
    if (type->one_of && !check_one_of(c, v, type, at))
        return NULL;
    values = ARENA_ARRAY(c->arena, type->ninputs, const struct jval *);
    for (size_t i = 0; i < v->n && c->nerrors < MAX_ERRORS; i++) {
        const struct jval_member *m = &v->members[i];
        const struct input_value *input = schema_input(type, m->name);
        struct step field = {.parent = at, .name = m->name};

        if (input)
            values[input - type->inputs] = coerce(c, m->value, input->type, &field);
        else
            fail(c, at, "unknown field", str_sub(m->name, 0, 100));
    }
    if (c->nerrors > errors_before)
        return NULL;
    for (size_t i = 0; i < type->ninputs; i++) {
        const struct input_value *input = &type->inputs[i];

        if (values[i] == NULL && type_ref_non_null(input->type) && input->default_value == NULL)
            fail(c, at, "missing the required field", input->name);
    }
    return c->nerrors > errors_before ? NULL : make_object(c->arena, type, values);
}

static bool leaf_accepts(const struct type *type, const struct jval *v, struct arena *a)
{
    struct str text;

    if (type->kind == TYPE_ENUM)
        return v->kind == JVAL_STRING && schema_enum_value(type, v->text) != NULL;
    if (type->scalar == NULL)
        return v->kind == JVAL_STRING || v->kind == JVAL_NUMBER || v->kind == JVAL_BOOL;
    return type->scalar->coerce_json(type->scalar, v, a, &text);
}

static const struct jval *coerce(struct coercion *c, const struct jval *v, struct type_ref type,
                                 const struct step *at)
{
    if (v->kind == JVAL_NULL) {
        if (type_ref_non_null(type))
            return fail(c, at, "cannot be null, expected", type_name(c, type));
        return v;
    }
    if (type_ref_is_list(type))
        return coerce_list(c, v, type, at);
    if (type.type->kind == TYPE_INPUT_OBJECT)
        return coerce_object(c, v, type.type, at);
    if (!leaf_accepts(type.type, v, c->arena))
        return fail(c, at, "expected a value of type", type_name(c, type));
    return v;
}

/* Section 6.1.2, CoerceVariableValues(), for one variable. */
static const struct jval *coerce_variable(struct coercion *c, const struct jval *given)
{
    const struct operation_variable *var = c->variable;
    struct step at = {.name = var->name};

    if (given)
        return coerce(c, given, var->type, &at);
    if (var->default_value)
        return variables_from_literal(var->default_value, var->type, c->arena);
    if (type_ref_non_null(var->type))
        return fail(c, &at, "missing, expected", type_name(c, var->type));
    return NULL;
}

bool variables_coerce(const struct operation *op, const struct jval *given, struct arena *a,
                      struct variables *out, struct errors *errs)
{
    const struct jval **values = ARENA_ARRAY(a, op->nvariables, const struct jval *);
    struct coercion c = {.arena = a, .errs = errs};

    for (size_t i = 0; i < op->nvariables && c.nerrors < MAX_ERRORS; i++) {
        c.variable = &op->variables[i];
        values[i] = coerce_variable(&c, jval_get(given, c.variable->name));
    }
    out->values = values;
    out->n = op->nvariables;
    return c.nerrors == 0;
}

/* --- literals to values --------------------------------------------------------------------- */

/* A literal as the JSON it looks like: what a scalar gets. Variables cannot be in it. */
static const struct jval *untyped(const struct ast_value *v, struct arena *a)
{
    const struct jval **items;
    struct jval_member *members;
    struct jval *out;

    switch (v->kind) {
    case AST_INT:
    case AST_FLOAT:
        return make_text(a, JVAL_NUMBER, v->text);
    case AST_STRING:
    case AST_ENUM:
        return make_text(a, JVAL_STRING, v->text);
    case AST_BOOLEAN:
        out = ARENA_NEW(a, struct jval);
        out->kind = JVAL_BOOL;
        out->boolean = v->boolean;
        return out;
    case AST_LIST:
        items = ARENA_ARRAY(a, v->n, const struct jval *);
        for (size_t i = 0; i < v->n; i++)
            items[i] = untyped(v->items[i], a);
        return make_list(a, items, v->n);
    case AST_OBJECT:
        members = ARENA_ARRAY(a, v->n, struct jval_member);
        for (size_t i = 0; i < v->n; i++)
            members[i] = (struct jval_member){v->fields[i].name, untyped(v->fields[i].value, a)};
        out = ARENA_NEW(a, struct jval);
        out->kind = JVAL_OBJECT;
        out->members = members;
        out->n = v->n;
        return out;
    case AST_NULL:
    case AST_VARIABLE:
        break;
    }
    return &null_value;
}

static const struct jval *list_from_literal(const struct ast_value *v, struct type_ref type,
                                            struct arena *a)
{
    size_t n = v->kind == AST_LIST ? v->n : 1;
    const struct jval **items = ARENA_ARRAY(a, n, const struct jval *);

    for (size_t i = 0; i < n; i++)
        items[i] =
            variables_from_literal(v->kind == AST_LIST ? v->items[i] : v, type_ref_item(type), a);
    return make_list(a, items, n);
}

const struct jval *variables_from_literal(const struct ast_value *v, struct type_ref type,
                                          struct arena *a)
{
    const struct jval **values;

    if (v->kind == AST_NULL)
        return &null_value;
    if (type_ref_is_list(type))
        return list_from_literal(v, type, a);
    if (type.type->kind != TYPE_INPUT_OBJECT)
        return untyped(v, a);
    values = ARENA_ARRAY(a, type.type->ninputs, const struct jval *);
    for (size_t i = 0; i < v->n; i++) {
        const struct input_value *input = schema_input(type.type, v->fields[i].name);

        values[input - type.type->inputs] =
            variables_from_literal(v->fields[i].value, input->type, a);
    }
    return make_object(a, type.type, values);
}

/* --- skeleton ------------------------------------------------------------------------------- */

static bool is_boolean(const struct type *t)
{
    return t->kind == TYPE_SCALAR && str_eq(t->name, STR("Boolean"));
}

static void append_size(struct buf *out, size_t n)
{
    buf_append_u64(out, n);
    buf_append_char(out, ';');
}

bool variables_rows_uniform(const struct jval *list, const struct type *row)
{
    const struct jval *first;

    if (list->n == 0 || list->items[0]->kind != JVAL_OBJECT || list->items[0]->n == 0)
        return false;
    first = list->items[0];
    for (size_t i = 0; i < first->n; i++)
        if (schema_input(row, first->members[i].name)->role != INPUT_VALUE)
            return false;
    for (size_t i = 1; i < list->n; i++) {
        const struct jval *item = list->items[i];

        if (item->kind != JVAL_OBJECT || item->n != first->n)
            return false;
        /* Members of coerced objects are in the order of their type. */
        for (size_t j = 0; j < item->n; j++)
            if (!str_eq(item->members[j].name, first->members[j].name))
                return false;
    }
    return true;
}

static void append_members(const struct jval *row, const struct type *type, struct buf *out)
{
    buf_append_char(out, '=');
    append_size(out, row->n);
    for (size_t i = 0; i < row->n; i++)
        append_size(out, (size_t)(schema_input(type, row->members[i].name) - type->inputs));
}

/* Unambiguous, given the type: each item says where it ends. in_row: of values to be stored. */
static void append_skeleton(const struct jval *v, struct type_ref type, bool in_row,
                            struct buf *out)
{
    const struct type *named = type.type;

    if (v == NULL || v->kind == JVAL_NULL) {
        buf_append_char(out, v ? 'n' : '-');
    } else if ((named->kind == TYPE_SCALAR && !is_boolean(named)) ||
               (in_row && named->kind != TYPE_INPUT_OBJECT) || named->is_document) {
        buf_append_char(out, 's'); /* lists of scalars too: one parameter, whatever is in it */
    } else if (type_ref_is_list(type)) {
        buf_append_char(out, '[');
        append_size(out, v->n);
        for (size_t i = 0; i < v->n; i++)
            append_skeleton(v->items[i], type_ref_item(type), in_row, out);
    } else if (named->kind == TYPE_INPUT_OBJECT) {
        buf_append_char(out, '{');
        for (size_t i = 0; i < v->n; i++) {
            const struct input_value *input = schema_input(named, v->members[i].name);

            append_size(out, (size_t)(input - named->inputs));
            append_skeleton(v->members[i].value, input->type, named->is_row, out);
        }
        buf_append_char(out, '}');
    } else if (named->kind == TYPE_ENUM) {
        buf_append_str(out, v->text);
        buf_append_char(out, ';');
    } else {
        buf_append_char(out, v->boolean ? 't' : 'f');
    }
}

/* Of a whole variable. */
static void append_variable(const struct jval *v, struct type_ref type, struct buf *out)
{
    if (v != NULL && v->kind == JVAL_ARRAY && type.nlists == 1 && type.type->is_row &&
        variables_rows_uniform(v, type.type))
        append_members(v->items[0], type.type, out);
    else
        append_skeleton(v, type, false, out);
}

/* The type that the id of a node names: what is no type of the schema is all the same. */
static void append_node_type(const struct schema *s, const struct jval *v, struct buf *out)
{
    char room[OPAQUE_HEAD_MAX + 1];
    struct str name = opaque_head(v->text, room);

    if (name.data == NULL)
        buf_append_char(out, '!');
    else if (schema_type(s, name) == NULL)
        buf_append_char(out, '?');
    else
        buf_append_str(out, name);
    buf_append_char(out, ';');
}

struct digest variables_skeleton(const struct operation *op, const struct variables *v)
{
    struct digest d = {{0}};
    struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < v->n; i++) {
        append_variable(v->values[i], op->variables[i].type, &b);
        if (op->variables[i].node_id && v->values[i] != NULL && v->values[i]->kind != JVAL_NULL)
            append_node_type(op->schema, v->values[i], &b);
    }
    /* A short one stands for itself, its length behind it: hashing would only cost time. */
    if (b.len < DIGEST_SIZE) {
        if (b.len)
            memcpy(d.bytes, b.data, b.len);
        d.bytes[DIGEST_SIZE - 1] = (unsigned char)b.len;
    } else {
        d = digest_sha256(buf_str(&b));
    }
    buf_fini(&b);
    return d;
}
