/*
 * annotations.c - comments of objects to what they say.
 *
 * Thread:   one at a time.
 * Memory:   in the arena given.
 * Not here: YAML itself (base/yamltree.c), descriptions (comment_read() in build.c).
 */
#include "schema/annotations.h"

#include "base/yamltree.h"
#include "schema/catalogdoc.h"
#include "schema/naming.h"

static const struct yamltree_limits limits = {
    .max_bytes = 256 * 1024, .max_depth = 16, .max_values = 5000};

static const struct str marker_prefix = STR_INIT("@fraiseql:");

struct reader {
    struct arena *arena;
    struct errors *errs;
    const struct sourcetext *source;
};

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
    VALUE_ACCEPTED,  /* FraiseQL's, and true of everything here anyway */
    VALUE_REFUSED,   /* FraiseQL's, and cannot be done */
};

struct key {
    struct str name;
    enum value_form form;
    size_t offset; /* of the member */
};

struct keys {
    const struct key *rows;
    size_t n;
};

/* clang-format off */

/* Keys of @fraiseql:type, and members of struct type_annotation. Projections are made of what is
 * selected, and every type has filters and a connection, whatever is said. */
static const struct key type_keys[] = {
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
    {STR_INIT("use_projection"), VALUE_ACCEPTED, 0},
    {STR_INIT("filters"), VALUE_ACCEPTED, 0},
    {STR_INIT("cache"), VALUE_REFUSED, 0},
};

/* Keys of @fraiseql:field, and members of struct field_annotation. */
static const struct key field_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct field_annotation, name)},
    {STR_INIT("type"), VALUE_TYPE, offsetof(struct field_annotation, type)},
    {STR_INIT("required"), VALUE_FLAG, offsetof(struct field_annotation, required)},
    {STR_INIT("enum"), VALUE_FLAG, offsetof(struct field_annotation, is_enum)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct field_annotation, description)},
    {STR_INIT("deprecated"), VALUE_TEXT, offsetof(struct field_annotation, deprecated)},
    {STR_INIT("hide"), VALUE_FLAG, offsetof(struct field_annotation, hide)},
    {STR_INIT("fields"), VALUE_FIELDS, offsetof(struct field_annotation, fields)},
    {STR_INIT("shape"), VALUE_TEXT, offsetof(struct field_annotation, shape)},
};

/* Keys of @fraiseql:relation, and members of struct relation_annotation. */
static const struct key relation_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct relation_annotation, name)},
    {STR_INIT("to"), VALUE_TEXT, offsetof(struct relation_annotation, to)},
    {STR_INIT("columns"), VALUE_LIST, offsetof(struct relation_annotation, columns)},
    {STR_INIT("references"), VALUE_LIST, offsetof(struct relation_annotation, references)},
    {STR_INIT("list"), VALUE_FLAG, offsetof(struct relation_annotation, list)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct relation_annotation, description)},
};

/* Keys of @fraiseql:mutation and @fraiseql:query, and members of struct function_annotation. */
static const struct key function_keys[] = {
    {STR_INIT("name"), VALUE_NAME, offsetof(struct function_annotation, name)},
    {STR_INIT("description"), VALUE_TEXT, offsetof(struct function_annotation, description)},
    {STR_INIT("deprecated"), VALUE_TEXT, offsetof(struct function_annotation, deprecated)},
    {STR_INIT("input_type"), VALUE_TEXT, offsetof(struct function_annotation, input_type)},
    {STR_INIT("success_type"), VALUE_NAME, offsetof(struct function_annotation, success_type)},
    {STR_INIT("error_type"), VALUE_NAME, offsetof(struct function_annotation, error_type)},
    {STR_INIT("context_params"), VALUE_CONTEXT, offsetof(struct function_annotation, context_params)},
    {STR_INIT("invalidates"), VALUE_LIST, offsetof(struct function_annotation, invalidates)},
};

/* clang-format on */

static const struct keys keys_of_type = {type_keys, COUNT_OF(type_keys)};
static const struct keys keys_of_field = {field_keys, COUNT_OF(field_keys)};
static const struct keys keys_of_relation = {relation_keys, COUNT_OF(relation_keys)};
static const struct keys keys_of_function = {function_keys, COUNT_OF(function_keys)};

static struct place place_at(const struct reader *r, struct location at)
{
    return (struct place){r->source, at};
}

static struct place place_of(const struct reader *r, const struct yamltree *v)
{
    return place_at(r, v->at);
}

/* --- values ----------------------------------------------------------------------------------- */

static bool read_text(struct reader *r, const struct yamltree *v, const char *what,
                      struct said *out)
{
    *out = (struct said){v->text, place_of(r, v)};
    if (v->kind == YAMLTREE_SCALAR && !v->null && v->text.len > 0)
        return true;
    place_error(out->at, r->errs, "%s must be a text", what);
    return false;
}

static void read_name(struct reader *r, const struct yamltree *v, struct said *out)
{
    if (read_text(r, v, "a name", out) && !naming_is_legal(out->text))
        place_error(out->at, r->errs, "\"%.*s\" is not a legal GraphQL name", STR_ARG(out->text));
}

static void read_list(struct reader *r, const struct yamltree *v, struct said_list *out)
{
    size_t n = v->kind == YAMLTREE_LIST ? v->n : 1, i;
    struct said *items = ARENA_ARRAY(r->arena, n, struct said);

    *out = (struct said_list){items, n, true};
    for (i = 0; i < n; i++)
        (void)read_text(r, v->kind == YAMLTREE_LIST ? v->items[i] : v, "an item of the list",
                        &items[i]);
}

static void read_flag(struct reader *r, const struct yamltree *v, enum said_flag *out)
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

static void read_type(struct reader *r, const struct yamltree *v, struct said_type *out)
{
    struct said text;

    if (!read_text(r, v, "a type", &text))
        return;
    if (!parse_type(text.text, out))
        place_error(text.at, r->errs, "\"%.*s\" is not a type, such as String, Int! or [Tag!]",
                    STR_ARG(text.text));
    out->name.at = text.at;
}

static const struct declared_fields *read_fields(struct reader *r, const struct yamltree *v);

/* A type, the fields of an object, or a list of one of these. */
static void read_field_type(struct reader *r, const struct yamltree *v, struct declared_field *out)
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

static const struct declared_fields *read_fields(struct reader *r, const struct yamltree *v)
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

        items[i].at = place_at(r, m->at);
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

/* The claim that a parameter is named after: auth_tenant_id, tenant_id. */
static struct str claim_of(struct str parameter)
{
    if (str_starts(parameter, STR("auth_")))
        return str_sub(parameter, 5, parameter.len);
    if (str_starts(parameter, STR("input_")))
        return str_sub(parameter, 6, parameter.len);
    return parameter;
}

/* [auth_tenant_id], or {tenant_id: auth_tenant_id}: claim and parameter. */
static void read_context(struct reader *r, const struct yamltree *v, struct context_params *out)
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
        items[i].claim = map ? v->members[i].name : claim_of(items[i].parameter.text);
    }
}

/* --- maps ------------------------------------------------------------------------------------- */

static void read_map(struct reader *r, const struct yamltree *v, const char *what,
                     const struct keys *keys, void *out);

static void append_relation(struct reader *r, struct relation_annotations *to,
                            struct relation_annotation one)
{
    struct relation_annotation *items =
        ARENA_ARRAY(r->arena, to->n + 1, struct relation_annotation);

    if (to->n > 0)
        memcpy(items, to->items, to->n * sizeof(*items));
    items[to->n] = one;
    *to = (struct relation_annotations){items, to->n + 1};
}

/* on_column: it leads from the column the comment is on. */
static void read_relation(struct reader *r, const struct yamltree *v, struct place at,
                          bool on_column, struct relation_annotations *to)
{
    struct relation_annotation one = {.at = at};

    read_map(r, v, "a relation", &keys_of_relation, &one);
    if (!is_said(one.to))
        place_error(at, r->errs, "a relation needs \"to\", a type or relation");
    if (!on_column && !one.columns.said)
        place_error(at, r->errs, "a relation needs \"columns\"");
    if (one.references.said && one.columns.said && one.references.n != one.columns.n)
        place_error(at, r->errs, "as many \"references\" as \"columns\" are needed");
    append_relation(r, to, one);
}

/* [{name: owner, to: User, columns: [owner_id]}], or {owner: {to: User, columns: [owner_id]}} */
static void read_relations(struct reader *r, const struct yamltree *v,
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

        read_relation(r, one, map ? place_at(r, v->members[i].at) : place_of(r, one), false, out);
        if (!map || is_said(out->items[before].name))
            continue;
        items = arena_copy(r->arena, out->items, out->n * sizeof(*items));
        items[before].name = (struct said){v->members[i].name, place_at(r, v->members[i].at)};
        if (!naming_is_legal(v->members[i].name))
            place_error(place_at(r, v->members[i].at), r->errs,
                        "\"%.*s\" is not a legal GraphQL name", STR_ARG(v->members[i].name));
        out->items = items;
    }
}

static void read_value(struct reader *r, const struct yamltree_member *m, enum value_form form,
                       void *out)
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
    case VALUE_ACCEPTED:
        break;
    case VALUE_REFUSED:
        place_error(place_at(r, m->at), r->errs, "\"%.*s\" is not supported", STR_ARG(m->name));
        break;
    }
}

static const struct key *find_key(const struct keys *keys, struct str name)
{
    size_t i;

    for (i = 0; i < keys->n; i++)
        if (str_eq(keys->rows[i].name, name))
            return &keys->rows[i];
    return NULL;
}

static void unknown_key(struct reader *r, const struct yamltree_member *m, const char *what,
                        const struct keys *keys)
{
    struct error *e = place_error(place_at(r, m->at), r->errs, "unknown key \"%.*s\" of %s",
                                  STR_ARG(m->name), what);
    struct str known = STR("known are:");
    size_t i;

    for (i = 0; i < keys->n; i++)
        known =
            arena_printf(r->errs->arena, "%.*s %.*s", STR_ARG(known), STR_ARG(keys->rows[i].name));
    e->hint = known;
}

static void read_map(struct reader *r, const struct yamltree *v, const char *what,
                     const struct keys *keys, void *out)
{
    size_t i;

    if (v->kind == YAMLTREE_SCALAR && v->null)
        return;
    if (v->kind != YAMLTREE_MAP) {
        place_error(place_of(r, v), r->errs, "%s must be a map of keys to values", what);
        return;
    }
    for (i = 0; i < v->n; i++) {
        const struct key *k = find_key(keys, v->members[i].name);

        if (k == NULL)
            unknown_key(r, &v->members[i], what, keys);
        else
            read_value(r, &v->members[i], k->form, (char *)out + k->offset);
    }
}

/* --- sections --------------------------------------------------------------------------------- */

struct section {
    struct str marker; /* "type" */
    struct place at;
    size_t from, to; /* in the comment */
};

struct sections {
    struct section *items;
    size_t n, cap;
};

static void find_sections(struct reader *r, struct sections *out)
{
    struct str text = r->source->text;
    size_t start = 0;
    uint32_t number = 1;

    for (; start < text.len; number++) {
        size_t end = start + str_find(str_sub(text, start, SIZE_MAX), '\n');
        struct str line = str_sub(text, start, end - start);
        struct str rest = str_trim(line);
        size_t indent = (size_t)(rest.data - line.data), n = marker_prefix.len;
        struct section s = {.to = text.len};

        if (rest.len > 0 && str_starts(rest, marker_prefix)) {
            while (n < rest.len && rest.data[n] != ' ' && rest.data[n] != '\t')
                n++;
            s.marker = str_sub(rest, marker_prefix.len, n - marker_prefix.len);
            s.at = place_at(r, (struct location){number, (uint32_t)indent + 1});
            s.from = start + indent + n;
            if (out->n > 0)
                out->items[out->n - 1].to = start;
            VEC_PUSH(r->arena, out, s);
        }
        start = end + 1;
    }
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* The key that a part "key=value" begins with; empty if it is none. */
static struct str part_key(struct str text)
{
    size_t n = 0;

    while (n < text.len && is_word_char(text.data[n]))
        n++;
    return n > 0 && n < text.len && text.data[n] == '=' ? str_sub(text, 0, n) : STR("");
}

static struct str skip_space(struct str text)
{
    struct str trimmed = str_trim(text);

    return trimmed.len > 0 ? str_make(trimmed.data, (size_t)(text.data + text.len - trimmed.data))
                           : trimmed;
}

/* Where the next part begins: behind a comma before a known key, so that a text may have commas. */
static size_t part_end(struct str text, const struct keys *keys)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (text.data[i] == ',' &&
            find_key(keys, part_key(skip_space(str_sub(text, i + 1, SIZE_MAX)))) != NULL)
            return i;
    return text.len;
}

/* name=email,type=String!: on the line of the marker, as the tree that YAML would give. */
static const struct yamltree *read_parts(struct reader *r, struct str text, struct location at,
                                         const struct keys *keys)
{
    struct yamltree *map = ARENA_NEW(r->arena, struct yamltree);
    struct {
        struct yamltree_member *items;
        size_t n, cap;
    } members = {0};

    map->kind = YAMLTREE_MAP;
    map->at = at;
    while (text.len > 0) {
        size_t end = part_end(text, keys);
        struct str part = str_trim(str_sub(text, 0, end)), name = part_key(part);
        struct yamltree *v = ARENA_NEW(r->arena, struct yamltree);

        v->at = at;
        v->text = str_trim(str_sub(part, name.len + (name.len > 0), SIZE_MAX));
        if (name.len == 0)
            place_error(place_at(r, at), r->errs, "\"%.*s\" is not of the form key=value",
                        STR_ARG(part));
        else
            VEC_PUSH(r->arena, &members, (struct yamltree_member){name, at, v});
        text = skip_space(str_sub(text, end + 1, SIZE_MAX));
    }
    map->members = members.items;
    map->n = members.n;
    return map;
}

/* NULL: malformed, as was told. */
static const struct yamltree *section_tree(struct reader *r, const struct section *s,
                                           const struct keys *keys)
{
    struct str text = str_trim(str_sub(r->source->text, s->from, s->to - s->from));
    const struct yamltree *v;

    if (part_key(text).len > 0)
        return read_parts(r, text, s->at.at, keys);
    return yamltree_parse(r->source, s->from, s->to, &limits, r->arena, &v, r->errs) ? v : NULL;
}

/* --- objects ---------------------------------------------------------------------------------- */

static bool is_annotated(struct str comment)
{
    return comment.len >= marker_prefix.len &&
           memmem(comment.data, comment.len, marker_prefix.data, marker_prefix.len) != NULL;
}

/* False: there is no annotation in the comment. */
static bool open_comment(struct reader *r, struct str comment, struct str object, struct arena *a,
                         struct errors *errs, struct sections *out)
{
    struct sourcetext *source;

    if (!is_annotated(comment))
        return false;
    source = ARENA_NEW(a, struct sourcetext);
    *source = (struct sourcetext){arena_printf(a, "comment on %.*s", STR_ARG(object)), comment,
                                  SCHEMA_INVALID};
    *r = (struct reader){a, errs, source};
    find_sections(r, out);
    return out->n > 0;
}

static void refuse_marker(struct reader *r, const struct section *s)
{
    place_error(s->at, r->errs, "@fraiseql:%.*s is not an annotation of such an object",
                STR_ARG(s->marker));
}

/* An annotation may stand once. */
static bool is_first(struct reader *r, const struct section *s, bool seen)
{
    if (seen)
        place_error(s->at, r->errs, "@fraiseql:%.*s stands twice", STR_ARG(s->marker));
    return !seen;
}

const struct type_annotation *annotations_type(struct str comment, struct str object,
                                               struct arena *a, struct errors *errs)
{
    struct sections sections = {0};
    struct type_annotation *out;
    bool seen = false;
    struct reader r;
    size_t i;

    if (!open_comment(&r, comment, object, a, errs, &sections))
        return NULL;
    out = ARENA_NEW(a, struct type_annotation);
    out->at = sections.items[0].at;
    for (i = 0; i < sections.n; i++) {
        const struct section *s = &sections.items[i];
        bool is_type = str_is(s->marker, "type") || str_is(s->marker, "input");
        bool known = is_type || str_is(s->marker, "relation");
        const struct yamltree *v =
            known ? section_tree(&r, s, is_type ? &keys_of_type : &keys_of_relation) : NULL;

        if (!known)
            refuse_marker(&r, s);
        else if (v != NULL && is_type && is_first(&r, s, seen))
            read_map(&r, v, "@fraiseql:type", &keys_of_type, out);
        else if (v != NULL && !is_type)
            read_relation(&r, v, s->at, false, &out->relations);
        seen = seen || is_type;
    }
    return out;
}

/* required=false of String! and the like. */
static void settle_required(struct reader *r, struct field_annotation *f)
{
    if (f->required == SAID_NO && is_said(f->type.name) && (f->type.non_null & 1u))
        place_error(f->at, r->errs, "the type is not null, but it is not required");
    if (f->required == SAID_YES)
        f->type.non_null |= 1u;
}

const struct field_annotation *annotations_field(struct str comment, struct str object,
                                                 struct arena *a, struct errors *errs)
{
    struct sections sections = {0};
    struct field_annotation *out;
    bool seen = false;
    struct reader r;
    size_t i;

    if (!open_comment(&r, comment, object, a, errs, &sections))
        return NULL;
    out = ARENA_NEW(a, struct field_annotation);
    out->at = sections.items[0].at;
    for (i = 0; i < sections.n; i++) {
        const struct section *s = &sections.items[i];
        bool is_field = str_is(s->marker, "field");
        bool known = is_field || str_is(s->marker, "relation");
        const struct yamltree *v =
            known ? section_tree(&r, s, is_field ? &keys_of_field : &keys_of_relation) : NULL;

        if (!known)
            refuse_marker(&r, s);
        else if (v != NULL && is_field && is_first(&r, s, seen))
            read_map(&r, v, "@fraiseql:field", &keys_of_field, out);
        else if (v != NULL && !is_field)
            read_relation(&r, v, s->at, true, &out->relations);
        seen = seen || is_field;
    }
    settle_required(&r, out);
    return out;
}

const struct function_annotation *annotations_function(struct str comment, struct str object,
                                                       struct arena *a, struct errors *errs)
{
    struct sections sections = {0};
    struct function_annotation *out;
    struct reader r;
    size_t i;

    if (!open_comment(&r, comment, object, a, errs, &sections))
        return NULL;
    out = ARENA_NEW(a, struct function_annotation);
    out->at = sections.items[0].at;
    for (i = 0; i < sections.n; i++) {
        const struct section *s = &sections.items[i];
        bool query = str_is(s->marker, "query");
        const struct yamltree *v;

        if (!query && !str_is(s->marker, "mutation")) {
            refuse_marker(&r, s);
            continue;
        }
        v = section_tree(&r, s, &keys_of_function);
        if (v == NULL || !is_first(&r, s, out->use != USE_BY_VOLATILITY))
            continue;
        out->use = query ? USE_AS_QUERY : USE_AS_MUTATION;
        read_map(&r, v, query ? "@fraiseql:query" : "@fraiseql:mutation", &keys_of_function, out);
    }
    return out;
}

/* --- documents -------------------------------------------------------------------------------- */

static void read_relation_comments(struct doc *d, struct doc_relation *r, struct errors *errs)
{
    const char *kind = catalogdoc_kind(r);
    size_t i;

    if (r->exposed && is_annotated(r->comment))
        r->annotation = annotations_type(
            r->comment,
            arena_printf(d->arena, "%s \"%.*s.%.*s\"", kind, STR_ARG(r->schema), STR_ARG(r->name)),
            d->arena, errs);
    for (i = 0; i < r->ncolumns; i++) {
        struct doc_column *c = &r->columns[i];

        if (is_annotated(c->comment))
            c->annotation = annotations_field(
                c->comment,
                arena_printf(d->arena, "column \"%.*s\" of %s \"%.*s.%.*s\"", STR_ARG(c->name),
                             kind, STR_ARG(r->schema), STR_ARG(r->name)),
                d->arena, errs);
    }
}

void annotations_read(struct doc *d, struct errors *errs)
{
    size_t i;

    for (i = 0; i < d->nrelations; i++)
        read_relation_comments(d, &d->relations[i], errs);
    for (i = 0; i < d->nfunctions; i++) {
        struct doc_function *f = &d->functions[i];

        if (is_annotated(f->comment))
            f->annotation = annotations_function(f->comment,
                                                 arena_printf(d->arena, "function \"%.*s.%.*s\"",
                                                              STR_ARG(f->schema), STR_ARG(f->name)),
                                                 d->arena, errs);
    }
    for (i = 0; i < d->ntypes; i++) {
        struct doc_type *t = &d->types[i];

        if (is_annotated(t->comment))
            t->annotation = annotations_type(
                t->comment,
                arena_printf(d->arena, "type \"%.*s.%.*s\"", STR_ARG(t->schema), STR_ARG(t->name)),
                d->arena, errs);
    }
}
