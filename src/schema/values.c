/*
 * values.c - types of values: PostgreSQL's to GraphQL's, with the codec that writes them.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: the table of scalars (scalars.c), what composite types consist of (composites.c).
 */
#include "schema/build.h"
#include "schema/naming.h"

#define MAX_DOMAIN_DEPTH 32 /* of domains over domains */

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

struct str values_type_name(struct builder *b, const struct doc_type *d)
{
    if (d->annotation != NULL && is_said(d->annotation->name))
        return arena_dup(b->arena, d->annotation->name.text);
    return naming_pascal(d->name, b->arena);
}

void values_describe_type(struct builder *b, struct type *t, const struct doc_type *d)
{
    comment_read(d->comment, b->arena, &t->description, &(struct str){0});
    if (d->annotation != NULL && is_said(d->annotation->description))
        t->description = arena_dup(b->arena, d->annotation->description.text);
}

static const struct type *enum_type(struct builder *b, struct doc_type *d)
{
    struct str name = values_type_name(b, d);
    struct type *t;

    if (name.len == 0)
        name = arena_printf(b->arena, "Enum%u", d->oid);
    t = builder_add_type(b, TYPE_ENUM, name, type_origin(b, "enum type", d));
    values_describe_type(b, t, d);
    t->enum_sql = arena_dup(b->arena, d->sql);
    set_labels(b, t, d->labels);
    return t;
}

/* Any type without a row in the table: its text form, under its own name. */
static const struct type *named_scalar(struct builder *b, struct doc_type *d)
{
    struct str name = values_type_name(b, d);
    struct type *t;

    if (name.len == 0)
        name = arena_printf(b->arena, "Type%u", d->oid);
    if (builder_find_type(b, name) != NULL || scalar_find(name) != NULL)
        name = arena_printf(b->arena, "%.*sValue", STR_ARG(name));
    t = builder_add_type(b, TYPE_SCALAR, name, type_origin(b, "type", d));
    values_describe_type(b, t, d);
    if (t->description.len == 0)
        t->description =
            arena_printf(b->arena, "PostgreSQL's type %.*s in its text form.", STR_ARG(d->sql));
    return t;
}

/* --- values ------------------------------------------------------------------------------------
 */

struct doc_type *values_base_type(const struct builder *b, uint32_t oid)
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

/* What a scalar is in documents, and in PostgreSQL when taken from one. Sorted by name. */
static const struct document_scalar {
    const char *scalar;
    const char *pg_type;
    enum json_form form;
} document_scalars[] = {
  /* clang-format off */
    { "BigInt",        "int8",        JSON_BIGINT },
    { "Boolean",       "bool",        JSON_BOOLEAN },
    { "Bytes",         "bytea",       JSON_BYTES },
    { "CIDR",          "cidr",        JSON_NETWORK },
    { "Date",          "date",        JSON_DATE },
    { "DateTime",      "timestamptz", JSON_DATETIME },
    { "Decimal",       "numeric",     JSON_DECIMAL },
    { "Float",         "float8",      JSON_FLOAT },
    { "ID",            "text",        JSON_ID },
    { "Int",           "int4",        JSON_INT },
    { "Interval",      "interval",    JSON_INTERVAL },
    { "IpAddress",     "inet",        JSON_ADDRESS },
    { "JSON",          "jsonb",       JSON_ANY },
    { "LocalDateTime", "timestamp",   JSON_LOCAL_DATETIME },
    { "MacAddress",    "macaddr",     JSON_MAC },
    { "String",        "text",        JSON_TEXT },
    { "Time",          "time",        JSON_TIME },
    { "UUID",          "uuid",        JSON_UUID },
  /* clang-format on */
};

static const struct document_scalar *find_document_scalar(struct str name)
{
    size_t i;

    for (i = 0; i < COUNT_OF(document_scalars); i++)
        if (str_is(name, document_scalars[i].scalar))
            return &document_scalars[i];
    return NULL;
}

static enum json_form json_form(const struct builder *b, const struct document_scalar *s)
{
    if (s == NULL)
        return JSON_TEXT;
    if (s->form == JSON_BIGINT && b->opt->bigint_numbers)
        return JSON_BIGINT_NUMBER;
    return s->form == JSON_DECIMAL && b->opt->decimal_numbers ? JSON_DECIMAL_NUMBER : s->form;
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
        codec->json = JSON_ENUM;
        codec->enum_type = v->graphql;
        return "";
    }
    if (v->nattributes > 0) {
        out->composite = v->composite != NULL ? v->composite : composite_make(b, v);
        out->type = out->composite->object;
        out->comparable = out->leakproof_equality = false;
        codec->kind = CODEC_TEXT;
        return "::text";
    }
    if (m == NULL || (!m->extension && !str_is(v->schema, "pg_catalog"))) {
        if (v->graphql == NULL)
            v->graphql = named_scalar(b, v);
        out->type = v->graphql;
        codec->kind = CODEC_TEXT;
        codec->json = JSON_TEXT;
        return "::text";
    }
    out->is_id = id && can_be_id(m);
    out->type = builder_scalar(b, out->is_id ? "ID" : m->scalar);
    out->scalar = out->type->scalar;
    codec->json = json_form(b, find_document_scalar(out->scalar->name));
    codec->kind = out->is_id ? id_codec(m->codec) : number_codec(b, m);
    return m->select_cast;
}

void values_describe_scalar(struct builder *b, const char *pg_type, struct column *out)
{
    const struct scalar_mapping *m = scalar_for_pg_type(str_of(pg_type));
    struct codec *codec = ARENA_NEW(b->arena, struct codec);

    CHECK(m != NULL);
    codec->kind = number_codec(b, m);
    out->type_sql = str_of(m->pg_type);
    out->comparable = true;
    out->type = builder_scalar(b, m->scalar);
    out->scalar = out->type->scalar;
    out->codec = codec;
    out->expression = str_of(m->select_cast);
}

static void set_expression(struct builder *b, const char *cast, struct column *out)
{
    if (cast[0] != '\0')
        out->expression = arena_printf(b->arena, "%s%s", cast, out->is_array ? "[]" : "");
}

/* The element's codec, or that of an array of it. */
static void set_codec(struct builder *b, const struct codec *element, struct column *out)
{
    struct codec *array;

    out->codec = element;
    if (!out->is_array)
        return;
    array = ARENA_NEW(b->arena, struct codec);
    array->kind = CODEC_ARRAY;
    array->element = element;
    out->codec = array;
}

bool values_describe(struct builder *b, uint32_t type, bool id, struct column *out)
{
    struct doc_type *t = values_base_type(b, type);
    struct doc_type *v = t != NULL && t->element ? values_base_type(b, t->element) : t;
    struct codec *codec;
    const char *cast;

    if (v == NULL)
        return false;
    codec = ARENA_NEW(b->arena, struct codec);
    out->type_oid = t->oid;
    out->type_sql = arena_dup(b->arena, t->sql);
    out->is_array = v != t;
    if (out->is_array)
        out->element_sql = arena_dup(b->arena, v->sql);
    if (t->operators.len > 0)
        out->operators = arena_dup(b->arena, t->operators);
    out->comparable = t->comparable && v->comparable;
    out->leakproof_equality = out->comparable && t->leakproof && v->leakproof;
    cast = value_type(b, v, id && !out->is_array, out, codec);
    set_expression(b, cast, out);
    /* What is cast is text, or an integer. In arrays and records a domain stands for itself. */
    if (cast[0] == '\0' && v->oid == (v != t ? t->element : type))
        codec->type_oid = v->oid;
    set_codec(b, codec, out);
    return true;
}

/* As the element of a list, where it is one. */
static void set_list(struct builder *b, const struct codec *element, struct column *out)
{
    if (out->is_array) {
        out->element_sql = out->type_sql;
        out->type_sql = arena_printf(b->arena, "%.*s[]", STR_ARG(out->element_sql));
        set_expression(b, arena_dup(b->scratch, out->expression).data, out);
    }
    set_codec(b, element, out);
}

bool values_describe_json(struct builder *b, struct str name, struct column *out)
{
    const struct document_scalar *s = find_document_scalar(name);
    struct codec *codec;

    if (s == NULL)
        return false;
    values_describe_scalar(b, s->pg_type, out);
    codec = arena_copy(b->arena, out->codec, sizeof *codec);
    codec->json = json_form(b, s);
    out->type = builder_scalar(b, s->scalar);
    out->scalar = out->type->scalar;
    set_list(b, codec, out);
    return true;
}

void values_describe_enum(struct builder *b, const struct type *t, struct column *out)
{
    struct codec *codec = ARENA_NEW(b->arena, struct codec);

    out->type = t;
    out->comparable = true;
    out->type_sql = t->enum_sql;
    codec->kind = CODEC_ENUM;
    codec->json = JSON_ENUM;
    codec->enum_type = t;
    set_list(b, codec, out);
}
