/*
 * rules_operations.c - operations (specification section 5.2).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 */
#include "validation/rules.h"

/* 5.2.2.1 Operation name uniqueness */
void rule_unique_operation_names(struct validation *v)
{
    struct map seen;

    map_init(&seen, v->arena);
    for (size_t i = 0; i < v->ndefinitions; i++) {
        const struct ast_operation *op = v->definitions[i].operation, *other;
        const void *earlier;

        if (op == NULL || op->name.len == 0 || validation_first(&seen, op->name, op, &earlier))
            continue;
        other = earlier;
        validation_also(v,
                        validation_error(v, other->name_offset,
                                         "there can be only one operation named \"%.*s\"",
                                         STR_ARG(op->name)),
                        op->name_offset);
    }
}

/* 5.2.3.1 Lone anonymous operation */
void rule_lone_anonymous_operation(struct validation *v)
{
    if (v->document->noperations < 2)
        return;
    for (size_t i = 0; i < v->ndefinitions; i++) {
        const struct ast_operation *op = v->definitions[i].operation;

        if (op && op->name.len == 0)
            validation_error(v, op->offset, "an anonymous operation must be the only operation");
    }
}

/* 5.2.1.1 Operation type existence */
void rule_operation_types(struct validation *v, const struct definition *d)
{
    static const char *const names[] = {[AST_QUERY] = "queries",
                                        [AST_MUTATION] = "mutations",
                                        [AST_SUBSCRIPTION] = "subscriptions"};

    if (d->type == NULL)
        validation_error(v, d->operation->offset, "the schema has no %s",
                         names[d->operation->kind]);
}

static bool has_condition(const struct ast_directives *d, uint32_t *offset)
{
    for (size_t i = 0; i < d->n; i++) {
        *offset = d->items[i].offset;
        if (str_eq(d->items[i].name, STR("skip")) || str_eq(d->items[i].name, STR("include")))
            return true;
    }
    return false;
}

struct root_fields {
    const struct node *first;
    uint32_t mark;
};

/* Recursion is as deep as selection sets nest, which limits.c bounds. */
static void check_root_fields(struct validation *v, struct set *set, struct root_fields *roots)
{
    if (set->mark == roots->mark)
        return;
    set->mark = roots->mark;
    for (size_t i = 0; i < set->n && !v->stopped; i++) {
        const struct node *node = &set->nodes[i];
        const struct ast_selection *s = node->selection;
        uint32_t offset;

        if (has_condition(&s->directives, &offset))
            validation_error(v, offset,
                             "a subscription cannot use @skip or @include on its root field");
        if (node->fragment) {
            check_root_fields(v, node->fragment->set, roots);
        } else if (s->kind == AST_INLINE_FRAGMENT) {
            check_root_fields(v, node->set, roots);
        } else if (s->kind == AST_FIELD) {
            if (s->name.len >= 2 && s->name.data[0] == '_' && s->name.data[1] == '_')
                validation_error(v, s->offset,
                                 "a subscription cannot select an introspection field at its root");
            if (roots->first && roots->first->key != node->key)
                validation_error(v, s->offset, "a subscription must select only one root field");
            roots->first = roots->first ? roots->first : node;
        }
    }
}

/* 5.2.4.1 Single root field */
void rule_single_root_field(struct validation *v)
{
    for (size_t i = 0; i < v->ndefinitions; i++) {
        const struct definition *d = &v->definitions[i];
        struct root_fields roots = {.mark = ++v->mark};

        if (d->operation && d->operation->kind == AST_SUBSCRIPTION)
            check_root_fields(v, d->set, &roots);
    }
}
