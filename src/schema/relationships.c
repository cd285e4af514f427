/*
 * relationships.c - foreign keys to relationships between exposed relations, and their names.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: fields (objects.c), following foreign keys through views (lineage.c), join tables
 *           (junctions.c).
 *
 * A foreign key leads to a table; what is exposed may be views of it. Of several that stand for one
 * table, the one to follow is the one with the table's own name (v_project and not v_open_project
 * for projects), else the first by kind (views, materialized views, tables), schema and name. The
 * way back is a list on that relation, or one object where the columns are a key.
 */
#include "schema/build.h"
#include "schema/naming.h"
#include "schema/sdlfile.h"

/* --- which relation stands for a table -------------------------------------------------------- */

static int kind_rank(enum relation_kind kind)
{
    return kind == RELATION_VIEW ? 0 : kind == RELATION_MATVIEW ? 1 : 2;
}

static bool has_name_of(const struct builder *b, const struct relation *r,
                        const struct doc_relation *table)
{
    struct str stem = naming_strip(table->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes);

    return str_eq(r->type_name, naming_pascal(naming_singular(stem, b->scratch), b->scratch));
}

static bool is_better(const struct builder *b, const struct relation *r,
                      const struct relation *than, const struct doc_relation *table)
{
    bool named = has_name_of(b, r, table);

    if (than == NULL)
        return true;
    if (named != has_name_of(b, than, table))
        return named;
    /* Relations come sorted by schema and name. */
    return kind_rank(r->kind) < kind_rank(than->kind);
}

bool relationships_is_key(const struct relation *r, const struct column *const *columns, size_t n)
{
    size_t i, j, k;

    for (i = 0; i < r->nkeys; i++) {
        if (r->keys[i].n != n)
            continue;
        for (j = 0; j < n; j++) {
            for (k = 0; k < n && r->keys[i].columns[k] != columns[j]; k++)
                continue;
            if (k == n)
                break;
        }
        if (j == n)
            return true;
    }
    return false;
}

static const struct column *made_column(const struct doc_relation *d, const struct doc_column *c)
{
    return c != NULL ? d->made_columns[c - d->columns] : NULL;
}

/* The columns that a foreign key leads to in d; NULL if d does not stand for the table, has not all
 * of them, or has not each row once. */
static const struct column **target_columns(const struct builder *b, struct doc_relation *d,
                                            const struct doc_relation *table,
                                            const struct doc_foreign_key *f)
{
    const struct column **out = ARENA_ARRAY(b->arena, f->n, const struct column *);
    size_t i;

    for (i = 0; i < f->n; i++) {
        out[i] = made_column(d, lineage_column(d, table, f->to_columns[i]));
        if (out[i] == NULL)
            return NULL;
    }
    return relationships_is_key(d->made, out, f->n) ? out : NULL;
}

/* Exposed relations by the tables they stand for. */
struct standing {
    struct standing_row {
        const struct doc_relation *table;
        struct doc_relation *by;
    } * items;
    size_t n, cap;
};

static int compare_standing(const void *a, const void *b)
{
    const struct standing_row *x = a, *y = b;

    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    return (x->by > y->by) - (x->by < y->by);
}

static void find_standing(struct builder *b, struct standing *s)
{
    size_t i, depth;

    for (i = 0; i < b->nrelations; i++) {
        struct doc_relation *by = b->sources[i], *table = by;

        for (depth = 0; table != NULL && depth < 200; depth++, table = table->single)
            VEC_PUSH(b->scratch, s, (struct standing_row){table, by});
    }
    if (s->n > 0)
        qsort(s->items, s->n, sizeof(*s->items), compare_standing);
}

/* The rows of a table: the first, and how many. */
static const struct standing_row *standing_for(const struct standing *s,
                                               const struct doc_relation *table, size_t *n)
{
    size_t low = 0, high = s->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->items[middle].table < table)
            low = middle + 1;
        else
            high = middle;
    }
    for (*n = 0; low + *n < s->n && s->items[low + *n].table == table; (*n)++)
        continue;
    return s->items + low;
}

/* --- names ------------------------------------------------------------------------------------ */

static struct str by_columns(struct builder *b, struct str what,
                             const struct column *const *columns, size_t n)
{
    struct str out = arena_printf(b->arena, "%.*sBy", STR_ARG(what));
    size_t i;

    for (i = 0; i < n; i++)
        out = arena_printf(b->arena, "%.*s%s%.*s", STR_ARG(out), i ? "And" : "",
                           STR_ARG(naming_upper_first(columns[i]->field_name, b->scratch)));
    return out;
}

/* owner_id -> owner, fk_owner -> owner; of (tenant_id, owner_id) the tenant says nothing. Empty if
 * the columns give no name. */
static struct str to_one_name(struct builder *b, const struct relationship *w)
{
    const struct column *one = NULL;
    size_t i, others = 0;
    struct str name;

    for (i = 0; i < w->n; i++) {
        if (w->n > 1 && w->from_columns[i] == w->from->tenant_column)
            continue;
        one = w->from_columns[i];
        others++;
    }
    if (others != 1)
        return naming_lower_first(w->to->type_name, b->arena);
    name = one->name;
    if (str_starts(name, STR("fk_")))
        return naming_camel(str_sub(name, 3, name.len), b->arena);
    if (str_ends(name, STR("_id")) || str_ends(name, STR("Id")) || str_ends(name, STR("ID")))
        return naming_camel(str_sub(name, 0, name.len - (str_ends(name, STR("_id")) ? 3 : 2)),
                            b->arena);
    return str_make("", 0);
}

void relationships_name_to_one(struct builder *b, struct way *w)
{
    struct str to = naming_lower_first(w->way.to->type_name, b->arena);

    w->preferred = to_one_name(b, &w->way);
    w->fallback = by_columns(b, to, w->way.from_columns, w->way.n);
}

/* The way back is named after where it leads, and told from others by the columns there. */
void relationships_name_reverse(struct builder *b, struct way *w)
{
    struct str to = naming_lower_first(w->way.to->type_name, b->arena);

    if (w->way.to_many)
        to = naming_plural(to, b->arena);
    w->preferred = to;
    w->fallback = by_columns(b, to, w->way.to_columns, w->way.n);
}

/* How many through join tables, or not, want a name. */
static size_t count_preferred(const struct ways *l, struct str name, bool junction)
{
    size_t i, n = 0;

    for (i = 0; i < l->n; i++)
        n += (l->items[i].way.via != NULL) == junction && str_eq(l->items[i].preferred, name);
    return n;
}

static bool shares_fallback(const struct ways *l, const struct way *w)
{
    size_t i;

    for (i = 0; i < l->n; i++)
        if (&l->items[i] != w && str_eq(l->items[i].fallback, w->fallback))
            return true;
    return false;
}

/* The preferred name where nothing else has or wants it, else the long one, else that with a
 * number. */
static void settle_names(struct builder *b, struct ways *l, bool junction, struct map *taken)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        struct way *w = &l->items[i];

        if ((w->way.via != NULL) == junction && w->preferred.len && !w->way.field_name.len &&
            map_get(taken, w->preferred) == NULL && count_preferred(l, w->preferred, junction) == 1)
            w->way.field_name = w->preferred;
    }
    for (i = 0; i < l->n; i++)
        if (l->items[i].way.field_name.len)
            map_add(taken, l->items[i].way.field_name, b);
    for (i = 0; i < l->n; i++) {
        struct way *w = &l->items[i];
        struct str name = w->last.len > 0 && shares_fallback(l, w) ? w->last : w->fallback;
        unsigned number;

        if ((w->way.via != NULL) != junction || w->way.field_name.len)
            continue;
        w->way.field_name = name;
        for (number = 2; !map_add(taken, w->way.field_name, b); number++)
            w->way.field_name = arena_printf(b->arena, "%.*s%u", STR_ARG(name), number);
    }
}

/* What leads through a join table takes no name from what does not. */
/* What the SDL file leaves out is no way at all: it is not filtered by either. */
static void drop_hidden(const struct doc_relation *d, struct ways *l)
{
    size_t i, n = 0;

    for (i = 0; i < l->n; i++)
        if (sdl_exposes(d->annotation, l->items[i].way.field_name))
            l->items[n++] = l->items[i];
    l->n = n;
}

static void settle_all(struct builder *b, const struct relation *r, struct ways *l)
{
    struct map taken;
    size_t i;

    map_init(&taken, b->scratch);
    for (i = 0; i < r->ncolumns; i++)
        map_add(&taken, r->columns[i].field_name, b);
    declared_names(b, r, l, &taken);
    settle_names(b, l, false, &taken);
    settle_names(b, l, true, &taken);
}

/* --- making them ------------------------------------------------------------------------------ */

static bool has_way(const struct ways *l, const struct relationship *w)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        const struct relationship *other = &l->items[i].way;

        if (other->to == w->to && other->n == w->n && other->to_many == w->to_many &&
            memcmp(other->from_columns, w->from_columns, w->n * sizeof(*w->from_columns)) == 0 &&
            memcmp(other->to_columns, w->to_columns, w->n * sizeof(*w->to_columns)) == 0)
            return true;
    }
    return false;
}

static bool is_whole(const struct doc_relation *d, const struct doc_relation *table)
{
    unsigned depth;

    for (depth = 0; d != NULL && d != table && depth < 200; depth++) {
        if (!d->whole)
            return false;
        d = d->single;
    }
    return d == table;
}

static bool all_not_null(const struct column *const *columns, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (!columns[i]->not_null)
            return false;
    return true;
}

static const struct column **source_columns(const struct builder *b, const struct doc_relation *d,
                                            const struct doc_foreign_key *f)
{
    const struct column **out = ARENA_ARRAY(b->arena, f->n, const struct column *);
    size_t i;

    for (i = 0; i < f->n; i++) {
        out[i] = made_column(d, catalogdoc_column(d, f->columns[i]));
        if (out[i] == NULL)
            return NULL;
    }
    return out;
}

/* The relation that a foreign key of d leads to; false if none is exposed. */
static bool find_way(struct builder *b, const struct standing *s, struct doc_relation *d,
                     const struct doc_foreign_key *f, struct relationship *out)
{
    const struct doc_relation *table = catalogdoc_relation(&b->doc, f->to), *best = NULL;
    const struct column **from = source_columns(b, d, f), **to = NULL, **columns;
    const struct standing_row *rows;
    size_t i, n;

    if (table == NULL || from == NULL)
        return false;
    rows = standing_for(s, table, &n);
    for (i = 0; i < n; i++) {
        struct doc_relation *by = rows[i].by;

        if (best != NULL && !is_better(b, by->made, best->made, table))
            continue;
        columns = target_columns(b, by, table, f);
        if (columns != NULL) {
            best = by;
            to = columns;
        }
    }
    if (best == NULL)
        return false;
    *out = (struct relationship){.from = d->made,
                                 .to = best->made,
                                 .n = f->n,
                                 .from_columns = from,
                                 .to_columns = to,
                                 .foreign_key = KEY_HERE,
                                 .nullable = !f->valid || !all_not_null(from, f->n) ||
                                             best->made->rls || !is_whole(best, table)};
    return true;
}

static void add_ways(struct builder *b, const struct standing *s, struct ways *lists, size_t index)
{
    struct doc_relation *d = b->sources[index];
    size_t i;

    for (i = 0; i < d->foreign_keys.n; i++) {
        struct way way = {.forward = true}, back = {.forward = false};
        struct ways *there;

        if (!find_way(b, s, d, &d->foreign_keys.items[i], &way.way) ||
            has_way(&lists[index], &way.way))
            continue;
        relationships_name_to_one(b, &way);
        VEC_PUSH(b->scratch, &lists[index], way);
        back.way = (struct relationship){.from = way.way.to,
                                         .to = way.way.from,
                                         .n = way.way.n,
                                         .from_columns = way.way.to_columns,
                                         .to_columns = way.way.from_columns,
                                         .foreign_key = KEY_THERE,
                                         .nullable = true};
        back.way.to_many = !relationships_is_key(back.way.to, back.way.to_columns, back.way.n);
        there = &lists[builder_index(b, back.way.from)];
        relationships_name_reverse(b, &back);
        VEC_PUSH(b->scratch, there, back);
    }
}

void relationships_build(struct builder *b)
{
    struct ways *lists = ARENA_ARRAY(b->scratch, b->nrelations, struct ways);
    struct standing standing = {0};
    size_t i, j;

    find_standing(b, &standing);
    for (i = 0; i < b->nrelations; i++)
        add_ways(b, &standing, lists, i);
    junctions_add(b, lists);
    for (i = 0; i < b->nrelations; i++)
        declared_ways(b, i, &lists[i]);
    for (i = 0; i < b->nrelations; i++) {
        struct relationship *out = ARENA_ARRAY(b->arena, lists[i].n, struct relationship);
        size_t n = 0;

        settle_all(b, &b->relations[i], &lists[i]);
        drop_hidden(b->sources[i], &lists[i]);
        /* To-one first: they read like columns. */
        for (j = 0; j < lists[i].n; j++)
            if (!lists[i].items[j].way.to_many)
                out[n++] = lists[i].items[j].way;
        for (j = 0; j < lists[i].n; j++)
            if (lists[i].items[j].way.to_many)
                out[n++] = lists[i].items[j].way;
        b->relations[i].relationships = out;
        b->relations[i].nrelationships = n;
    }
}
