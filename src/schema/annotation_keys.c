/*
 * annotation_keys.c - the keys of annotations, and what their values become.
 *
 * Thread:   one at a time.
 * Memory:   in the arena given.
 * Not here: comments, which annotations are in (annotations.c).
 */
#include "schema/annotation_keys.h"

#include "schema/authrule.h"
#include "schema/naming.h"

/* What the value of a key may be, and what it becomes. */
enum value_form {
    VALUE_TEXT,      /* struct said */
    VALUE_NAME,      /* struct said, a GraphQL name */
    VALUE_LIST,      /* struct said_list; one text is a list of it */
    VALUE_FLAG,      /* enum said_flag */
    VALUE_TYPE,      /* struct said_type */
    VALUE_FIELDS,    /* const struct declared_fields * */
    VALUE_RELATIONS, /* struct relation_annotations */
    VALUE_CONTEXT,   /* struct context_params */
    VALUE_AUTH,      /* struct said_auth */
    VALUE_TTL,       /* struct said_ttl */
    VALUE_ACCEPTED,  /* FraiseQL's, and true of everything here anyway */
};

struct annotation_key {
    struct str name;
    enum value_form form;
    size_t offset; /* of the member */
};

/* clang-format off */

/* Keys of @fraiseql:type, and members of struct type_annotation. Projections are made of what is
 * selected, and every type has filters and a connection, whatever is said. */
static const struct annotation_key type_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct type_annotation, name)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct type_annotation, description)},
    {STR_INIT("deprecated"), VALUE_TEXT, offsetof(struct type_annotation, deprecated)},
    {STR_INIT("key"), VALUE_LIST, offsetof(struct type_annotation, key)},
    {STR_INIT("trinity"), VALUE_FLAG, offsetof(struct type_annotation, trinity)},
    {STR_INIT("column"), VALUE_TEXT, offsetof(struct type_annotation, column)},
    {STR_INIT("fields"), VALUE_FIELDS, offsetof(struct type_annotation, fields)},
    {STR_INIT("shape"), VALUE_TEXT, offsetof(struct type_annotation, shape)},
    {STR_INIT("expose_fields"), VALUE_LIST, offsetof(struct type_annotation, expose_fields)},
    {STR_INIT("hide"), VALUE_LIST, offsetof(struct type_annotation, hide)},
    {STR_INIT("relations"), VALUE_RELATIONS, offsetof(struct type_annotation, relations)},
    {STR_INIT("tenant_column"), VALUE_TEXT, offsetof(struct type_annotation, tenant_column)},
    {STR_INIT("auth"), VALUE_AUTH, offsetof(struct type_annotation, auth)},
    {STR_INIT("use_projection"), VALUE_ACCEPTED, 0},
    {STR_INIT("filters"), VALUE_ACCEPTED, 0},
    {STR_INIT("cache"), VALUE_TTL, offsetof(struct type_annotation, cache)},
};

/* Keys of @fraiseql:field, and members of struct field_annotation. */
static const struct annotation_key field_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct field_annotation, name)},
    {STR_INIT("type"), VALUE_TYPE, offsetof(struct field_annotation, type)},
    {STR_INIT("required"), VALUE_FLAG, offsetof(struct field_annotation, required)},
    {STR_INIT("enum"), VALUE_FLAG, offsetof(struct field_annotation, is_enum)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct field_annotation, description)},
    {STR_INIT("deprecated"), VALUE_TEXT, offsetof(struct field_annotation, deprecated)},
    {STR_INIT("hide"), VALUE_FLAG, offsetof(struct field_annotation, hide)},
    {STR_INIT("fields"), VALUE_FIELDS, offsetof(struct field_annotation, fields)},
    {STR_INIT("shape"), VALUE_TEXT, offsetof(struct field_annotation, shape)},
    {STR_INIT("auth"), VALUE_AUTH, offsetof(struct field_annotation, auth)},
};

/* Keys of @fraiseql:relation, and members of struct relation_annotation. */
static const struct annotation_key relation_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct relation_annotation, name)},
    {STR_INIT("to"), VALUE_TEXT, offsetof(struct relation_annotation, to)},
    {STR_INIT("columns"), VALUE_LIST, offsetof(struct relation_annotation, columns)},
    {STR_INIT("references"), VALUE_LIST, offsetof(struct relation_annotation, references)},
    {STR_INIT("list"), VALUE_FLAG, offsetof(struct relation_annotation, list)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct relation_annotation, description)},
    {STR_INIT("auth"), VALUE_AUTH, offsetof(struct relation_annotation, auth)},
};

/* Keys of @fraiseql:mutation and @fraiseql:query, and members of struct function_annotation. */
static const struct annotation_key function_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct function_annotation, name)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct function_annotation, description)},
    {STR_INIT("deprecated"), VALUE_TEXT, offsetof(struct function_annotation, deprecated)},
    {STR_INIT("input_type"), VALUE_TEXT, offsetof(struct function_annotation, input_type)},
    {STR_INIT("success_type"), VALUE_NAME, offsetof(struct function_annotation, success_type)},
    {STR_INIT("error_type"), VALUE_NAME, offsetof(struct function_annotation, error_type)},
    {STR_INIT("context_params"), VALUE_CONTEXT, offsetof(struct function_annotation, context_params)},
    {STR_INIT("invalidates"), VALUE_LIST, offsetof(struct function_annotation, invalidates)},
    {STR_INIT("auth"), VALUE_AUTH, offsetof(struct function_annotation, auth)},
};

/* Keys of "auth", and members of struct said_auth. */
static const struct annotation_key auth_keys[] = {
    {STR_INIT("roles"), VALUE_LIST, offsetof(struct said_auth, roles)},
    {STR_INIT("scopes"), VALUE_LIST, offsetof(struct said_auth, scopes)},
};

/* The key of "cache", of which the whole is struct said. */
static const struct annotation_key cache_keys[] = {
    {STR_INIT("ttl"), VALUE_TEXT, 0},
};

/* clang-format on */

const struct annotation_keys keys_of_type = {type_keys, COUNT_OF(type_keys)};
const struct annotation_keys keys_of_field = {field_keys, COUNT_OF(field_keys)};
const struct annotation_keys keys_of_relation = {relation_keys, COUNT_OF(relation_keys)};
const struct annotation_keys keys_of_function = {function_keys, COUNT_OF(function_keys)};
static const struct annotation_keys keys_of_auth = {auth_keys, COUNT_OF(auth_keys)};
static const struct annotation_keys keys_of_cache = {cache_keys, COUNT_OF(cache_keys)};

static struct place place_of(const struct annotation_reader *r, const struct yamltree *v)
{
    return reader_place(r, v->at);
}

/* --- values ----------------------------------------------------------------------------------- */

static bool read_text(struct annotation_reader *r, const struct yamltree *v, const char *what,
                      struct said *out)
{
    *out = (struct said){v->text, place_of(r, v)};
    if (v->kind == YAMLTREE_SCALAR && !v->null && v->text.len > 0)
        return true;
    place_error(out->at, r->errs, "%s must be a text", what);
    return false;
}

static void read_name(struct annotation_reader *r, const struct yamltree *v, struct said *out)
{
    if (read_text(r, v, "a name", out) && !naming_is_legal(out->text))
        place_error(out->at, r->errs, "\"%.*s\" is not a legal GraphQL name", STR_ARG(out->text));
}

static void read_list(struct annotation_reader *r, const struct yamltree *v, struct said_list *out)
{
    size_t n = v->kind == YAMLTREE_LIST ? v->n : 1, i;
    struct said *items = ARENA_ARRAY(r->arena, n, struct said);

    *out = (struct said_list){items, n, true};
    for (i = 0; i < n; i++)
        (void)read_text(r, v->kind == YAMLTREE_LIST ? v->items[i] : v, "an item of the list",
                        &items[i]);
}

static void read_flag(struct annotation_reader *r, const struct yamltree *v, enum said_flag *out)
{
    if (v->kind == YAMLTREE_SCALAR && str_eq_nocase(v->text, STR("true")))
        *out = SAID_YES;
    else if (v->kind == YAMLTREE_SCALAR && str_eq_nocase(v->text, STR("false")))
        *out = SAID_NO;
    else
        place_error(place_of(r, v), r->errs, "must be true or false");
}

/* "[Tag!]!" */
static bool parse_type(struct str text, struct said_type *out)
{
    unsigned level;

    *out = (struct said_type){0};
    text = str_trim(text);
    for (level = 0;; level++) {
        if (str_ends(text, STR("!"))) {
            out->non_null |= (uint16_t)(1u << level);
            text = str_trim(str_sub(text, 0, text.len - 1));
        }
        if (!str_starts(text, STR("[")) || !str_ends(text, STR("]")))
            break;
        if (level >= 15)
            return false;
        text = str_trim(str_sub(text, 1, text.len - 2));
    }
    out->nlists = (uint8_t)level;
    out->name.text = text;
    for (size_t i = 0; i < text.len; i++)
        if (memchr("[]!{}(),:\n", text.data[i], 10) != NULL)
            return false;
    return text.len > 0;
}

static void read_type(struct annotation_reader *r, const struct yamltree *v, struct said_type *out)
{
    struct said text;

    if (!read_text(r, v, "a type", &text))
        return;
    if (!parse_type(text.text, out))
        place_error(text.at, r->errs, "\"%.*s\" is not a type, such as String, Int! or [Tag!]",
                    STR_ARG(text.text));
    out->name.at = text.at;
}

static const struct declared_fields *read_fields(struct annotation_reader *r,
                                                 const struct yamltree *v);

/* A type, the fields of an object, or a list of one of these. */
static void read_field_type(struct annotation_reader *r, const struct yamltree *v,
                            struct declared_field *out)
{
    unsigned level = 0;

    while (v->kind == YAMLTREE_LIST && v->n == 1) {
        v = v->items[0];
        level++;
    }
    if (v->kind == YAMLTREE_MAP) {
        out->fields = read_fields(r, v);
    } else if (v->kind == YAMLTREE_SCALAR) {
        read_type(r, v, &out->type);
    } else {
        place_error(place_of(r, v), r->errs,
                    "must be a type, a map of fields, or a list of one of these");
    }
    out->type.nlists = (uint8_t)(out->type.nlists + level);
    out->type.non_null = (uint16_t)(out->type.non_null << level);
}

static const struct declared_fields *read_fields(struct annotation_reader *r,
                                                 const struct yamltree *v)
{
    struct declared_fields *out = ARENA_NEW(r->arena, struct declared_fields);
    struct declared_field *items;
    size_t i;

    if (v->kind != YAMLTREE_MAP || v->n == 0) {
        place_error(place_of(r, v), r->errs, "must be a map of names of fields to their types");
        return out;
    }
    items = ARENA_ARRAY(r->arena, v->n, struct declared_field);
    for (i = 0; i < v->n; i++) {
        const struct yamltree_member *m = &v->members[i];

        items[i].at = reader_place(r, m->at);
        items[i].key = m->name;
        items[i].name = naming_camel(m->name, r->arena);
        if (items[i].name.len == 0)
            place_error(items[i].at, r->errs, "\"%.*s\" gives no name of a field",
                        STR_ARG(m->name));
        read_field_type(r, m->value, &items[i]);
    }
    *out = (struct declared_fields){items, v->n};
    return out;
}

struct str annotation_claim(struct str parameter)
{
    if (str_starts(parameter, STR("auth_")))
        return str_sub(parameter, 5, parameter.len);
    if (str_starts(parameter, STR("input_")))
        return str_sub(parameter, 6, parameter.len);
    return parameter;
}

/* [auth_tenant_id], or {tenant_id: auth_tenant_id}: claim and parameter. */
static void read_context(struct annotation_reader *r, const struct yamltree *v,
                         struct context_params *out)
{
    struct context_param *items = ARENA_ARRAY(r->arena, v->n, struct context_param);
    size_t i;

    if (v->kind == YAMLTREE_SCALAR) {
        place_error(place_of(r, v), r->errs, "must be a list of parameters of the function");
        return;
    }
    *out = (struct context_params){items, v->n, true};
    for (i = 0; i < v->n; i++) {
        bool map = v->kind == YAMLTREE_MAP;

        (void)read_text(r, map ? v->members[i].value : v->items[i], "a parameter",
                        &items[i].parameter);
        items[i].claim = map ? v->members[i].name : annotation_claim(items[i].parameter.text);
    }
}

/* --- maps ------------------------------------------------------------------------------------- */

static void append_relation(struct annotation_reader *r, struct relation_annotations *to,
                            struct relation_annotation one)
{
    struct relation_annotation *items =
        ARENA_ARRAY(r->arena, to->n + 1, struct relation_annotation);

    if (to->n > 0)
        memcpy(items, to->items, to->n * sizeof(*items));
    items[to->n] = one;
    *to = (struct relation_annotations){items, to->n + 1};
}

void annotation_read_relation(struct annotation_reader *r, const struct yamltree *v,
                              struct place at, bool on_column, struct relation_annotations *to)
{
    struct relation_annotation one = {.at = at};

    annotation_read_map(r, v, "a relation", &keys_of_relation, &one);
    if (!is_said(one.to))
        place_error(at, r->errs, "a relation needs \"to\", a type or relation");
    if (!on_column && !one.columns.said)
        place_error(at, r->errs, "a relation needs \"columns\"");
    if (one.references.said && one.columns.said && one.references.n != one.columns.n)
        place_error(at, r->errs, "as many \"references\" as \"columns\" are needed");
    append_relation(r, to, one);
}

/* [{name: owner, to: User, columns: [owner_id]}], or {owner: {to: User, columns: [owner_id]}} */
static void read_relations(struct annotation_reader *r, const struct yamltree *v,
                           struct relation_annotations *out)
{
    struct relation_annotation *items;
    size_t i;

    if (v->kind == YAMLTREE_SCALAR) {
        place_error(place_of(r, v), r->errs, "must be a list of relations");
        return;
    }
    for (i = 0; i < v->n; i++) {
        bool map = v->kind == YAMLTREE_MAP;
        const struct yamltree *one = map ? v->members[i].value : v->items[i];
        size_t before = out->n;

        annotation_read_relation(r, one, map ? reader_place(r, v->members[i].at) : place_of(r, one),
                                 false, out);
        if (!map || is_said(out->items[before].name))
            continue;
        items = arena_copy(r->arena, out->items, out->n * sizeof(*items));
        items[before].name = (struct said){v->members[i].name, reader_place(r, v->members[i].at)};
        if (!naming_is_legal(v->members[i].name))
            place_error(reader_place(r, v->members[i].at), r->errs,
                        "\"%.*s\" is not a legal GraphQL name", STR_ARG(v->members[i].name));
        out->items = items;
    }
}

/* {roles: [hr], scopes: [read:pay]}; roles alone, as hr or [hr, admin]; {}: any identity. */
static void read_auth(struct annotation_reader *r, const struct yamltree *v, struct said_auth *out)
{
    *out = (struct said_auth){.said = true, .at = place_of(r, v)};
    if (v->kind == YAMLTREE_MAP)
        annotation_read_map(r, v, "auth", &keys_of_auth, out);
    else
        read_list(r, v, &out->roles);
    authrule_check(out, r->errs);
}

/* 300, 300s, 5m, 1h or 1d. */
static bool parse_ttl(struct str text, uint32_t *seconds)
{
    static const char units[] = "smhd";
    static const uint32_t sizes[] = {1, 60, 3600, 86400};
    uint32_t size = 1;
    int64_t n;

    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        if (text.len > 1 && text.data[text.len - 1] == units[i]) {
            size = sizes[i];
            text = str_sub(text, 0, text.len - 1);
            break;
        }
    if (!str_to_i64(text, &n) || n < 0 || n > TTL_MAX_S / size)
        return false;
    *seconds = (uint32_t)n * size;
    return true;
}

/* {ttl: 300s}, or the time alone. */
static void read_ttl(struct annotation_reader *r, const struct yamltree *v, struct said_ttl *out)
{
    struct said text = {0};

    if (v->kind == YAMLTREE_MAP)
        annotation_read_map(r, v, "cache", &keys_of_cache, &text);
    else
        (void)read_text(r, v, "the value", &text);
    *out = (struct said_ttl){.said = true, .at = place_of(r, v)};
    if (is_said(text) && !parse_ttl(text.text, &out->seconds))
        place_error(text.at, r->errs, "must be a time such as 300s or 10m, at most 7d");
}

static void read_value(struct annotation_reader *r, const struct yamltree_member *m,
                       enum value_form form, void *out)
{
    const struct yamltree *v = m->value;

    switch (form) {
    case VALUE_TEXT:
        (void)read_text(r, v, "the value", out);
        break;
    case VALUE_NAME:
        read_name(r, v, out);
        break;
    case VALUE_LIST:
        read_list(r, v, out);
        break;
    case VALUE_FLAG:
        read_flag(r, v, out);
        break;
    case VALUE_TYPE:
        read_type(r, v, out);
        break;
    case VALUE_FIELDS:
        *(const struct declared_fields **)out = read_fields(r, v);
        break;
    case VALUE_RELATIONS:
        read_relations(r, v, out);
        break;
    case VALUE_CONTEXT:
        read_context(r, v, out);
        break;
    case VALUE_AUTH:
        read_auth(r, v, out);
        break;
    case VALUE_TTL:
        read_ttl(r, v, out);
        break;
    case VALUE_ACCEPTED:
        break;
    }
}

const struct annotation_key *annotation_key_find(const struct annotation_keys *keys,
                                                 struct str name)
{
    size_t i;

    for (i = 0; i < keys->n; i++)
        if (str_eq(keys->rows[i].name, name))
            return &keys->rows[i];
    return NULL;
}

static void unknown_key(struct annotation_reader *r, const struct yamltree_member *m,
                        const char *what, const struct annotation_keys *keys)
{
    struct error *e = place_error(reader_place(r, m->at), r->errs, "unknown key \"%.*s\" of %s",
                                  STR_ARG(m->name), what);
    struct str known = STR("known are:");
    size_t i;

    for (i = 0; i < keys->n; i++)
        known =
            arena_printf(r->errs->arena, "%.*s %.*s", STR_ARG(known), STR_ARG(keys->rows[i].name));
    e->hint = known;
}

void annotation_read_map(struct annotation_reader *r, const struct yamltree *v, const char *what,
                         const struct annotation_keys *keys, void *out)
{
    size_t i;

    if (v->kind == YAMLTREE_SCALAR && v->null)
        return;
    if (v->kind != YAMLTREE_MAP) {
        place_error(place_of(r, v), r->errs, "%s must be a map of keys to values", what);
        return;
    }
    for (i = 0; i < v->n; i++) {
        const struct annotation_key *k = annotation_key_find(keys, v->members[i].name);

        if (k == NULL)
            unknown_key(r, &v->members[i], what, keys);
        else
            read_value(r, &v->members[i], k->form, (char *)out + k->offset);
    }
}
