/*
 * declared.c - relationships that annotations declare.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: relationships of foreign keys, and names that nobody has chosen (relationships.c).
 */
#include "schema/authrule.h"
#include "schema/build.h"
#include "schema/naming.h"

/* "v_user" or "app.v_user". */
static struct doc_relation *find_by_name(struct builder *b, const struct said *to)
{
    struct str schema, name;
    bool qualified = str_cut(to->text, '.', &schema, &name);
    struct doc_relation *found = NULL;
    size_t i;

    for (i = 0; i < b->nrelations; i++) {
        struct doc_relation *d = b->sources[i];

        if (!str_eq(d->name, qualified ? name : to->text) ||
            (qualified && !str_eq(d->schema, schema)))
            continue;
        if (found != NULL) {
            place_error(to->at, b->errs, "\"%.*s\" is in several schemas", STR_ARG(to->text))
                ->hint = STR("name it with its schema");
            return NULL;
        }
        found = d;
    }
    if (found == NULL && !b->opt->partial)
        place_error(to->at, b->errs, "there is no type or exposed relation \"%.*s\"",
                    STR_ARG(to->text));
    return found;
}

struct doc_relation *declared_relation(struct builder *b, const struct said *to)
{
    const struct type *t = builder_find_type(b, to->text);

    if (t != NULL && t->kind == TYPE_OBJECT && t->relation != NULL && t->relation->type == t)
        return b->sources[builder_index(b, t->relation)];
    return find_by_name(b, to);
}

/* NULL if one is not there, as was told, or is not the role's to read. */
static const struct column **columns_of(struct builder *b, const struct doc_relation *d,
                                        const struct said_list *names)
{
    const struct column **out = ARENA_ARRAY(b->arena, names->n, const struct column *);
    size_t i;
    bool ok = true;

    for (i = 0; i < names->n; i++) {
        const struct doc_column *c = exposure_column(b, d, &names->items[i]);

        out[i] = c != NULL ? d->made_columns[c - d->columns] : NULL;
        ok = ok && out[i] != NULL;
    }
    return ok && names->n > 0 ? out : NULL;
}

static const struct column *const *key_columns(struct builder *b, const struct doc_relation *d,
                                               const struct relation_annotation *from, size_t n)
{
    const struct key *k = relation_key(d->made);

    if (k != NULL && k->n == n)
        return k->columns;
    place_error(from->at, b->errs,
                "\"%.*s\" has no key of %zu column%s: columns of both have to be named",
                STR_ARG(d->made->type_name), n, n == 1 ? "" : "s");
    return NULL;
}

static const struct column *const *referenced_columns(struct builder *b,
                                                      const struct doc_relation *d,
                                                      const struct relation_annotation *from,
                                                      size_t n)
{
    if (from->references.said)
        return columns_of(b, d, &from->references);
    return key_columns(b, d, from, n);
}

/* Types that PostgreSQL compares with an = of their own. */
static int family(const struct column *c)
{
    static const struct {
        struct str type;
        int family;
    } families[] = {
        {STR_INIT("smallint"),          1},
        {STR_INIT("integer"),           1},
        {STR_INIT("bigint"),            1},
        {STR_INIT("text"),              2},
        {STR_INIT("character varying"), 2},
    };
    size_t i;

    for (i = 0; i < COUNT_OF(families); i++)
        if (str_eq(families[i].type, c->type_sql))
            return families[i].family;
    return 0;
}

static bool can_compare(const struct column *a, const struct column *b)
{
    return a->comparable && b->comparable &&
           (a->type_oid == b->type_oid || (family(a) != 0 && family(a) == family(b)));
}

static bool check_columns(struct builder *b, const struct relation_annotation *from,
                          const struct relationship *w)
{
    bool ok = true;
    size_t i;

    for (i = 0; i < w->n; i++) {
        const struct column *x = w->from_columns[i], *y = w->to_columns[i];

        if (can_compare(x, y))
            continue;
        place_error(from->at, b->errs,
                    "\"%.*s\" of type %.*s and \"%.*s\" of type %.*s cannot be compared",
                    STR_ARG(x->name), STR_ARG(x->type_sql), STR_ARG(y->name), STR_ARG(y->type_sql));
        ok = false;
    }
    return ok;
}

static bool is_same_way(const struct relationship *a, const struct relationship *b)
{
    return a->via == NULL && a->to == b->to && a->n == b->n && a->to_many == b->to_many &&
           memcmp(a->from_columns, b->from_columns, a->n * sizeof(*a->from_columns)) == 0 &&
           memcmp(a->to_columns, b->to_columns, a->n * sizeof(*a->to_columns)) == 0;
}

/* One that a foreign key has made already gets the name, and stays what it is. */
static void add_way(struct builder *b, const struct relation_annotation *from,
                    const struct relationship *w, struct ways *list)
{
    struct way way = {.way = *w, .name = from->name, .description = from->description};
    size_t i;

    way.way.auth = authrule_make(b, &from->auth);
    for (i = 0; i < list->n; i++) {
        if (is_said(list->items[i].name) || !is_same_way(&list->items[i].way, w))
            continue;
        list->items[i].name = from->name;
        list->items[i].description = from->description;
        list->items[i].way.auth = authrule_make(b, &from->auth);
        return;
    }
    if (w->to_many)
        relationships_name_reverse(b, &way);
    else
        relationships_name_to_one(b, &way);
    VEC_PUSH(b->scratch, list, way);
}

static void declare_way(struct builder *b, size_t index, const struct relation_annotation *from,
                        const struct said_list *columns, struct ways *list)
{
    const struct doc_relation *d = b->sources[index], *to = declared_relation(b, &from->to);
    struct relationship w = {.from = d->made, .n = columns->n, .nullable = true};

    if (columns->said) {
        w.from_columns = columns_of(b, d, columns);
    } else {
        w.n = from->references.n;
        w.from_columns = key_columns(b, d, from, w.n);
    }
    if (to == NULL || w.from_columns == NULL)
        return;
    w.to = to->made;
    w.to_columns = referenced_columns(b, to, from, w.n);
    if (w.to_columns == NULL || !check_columns(b, from, &w))
        return;
    w.to_many = !relationships_is_key(w.to, w.to_columns, w.n);
    /* What is not known to be one may be declared to be. */
    if (from->list == SAID_NO)
        w.to_many = false;
    else if (from->list == SAID_YES)
        w.to_many = true;
    add_way(b, from, &w, list);
}

void declared_ways(struct builder *b, size_t index, struct ways *list)
{
    const struct doc_relation *d = b->sources[index];
    size_t i, j;

    for (i = 0; d->annotation != NULL && i < d->annotation->relations.n; i++)
        declare_way(b, index, &d->annotation->relations.items[i],
                    &d->annotation->relations.items[i].columns, list);
    for (i = 0; i < d->ncolumns; i++) {
        const struct doc_column *c = &d->columns[i];
        const struct said name = {c->name, {0}};
        const struct said_list this = {&name, 1, true};

        if (c->annotation == NULL || !c->select)
            continue;
        for (j = 0; j < c->annotation->relations.n; j++) {
            const struct relation_annotation *from = &c->annotation->relations.items[j];

            declare_way(b, index, from, from->columns.said ? &from->columns : &this, list);
        }
    }
}

void declared_names(struct builder *b, const struct relation *r, struct ways *list,
                    struct map *taken)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        struct way *w = &list->items[i];

        if (is_said(w->description))
            w->way.description = arena_dup(b->arena, w->description.text);
        if (!is_said(w->name))
            continue;
        w->way.field_name = arena_dup(b->arena, w->name.text);
        if (map_add(taken, w->way.field_name, b))
            continue;
        place_error(w->name.at, b->errs, "type \"%.*s\" would have two fields named \"%.*s\"",
                    STR_ARG(r->type_name), STR_ARG(w->name.text));
        w->way.field_name = STR("");
    }
}
