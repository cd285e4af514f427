/*
 * annotations.c - comments of objects to what they say.
 *
 * Thread:   one at a time.
 * Memory:   in the arena given.
 * Not here: what may be said (annotation_keys.c), descriptions (comment_read() in build.c).
 */
#include "schema/annotations.h"

#include "schema/annotation_keys.h"
#include "schema/catalogdoc.h"

static const struct yamltree_limits limits = {
    .max_bytes = 256 * 1024, .max_depth = 16, .max_values = 5000};

static const struct str marker_prefix = STR_INIT("@fraiseql:");

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

static void find_sections(struct annotation_reader *r, struct sections *out)
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
            s.at = reader_place(r, (struct location){number, (uint32_t)indent + 1});
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
static size_t part_end(struct str text, const struct annotation_keys *keys)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (text.data[i] == ',' &&
            annotation_key_find(keys, part_key(skip_space(str_sub(text, i + 1, SIZE_MAX)))) != NULL)
            return i;
    return text.len;
}

/* name=email,type=String!: on the line of the marker, as the tree that YAML would give. */
static const struct yamltree *read_parts(struct annotation_reader *r, struct str text,
                                         struct location at, const struct annotation_keys *keys)
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
            place_error(reader_place(r, at), r->errs, "\"%.*s\" is not of the form key=value",
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
static const struct yamltree *section_tree(struct annotation_reader *r, const struct section *s,
                                           const struct annotation_keys *keys)
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
static bool open_comment(struct annotation_reader *r, struct str comment, struct str object,
                         struct arena *a, struct errors *errs, struct sections *out)
{
    struct sourcetext *source;

    if (!is_annotated(comment))
        return false;
    source = ARENA_NEW(a, struct sourcetext);
    *source = (struct sourcetext){arena_printf(a, "comment on %.*s", STR_ARG(object)), comment,
                                  SCHEMA_INVALID};
    *r = (struct annotation_reader){a, errs, source};
    find_sections(r, out);
    return out->n > 0;
}

static void refuse_marker(struct annotation_reader *r, const struct section *s)
{
    place_error(s->at, r->errs, "@fraiseql:%.*s is not an annotation of such an object",
                STR_ARG(s->marker));
}

/* An annotation may stand once. */
static bool is_first(struct annotation_reader *r, const struct section *s, bool seen)
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
    struct annotation_reader r;
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
            annotation_read_map(&r, v, "@fraiseql:type", &keys_of_type, out);
        else if (v != NULL && !is_type)
            annotation_read_relation(&r, v, s->at, false, &out->relations);
        seen = seen || is_type;
    }
    return out;
}

/* required=false of String! and the like. */
static void settle_required(struct annotation_reader *r, struct field_annotation *f)
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
    struct annotation_reader r;
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
            annotation_read_map(&r, v, "@fraiseql:field", &keys_of_field, out);
        else if (v != NULL && !is_field)
            annotation_read_relation(&r, v, s->at, true, &out->relations);
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
    struct annotation_reader r;
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
        annotation_read_map(&r, v, query ? "@fraiseql:query" : "@fraiseql:mutation",
                            &keys_of_function, out);
    }
    return out;
}

/* --- documents -------------------------------------------------------------------------------- */

/* Of columns, and of the attributes of a type. */
static void read_column_comments(struct doc *d, struct doc_column *columns, size_t n,
                                 const char *what, struct str of, struct errors *errs)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (is_annotated(columns[i].comment))
            columns[i].annotation =
                annotations_field(columns[i].comment,
                                  arena_printf(d->arena, "%s \"%.*s\" of %.*s", what,
                                               STR_ARG(columns[i].name), STR_ARG(of)),
                                  d->arena, errs);
}

static void read_relation_comments(struct doc *d, struct doc_relation *r, struct errors *errs)
{
    struct str what = arena_printf(d->arena, "%s \"%.*s.%.*s\"", catalogdoc_kind(r),
                                   STR_ARG(r->schema), STR_ARG(r->name));

    if ((r->exposed || r->kind == 'v') && is_annotated(r->comment))
        r->annotation = annotations_type(r->comment, what, d->arena, errs);
    read_column_comments(d, r->columns, r->ncolumns, "column", what, errs);
}

/* Enums and the like have names and descriptions; domains are their base types. */
static void check_type_annotation(const struct doc_type *t, struct errors *errs)
{
    const struct type_annotation *a = t->annotation;

    if (a == NULL || t->kind == 'c')
        return;
    if (t->kind == 'd' || a->key.said || a->trinity != UNSAID || is_said(a->column) ||
        a->fields != NULL || is_said(a->shape) || a->expose_fields.said || a->hide.said ||
        is_said(a->tenant_column) || is_said(a->deprecated) || a->auth.said || a->relations.n > 0)
        place_error(a->at, errs, "%s",
                    t->kind == 'd' ? "a domain is shown as its base type: it has no annotations"
                                   : "only name and description can be given to such a type");
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
        struct str what =
            arena_printf(d->arena, "type \"%.*s.%.*s\"", STR_ARG(t->schema), STR_ARG(t->name));

        if (is_annotated(t->comment))
            t->annotation = annotations_type(t->comment, what, d->arena, errs);
        check_type_annotation(t, errs);
        read_column_comments(d, t->attributes, t->nattributes, "attribute", what, errs);
    }
}
