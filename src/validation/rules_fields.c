/*
 * rules_fields.c - fields (specification section 5.3; merging is in rules_overlap.c).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 */
#include "validation/rules.h"

/* 5.3.1 Field selections */
void rule_fields_exist(struct validation *v, const struct selection_site *s)
{
    const struct ast_selection *field = s->node->selection;
    const struct type *parent = s->parent;
    struct str hint = STR("");

    if (field->kind != AST_FIELD || parent == NULL || s->node->field)
        return;
    if (parent->nfields)
        hint = validation_suggest(v, field->name, &parent->fields[0].name, parent->nfields,
                                  sizeof(parent->fields[0]));
    validation_error(v, field->offset, "unknown field \"%.*s\" on type \"%.*s\"%.*s",
                     STR_ARG(field->name), STR_ARG(parent->name), STR_ARG(hint));
}

/* 5.3.3 Leaf field selections */
void rule_leaf_selections(struct validation *v, const struct selection_site *s)
{
    const struct ast_selection *field = s->node->selection;
    struct str type;

    if (field->kind != AST_FIELD || s->node->field == NULL)
        return;
    if (type_is_composite(s->node->field->type.type) == (field->selections.n > 0))
        return;
    type = validation_type_name(v, s->node->field->type);
    if (field->selections.n)
        validation_error(v, field->selections.offset,
                         "field \"%.*s\" cannot have a selection, type \"%.*s\" has no fields",
                         STR_ARG(field->name), STR_ARG(type));
    else
        validation_error(v, field->offset,
                         "field \"%.*s\" of type \"%.*s\" must have a selection of fields",
                         STR_ARG(field->name), STR_ARG(type));
}

/* Fields of the introspection types whose nesting multiplies the answer. */
static bool is_introspection_list(struct str name)
{
    return str_eq(name, STR("fields")) || str_eq(name, STR("interfaces")) ||
           str_eq(name, STR("possibleTypes")) || str_eq(name, STR("inputFields"));
}

/* Greatest number of such fields within each other; each fragment is looked at once. */
static int introspection_nesting(const struct set *set)
{
    int deepest = 0;

    for (size_t i = 0; i < set->n; i++) {
        const struct node *node = &set->nodes[i];
        int n = 0;

        if (node->fragment) {
            if (node->fragment->introspection == 0)
                node->fragment->introspection = 1 + introspection_nesting(node->fragment->set);
            n = node->fragment->introspection - 1;
        } else if (node->set) {
            n = introspection_nesting(node->set);
        }
        if (node->selection->kind == AST_FIELD && is_introspection_list(node->selection->name))
            n++;
        deepest = n > deepest ? n : deepest;
    }
    return deepest;
}

static void check_introspection(struct validation *v, const struct set *set)
{
    for (size_t i = 0; i < set->n && !v->stopped; i++) {
        const struct node *node = &set->nodes[i];

        if (node->set == NULL)
            continue;
        if (node->field != &v->schema->schema_field && node->field != &v->schema->type_field)
            check_introspection(v, node->set);
        else if (introspection_nesting(node->set) >= 3)
            validation_error(v, node->selection->offset, "introspection is nested too deeply");
    }
}

/*
 * Not of the specification: lists of types within lists of types, the third of
 * which nobody needs and whose answer grows without bound.
 */
void rule_introspection_depth(struct validation *v)
{
    for (size_t i = 0; i < v->ndefinitions && v->introspection; i++)
        check_introspection(v, v->definitions[i].set);
}
