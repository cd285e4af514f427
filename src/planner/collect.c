/*
 * collect.c - fields and fragments merged into one selection tree.
 *
 * Thread:   any.
 * Memory:   the tree in the caller's arena.
 * Not here: whether fields can be merged (validation/rules_overlap.c).
 *
 * A document of n bytes can describe 2^n fields with aliases and fragments, so
 * the number of collected fields is bounded here besides the limits of
 * validation, which an operator may have switched off.
 */
#include "planner/collect.h"

#include "language/source.h"

#define MAX_FIELDS 20000
#define MAX_DEPTH  500 /* of fields, inline fragments and fragment spreads together */

/* Fields with one response key, in the order met. */
struct group {
    const struct ast_selection *first;
    struct {
        const struct ast_selection_set **items;
        size_t n, cap;
    } sets;
};

struct collector {
    const struct operation *op;
    const struct variables *variables;
    struct arena *arena;
    struct errors *errs;
    size_t nfields;
};

/* The groups of one object while its selection sets are read. */
struct object {
    struct collector *c;
    const struct type *type;
    struct map groups;  /* of struct group */
    struct map visited; /* fragments spread into it already */
};

static bool fail(struct collector *c, enum error_code code, uint32_t offset, const char *message)
{
    struct error *e = errors_add(c->errs, code, "%s", message);

    error_at(e, c->errs, source_location(c->op->document->source, offset));
    return false;
}

/* False: an error. *out is left as it is when the argument is absent. */
static bool read_boolean(struct collector *c, const struct ast_arguments *arguments,
                         const char *name, bool *out)
{
    for (size_t i = 0; i < arguments->n; i++) {
        const struct ast_argument *a = &arguments->items[i];
        const struct jval *given;

        if (!str_is(a->name, name))
            continue;
        if (a->value->kind == AST_BOOLEAN) {
            *out = a->value->boolean;
            return true;
        }
        if (a->value->kind != AST_VARIABLE)
            break;
        given = c->variables->values[operation_variable_find(c->op, a->value->text)];
        if (given != NULL && given->kind == JVAL_BOOL) {
            *out = given->boolean;
            return true;
        }
        if (given == NULL)
            return true;
        /* A nullable variable with a default is legal here, and may be given as null. */
        return fail(c, BAD_USER_INPUT, a->offset, "this argument cannot be null");
    }
    return true;
}

/* False: an error. *wanted: what @skip and @include leave. */
static bool read_directives(struct collector *c, const struct ast_directives *directives,
                            bool *wanted)
{
    *wanted = true;
    for (size_t i = 0; i < directives->n; i++) {
        const struct ast_directive *d = &directives->items[i];
        bool skip = str_is(d->name, "skip");
        bool condition = skip; /* never absent in a valid document */

        if (!skip && !str_is(d->name, "include"))
            continue;
        if (!read_boolean(c, &d->arguments, "if", &condition))
            return false;
        if (condition == skip)
            *wanted = false;
    }
    return true;
}

static bool applies(const struct object *o, struct str type_condition)
{
    const struct type *t;

    if (type_condition.len == 0)
        return true;
    t = schema_type(o->c->op->schema, type_condition);
    return t != NULL && schema_is_possible(t, o->type);
}

static void add_field(struct object *o, const struct ast_selection *s)
{
    struct arena *a = o->c->arena;
    struct str key = ast_response_key(s);
    struct group *g = map_get(&o->groups, key);

    if (g == NULL) {
        g = ARENA_NEW(a, struct group);
        g->first = s;
        map_add(&o->groups, key, g);
        o->c->nfields++;
    }
    if (s->selections.n > 0)
        VEC_PUSH(a, &g->sets, &s->selections);
}

static bool add_set(struct object *o, const struct ast_selection_set *set, unsigned depth);

static bool add_spread(struct object *o, const struct ast_selection *s, unsigned depth)
{
    const struct ast_fragment *f = ast_find_fragment(o->c->op->document, s->name);

    /* Once per object: a second time could add nothing, and this bounds the work. */
    if (f == NULL || !map_add(&o->visited, s->name, o->c))
        return true;
    return !applies(o, f->type_condition) || add_set(o, &f->selections, depth);
}

static bool add_set(struct object *o, const struct ast_selection_set *set, unsigned depth)
{
    struct collector *c = o->c;

    if (depth > MAX_DEPTH || c->nfields > MAX_FIELDS)
        return fail(c, QUERY_TOO_COMPLEX, set->offset, "the operation selects too much");
    for (size_t i = 0; i < set->n; i++) {
        const struct ast_selection *s = set->items[i];
        bool wanted;

        if (!read_directives(c, &s->directives, &wanted))
            return false;
        if (!wanted)
            continue;
        if (s->kind == AST_FIELD)
            add_field(o, s);
        else if (s->kind == AST_FRAGMENT_SPREAD && !add_spread(o, s, depth + 1))
            return false;
        else if (s->kind == AST_INLINE_FRAGMENT && applies(o, s->name) &&
                 !add_set(o, &s->selections, depth + 1))
            return false;
    }
    return true;
}

static bool collect_sets(struct collector *c, const struct type *type,
                         const struct ast_selection_set *const *sets, size_t nsets,
                         struct selection *into, unsigned depth)
{
    struct object o = {.c = c, .type = type};
    const struct selection **children;

    map_init(&o.groups, c->arena);
    map_init(&o.visited, c->arena);
    for (size_t i = 0; i < nsets; i++)
        if (!add_set(&o, sets[i], depth + 1))
            return false;
    children = ARENA_ARRAY(c->arena, o.groups.n, const struct selection *);
    into->children = children;
    into->nchildren = o.groups.n;
    for (size_t i = 0; i < o.groups.n; i++) {
        const struct group *g = o.groups.entries[i].value;
        struct selection *s = ARENA_NEW(c->arena, struct selection);

        s->key = ast_response_key(g->first);
        s->field = schema_field(c->op->schema, type, g->first->name);
        CHECK(s->field != NULL); /* the document is valid */
        s->parent = type;
        s->ast = g->first;
        children[i] = s;
        if (s->field->resolver == RESOLVE_INTROSPECTION &&
            !read_boolean(c, &s->ast->arguments, "includeDeprecated", &s->include_deprecated))
            return false;
        if (s->field->type.type->kind != TYPE_OBJECT) {
            s->sets = g->sets.items;
            s->nsets = g->sets.n;
        } else if (!collect_sets(c, s->field->type.type, g->sets.items, g->sets.n, s, depth + 1)) {
            return false;
        }
    }
    return true;
}

const struct selection *collect(const struct operation *op, const struct variables *variables,
                                struct arena *a, struct errors *errs)
{
    struct collector c = {.op = op, .variables = variables, .arena = a, .errs = errs};
    const struct ast_selection_set *set = &op->ast->selections;
    struct selection *root = ARENA_NEW(a, struct selection);

    return collect_sets(&c, op->root, &set, 1, root, 0) ? root : NULL;
}

const struct selection *collect_object(const struct operation *op,
                                       const struct variables *variables,
                                       const struct selection *of, const struct type *type,
                                       struct arena *a, struct errors *errs)
{
    struct collector c = {.op = op, .variables = variables, .arena = a, .errs = errs};
    struct selection *s = arena_copy(a, of, sizeof *of);

    return collect_sets(&c, type, of->sets, of->nsets, s, 0) ? s : NULL;
}
