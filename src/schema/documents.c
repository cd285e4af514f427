/*
 * documents.c - declared jsonb documents: what their keys are, and which of them are fields.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: reading declarations (annotations.c), values in documents (planner/plan_document.c,
 *           execution/document.c).
 *
 * The document of a relation is the column "data", or another that is named. Its
 * keys are columns of the relation, which are parts of that one: so they are
 * fields, conditions and order like all others. A key that has the name of a
 * column is that column. The document itself is no field.
 *
 * The document of another column is one field, an object of its keys.
 */
#include "schema/aggregates.h"
#include "schema/authrule.h"
#include "schema/naming.h"

#define MAX_DOCUMENT_DEPTH 32 /* of objects written one in the other */

/* Who declares, for messages and names. */
struct owner {
    struct builder *b;
    struct str name; /* of the GraphQL type that the field is of */
    unsigned depth;
};

/* --- types by name -------------------------------------------------------------------------- */

/* Composite types and enums of the database by "schema.name" or "name"; NULL, *n > 1: several. */
static struct doc_type *find_doc_type(struct builder *b, struct str name, size_t *n)
{
    struct doc_type *found = NULL;
    struct str schema, rest;
    bool qualified = str_cut(name, '.', &schema, &rest);

    *n = 0;
    for (size_t i = 0; i < b->doc.ntypes; i++) {
        struct doc_type *t = &b->doc.types[i];

        if (t->nattributes == 0 && t->labels == NULL)
            continue;
        if (qualified ? str_eq(t->schema, schema) && str_eq(t->name, rest)
                      : str_eq(t->name, name) || str_eq(values_type_name(b, t), name)) {
            found = t;
            (*n)++;
        }
    }
    return *n == 1 ? found : NULL;
}

bool documents_have_type(struct builder *b, struct str name)
{
    size_t n;

    (void)find_doc_type(b, name, &n);
    return n > 0;
}

static bool no_such_type(struct builder *b, const struct said *name, size_t n)
{
    struct error *e;

    if (n > 1)
        e = place_error(name->at, b->errs, "there are several types \"%.*s\"", STR_ARG(name->text));
    else
        e = place_error(name->at, b->errs, "there is no type \"%.*s\" for a value in a document",
                        STR_ARG(name->text));
    e->hint = STR("name a scalar, an enum, a composite type (schema.name), a type with a document "
                  "of its own, or write the fields out");
    return false;
}

/* The relation of an object type; NULL if it is not of one. */
static struct built *built_of(struct builder *b, const struct type *t)
{
    return t->relation != NULL ? &b->built[builder_index(b, t->relation)] : NULL;
}

/* --- one value ------------------------------------------------------------------------------ */

static void set_parts(const struct owner *o, const struct declared_fields *fields,
                      struct composite *c);

/* Lists of lists, of objects and of anything cannot be compared: only if they are there. */
static void finish(struct column *out)
{
    if (out->nlists > 1 || out->composite != NULL ||
        (out->is_array && out->codec->element->json == JSON_ANY))
        out->comparable = false;
}

static void describe_composite(const struct composite *c, struct column *out)
{
    static const struct codec any = {.kind = CODEC_JSONB, .json = JSON_ANY};

    out->composite = c;
    out->document = true;
    out->type = c->object;
    out->type_sql = STR("jsonb");
    out->codec = &any;
}

static bool describe_doc_type(struct builder *b, struct doc_type *t, struct column *out)
{
    struct column value = {0};

    CHECK(values_describe(b, t->oid, false, &value));
    if (value.composite != NULL)
        describe_composite(value.composite, out);
    else
        values_describe_enum(b, value.type, out);
    return true;
}

/* An object whose fields are written out: of a type of its own, or of one that the SDL file
 * defines. */
static bool describe_object(const struct owner *o, struct str field, const struct said *type,
                            const struct declared_fields *fields, struct column *out)
{
    struct builder *b = o->b;
    struct owner inside = {.b = b, .depth = o->depth + 1};
    struct composite *c;
    struct type *object;
    struct doc_type *d;
    size_t n;

    if (is_said(*type)) {
        object = builder_find_type(b, type->text);
        if (object != NULL && object->kind == TYPE_OBJECT && object->composite != NULL) {
            describe_composite(object->composite, out);
            return true;
        }
        d = find_doc_type(b, type->text, &n);
        if (d != NULL && d->nattributes > 0)
            return describe_doc_type(b, d, out);
        inside.name = arena_dup(b->arena, type->text);
    } else {
        inside.name = arena_printf(b->arena, "%.*s%.*s", STR_ARG(o->name),
                                   STR_ARG(naming_upper_first(field, b->scratch)));
    }
    object = builder_add_type(
        b, TYPE_OBJECT, inside.name,
        arena_printf(b->scratch, "field \"%.*s\" of \"%.*s\"", STR_ARG(field), STR_ARG(o->name)));
    c = composite_new(b, inside.name);
    c->object = object;
    object->composite = c;
    set_parts(&inside, fields, c);
    composite_set_fields(b, c, object);
    describe_composite(c, out);
    return true;
}

static bool describe_named(struct builder *b, const struct said *name, struct column *out)
{
    const struct type *t;
    struct doc_type *d;
    size_t n;

    if (values_describe_json(b, name->text, out))
        return true;
    t = builder_find_type(b, name->text);
    if (t != NULL && t->kind == TYPE_OBJECT && t->composite != NULL) {
        describe_composite(t->composite, out);
        return true;
    }
    if (t != NULL && t->kind == TYPE_OBJECT && built_of(b, t) != NULL &&
        built_of(b, t)->document != NULL) {
        describe_composite(built_of(b, t)->document, out);
        return true;
    }
    d = find_doc_type(b, name->text, &n);
    return d != NULL ? describe_doc_type(b, d, out) : no_such_type(b, name, n);
}

/* Everything of a value that is declared. False with an error added. */
static bool describe(const struct owner *o, struct str field, const struct said_type *type,
                     const struct declared_fields *fields, struct column *out)
{
    bool ok;

    out->nlists = type->nlists;
    out->non_null = type->non_null;
    out->is_array = type->nlists > 0;
    out->not_null = type->non_null & 1u;
    ok = fields != NULL ? describe_object(o, field, &type->name, fields, out)
                        : describe_named(o->b, &type->name, out);
    if (ok)
        finish(out);
    return ok;
}

static void set_parts(const struct owner *o, const struct declared_fields *fields,
                      struct composite *c)
{
    struct column *parts = ARENA_ARRAY(o->b->arena, fields->n, struct column);
    size_t n = 0;

    if (o->depth > MAX_DOCUMENT_DEPTH && fields->n > 0) {
        place_error(fields->items[0].at, o->b->errs, "objects are written more than %d deep",
                    MAX_DOCUMENT_DEPTH);
        return;
    }
    for (size_t i = 0; i < fields->n; i++) {
        const struct declared_field *f = &fields->items[i];
        struct column *part = &parts[n];

        if (f->key.len == 0 || memchr(f->key.data, '\0', f->key.len) != NULL) {
            place_error(f->at, o->b->errs, "a key cannot be empty or contain a NUL");
            continue;
        }
        part->name = arena_dup(o->b->arena, f->key);
        part->field_name = arena_dup(o->b->arena, f->name);
        part->comment = arena_dup(o->b->arena, f->description);
        if (f->deprecated.data != NULL)
            part->deprecated = arena_dup(o->b->arena, f->deprecated);
        part->index = n;
        part->auth = authrule_make(o->b, &f->auth);
        n += describe(o, f->name, &f->type, f->fields, part);
    }
    c->parts = parts;
    c->nparts = n;
}

/* --- documents of columns --------------------------------------------------------------------- */

static struct doc_type *find_shape(struct builder *b, const struct said *shape)
{
    size_t n;
    struct doc_type *t = find_doc_type(b, shape->text, &n);

    if (t != NULL && t->nattributes > 0)
        return t;
    place_error(shape->at, b->errs,
                n > 1 ? "there are several types \"%.*s\"" : "there is no composite type \"%.*s\"",
                STR_ARG(shape->text));
    return NULL;
}

void documents_describe(struct builder *b, const struct doc_relation *d,
                        const struct field_annotation *f, struct column *out)
{
    struct owner o = {.b = b, .name = d->made->type_name};
    struct column value = *out;
    struct doc_type *shape;

    if (out->codec->kind != CODEC_JSONB) {
        place_error(f->at, b->errs, "only a column of type jsonb has a document");
        return;
    }
    value.scalar = NULL;
    if (!is_said(f->shape)) {
        if (!describe(&o, out->field_name, &f->type, f->fields, &value))
            return;
    } else {
        shape = find_shape(b, &f->shape);
        if (shape == NULL || !describe_doc_type(b, shape, &value))
            return;
    }
    value.document = true;
    value.type_sql = out->type_sql;
    value.codec = out->codec;
    value.expression = str_make(NULL, 0);
    value.comparable = false;
    value.not_null = out->not_null || value.not_null;
    *out = value;
}

/* --- documents of relations ---------------------------------------------------------------------
 */

bool documents_declared(const struct doc_relation *d)
{
    return d->annotation != NULL &&
           (d->annotation->fields != NULL || is_said(d->annotation->shape));
}

void documents_begin(struct builder *b, const struct doc_relation *d, struct built *made)
{
    struct composite *c;

    if (!documents_declared(d))
        return;
    c = composite_new(b, arena_printf(b->arena, "%.*sDocument", STR_ARG(d->made->type_name)));
    c->object = made->object;
    made->document = c;
}

struct doc_column *documents_column(struct builder *b, struct doc_relation *d)
{
    const struct type_annotation *t = d->annotation;
    struct said name = {STR("data"), t->at};
    struct doc_column *c;

    if (is_said(t->column))
        name = t->column;
    c = exposure_column(b, d, &name);
    if (c != NULL && (values_base_type(b, c->type) == NULL ||
                      !str_is(values_base_type(b, c->type)->name, "jsonb"))) {
        place_error(name.at, b->errs, "column \"%.*s\" is not of type jsonb", STR_ARG(c->name));
        return NULL;
    }
    return c;
}

size_t documents_count(struct builder *b, const struct doc_relation *d, struct built *made)
{
    const struct type_annotation *t = d->annotation;
    struct owner o = {.b = b, .name = d->made->type_name};
    struct doc_type *shape;

    if (t->fields != NULL && is_said(t->shape)) {
        place_error(t->shape.at, b->errs, "a document has fields or a shape, not both");
    } else if (t->fields != NULL) {
        set_parts(&o, t->fields, made->document);
    } else {
        shape = find_shape(b, &t->shape);
        if (shape != NULL)
            composite_set_parts(b, shape, made->document);
    }
    return made->document->nparts;
}

/* Where a key is declared. */
static struct place place_of(const struct doc_relation *d, struct str key)
{
    const struct declared_fields *fields = d->annotation->fields;

    for (size_t i = 0; fields != NULL && i < fields->n; i++)
        if (str_eq(fields->items[i].key, key))
            return fields->items[i].at;
    return d->annotation->at;
}

static struct str type_text(struct builder *b, const struct column *c)
{
    struct buf text;
    struct str out;

    buf_init(&text, 0);
    type_ref_print(type_ref_nullable(type_ref_of_column(c)), &text);
    out = arena_dup(b->scratch, buf_str(&text));
    buf_fini(&text);
    return out;
}

/* The declaration of a key that is a column of its own, and so of that column's type. What
 * identifies something may be shown as ID, or as what it is. */
static void merge(struct builder *b, const struct doc_relation *d, const struct doc_column *from,
                  const struct column *declared, struct column *out)
{
    struct column as = *out;
    const struct auth_rule *auth = out->auth;

    if (from->annotation == NULL || !is_said(from->annotation->type.name))
        CHECK(values_describe(b, from->type, str_is(declared->type->name, "ID"), &as));
    if (as.type != declared->type || as.is_array != declared->is_array) {
        place_error(place_of(d, declared->name), b->errs,
                    "field \"%.*s\" is declared as %.*s, but the column of that name is %.*s",
                    STR_ARG(declared->field_name), STR_ARG(type_text(b, declared)),
                    STR_ARG(type_text(b, out)));
        return;
    }
    *out = as;
    out->field_name = declared->field_name;
    out->auth = declared->auth != NULL ? declared->auth : auth;
    out->not_null = out->not_null || declared->not_null;
    if (declared->comment.len > 0)
        out->comment = declared->comment;
}

void documents_merge(struct builder *b, const struct doc_relation *d, const struct doc_column *from,
                     struct column *out)
{
    const struct built *made = &b->built[builder_index(b, d->made)];

    for (size_t i = 0; i < made->document->nparts; i++)
        if (str_eq(made->document->parts[i].name, from->name))
            merge(b, d, from, &made->document->parts[i], out);
}

static bool is_column(const struct column *columns, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(columns[i].name, name))
            return true;
    return false;
}

size_t documents_add(struct builder *b, const struct doc_relation *d, struct column *columns,
                     size_t n, struct map *names)
{
    const struct built *made = &b->built[builder_index(b, d->made)];
    size_t nreal = n;

    for (size_t i = 0; i < made->document->nparts; i++) {
        struct column *out = &columns[n];

        *out = made->document->parts[i];
        out->document = out->composite != NULL;
        out->aggregates = aggregates_of_key(b, out);
        if (is_column(columns, nreal, out->name) || exposure_hides_key(d, out->name))
            continue;
        if (!map_add(names, out->field_name, out)) {
            place_error(place_of(d, out->name), b->errs,
                        "two fields of \"%.*s\" would be named \"%.*s\"",
                        STR_ARG(d->made->type_name), STR_ARG(out->field_name));
            continue;
        }
        out->index = n++;
    }
    return n;
}
