/*
 * nodeids.c - which variables of an operation are ids of nodes.
 *
 * Thread:   one at a time.
 * Memory:   a scratch arena of its own.
 *
 * Ids are arguments of a field of the query root, so the root's own selections and the fragments
 * spread into them are looked at, each fragment once.
 */
#include "validation/nodeids.h"

struct marking {
    const struct operation *op;
    struct operation_variable *variables;
    struct arena *arena;
    struct map seen; /* fragments */
};

static void mark_field(struct marking *m, const struct ast_selection *s)
{
    const struct field *f = schema_field(m->op->schema, m->op->root, s->name);

    if (f->resolver != RESOLVE_NODE)
        return;
    for (size_t i = 0; i < s->arguments.n; i++) {
        const struct ast_value *v = s->arguments.items[i].value;

        if (v->kind == AST_VARIABLE)
            m->variables[operation_variable_find(m->op, v->text)].node_id = true;
    }
}

/* Nesting is bounded by limits.c, and cycles are no legal documents. */
static void mark_set(struct marking *m, const struct ast_selection_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct ast_selection *s = set->items[i];
        const struct ast_fragment *f;

        switch (s->kind) {
        case AST_FIELD:
            mark_field(m, s);
            break;
        case AST_INLINE_FRAGMENT:
            mark_set(m, &s->selections);
            break;
        case AST_FRAGMENT_SPREAD:
            f = ast_find_fragment(m->op->document, s->name);
            if (map_add(&m->seen, s->name, m))
                mark_set(m, &f->selections);
            break;
        }
    }
}

void nodeids_mark(const struct operation *op, struct operation_variable *variables)
{
    struct marking m = {.op = op, .variables = variables, .arena = arena_new(0)};

    map_init(&m.seen, m.arena);
    mark_set(&m, &op->ast->selections);
    arena_free(m.arena);
}
