/*
 * relations.c - exposed relations with their columns, keys and the types of their values.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: relationships (relationships.c), fields (objects.c).
 */
#include "base/buf.h"
#include "schema/build.h"
#include "schema/naming.h"

#define MAX_DOMAIN_DEPTH 32 /* of domains over domains */

static const char *kind_name(char kind)
{
    switch (kind) {
    case 'v':
        return "view";
    case 'm':
        return "materialized view";
    case 'f':
        return "foreign table";
    default:
        return "table";
    }
}

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

/* --- enums and named scalars ------------------------------------------------------------------ */

static bool value_taken(const struct enum_value *values, size_t n, struct str name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (str_eq(values[i].name, name))
            return true;
    return false;
}

/* Labels that come to one name are told apart by a number; those of no letter at all are VALUE. */
static struct str value_name(struct builder *b, struct str label, const struct enum_value *values,
                             size_t n)
{
    struct str stem = naming_enum_value(label, b->arena);
    struct str name;
    unsigned i;

    if (stem.len == 0)
        stem = STR("VALUE");
    name = stem;
    for (i = 2; value_taken(values, n, name); i++)
        name = arena_printf(b->arena, "%.*s_%u", STR_ARG(stem), i);
    return name;
}

static bool legal_label(struct str label)
{
    return naming_is_legal(label) && !str_is(label, "true") && !str_is(label, "false") &&
           !str_is(label, "null");
}

static void set_labels(struct builder *b, struct type *t, const struct jval *labels)
{
    struct enum_value *values = ARENA_ARRAY(b->scratch, labels->n, struct enum_value);
    size_t i, n = 0;

    /* Labels that stay as they are come first, so that no other takes their name. */
    for (i = 0; i < labels->n; i++)
        if (legal_label(labels->items[i]->text))
            values[i].name = arena_dup(b->arena, labels->items[i]->text);
    for (n = 0; n < labels->n; n++) {
        values[n].label = arena_dup(b->arena, labels->items[n]->text);
        if (values[n].name.len == 0)
            values[n].name = value_name(b, values[n].label, values, labels->n);
        values[n].value = (int)n;
    }
    builder_set_values(b, t, values, n);
}

static struct str type_origin(struct builder *b, const char *what, const struct doc_type *d)
{
    return arena_printf(b->scratch, "%s \"%.*s.%.*s\"", what, STR_ARG(d->schema), STR_ARG(d->name));
}

static const struct type *enum_type(struct builder *b, struct doc_type *d)
{
    struct str name = naming_pascal(d->name, b->arena);
    struct type *t;

    if (name.len == 0)
        name = arena_printf(b->arena, "Enum%u", d->oid);
    t = builder_add_type(b, TYPE_ENUM, name, type_origin(b, "enum type", d));
    comment_read(d->comment, b->arena, &t->description, &(struct str){0});
    t->enum_sql = arena_dup(b->arena, d->sql);
    set_labels(b, t, d->labels);
    return t;
}

/* Any type without a row in the table: its text form, under its own name. */
static const struct type *named_scalar(struct builder *b, struct doc_type *d)
{
    struct str name = naming_pascal(d->name, b->arena);
    struct type *t;

    if (name.len == 0)
        name = arena_printf(b->arena, "Type%u", d->oid);
    if (builder_find_type(b, name) != NULL || scalar_find(name) != NULL)
        name = arena_printf(b->arena, "%.*sValue", STR_ARG(name));
    t = builder_add_type(b, TYPE_SCALAR, name, type_origin(b, "type", d));
    comment_read(d->comment, b->arena, &t->description, &(struct str){0});
    if (t->description.len == 0)
        t->description =
            arena_printf(b->arena, "PostgreSQL's type %.*s in its text form.", STR_ARG(d->sql));
    return t;
}

/* --- columns ---------------------------------------------------------------------------------- */

static struct doc_type *follow_domains(const struct builder *b, uint32_t oid)
{
    struct doc_type *t = catalogdoc_type(&b->doc, oid);
    unsigned depth;

    for (depth = 0; t != NULL && t->base != 0; depth++)
        t = depth < MAX_DOMAIN_DEPTH ? catalogdoc_type(&b->doc, t->base) : NULL;
    return t;
}

static enum codec_kind id_codec(enum codec_kind kind)
{
    if (kind == CODEC_INT2)
        return CODEC_ID_INT2;
    if (kind == CODEC_INT4)
        return CODEC_ID_INT4;
    return kind == CODEC_INT8_STRING ? CODEC_ID_INT8 : kind;
}

/* Identifiers are of these types; a date in a composite key stays a date. */
static bool can_be_id(const struct scalar_mapping *m)
{
    return m->select_cast[0] == '\0' &&
           (m->codec == CODEC_INT2 || m->codec == CODEC_INT4 || m->codec == CODEC_INT8_STRING ||
            m->codec == CODEC_UUID || m->codec == CODEC_TEXT);
}

static enum codec_kind number_codec(const struct builder *b, const struct scalar_mapping *m)
{
    if (m->codec == CODEC_INT8_STRING && b->opt->bigint_numbers)
        return CODEC_INT8_NUMBER;
    if (str_is(str_of(m->pg_type), "numeric") && b->opt->decimal_numbers)
        return CODEC_TEXT_NUMBER;
    return m->codec;
}

/* The GraphQL type and codec of a value of type v (the element's of arrays), and the cast of its
 * SELECT. */
static const char *value_type(struct builder *b, struct doc_type *v, bool id, struct column *out,
                              struct codec *codec)
{
    const struct scalar_mapping *m = scalar_for_pg_type(v->name);

    if (v->kind == 'e' && v->labels != NULL) {
        if (v->graphql == NULL)
            v->graphql = enum_type(b, v);
        out->type = v->graphql;
        codec->kind = CODEC_ENUM;
        codec->enum_type = v->graphql;
        return "";
    }
    if (m == NULL || (!m->extension && !str_is(v->schema, "pg_catalog"))) {
        if (v->graphql == NULL)
            v->graphql = named_scalar(b, v);
        out->type = v->graphql;
        codec->kind = CODEC_TEXT;
        return "::text";
    }
    out->is_id = id && can_be_id(m);
    out->type = builder_scalar(b, out->is_id ? "ID" : m->scalar);
    out->scalar = out->type->scalar;
    codec->kind = out->is_id ? id_codec(m->codec) : number_codec(b, m);
    return m->select_cast;
}

static bool set_type(struct builder *b, const struct doc_relation *r, const struct doc_column *c,
                     struct column *out)
{
    struct doc_type *t = follow_domains(b, c->type);
    struct doc_type *v = t != NULL && t->element ? follow_domains(b, t->element) : t;
    struct codec *codec = ARENA_NEW(b->arena, struct codec), *array;
    const char *cast;

    if (v == NULL) {
        errors_add(b->errs, SCHEMA_INVALID,
                   "malformed catalog document: column \"%.*s\" of %s \"%.*s.%.*s\" has no type",
                   STR_ARG(c->name), kind_name(r->kind), STR_ARG(r->schema), STR_ARG(r->name));
        return false;
    }
    out->type_oid = t->oid;
    out->type_sql = arena_dup(b->arena, t->sql);
    out->is_array = v != t;
    out->comparable = t->comparable && v->comparable;
    out->leakproof_equality = out->comparable && t->leakproof && v->leakproof;
    cast = value_type(b, v, c->id && !out->is_array, out, codec);
    if (cast[0] != '\0')
        out->expression = arena_printf(b->arena, "%s%s", cast, out->is_array ? "[]" : "");
    out->codec = codec;
    if (out->is_array) {
        array = ARENA_NEW(b->arena, struct codec);
        array->kind = CODEC_ARRAY;
        array->element = codec;
        out->codec = array;
    }
    return true;
}

/* False if there is another column of the same field name. */
static bool name_field(struct builder *b, const struct doc_relation *r, const struct doc_column *c,
                       struct map *names, struct column *out)
{
    const struct column *other;
    struct error *e;

    out->name = arena_dup(b->arena, c->name);
    out->field_name = naming_camel(c->name, b->arena);
    if (out->field_name.len == 0)
        out->field_name = arena_printf(b->arena, "column%d", c->num);
    if (map_add(names, out->field_name, out))
        return true;
    other = map_get(names, out->field_name);
    e = errors_add(b->errs, SCHEMA_INVALID,
                   "columns \"%.*s\" and \"%.*s\" of %s \"%.*s.%.*s\" would both be the field "
                   "\"%.*s\"",
                   STR_ARG(other->name), STR_ARG(out->name), kind_name(r->kind), STR_ARG(r->schema),
                   STR_ARG(r->name), STR_ARG(out->field_name));
    e->hint = STR("rename one of them in a view and expose that, or leave the relation out with "
                  "schema.expose.exclude");
    return false;
}

static void make_columns(struct builder *b, struct doc_relation *d, struct relation *r)
{
    struct column *columns = ARENA_ARRAY(b->arena, d->ncolumns, struct column);
    struct map names;
    size_t i, n = 0;

    map_init(&names, b->scratch);
    d->made_columns = ARENA_ARRAY(b->scratch, d->ncolumns, const struct column *);
    for (i = 0; i < d->ncolumns; i++) {
        const struct doc_column *c = &d->columns[i];
        struct column *out = &columns[n];

        if (!c->select || !name_field(b, d, c, &names, out) || !set_type(b, d, c, out))
            continue;
        comment_read(c->comment, b->arena, &out->comment, &out->deprecated);
        out->not_null = c->not_null;
        out->index = n;
        if (b->opt->tenant_column.len && str_eq(out->name, b->opt->tenant_column))
            r->tenant_column = out;
        d->made_columns[i] = out;
        n++;
    }
    r->columns = columns;
    r->ncolumns = n;
}

/* --- keys ------------------------------------------------------------------------------------- */

static bool make_key(struct builder *b, const struct doc_relation *d, const struct doc_key *from,
                     struct key *out)
{
    const struct column **columns = ARENA_ARRAY(b->arena, from->n, const struct column *);
    size_t i;

    *out = (struct key){.columns = columns, .n = from->n, .primary = from->primary};
    out->identifies = true;
    for (i = 0; i < from->n; i++) {
        const struct doc_column *c = catalogdoc_column(d, from->columns[i]);

        columns[i] = c ? d->made_columns[c - d->columns] : NULL;
        if (columns[i] == NULL)
            return false;
        out->identifies = out->identifies && columns[i]->not_null;
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
    struct str stem = naming_strip(d->name, b->opt->strip_prefixes, b->opt->nstrip_prefixes);
    struct str origin = arena_printf(b->scratch, "%s \"%.*s.%.*s\"", kind_name(d->kind),
                                     STR_ARG(d->schema), STR_ARG(d->name));

    d->made = r;
    r->oid = d->oid;
    r->kind = relation_kind(d->kind);
    r->schema = arena_dup(b->arena, d->schema);
    r->name = arena_dup(b->arena, d->name);
    comment_read(d->comment, b->arena, &r->comment, &r->deprecated);
    r->security_invoker = d->invoker;
    r->rls = lineage_rls(&b->doc, d);
    r->type_name = naming_pascal(naming_singular(stem, b->scratch), b->arena);
    if (r->type_name.len == 0)
        r->type_name = arena_printf(b->arena, "Relation%u", d->oid);
    built->object = builder_add_type(b, TYPE_OBJECT, r->type_name, origin);
    built->object->description = r->comment;
    built->object->relation = r;
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
    /* Types of columns after those of relations, whose names have precedence. */
    for (i = 0; i < n; i++) {
        make_columns(b, b->sources[i], &b->relations[i]);
        make_keys(b, b->sources[i], &b->relations[i]);
    }
    b->schema->relations = b->relations;
    b->schema->nrelations = n;
}
