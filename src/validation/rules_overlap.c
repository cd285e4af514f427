/*
 * rules_overlap.c - fields of one response key can be merged (specification section 5.3.2).
 *
 * Thread:   one at a time.
 * Memory:   the validation's scratch arena.
 *
 * The specification compares every pair of fields of a response key. Here the
 * fields of a key are compared with the first of them, and then the selection
 * sets of all of them are merged and looked at as one:
 *
 *   SHAPE  Fields of one key have types of one shape, whatever their parents.
 *   SAME   Fields of one key whose parents may be one object are the same field
 *          with the same arguments. Parents that are different object types
 *          separate them: the fields of each object type are looked at together
 *          with those of the interfaces and unions, one object type at a time.
 *
 * Both are equivalences, so the first stands for all. A merged set is known by
 * the numbers of the selection sets in it and is looked at once. A document can
 * still be built that has exponentially many merged sets; validation_spend()
 * ends that.
 *
 * It runs only on documents without other errors: fields and arguments are
 * known, arguments are unique, fragments have no cycles and nesting is bounded.
 */
#include "validation/rules.h"

#define SHAPE 1u
#define SAME  2u

/* A field that a merged set selects. */
struct use {
    struct node *node;
    const struct type *parent;
    size_t next; /* use of the same key, plus 1 */
};

/* The uses of one response key, in document order. */
struct group {
    size_t first, last; /* plus 1 */
    size_t n;
};

struct overlap {
    struct validation *v;
    struct map merged; /* of uint8_t (what is done), by the numbers of the sets */
    uint32_t *stamps;  /* by key: the merge that last saw it */
    size_t *group_of;  /* by key, valid under this merge's stamp */
};

struct uses {
    struct use *items;
    size_t n, cap;
};

struct groups {
    struct group *items;
    size_t n, cap;
};

/* A list of selection sets to be looked at as one. */
struct sets {
    struct set **items;
    size_t n, cap;
};

/* --- equal arguments ---------------------------------------------------------------- */

static bool values_equal(struct overlap *o, const struct ast_value *a, const struct ast_value *b);

static const struct ast_value *find_field(const struct ast_value *object, struct str name)
{
    for (size_t i = 0; i < object->n; i++) {
        if (str_eq(object->fields[i].name, name))
            return object->fields[i].value;
    }
    return NULL;
}

/* The order of an object's fields does not matter; their names are unique. */
static bool objects_equal(struct overlap *o, const struct ast_value *a, const struct ast_value *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct ast_value *other = find_field(b, a->fields[i].name);

        if (other == NULL || !values_equal(o, a->fields[i].value, other))
            return false;
    }
    return true;
}

static bool values_equal(struct overlap *o, const struct ast_value *a, const struct ast_value *b)
{
    if (a->kind != b->kind || a->n != b->n || a->block != b->block || !str_eq(a->text, b->text))
        return false;
    if (!validation_spend(o->v, 1 + a->n))
        return true;
    if (a->kind == AST_OBJECT)
        return objects_equal(o, a, b);
    for (size_t i = 0; i < a->n; i++) {
        if (!values_equal(o, a->items[i], b->items[i]))
            return false;
    }
    return true;
}

static bool arguments_equal(struct overlap *o, const struct ast_arguments *a,
                            const struct ast_arguments *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        size_t k = 0;

        while (k < b->n && !str_eq(b->items[k].name, a->items[i].name))
            k++;
        if (k == b->n || !values_equal(o, a->items[i].value, b->items[k].value))
            return false;
    }
    return true;
}

/* --- conflicts ------------------------------------------------------------------------ */

static void report(struct overlap *o, const struct use *a, struct use *b, const char *why)
{
    struct str key = ast_response_key(b->node->selection);
    struct error *e;

    if (b->node->reported)
        return;
    b->node->reported = true;
    e = validation_error(o->v, a->node->selection->offset,
                         "fields \"%.*s\" conflict: they %s; use different aliases to fetch both",
                         STR_ARG(key), why);
    validation_also(o->v, e, b->node->selection->offset);
}

/* Section 5.3.2, SameResponseShape(), without the selections. */
static void check_shape(struct overlap *o, const struct use *a, struct use *b)
{
    struct type_ref x = a->node->field->type, y = b->node->field->type;

    if (x.nlists != y.nlists || x.non_null != y.non_null ||
        (x.type != y.type && (!type_is_composite(x.type) || !type_is_composite(y.type))))
        report(o, a, b, "return different types");
}

static void check_same(struct overlap *o, const struct use *a, struct use *b)
{
    const struct ast_selection *x = a->node->selection, *y = b->node->selection;

    if (!str_eq(x->name, y->name))
        report(o, a, b, "are different fields");
    else if (!arguments_equal(o, &x->arguments, &y->arguments))
        report(o, a, b, "have different arguments");
}

/* --- merging ---------------------------------------------------------------------------- */

/* The fields of a set, with those of its fragments; each set once per merge. */
static void collect(struct overlap *o, struct set *set, uint32_t mark, struct uses *out)
{
    if (set->mark == mark || !validation_spend(o->v, set->n))
        return;
    set->mark = mark;
    for (size_t i = 0; i < set->n; i++) {
        struct node *node = &set->nodes[i];

        if (node->fragment)
            collect(o, node->fragment->set, mark, out);
        else if (node->selection->kind == AST_INLINE_FRAGMENT)
            collect(o, node->set, mark, out);
        else
            VEC_PUSH(o->v->arena, out, (struct use){.node = node, .parent = set->parent});
    }
}

static void group(struct overlap *o, struct uses *uses, uint32_t mark, struct groups *out)
{
    for (size_t i = 0; i < uses->n; i++) {
        uint32_t key = uses->items[i].node->key;
        struct group *g;

        if (o->stamps[key] != mark) {
            o->stamps[key] = mark;
            o->group_of[key] = out->n;
            VEC_PUSH(o->v->arena, out, (struct group){.first = i + 1, .last = i + 1, .n = 1});
            continue;
        }
        g = &out->items[o->group_of[key]];
        uses->items[g->last - 1].next = i + 1;
        g->last = i + 1;
        g->n++;
    }
}

static int by_id(const void *a, const void *b)
{
    const struct set *const *x = a, *const *y = b;

    return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

/* What of `wanted` is still to be done for a merged set; notes that it will be. */
static unsigned still_wanted(struct overlap *o, struct sets *sets, unsigned wanted)
{
    uint8_t *done;
    uint32_t *ids;
    struct str key;

    if (sets->n == 1) {
        done = &sets->items[0]->done;
    } else {
        qsort(sets->items, sets->n, sizeof(struct set *), by_id);
        ids = ARENA_ARRAY(o->v->arena, sets->n, uint32_t);
        for (size_t i = 0; i < sets->n; i++)
            ids[i] = sets->items[i]->id;
        key = str_make((const char *)ids, sets->n * sizeof(*ids));
        done = map_get(&o->merged, key);
        if (done == NULL) {
            done = ARENA_NEW(o->v->arena, uint8_t);
            map_add(&o->merged, key, done);
        }
    }
    wanted &= ~(unsigned)*done;
    *done = (uint8_t)(*done | wanted);
    return wanted;
}

static void check_sets(struct overlap *o, struct sets *sets, unsigned wanted);

/*
 * Look at the uses of a group that may be of one object of type `object` (NULL:
 * at all of them), and then at their selections as one.
 */
static void check_uses(struct overlap *o, struct uses *uses, const struct group *g,
                       const struct type *object, unsigned wanted)
{
    struct sets below = {0};
    struct use *first = NULL;

    if (!validation_spend(o->v, g->n))
        return;
    for (size_t i = g->first; i; i = uses->items[i - 1].next) {
        struct use *use = &uses->items[i - 1];

        if (object && use->parent->kind == TYPE_OBJECT && use->parent != object)
            continue;
        if (use->node->set)
            VEC_PUSH(o->v->arena, &below, use->node->set);
        if (first == NULL) {
            first = use;
            continue;
        }
        if (wanted & SHAPE)
            check_shape(o, first, use);
        if (wanted & SAME)
            check_same(o, first, use);
    }
    if (below.n)
        check_sets(o, &below, wanted);
}

/* Several object types among the parents? */
static bool has_different_objects(const struct uses *uses, const struct group *g)
{
    const struct type *object = NULL;

    for (size_t i = g->first; i; i = uses->items[i - 1].next) {
        const struct type *parent = uses->items[i - 1].parent;

        if (parent->kind != TYPE_OBJECT || parent == object)
            continue;
        if (object)
            return true;
        object = parent;
    }
    return false;
}

static void check_group(struct overlap *o, struct uses *uses, const struct group *g,
                        unsigned wanted)
{
    struct map seen;

    if (g->n == 1 || !has_different_objects(uses, g)) {
        check_uses(o, uses, g, NULL, wanted);
        return;
    }
    if (wanted & SHAPE)
        check_uses(o, uses, g, NULL, SHAPE);
    if (!(wanted & SAME))
        return;
    map_init(&seen, o->v->arena);
    for (size_t i = g->first; i; i = uses->items[i - 1].next) {
        const struct type *parent = uses->items[i - 1].parent;
        const void *earlier;

        if (parent->kind == TYPE_OBJECT && validation_first(&seen, parent->name, parent, &earlier))
            check_uses(o, uses, g, parent, SAME);
    }
}

/* Recursion is as deep as selection sets nest, which limits.c bounds. */
static void check_sets(struct overlap *o, struct sets *sets, unsigned wanted)
{
    struct uses uses = {0};
    struct groups groups = {0};
    uint32_t mark;

    wanted = still_wanted(o, sets, wanted);
    if (wanted == 0 || o->v->stopped)
        return;
    mark = ++o->v->mark;
    for (size_t i = 0; i < sets->n; i++)
        collect(o, sets->items[i], mark, &uses);
    group(o, &uses, mark, &groups);
    for (size_t i = 0; i < groups.n && !o->v->stopped; i++) {
        const struct use *only = &uses.items[groups.items[i].first - 1];

        if (groups.items[i].n > 1 || only->node->set)
            check_group(o, &uses, &groups.items[i], wanted);
    }
}

void rule_overlapping_fields(struct validation *v)
{
    struct overlap o = {.v = v};

    map_init(&o.merged, v->arena);
    o.stamps = ARENA_ARRAY(v->arena, v->keys.n, uint32_t);
    o.group_of = ARENA_ARRAY(v->arena, v->keys.n, size_t);
    for (size_t i = 0; i < v->ndefinitions; i++) {
        struct sets root = {.items = &v->definitions[i].set, .n = 1};

        if (v->definitions[i].operation)
            check_sets(&o, &root, SHAPE | SAME);
    }
}
