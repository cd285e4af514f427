/*
 * exposure.c - what annotations make of a relation: its name, its columns' names and types, its
 * key.
 *
 * Thread:   one at a time.
 * Memory:   names are in the schema's arena.
 * Not here: reading annotations (annotations.c), declared relationships (declared.c).
 */
#include "schema/authrule.h"
#include "schema/build.h"
#include "schema/naming.h"

static bool contains(const struct said_list *l, struct str name)
{
    size_t i;

    for (i = 0; i < l->n; i++)
        if (str_eq(l->items[i].text, name))
            return true;
    return false;
}

/* --- names of columns in annotations ---------------------------------------------------------- */

static struct doc_column *find_column(const struct doc_relation *d, struct str name)
{
    size_t i;

    for (i = 0; i < d->ncolumns; i++)
        if (str_eq(d->columns[i].name, name))
            return &d->columns[i];
    return NULL;
}

static struct str closest_column(const struct doc_relation *d, struct str name)
{
    size_t best = 3, i;
    struct str out = {0};

    for (i = 0; i < d->ncolumns; i++) {
        size_t distance = str_distance(name, d->columns[i].name, 2);

        if (distance < best) {
            best = distance;
            out = d->columns[i].name;
        }
    }
    return out;
}

struct doc_column *exposure_column(struct builder *b, const struct doc_relation *d,
                                   const struct said *name)
{
    struct doc_column *c = find_column(d, name->text);
    struct str like;
    struct error *e;

    if (c != NULL)
        return c;
    e = place_error(name->at, b->errs, "%s \"%.*s.%.*s\" has no column \"%.*s\"",
                    catalogdoc_kind(d), STR_ARG(d->schema), STR_ARG(d->name), STR_ARG(name->text));
    like = closest_column(d, name->text);
    if (like.len > 0)
        e->hint = arena_printf(b->errs->arena, "there is \"%.*s\"", STR_ARG(like));
    return NULL;
}

static bool is_document_field(const struct type_annotation *t, struct str key)
{
    size_t i;

    if (is_said(t->shape))
        return true;
    for (i = 0; t->fields != NULL && i < t->fields->n; i++)
        if (str_eq(t->fields->items[i].key, key))
            return true;
    return false;
}

/* Columns, or fields of the relation's document. */
static void check_names(struct builder *b, const struct doc_relation *d, const struct said_list *l)
{
    size_t i;

    for (i = 0; i < l->n; i++)
        if (!is_document_field(d->annotation, l->items[i].text))
            (void)exposure_column(b, d, &l->items[i]);
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool same_columns(const struct doc_key *a, const int32_t *columns, size_t n)
{
    size_t i, j;

    if (a->n != n)
        return false;
    for (i = 0; i < n; i++) {
        for (j = 0; j < n && a->columns[i] != columns[j]; j++)
            continue;
        if (j == n)
            return false;
    }
    return true;
}

/* The declared key comes first, and is the one that identifies rows. */
static void put_key(struct builder *b, struct doc_relation *d, const int32_t *columns, size_t n)
{
    struct doc_key *keys = ARENA_ARRAY(b->scratch, d->keys.n + 1, struct doc_key);
    size_t i, count = 1;

    keys[0] = (struct doc_key){.primary = true, .declared = true, .n = n, .columns = columns};
    for (i = 0; i < d->keys.n; i++)
        if (!same_columns(&d->keys.items[i], columns, n))
            keys[count++] = d->keys.items[i];
    d->keys.items = keys;
    d->keys.n = d->keys.cap = count;
}

static void declare_key(struct builder *b, struct doc_relation *d, const struct said_list *names)
{
    int32_t *columns = ARENA_ARRAY(b->scratch, names->n, int32_t);
    size_t i, j;

    for (i = 0; i < names->n; i++) {
        struct doc_column *c = exposure_column(b, d, &names->items[i]);

        if (c == NULL)
            return;
        for (j = 0; j < i; j++) {
            if (columns[j] == c->num) {
                place_error(names->items[i].at, b->errs, "\"%.*s\" stands twice in the key",
                            STR_ARG(c->name));
                return;
            }
        }
        columns[i] = c->num;
    }
    for (i = 0; i < names->n; i++)
        find_column(d, names->items[i].text)->id = true;
    if (names->n > 0)
        put_key(b, d, columns, names->n);
}

/* pk_… and fk_… are for joins, `id` is who it is. */
static void declare_trinity(struct builder *b, struct doc_relation *d)
{
    const struct said id = {STR("id"), d->annotation->at};

    if (d->annotation->trinity == SAID_YES && !d->annotation->key.said)
        declare_key(b, d, &(struct said_list){&id, 1, true});
}

/* What leads to the key of another relation is an ID, as with a foreign key. */
static void declare_references(struct doc_relation *d)
{
    size_t i, j;

    for (i = 0; d->annotation != NULL && i < d->annotation->relations.n; i++) {
        const struct relation_annotation *r = &d->annotation->relations.items[i];

        for (j = 0; !r->references.said && j < r->columns.n; j++) {
            struct doc_column *c = find_column(d, r->columns.items[j].text);

            if (c != NULL)
                c->id = true;
        }
    }
    for (i = 0; i < d->ncolumns; i++) {
        struct doc_column *c = &d->columns[i];

        for (j = 0; c->annotation != NULL && j < c->annotation->relations.n; j++)
            c->id = c->id || !(c->annotation->relations.items[j].references.said ||
                               c->annotation->relations.items[j].columns.said);
    }
}

/* --- what relations.c asks -------------------------------------------------------------------- */

void exposure_prepare(struct builder *b, struct doc_relation *d)
{
    const struct type_annotation *t = d->annotation;

    declare_references(d);
    if (t == NULL)
        return;
    check_names(b, d, &t->expose_fields);
    check_names(b, d, &t->hide);
    if (is_said(t->tenant_column))
        (void)exposure_column(b, d, &t->tenant_column);
    declare_key(b, d, &t->key);
    declare_trinity(b, d);
}

bool exposure_hides(const struct doc_relation *d, const struct doc_column *c)
{
    const struct type_annotation *t = d->annotation;

    if (c->annotation != NULL && c->annotation->hide != UNSAID)
        return c->annotation->hide == SAID_YES;
    if (t == NULL)
        return false;
    if (t->expose_fields.said)
        return !contains(&t->expose_fields, c->name);
    return contains(&t->hide, c->name) ||
           (t->trinity == SAID_YES &&
            (str_starts(c->name, STR("pk_")) || str_starts(c->name, STR("fk_"))));
}

bool exposure_hides_key(const struct doc_relation *d, struct str key)
{
    const struct type_annotation *t = d->annotation;

    return t->expose_fields.said ? !contains(&t->expose_fields, key) : contains(&t->hide, key);
}

bool exposure_is_tenant(const struct builder *b, const struct doc_relation *d, struct str column)
{
    struct str name = b->opt->tenant_column;

    if (d->annotation != NULL && is_said(d->annotation->tenant_column))
        name = d->annotation->tenant_column.text;
    return name.len > 0 && str_eq(name, column);
}

struct str exposure_type_name(struct builder *b, const struct doc_relation *d)
{
    struct str stem = naming_strip(d->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes), name;

    if (d->annotation != NULL && is_said(d->annotation->name))
        return arena_dup(b->arena, d->annotation->name.text);
    name = naming_pascal(naming_singular(stem, b->scratch), b->arena);
    return name.len > 0 ? name : arena_printf(b->arena, "Relation%u", d->oid);
}

struct str exposure_field_name(struct builder *b, const struct doc_column *c)
{
    struct str name;

    if (c->annotation != NULL && is_said(c->annotation->name))
        return arena_dup(b->arena, c->annotation->name.text);
    name = naming_camel(c->name, b->arena);
    return name.len > 0 ? name : arena_printf(b->arena, "column%d", c->num);
}

/* --- types of columns ------------------------------------------------------------------------- */

static bool is_json(const struct column *c)
{
    return c->codec->kind == CODEC_JSONB || (c->scalar != NULL && str_is(c->scalar->name, "JSON"));
}

/* Is the type of a document, which is declared elsewhere? */
static bool is_document(const struct field_annotation *f, const struct column *c)
{
    return f->fields != NULL || is_said(f->shape) ||
           (is_json(c) && is_said(f->type.name) && !str_is(f->type.name.text, "JSON"));
}

static void check_type(struct builder *b, const struct doc_relation *d,
                       const struct field_annotation *f, const struct column *c)
{
    const struct said_type *t = &f->type;
    bool table = d->kind == 'r' || d->kind == 'p' || d->kind == 'f';
    struct buf is = {0};

    if (is_said(t->name) && !is_document(f, c) &&
        (!str_eq(t->name.text, c->type->name) || t->nlists != (c->is_array ? 1 : 0))) {
        type_ref_print((struct type_ref){c->type, c->is_array, 0}, &is);
        place_error(t->name.at, b->errs, "column \"%.*s\" of %s \"%.*s.%.*s\" is of type %.*s",
                    STR_ARG(c->name), catalogdoc_kind(d), STR_ARG(d->schema), STR_ARG(d->name),
                    STR_ARG(buf_str(&is)));
    }
    if (f->is_enum != UNSAID && (f->is_enum == SAID_YES) != (c->type->kind == TYPE_ENUM))
        place_error(f->at, b->errs, "column \"%.*s\" of %s \"%.*s.%.*s\" is %s enum",
                    STR_ARG(c->name), catalogdoc_kind(d), STR_ARG(d->schema), STR_ARG(d->name),
                    c->type->kind == TYPE_ENUM ? "an" : "no");
    if ((t->non_null & 1u) && !c->not_null && table)
        place_error(f->at, b->errs, "column \"%.*s\" of %s \"%.*s.%.*s\" may be null",
                    STR_ARG(c->name), catalogdoc_kind(d), STR_ARG(d->schema), STR_ARG(d->name))
            ->hint = STR("make the column not null, or let the field be null");
    buf_fini(&is);
}

bool exposure_describe(struct builder *b, const struct doc_relation *d, const struct doc_column *c,
                       struct column *out)
{
    const struct field_annotation *f = c->annotation;
    bool id = c->id;

    /* What identifies something may be shown as ID, or as what it is. */
    if (f != NULL && is_said(f->type.name))
        id = str_is(f->type.name.text, "ID");
    if (!values_describe(b, c->type, id, out))
        return false;
    out->not_null = c->not_null;
    comment_read(c->comment, b->arena, &out->comment, &out->deprecated);
    if (f == NULL)
        return true;
    check_type(b, d, f, out);
    if (is_document(f, out))
        documents_describe(b, d, f, out);
    out->not_null = c->not_null || (f->type.non_null & 1u);
    out->optional = f->required == SAID_NO;
    out->auth = authrule_make(b, &f->auth);
    if (is_said(f->description))
        out->comment = arena_dup(b->arena, f->description.text);
    if (is_said(f->deprecated))
        out->deprecated = arena_dup(b->arena, f->deprecated.text);
    return true;
}
