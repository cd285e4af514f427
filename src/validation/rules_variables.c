/*
 * rules_variables.c - variables and where they are used (specification section 5.8).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 * Not here: the values of variables (variables.c).
 */
#include "validation/rules.h"

/* 5.8.1 Variable uniqueness */
void rule_unique_variables(struct validation *v, const struct definition *d)
{
    struct map seen;

    map_init(&seen, v->arena);
    for (size_t i = 0; i < d->operation->nvariables; i++) {
        const struct ast_variable_definition *def = &d->operation->variables[i], *other;
        const void *earlier;

        if (validation_first(&seen, def->name, def, &earlier))
            continue;
        other = earlier;
        validation_also(v,
                        validation_error(v, other->offset,
                                         "there can be only one variable named \"$%.*s\"",
                                         STR_ARG(def->name)),
                        def->offset);
    }
}

/* 5.8.2 Variables are input types */
void rule_variable_types(struct validation *v, const struct ast_variable_definition *d)
{
    struct type_ref type;
    const struct ast_type *unknown;
    struct str name, hint;

    if (validation_resolve_type(v->schema, d->type, &type, &unknown)) {
        if (type_is_input(type.type))
            return;
        name = validation_print_type(v, d->type);
        validation_error(v, d->type->offset,
                         "variable \"$%.*s\" cannot be of type \"%.*s\", which is no input type",
                         STR_ARG(d->name), STR_ARG(name));
    } else if (unknown->kind == AST_LIST_TYPE) {
        validation_error(v, unknown->offset, "a type cannot have more than %d levels of lists",
                         TYPE_REF_MAX_LISTS);
    } else {
        hint = validation_suggest_type(v, unknown->name);
        validation_error(v, unknown->offset, "unknown type \"%.*s\"%.*s", STR_ARG(unknown->name),
                         STR_ARG(hint));
    }
}

/* An operation's variable while its usages are gone through. */
struct variable {
    const struct ast_variable_definition *definition;
    struct type_ref type; /* type.type is NULL if unknown */
    bool used;
};

struct scope {
    struct validation *v;
    const struct ast_operation *operation;
    struct map variables; /* of struct variable */
};

/* Can every value of one type be used as the other? Section 5.8.5, AreTypesCompatible(). */
static bool types_compatible(struct type_ref variable, struct type_ref place)
{
    if (variable.type != place.type || variable.nlists != place.nlists)
        return false;
    /* Where the place is non-null, on any level, so is the variable. */
    return (place.non_null & ~(unsigned)variable.non_null) == 0;
}

/* Section 5.8.5, IsVariableUsageAllowed() */
static bool usage_allowed(const struct variable *var, const struct usage *u)
{
    const struct ast_value *value = var->definition->default_value;

    if (!type_ref_non_null(u->type) || type_ref_non_null(var->type))
        return types_compatible(var->type, u->type);
    if ((value == NULL || value->kind == AST_NULL) && !u->has_default)
        return false;
    return types_compatible(var->type, type_ref_nullable(u->type));
}

/* 5.8.5 All variable usages are allowed */
static void check_position(struct scope *s, const struct variable *var, const struct usage *u)
{
    struct validation *v = s->v;
    struct error *e = NULL;
    struct str have, want;

    if (var->type.type == NULL || u->type.type == NULL)
        return;
    have = want = STR("");
    if (!usage_allowed(var, u)) {
        have = validation_type_name(v, var->type);
        want = validation_type_name(v, u->type);
        e = validation_error(v, var->definition->offset,
                             "variable \"$%.*s\" of type \"%.*s\" cannot be used where \"%.*s\" is "
                             "expected",
                             STR_ARG(var->definition->name), STR_ARG(have), STR_ARG(want));
    } else if (u->one_of && !type_ref_non_null(var->type)) {
        have = validation_type_name(v, var->type);
        e = validation_error(v, var->definition->offset,
                             "variable \"$%.*s\" of type \"%.*s\" must be non-null in the field of "
                             "\"%.*s\"",
                             STR_ARG(var->definition->name), STR_ARG(have),
                             STR_ARG(u->one_of->name));
    }
    validation_also(v, e, u->variable->offset);
}

static void check_usage(struct scope *s, const struct usage *u)
{
    struct variable *var = map_get(&s->variables, u->variable->text);
    struct str name = s->operation->name;

    if (var) {
        var->used = true;
        check_position(s, var, u);
        return;
    }
    /* 5.8.3 All variable uses defined */
    validation_also(s->v,
                    name.len ? validation_error(s->v, u->variable->offset,
                                                "variable \"$%.*s\" is not defined by operation "
                                                "\"%.*s\"",
                                                STR_ARG(u->variable->text), STR_ARG(name))
                             : validation_error(s->v, u->variable->offset,
                                                "variable \"$%.*s\" is not defined",
                                                STR_ARG(u->variable->text)),
                    s->operation->offset);
}

/* The usages of the operation and of every fragment it reaches. */
static void check_usages(struct scope *s, struct definition *operation)
{
    struct {
        struct definition **items;
        size_t n, cap;
    } todo = {0};
    uint32_t mark = ++s->v->mark;

    operation->mark = mark;
    VEC_PUSH(s->v->arena, &todo, operation);
    while (todo.n) {
        const struct definition *d = todo.items[--todo.n];

        if (!validation_spend(s->v, d->usages.n + d->spreads.n))
            return;
        for (size_t i = 0; i < d->usages.n; i++)
            check_usage(s, &d->usages.items[i]);
        for (size_t i = 0; i < d->spreads.n; i++) {
            struct definition *fragment = d->spreads.items[i]->fragment;

            if (fragment->mark != mark)
                VEC_PUSH(s->v->arena, &todo, fragment);
            fragment->mark = mark;
        }
    }
}

static void check_operation(struct validation *v, struct definition *d)
{
    const struct ast_operation *op = d->operation;
    struct variable *variables = ARENA_ARRAY(v->arena, op->nvariables, struct variable);
    struct scope scope = {.v = v, .operation = op};

    map_init(&scope.variables, v->arena);
    for (size_t i = 0; i < op->nvariables; i++) {
        const struct ast_type *unknown;

        variables[i].definition = &op->variables[i];
        if (!validation_resolve_type(v->schema, op->variables[i].type, &variables[i].type,
                                     &unknown) ||
            !type_is_input(variables[i].type.type))
            variables[i].type = (struct type_ref){0};
        map_add(&scope.variables, op->variables[i].name, &variables[i]);
    }
    check_usages(&scope, d);
    /* 5.8.4 All variables used */
    for (size_t i = 0; i < op->nvariables && !v->stopped; i++) {
        if (!variables[i].used && map_get(&scope.variables, op->variables[i].name) == &variables[i])
            validation_error(v, op->variables[i].offset, "variable \"$%.*s\" is never used",
                             STR_ARG(op->variables[i].name));
    }
}

/* 5.8.3 to 5.8.5, which look at operations with their fragments. */
void rule_variable_usages(struct validation *v)
{
    for (size_t i = 0; i < v->ndefinitions && !v->stopped; i++) {
        if (v->definitions[i].operation)
            check_operation(v, &v->definitions[i]);
    }
}
