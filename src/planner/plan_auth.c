/*
 * plan_auth.c - what an operation uses that has a rule of its own: @auth.
 *
 * Thread:   any.
 * Memory:   demands are in the plan's arena, what is collected again in the scratch arena.
 * Not here: whether an identity has what is demanded (execution/authorize.c).
 *
 * It walks the merged selection with its coerced arguments, so names, fragments and conditions are
 * of no account, and sees the variables only as their skeleton has them: what holds for a plan
 * holds for all that it is run for. It does not ask what the statement mentions, for that has
 * columns which nobody asked for, such as those of joins.
 *
 * What would tell of a column by another way needs what the column needs: a relationship by it, and
 * the id or the order of rows that it is the key of.
 */
#include "planner/plan_auth.h"

#include "planner/plan_node.h"
#include "schema/authrule.h"

struct demands {
    struct inputs in; /* of the compiler, with errors and memory of its own */
    struct compiler *c;
    struct arena *arena; /* the plan's */
    struct {
        struct plan_demand *items;
        size_t n, cap;
    } list;
};

/* Where something is used. */
struct use {
    const struct path *path;
    uint32_t offset;
    const struct relation *relation; /* whose rows are around; NULL: none */
};

static void add(struct demands *d, const struct auth_rule *rule, struct str of, struct str member,
                const struct use *at)
{
    struct plan_demand one = {.rule = rule, .path = at->path, .offset = at->offset};

    if (rule == NULL)
        return;
    for (size_t i = 0; i < d->list.n; i++)
        if (authrule_eq(d->list.items[i].rule, rule))
            return;
    one.what = member.len > 0 ? arena_printf(d->arena, "%.*s.%.*s", STR_ARG(of), STR_ARG(member))
                              : arena_dup(d->arena, of);
    VEC_PUSH(d->in.scratch, &d->list, one);
}

static void use_type(struct demands *d, const struct type *t, const struct use *at)
{
    if (t->kind == TYPE_OBJECT)
        add(d, t->auth, t->name, STR(""), at);
}

static struct str name_around(const struct use *at)
{
    return at->relation != NULL ? at->relation->type_name : STR("the value");
}

/* What it is a part of, too; and what its values are made of. */
static void use_column(struct demands *d, const struct column *c, const struct use *at)
{
    if (c->composite != NULL && c->composite->object != NULL)
        use_type(d, c->composite->object, at);
    for (; c != NULL; c = c->of)
        add(d, c->auth, name_around(at), c->field_name.len > 0 ? c->field_name : c->name, at);
}

static void use_columns(struct demands *d, const struct relation *r,
                        const struct column *const *columns, size_t n, const struct use *at)
{
    struct use of = {at->path, at->offset, r};

    for (size_t i = 0; i < n; i++)
        use_column(d, columns[i], &of);
}

static void use_key(struct demands *d, const struct relation *r, const struct key *k,
                    const struct use *at)
{
    if (k != NULL)
        use_columns(d, r, k->columns, k->n, at);
}

static void use_relationship(struct demands *d, const struct relationship *w, const struct use *at)
{
    const struct junction *via = w->via;

    add(d, w->auth, w->from->type_name, w->field_name, at);
    use_columns(d, w->from, w->from_columns, w->n, at);
    use_columns(d, w->to, w->to_columns, via != NULL ? via->nfar : w->n, at);
    use_type(d, w->to->type, at);
    if (via == NULL)
        return;
    use_type(d, via->relation->type, at);
    use_columns(d, via->relation, via->near_columns, w->n, at);
    use_columns(d, via->relation, via->far_columns, via->nfar, at);
}

/* --- arguments -------------------------------------------------------------------------------- */

/* A document is written as a whole: what is in it is not known here. */
static void use_document(struct demands *d, const struct composite *c, const struct use *at)
{
    for (size_t i = 0; c != NULL && i < c->nparts; i++) {
        use_column(d, &c->parts[i], at);
        use_document(d, c->parts[i].composite, at);
    }
}

static void use_enum(struct demands *d, const struct pvalue *v, const struct input_value *of,
                     const struct use *at)
{
    const struct relation *r = at->relation;

    switch ((int)of->role) {
    case INPUT_DISTINCT_ON:
    case INPUT_FIELD:
    case INPUT_BY:
    case INPUT_CONFLICT_UPDATE:
        CHECK(r != NULL);
        use_column(d, &r->columns[input_enum(v)->value], at);
        break;
    case INPUT_CONFLICT_KEY:
        CHECK(r != NULL);
        use_key(d, r, &r->keys[input_enum(v)->value], at);
        break;
    default:
        break;
    }
}

static void use_value(struct demands *d, const struct pvalue *v, const struct input_value *of,
                      const struct use *at);

static void use_members(struct demands *d, const struct pvalue *v, const struct use *at)
{
    const struct type *t = v->type.type;

    for (size_t i = 0; i < t->ninputs; i++) {
        const struct column *c = t->inputs[i].column;
        struct pvalue member;

        if (!t->is_document) {
            member = input_member(&d->in, v, i);
            use_value(d, &member, &t->inputs[i], at);
        } else if (c != NULL) {
            use_column(d, c, at);
            use_document(d, c->composite, at);
        }
    }
}

static bool leads_elsewhere(const struct input_value *of)
{
    return of->role == INPUT_WHERE_RELATION || of->role == INPUT_ORDER_RELATION ||
           of->role == INPUT_VALUE_RELATION;
}

/* A value that is given for an argument, or a member of one; null is one. */
static void use_value(struct demands *d, const struct pvalue *v, const struct input_value *of,
                      const struct use *at)
{
    struct use here = {at->path, v->offset, at->relation};

    if (v->kind == PVALUE_ABSENT)
        return;
    if (of->column != NULL)
        use_column(d, of->column, &here);
    if (of->role == INPUT_VALUE && of->column->document)
        use_document(d, of->column->composite, &here);
    if (leads_elsewhere(of)) {
        use_relationship(d, of->relationship, &here);
        here.relation = of->relationship->to;
    }
    if (v->kind == PVALUE_LEAF && v->type.type->kind == TYPE_ENUM) {
        use_enum(d, v, of, &here);
    } else if (v->kind == PVALUE_OBJECT) {
        use_members(d, v, &here);
    } else if (v->kind == PVALUE_LIST && v->type.type->kind != TYPE_SCALAR) {
        for (size_t i = 0; i < v->n; i++) {
            struct pvalue item = input_item(&d->in, v, i);

            use_value(d, &item, of, at);
        }
    }
}

/* --- fields ----------------------------------------------------------------------------------- */

/* A cursor holds the values of the order, and one can be made up: the order that is there anyway is
 * by the key, or by all that can be sorted by. */
static void use_order(struct demands *d, const struct relation *r, const struct use *at)
{
    const struct key *k = relation_key(r);

    use_key(d, r, k, at);
    for (size_t i = 0; k == NULL && i < r->ncolumns; i++)
        if (column_sortable(&r->columns[i]))
            use_column(d, &r->columns[i], at);
}

/* The field itself, whatever is selected of it. */
static void use_field(struct demands *d, const struct selection *s, const struct use *at)
{
    const struct field *f = s->field;

    add(d, f->auth, s->parent->name, f->name, at);
    if (f->column != NULL)
        use_column(d, f->column, at);
    if (f->relationship != NULL)
        use_relationship(d, f->relationship, at);
    if (f->relation != NULL)
        use_type(d, f->relation->type, at);
    if (f->function != NULL)
        add(d, f->function->auth, s->parent->name, f->name, at);
    if (f->resolver == RESOLVE_NODE_ID)
        use_key(d, f->relation, relation_visible_key(f->relation), at);
    if (f->resolver == RESOLVE_CONNECTION)
        use_order(d, f->relation, at);
}

static bool use_selection(struct demands *d, const struct selection *s, const struct use *around);

/* Introspection shows the schema as it is, and the name of a root tells nothing. */
static bool is_open(const struct selection *s, const struct use *at)
{
    return s->field->resolver == RESOLVE_INTROSPECTION ||
           (s->field->resolver == RESOLVE_TYPENAME && at->path == NULL);
}

static bool use_children(struct demands *d, const struct selection *s, const struct type *t,
                         const struct use *at)
{
    for (size_t i = 0; i < s->nchildren; i++) {
        if (!is_open(s->children[i], at))
            use_type(d, t, at);
        if (!use_selection(d, s->children[i], at))
            return false;
    }
    return true;
}

/* What is selected of each type that a union can be; of a node, of the one that its id names. */
static bool use_possible(struct demands *d, const struct selection *s, const struct use *at)
{
    const struct type *named = s->field->type.type;
    const struct type *const *types = named->possible;
    const struct type *node;
    size_t n = named->npossible;

    if (s->field->resolver == RESOLVE_NODE) {
        node = plan_node_type(d->c, s);
        types = &node;
        n = node != NULL;
    }
    for (size_t i = 0; i < n; i++) {
        const struct selection *of =
            collect_object(d->in.op, d->in.variables, s, types[i], d->in.scratch, d->c->in.errs);
        struct use here = {at->path, at->offset, types[i]->relation};

        if (of == NULL)
            return false;
        if (s->field->resolver == RESOLVE_NODE) {
            use_type(d, types[i], &here);
            use_key(d, types[i]->relation, relation_visible_key(types[i]->relation), &here);
        }
        if (!use_children(d, of, types[i], &here))
            return false;
    }
    return true;
}

static bool use_selection(struct demands *d, const struct selection *s, const struct use *around)
{
    struct path *path;
    struct use at = *around;
    const struct field *f = s->field;

    if (f->resolver == RESOLVE_TYPENAME || f->resolver == RESOLVE_INTROSPECTION)
        return true;
    path = ARENA_NEW(d->arena, struct path);
    *path = (struct path){around->path, s->key, -1};
    at.path = path;
    at.offset = s->ast->offset;
    use_field(d, s, &at);
    if (f->relation != NULL)
        at.relation = f->relation;
    for (size_t i = 0; i < f->narguments; i++) {
        struct pvalue v = input_argument(&d->in, s, &f->arguments[i]);

        use_value(d, &v, &f->arguments[i], &at);
    }
    if (s->nsets > 0 && f->type.type->kind != TYPE_OBJECT)
        return use_possible(d, s, &at);
    return use_children(d, s, f->type.type, &at);
}

bool plan_auth(struct compiler *c, const struct selection *root, struct plan *p)
{
    struct demands d = {.in = c->in, .c = c, .arena = p->arena};
    struct use at = {.offset = c->in.op->ast->offset};
    struct errors ignored; /* nothing is wrong with what was compiled already */

    if (!c->schema->has_auth)
        return true;
    errors_init(&ignored, c->in.scratch);
    d.in.errs = &ignored;
    d.in.arena = c->in.scratch;
    if (!use_children(&d, root, c->in.op->root, &at))
        return false;
    p->demands = arena_copy(p->arena, d.list.items, d.list.n * sizeof(*d.list.items));
    p->ndemands = d.list.n;
    return true;
}
