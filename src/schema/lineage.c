/*
 * lineage.c - what views inherit from the relations they read: not null, keys, foreign keys.
 *
 * Thread:   one at a time.
 * Memory:   in the document's arena.
 * Not here: reading a view's query (viewrule.c).
 *
 * A view that each row of a relation appears in at most once stands for that relation: its keys are
 * keys of the view, when all their columns are there. A foreign key needs less: that its columns
 * come from the same row.
 */
#include "base/log.h"
#include "schema/catalogdoc.h"
#include "schema/viewrule.h"

#define MAX_VIEW_DEPTH 200 /* of views over views */

static void resolve(struct doc *d, struct doc_relation *r, unsigned depth);

static bool same_columns(const struct doc_key *a, const struct doc_key *b)
{
    return a->n == b->n && memcmp(a->columns, b->columns, a->n * sizeof(*a->columns)) == 0;
}

static void add_key(struct doc *d, struct doc_relation *r, struct doc_key k)
{
    size_t i;

    for (i = 0; i < r->keys.n; i++)
        if (same_columns(&r->keys.items[i], &k))
            return;
    VEC_PUSH(d->arena, &r->keys, k);
}

static void add_foreign_key(struct doc *d, struct doc_relation *r, struct doc_foreign_key f)
{
    size_t i;

    for (i = 0; i < r->foreign_keys.n; i++) {
        const struct doc_foreign_key *g = &r->foreign_keys.items[i];

        if (g->to == f.to && g->n == f.n &&
            memcmp(g->columns, f.columns, f.n * sizeof(*f.columns)) == 0 &&
            memcmp(g->to_columns, f.to_columns, f.n * sizeof(*f.to_columns)) == 0)
            return;
    }
    VEC_PUSH(d->arena, &r->foreign_keys, f);
}

/* The first column of r that is column `num` of source, of the row `instance` (0: any). */
static int32_t find_plain(const struct doc_relation *r, const struct viewrule *rule,
                          const struct doc_relation *source, int32_t num, int32_t instance)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        const struct doc_column *c = &r->columns[i];

        if (c->source == source && c->source_num == num &&
            (instance == 0 || rule->columns[c->num - 1].instance == instance))
            return c->num;
    }
    return 0;
}

/* Numbers of the source's columns to numbers of the view's; NULL if one is not there. */
static const int32_t *map_columns(struct doc *d, const struct doc_relation *r,
                                  const struct viewrule *rule, const struct doc_relation *source,
                                  const int32_t *nums, size_t n, int32_t instance)
{
    int32_t *out = ARENA_ARRAY(d->arena, n, int32_t);
    size_t i;

    for (i = 0; i < n; i++) {
        out[i] = find_plain(r, rule, source, nums[i], instance);
        if (out[i] == 0)
            return NULL;
    }
    return out;
}

/*
 * The comment, or of a column that has one of its own the rule of @auth: who describes or renames a
 * column, or says what is in it, says nothing of who may read it. Only a rule of its own stands in
 * its place.
 */
static void inherit_comment(struct doc *d, struct doc_column *c, const struct doc_column *from)
{
    struct field_annotation *own;

    if (c->comment.len == 0) {
        c->comment = from->comment;
        c->annotation = from->annotation;
        return;
    }
    if (from->annotation == NULL || !from->annotation->auth.said ||
        (c->annotation != NULL && c->annotation->auth.said))
        return;
    own = ARENA_NEW(d->arena, struct field_annotation);
    if (c->annotation != NULL)
        *own = *c->annotation;
    else
        own->at = from->annotation->at;
    own->auth = from->annotation->auth;
    c->annotation = own;
}

static void inherit_columns(struct doc *d, struct doc_relation *r, const struct viewrule *rule,
                            unsigned depth)
{
    size_t i;

    for (i = 0; i < r->ncolumns; i++) {
        struct doc_column *c = &r->columns[i];
        const struct viewrule_column *v;
        struct doc_relation *source;
        const struct doc_column *from;

        if ((size_t)c->num > rule->ncolumns)
            continue;
        v = &rule->columns[c->num - 1];
        source = v->relation ? catalogdoc_relation(d, v->relation) : NULL;
        if (source == NULL || source == r)
            continue;
        resolve(d, source, depth + 1);
        from = catalogdoc_column(source, v->column);
        if (from == NULL || source->state != DOC_RESOLVED)
            continue;
        c->source = source;
        c->source_num = v->column;
        c->not_null = c->not_null || (from->not_null && !v->nullable);
        c->id = c->id || from->id;
        inherit_comment(d, c, from);
    }
}

static void inherit_keys(struct doc *d, struct doc_relation *r, const struct viewrule *rule)
{
    struct doc_relation *source = rule->single ? catalogdoc_relation(d, rule->single) : NULL;
    size_t i;

    if (source == NULL || source->state != DOC_RESOLVED)
        return;
    r->single = source;
    r->whole = rule->whole && source->whole && r->kind == 'v';
    for (i = 0; i < source->keys.n; i++) {
        struct doc_key k = source->keys.items[i];

        k.columns = map_columns(d, r, rule, source, k.columns, k.n, 0);
        if (k.columns != NULL)
            add_key(d, r, k);
    }
}

/* Foreign keys of the row that column c is of. */
static void inherit_foreign_keys(struct doc *d, struct doc_relation *r, const struct viewrule *rule,
                                 const struct doc_column *c)
{
    int32_t instance = rule->columns[c->num - 1].instance;
    size_t i;

    for (i = 0; i < c->source->foreign_keys.n; i++) {
        struct doc_foreign_key f = c->source->foreign_keys.items[i];

        f.columns = map_columns(d, r, rule, c->source, f.columns, f.n, instance);
        if (f.columns != NULL)
            add_foreign_key(d, r, f);
    }
}

static bool key_not_null(const struct doc_relation *r, const struct doc_key *k)
{
    size_t i;

    for (i = 0; i < k->n; i++) {
        const struct doc_column *c = catalogdoc_column(r, k->columns[i]);

        if (c == NULL || !c->not_null)
            return false;
    }
    return true;
}

static void mark_ids(struct doc_relation *r, const int32_t *nums, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        struct doc_column *c = catalogdoc_column(r, nums[i]);

        if (c != NULL)
            c->id = true;
    }
}

/* Columns of the key (the primary one, else the first without nullable columns) and those that
 * reference such a key. */
static void find_ids(struct doc_relation *r)
{
    const struct doc_key *key = NULL;
    size_t i;

    for (i = 0; i < r->keys.n; i++) {
        const struct doc_key *k = &r->keys.items[i];

        if (key_not_null(r, k) && (key == NULL || (k->primary && !key->primary)))
            key = k;
    }
    if (key != NULL)
        mark_ids(r, key->columns, key->n);
    for (i = 0; i < r->foreign_keys.n; i++)
        if (r->foreign_keys.items[i].to_primary)
            mark_ids(r, r->foreign_keys.items[i].columns, r->foreign_keys.items[i].n);
}

static void resolve_view(struct doc *d, struct doc_relation *r, unsigned depth)
{
    struct viewrule rule;
    size_t i;

    if (!viewrule_read(r->rule, d->arena, &rule)) {
        LOG(LOG_WARN, "could not read the definition of a view", LOG_STR("schema", r->schema),
            LOG_STR("view", r->name));
        return;
    }
    inherit_columns(d, r, &rule, depth);
    inherit_keys(d, r, &rule);
    for (i = 0; i < r->ncolumns; i++)
        if (r->columns[i].source != NULL)
            inherit_foreign_keys(d, r, &rule, &r->columns[i]);
}

static void resolve_table(struct doc *d, struct doc_relation *r)
{
    size_t i;

    r->whole = true;
    for (i = 0; i < r->ncolumns; i++) {
        struct doc_column *c = &r->columns[i];
        const struct doc_type *t = catalogdoc_type(d, c->type);
        unsigned depth;

        /* Nobody enforces what is declared of a foreign table. */
        if (r->kind == 'f') {
            c->not_null = false;
            continue;
        }
        for (depth = 0; t != NULL && t->base != 0 && depth < 32; depth++) {
            c->not_null = c->not_null || t->not_null;
            t = catalogdoc_type(d, t->base);
        }
    }
    if (!r->heirs)
        return;
    /* Reading the parent reads the rows of its heirs, which none of its indexes and foreign keys
     * know. */
    r->keys.n = 0;
    for (i = 0; i < r->foreign_keys.n; i++)
        r->foreign_keys.items[i].valid = false;
}

/* A cycle, which no database has, ends at a relation that is still being resolved. */
static void resolve(struct doc *d, struct doc_relation *r, unsigned depth)
{
    if (r->state != DOC_UNRESOLVED || depth > MAX_VIEW_DEPTH)
        return;
    r->state = DOC_RESOLVING;
    if (r->kind == 'v' || r->kind == 'm')
        resolve_view(d, r, depth);
    else
        resolve_table(d, r);
    find_ids(r);
    r->state = DOC_RESOLVED;
}

void lineage_resolve(struct doc *d)
{
    size_t i;

    for (i = 0; i < d->nrelations; i++)
        resolve(d, &d->relations[i], 0);
}

struct doc_column *lineage_column(struct doc_relation *r, const struct doc_relation *base,
                                  int32_t num)
{
    struct doc_relation *chain[MAX_VIEW_DEPTH + 2];
    struct doc_column *c;
    size_t n = 0;

    while (r != NULL && r != base && n < MAX_VIEW_DEPTH) {
        chain[n++] = r;
        r = r->single;
    }
    if (r != base)
        return NULL;
    c = catalogdoc_column(r, num);
    while (c != NULL && n > 0) {
        struct doc_relation *over = chain[--n];
        struct doc_column *found = NULL;
        size_t i;

        for (i = 0; i < over->ncolumns && found == NULL; i++)
            if (over->columns[i].source == r && over->columns[i].source_num == c->num &&
                (!over->exposed || n > 0 || over->columns[i].select))
                found = &over->columns[i];
        c = found;
        r = over;
    }
    return c;
}

bool lineage_bypasses(const struct doc *d, uint32_t user)
{
    size_t i;

    for (i = 0; i < d->nbypass; i++)
        if (d->bypass[i] == user)
            return true;
    return false;
}

bool lineage_has_rights_of(const struct doc *d, uint32_t user, uint32_t owner)
{
    size_t i;

    for (i = 0; i < d->nmembers; i++)
        if (d->members[i][0] == user && d->members[i][1] == owner)
            return true;
    return user == owner;
}

/* Which relations were looked at for which user. */
struct rls_search {
    const struct doc *doc;
    struct {
        struct rls_visit {
            const struct doc_relation *relation;
            uint32_t user;
        } * items;
        size_t n, cap;
    } visits;
};

static void visit(struct rls_search *s, const struct doc_relation *r, uint32_t user)
{
    size_t i;

    for (i = 0; i < s->visits.n; i++)
        if (s->visits.items[i].relation == r && s->visits.items[i].user == user)
            return;
    VEC_PUSH(s->doc->arena, &s->visits, (struct rls_visit){r, user});
}

bool lineage_rls(const struct doc *d, const struct doc_relation *r)
{
    struct rls_search s = {.doc = d};
    size_t i, j;

    visit(&s, r, d->role);
    for (i = 0; i < s.visits.n; i++) {
        struct rls_visit v = s.visits.items[i];
        uint32_t user = v.relation->invoker ? v.user : v.relation->owner;

        if (v.relation->rls && !lineage_bypasses(d, v.user) &&
            (v.relation->force_rls || !lineage_has_rights_of(d, v.user, v.relation->owner)))
            return true;
        /* A materialized view holds its rows itself. */
        for (j = 0; v.relation->kind == 'v' && j < v.relation->nuses; j++) {
            const struct doc_relation *used = catalogdoc_relation(d, v.relation->uses[j]);

            if (used != NULL)
                visit(&s, used, user);
        }
    }
    return false;
}
