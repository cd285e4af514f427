/*
 * relations.c - exposed relations with their columns and keys.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: types of values (values.c), relationships (relationships.c), fields (objects.c).
 */
#include "schema/aggregates.h"
#include "schema/authrule.h"
#include "schema/naming.h"
#include "schema/operators.h"
#include "schema/tenancy.h"

static enum relation_kind relation_kind(char kind)
{
    switch (kind) {
    case 'v':
        return RELATION_VIEW;
    case 'm':
        return RELATION_MATVIEW;
    case 'f':
        return RELATION_FOREIGN;
    case 'p':
        return RELATION_PARTITIONED;
    default:
        return RELATION_TABLE;
    }
}

/* --- columns ---------------------------------------------------------------------------------- */

static bool set_type(struct builder *b, const struct doc_relation *r, const struct doc_column *c,
                     struct column *out)
{
    if (exposure_describe(b, r, c, out)) {
        out->aggregates = aggregates_of(b, out);
        return true;
    }
    errors_add(b->errs, SCHEMA_INVALID,
               "malformed catalog document: column \"%.*s\" of %s \"%.*s.%.*s\" has no type",
               STR_ARG(c->name), catalogdoc_kind(r), STR_ARG(r->schema), STR_ARG(r->name));
    return false;
}

/* False if there is another column of the same field name. */
static bool name_field(struct builder *b, const struct doc_relation *r, const struct doc_column *c,
                       struct map *names, struct column *out)
{
    const struct column *other;
    struct error *e;

    if (map_add(names, out->field_name, out))
        return true;
    other = map_get(names, out->field_name);
    e = errors_add(b->errs, SCHEMA_INVALID,
                   "columns \"%.*s\" and \"%.*s\" of %s \"%.*s.%.*s\" would both be the field "
                   "\"%.*s\"",
                   STR_ARG(other->name), STR_ARG(out->name), catalogdoc_kind(r), STR_ARG(r->schema),
                   STR_ARG(r->name), STR_ARG(out->field_name));
    if (c->annotation != NULL && is_said(c->annotation->name))
        sourcetext_place(c->annotation->name.at.source, c->annotation->name.at.at, e, b->errs);
    e->hint = STR("give one of them another name with \"@fraiseql:field name=…\" in its comment");
    return false;
}

/* Is it text that requests may search, by a pattern of relation.column? */
static bool is_searched(const struct builder *b, const struct doc_relation *r,
                        const struct column *c)
{
    struct str name = arena_printf(b->scratch, "%.*s.%.*s", STR_ARG(r->name), STR_ARG(c->name));

    for (size_t i = 0; i < b->opt->nfull_text; i++)
        if (str_glob(b->opt->full_text[i], name))
            return c->scalar != NULL && (c->scalar->filters & FILTER_STRING) && !c->is_array &&
                   c->comparable;
    return false;
}

static void make_columns(struct builder *b, struct doc_relation *d, struct relation *r,
                         struct built *made)
{
    const struct doc_column *document = NULL;
    struct column *columns;
    struct map names;
    size_t i, n = 0, nkeys = 0, nreal = 0;
    int hidden;

    map_init(&names, b->scratch);
    if (made->document != NULL) {
        document = documents_column(b, d);
        nkeys = documents_count(b, d, made);
    }
    columns = ARENA_ARRAY(b->arena, d->ncolumns + nkeys, struct column);
    d->made_columns = ARENA_ARRAY(b->scratch, d->ncolumns, struct column *);
    for (hidden = 0; hidden <= 1; hidden++) {
        for (i = 0; i < d->ncolumns; i++) {
            const struct doc_column *c = &d->columns[i];
            struct column *out = &columns[n];

            if (!c->select || (exposure_hides(d, c) || c == document) != hidden)
                continue;
            out->name = arena_dup(b->arena, c->name);
            out->field_name = exposure_field_name(b, c);
            if (!set_type(b, d, c, out))
                continue;
            if (document != NULL && !hidden)
                documents_merge(b, d, c, out);
            if (!hidden && !name_field(b, d, c, &names, out))
                continue;
            out->full_text = is_searched(b, d, out);
            out->index = n;
            d->made_columns[i] = out;
            n++;
        }
        if (hidden)
            continue;
        nreal = n;
        if (document != NULL && document->select)
            n = documents_add(b, d, columns, n, &names);
        r->ncolumns = n;
    }
    for (i = nreal; i < r->ncolumns; i++)
        columns[i].of = d->made_columns[document - d->columns];
    if (document != NULL && document->select)
        columns[d->made_columns[document - d->columns]->index].document = true;
    r->columns = columns;
    r->nall_columns = n;
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool make_key(struct builder *b, const struct doc_relation *d, const struct doc_key *from,
                     struct key *out)
{
    const struct column **columns = ARENA_ARRAY(b->arena, from->n, const struct column *);
    size_t i;

    *out = (struct key){.columns = columns,
                        .n = from->n,
                        .primary = from->primary,
                        .arbiter = !from->deferrable && !from->declared,
                        .declared = from->declared};
    out->identifies = true;
    for (i = 0; i < from->n; i++) {
        const struct doc_column *c = catalogdoc_column(d, from->columns[i]);

        columns[i] = c ? d->made_columns[c - d->columns] : NULL;
        if (columns[i] == NULL)
            return false;
        out->identifies = out->identifies && (columns[i]->not_null || from->declared);
    }
    return true;
}

static int key_rank(const struct key *k)
{
    return k->identifies ? (k->primary ? 0 : 1) : 2;
}

static void make_keys(struct builder *b, const struct doc_relation *d, struct relation *r)
{
    struct key *keys = ARENA_ARRAY(b->arena, d->keys.n, struct key);
    size_t i, n = 0;
    struct key k;
    int rank;

    for (rank = 0; rank <= 2; rank++)
        for (i = 0; i < d->keys.n; i++)
            if (make_key(b, d, &d->keys.items[i], &k) && key_rank(&k) == rank)
                keys[n++] = k;
    r->keys = keys;
    r->nkeys = n;
}

/* --- relations -------------------------------------------------------------------------------- */

static bool has_readable_column(const struct doc_relation *d)
{
    size_t i;

    for (i = 0; i < d->ncolumns; i++)
        if (d->columns[i].select)
            return true;
    return false;
}

static void make_relation(struct builder *b, struct doc_relation *d, struct relation *r,
                          struct built *built)
{
    struct str origin = arena_printf(b->scratch, "%s \"%.*s.%.*s\"", catalogdoc_kind(d),
                                     STR_ARG(d->schema), STR_ARG(d->name));

    d->made = r;
    r->oid = d->oid;
    r->kind = relation_kind(d->kind);
    r->schema = arena_dup(b->arena, d->schema);
    r->name = arena_dup(b->arena, d->name);
    comment_read(d->comment, b->arena, &r->comment, &r->deprecated);
    r->security_invoker = d->invoker;
    r->rls = lineage_rls(&b->doc, d);
    if (d->annotation != NULL && is_said(d->annotation->description))
        r->comment = arena_dup(b->arena, d->annotation->description.text);
    if (d->annotation != NULL && is_said(d->annotation->deprecated))
        r->deprecated = arena_dup(b->arena, d->annotation->deprecated.text);
    r->type_name = exposure_type_name(b, d);
    built->object = builder_add_type(b, TYPE_OBJECT, r->type_name, origin);
    built->object->description = r->comment;
    built->object->relation = r;
    if (d->annotation != NULL) {
        built->object->auth = authrule_make(b, &d->annotation->auth);
        built->object->cache =
            (struct field_ttl){d->annotation->cache.said, d->annotation->cache.seconds};
    }
    r->type = built->object;
}

void relations_build(struct builder *b)
{
    size_t i, n = 0;

    for (i = 0; i < b->doc.nrelations; i++)
        n += b->doc.relations[i].exposed && has_readable_column(&b->doc.relations[i]);
    b->relations = ARENA_ARRAY(b->arena, n, struct relation);
    b->sources = ARENA_ARRAY(b->scratch, n, struct doc_relation *);
    b->built = ARENA_ARRAY(b->scratch, n, struct built);
    for (i = 0; i < b->doc.nrelations; i++) {
        struct doc_relation *d = &b->doc.relations[i];

        if (!d->exposed || !has_readable_column(d))
            continue;
        b->sources[b->nrelations] = d;
        make_relation(b, d, &b->relations[b->nrelations], &b->built[b->nrelations]);
        b->nrelations++;
    }
    if (n == 0)
        errors_add(b->errs, SCHEMA_INVALID, "there is no relation that the role may read")->hint =
            STR("check schema.expose and the privileges of the role");
    for (i = 0; i < n; i++)
        documents_begin(b, b->sources[i], &b->built[i]);
    /* Types of columns after those of relations, whose names have precedence. */
    for (i = 0; i < n; i++) {
        exposure_prepare(b, b->sources[i]);
        make_columns(b, b->sources[i], &b->relations[i], &b->built[i]);
        tenancy_set(b, b->sources[i], &b->relations[i]);
        make_keys(b, b->sources[i], &b->relations[i]);
    }
    b->schema->relations = b->relations;
    b->schema->nrelations = n;
}
