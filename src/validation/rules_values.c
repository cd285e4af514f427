/*
 * rules_values.c - literals (specification section 5.6).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 * Not here: variables and their values (rules_variables.c, variables.c).
 */
#include "validation/rules.h"

static bool has_variable(const struct ast_value *value)
{
    if (value->kind == AST_VARIABLE)
        return true;
    for (size_t i = 0; i < value->n; i++) {
        if (has_variable(value->kind == AST_LIST ? value->items[i] : value->fields[i].value))
            return true;
    }
    return false;
}

/* A copy with null where variables are: what the scalars can judge before their values are known.
 */
static const struct ast_value *without_variables(const struct ast_value *value, struct arena *a)
{
    struct ast_value *copy = arena_copy(a, value, sizeof(*value));

    if (value->kind == AST_VARIABLE) {
        copy->kind = AST_NULL;
    } else if (value->kind == AST_LIST) {
        const struct ast_value **items = ARENA_ARRAY(a, value->n, const struct ast_value *);

        for (size_t i = 0; i < value->n; i++)
            items[i] = without_variables(value->items[i], a);
        copy->items = items;
    } else if (value->kind == AST_OBJECT) {
        struct ast_object_field *fields = arena_copy(a, value->fields, value->n * sizeof(*fields));

        for (size_t i = 0; i < value->n; i++)
            fields[i].value = without_variables(value->fields[i].value, a);
        copy->fields = fields;
    }
    return copy;
}

bool values_leaf_accepts(const struct type *leaf, const struct ast_value *value, struct arena *a)
{
    struct str text;

    if (leaf->kind == TYPE_ENUM)
        return value->kind == AST_ENUM && schema_enum_value(leaf, value->text) != NULL;
    if (leaf->scalar == NULL)
        return value->kind == AST_STRING || value->kind == AST_INT || value->kind == AST_FLOAT ||
               value->kind == AST_BOOLEAN;
    if (value->n && has_variable(value))
        value = without_variables(value, a);
    return leaf->scalar->coerce_literal(leaf->scalar, value, a, &text);
}

static void report_misfit(struct validation *v, const struct value_site *s)
{
    struct str type = validation_type_name(v, s->type);
    struct str found = validation_print_value(v, s->value), hint = STR("");
    const struct type *named = s->type.type;

    if (named->kind == TYPE_ENUM && s->value->kind == AST_ENUM && named->nvalues)
        hint = validation_suggest(v, s->value->text, &named->values[0].name, named->nvalues,
                                  sizeof(named->values[0]));
    validation_error(v, s->value->offset, "expected a value of type \"%.*s\", found %.*s%.*s",
                     STR_ARG(type), STR_ARG(found), STR_ARG(hint));
}

static void check_leaf(struct validation *v, const struct value_site *s)
{
    const struct type *type = s->type.type;

    if (type->kind == TYPE_INPUT_OBJECT || !type_is_input(type) ||
        !values_leaf_accepts(type, s->value, v->arena))
        report_misfit(v, s);
}

static const struct ast_object_field *find_field(const struct ast_value *object, struct str name)
{
    for (size_t i = 0; i < object->n; i++) {
        if (str_eq(object->fields[i].name, name))
            return &object->fields[i];
    }
    return NULL;
}

/* 5.6.5: exactly one field, which is not null. That a variable is not null: rules_variables.c. */
static void check_one_of(struct validation *v, const struct ast_value *object,
                         const struct type *type)
{
    if (object->n != 1)
        validation_error(v, object->offset, "\"%.*s\" must have exactly one field",
                         STR_ARG(type->name));
    else if (object->fields[0].value->kind == AST_NULL)
        validation_error(v, object->fields[0].value->offset, "field \"%.*s.%.*s\" cannot be null",
                         STR_ARG(type->name), STR_ARG(object->fields[0].name));
}

/* 5.6.2 Input object field names, 5.6.4 Input object required fields */
static void check_object(struct validation *v, const struct ast_value *object,
                         const struct type *type)
{
    for (size_t i = 0; i < object->n; i++) {
        const struct ast_object_field *f = &object->fields[i];
        struct str hint = STR("");

        if (schema_input(type, f->name))
            continue;
        if (type->ninputs)
            hint = validation_suggest(v, f->name, &type->inputs[0].name, type->ninputs,
                                      sizeof(type->inputs[0]));
        validation_error(v, f->offset, "unknown field \"%.*s\" on input type \"%.*s\"%.*s",
                         STR_ARG(f->name), STR_ARG(type->name), STR_ARG(hint));
    }
    for (size_t i = 0; i < type->ninputs; i++) {
        const struct input_value *input = &type->inputs[i];
        struct str name;

        if (!type_ref_non_null(input->type) || input->default_value ||
            find_field(object, input->name))
            continue;
        name = validation_type_name(v, input->type);
        validation_error(v, object->offset, "\"%.*s\" requires the field \"%.*s\" of type \"%.*s\"",
                         STR_ARG(type->name), STR_ARG(input->name), STR_ARG(name));
    }
    if (type->one_of)
        check_one_of(v, object, type);
}

/*
 * 5.6.1 Values of correct type. A single value is a list of one, so its type is
 * the named one; null is judged by the whole type.
 */
void rule_values_fit(struct validation *v, const struct value_site *s)
{
    const struct type *type = s->type.type;

    if (type == NULL || s->checked)
        return;
    switch (s->value->kind) {
    case AST_VARIABLE:
        break;
    case AST_NULL:
        if (type_ref_non_null(s->type))
            report_misfit(v, s);
        break;
    case AST_LIST:
        if (!type_ref_is_list(s->type))
            check_leaf(v, s);
        break;
    case AST_OBJECT:
        if (type->kind == TYPE_INPUT_OBJECT)
            check_object(v, s->value, type);
        else
            check_leaf(v, s);
        break;
    case AST_INT:
    case AST_FLOAT:
    case AST_STRING:
    case AST_BOOLEAN:
    case AST_ENUM:
        check_leaf(v, s);
        break;
    }
}

/* 5.6.3 Input object field uniqueness */
void rule_unique_input_fields(struct validation *v, const struct value_site *s)
{
    struct map seen;

    if (s->value->kind != AST_OBJECT || s->value->n < 2)
        return;
    map_init(&seen, v->arena);
    for (size_t i = 0; i < s->value->n; i++) {
        const struct ast_object_field *f = &s->value->fields[i], *other;
        const void *earlier;

        if (validation_first(&seen, f->name, f, &earlier))
            continue;
        other = earlier;
        validation_also(v,
                        validation_error(v, other->offset,
                                         "there can be only one input field named \"%.*s\"",
                                         STR_ARG(f->name)),
                        f->offset);
    }
}
