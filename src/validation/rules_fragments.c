/*
 * rules_fragments.c - fragments (specification section 5.5).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 */
#include "validation/rules.h"

/* 5.5.1.1 Fragment name uniqueness */
void rule_unique_fragment_names(struct validation *v)
{
    for (size_t i = 0; i < v->ndefinitions; i++) {
        const struct definition *d = &v->definitions[i], *first;

        if (d->fragment == NULL)
            continue;
        first = validation_fragment(v, d->fragment->name);
        if (first == d)
            continue;
        validation_also(v,
                        validation_error(v, first->fragment->name_offset,
                                         "there can be only one fragment named \"%.*s\"",
                                         STR_ARG(d->fragment->name)),
                        d->fragment->name_offset);
    }
}

/* 5.5.1.2 Fragment spread type existence, 5.5.1.3 Fragments on object, interface or union types */
static void check_condition(struct validation *v, struct str name, uint32_t offset)
{
    const struct type *type = schema_type(v->schema, name);
    struct str hint;

    if (type == NULL) {
        hint = validation_suggest_type(v, name);
        validation_error(v, offset, "unknown type \"%.*s\"%.*s", STR_ARG(name), STR_ARG(hint));
    } else if (!type_is_composite(type)) {
        validation_error(v, offset, "a fragment cannot be on \"%.*s\", which has no fields",
                         STR_ARG(name));
    }
}

void rule_fragment_types(struct validation *v, const struct definition *d)
{
    check_condition(v, d->fragment->type_condition, d->fragment->type_condition_offset);
}

void rule_inline_fragment_types(struct validation *v, const struct selection_site *s)
{
    const struct ast_selection *selection = s->node->selection;

    if (selection->kind == AST_INLINE_FRAGMENT && selection->name.len)
        check_condition(v, selection->name, selection->name_offset);
}

/* 5.5.2.1 Fragment spread target defined */
void rule_known_fragments(struct validation *v, const struct selection_site *s)
{
    const struct ast_selection *selection = s->node->selection;

    if (selection->kind == AST_FRAGMENT_SPREAD && s->node->fragment == NULL)
        validation_error(v, selection->name_offset, "unknown fragment \"%.*s\"",
                         STR_ARG(selection->name));
}

/* Can one object be of both types? Section 5.5.2.3, GetPossibleTypes(). */
static bool types_overlap(const struct type *a, const struct type *b)
{
    if (a == b)
        return true;
    if (a->kind == TYPE_OBJECT)
        return schema_is_possible(b, a);
    if (b->kind == TYPE_OBJECT)
        return schema_is_possible(a, b);
    for (size_t i = 0; i < a->npossible; i++) {
        if (schema_is_possible(b, a->possible[i]))
            return true;
    }
    return false;
}

/* 5.5.2.3 Fragment spread is possible */
void rule_possible_fragments(struct validation *v, const struct selection_site *s)
{
    const struct ast_selection *selection = s->node->selection;
    const struct type *type = s->condition;

    if (s->parent == NULL || type == NULL || !type_is_composite(type) ||
        types_overlap(type, s->parent))
        return;
    if (selection->kind == AST_FRAGMENT_SPREAD)
        validation_error(v, selection->offset,
                         "fragment \"%.*s\" cannot be spread here: no \"%.*s\" is a \"%.*s\"",
                         STR_ARG(selection->name), STR_ARG(s->parent->name), STR_ARG(type->name));
    else
        validation_error(v, selection->offset,
                         "fragment cannot be spread here: no \"%.*s\" is a \"%.*s\"",
                         STR_ARG(s->parent->name), STR_ARG(type->name));
}

struct visit {
    struct definition *definition;
    size_t next; /* spread to look at */
};

struct visits {
    struct visit *items;
    size_t n, cap;
};

/*
 * Depth first from one fragment, with a stack of its own: nothing bounds the
 * length of a chain of fragments. A spread of a fragment that is on the stack
 * closes a cycle. Marks: started below this call, `done` above.
 */
static void find_cycles(struct validation *v, struct definition *start, struct visits *stack,
                        uint32_t open, uint32_t done)
{
    stack->n = 0;
    start->mark = open;
    VEC_PUSH(v->arena, stack, (struct visit){start, 0});
    while (stack->n && !v->stopped) {
        struct visit *top = &stack->items[stack->n - 1];
        const struct node *spread;

        if (top->next == top->definition->spreads.n) {
            top->definition->mark = done;
            stack->n--;
            continue;
        }
        spread = top->definition->spreads.items[top->next++];
        if (spread->fragment->mark == open) {
            validation_error(v, spread->selection->offset,
                             "fragment \"%.*s\" cannot spread itself, directly or through others",
                             STR_ARG(spread->selection->name));
        } else if (spread->fragment->mark != done) {
            spread->fragment->mark = open;
            VEC_PUSH(v->arena, stack, (struct visit){spread->fragment, 0});
        }
    }
}

/* 5.5.2.2 Fragment spreads must not form cycles */
void rule_fragment_cycles(struct validation *v)
{
    struct visits stack = {0};
    uint32_t open = ++v->mark, done = ++v->mark;

    for (size_t i = 0; i < v->ndefinitions; i++) {
        struct definition *d = &v->definitions[i];

        if (d->fragment && d->mark != done)
            find_cycles(v, d, &stack, open, done);
    }
}

/* 5.5.1.4 Fragments must be used */
void rule_used_fragments(struct validation *v)
{
    struct {
        struct definition **items;
        size_t n, cap;
    } todo = {0};

    for (size_t i = 0; i < v->ndefinitions; i++) {
        if (v->definitions[i].operation)
            VEC_PUSH(v->arena, &todo, &v->definitions[i]);
    }
    while (todo.n) {
        const struct definition *d = todo.items[--todo.n];

        for (size_t i = 0; i < d->spreads.n; i++) {
            struct definition *fragment = d->spreads.items[i]->fragment;

            if (!fragment->used)
                VEC_PUSH(v->arena, &todo, fragment);
            fragment->used = true;
        }
    }
    for (size_t i = 0; i < v->ndefinitions; i++) {
        const struct definition *d = &v->definitions[i];

        /* Of several with one name the first stands for all. */
        if (d->fragment && !validation_fragment(v, d->fragment->name)->used)
            validation_error(v, d->fragment->offset, "fragment \"%.*s\" is never used",
                             STR_ARG(d->fragment->name));
    }
}
