/*
 * build.c - the type registry while a schema is built.
 *
 * Thread:   one at a time.
 * Memory:   in the schema's arena.
 * Not here: which types there are (relations.c, inputs.c, objects.c, metatypes.c).
 */
#include "schema/build.h"

#include "schema/sdlfile.h"

struct type *builder_find_type(const struct builder *b, struct str name)
{
    return map_get(&b->types_by_name, name);
}

struct type *builder_add_type(struct builder *b, enum type_kind kind, struct str name,
                              struct str origin)
{
    struct type *t = ARENA_NEW(b->arena, struct type);

    t->kind = kind;
    t->name = name;
    t->index = b->types.n;
    if (!map_add(&b->types_by_name, name, t)) {
        const struct type *other = builder_find_type(b, name);
        struct str taken_by = b->origins.items[other->index];
        struct error *e = errors_add(b->errs, SCHEMA_INVALID,
                                     "the type name \"%.*s\" is taken twice: by %.*s and by %.*s",
                                     STR_ARG(name), STR_ARG(taken_by), STR_ARG(origin));

        e->hint = STR("leave one of them out with schema.expose.exclude");
        /* Not in the schema, but whole, so that all conflicts are found in one go. */
        return t;
    }
    VEC_PUSH(b->scratch, &b->origins, origin);
    VEC_PUSH(b->scratch, &b->types, t);
    return t;
}

struct type *builder_derive_type(struct builder *b, enum type_kind kind, const struct relation *r,
                                 const char *suffix)
{
    struct str name = arena_printf(b->arena, "%.*s%s", STR_ARG(r->type_name), suffix);
    struct type *t;

    if (builder_find_type(b, name) != NULL)
        name = arena_printf(b->arena, "%.*sType", STR_ARG(name));
    t = builder_add_type(
        b, kind, name,
        arena_printf(b->scratch, "what goes with type \"%.*s\"", STR_ARG(r->type_name)));
    t->relation = r;
    return t;
}

struct type *builder_scalar(struct builder *b, const char *name)
{
    const struct scalar *s = scalar_find(str_of(name));
    struct type **slot, *t;

    CHECK(s != NULL);
    slot = &b->scalars[s - scalar_at(0)];
    if (*slot != NULL)
        return *slot;
    t = builder_add_type(b, TYPE_SCALAR, s->name, STR("a scalar"));
    *slot = t;
    t->scalar = s;
    t->description = s->description;
    t->specified_by = s->specified_by;
    return t;
}

/* What a field is there for, for messages; empty if only its name tells. */
static struct str field_origin(const struct builder *b, const struct field *f)
{
    if (f->relation != NULL)
        return arena_printf(b->scratch, " of \"%.*s.%.*s\"", STR_ARG(f->relation->schema),
                            STR_ARG(f->relation->name));
    if (f->column != NULL)
        return arena_printf(b->scratch, " of column \"%.*s\"", STR_ARG(f->column->name));
    return STR("");
}

static void taken_twice(struct builder *b, const struct type *t, struct str name, struct str one,
                        struct str other)
{
    struct error *e;

    if (one.len > 0 && other.len > 0)
        e = errors_add(b->errs, SCHEMA_INVALID,
                       "type \"%.*s\" would have two fields named \"%.*s\": one%.*s and one%.*s",
                       STR_ARG(t->name), STR_ARG(name), STR_ARG(one), STR_ARG(other));
    else
        e = errors_add(b->errs, SCHEMA_INVALID,
                       "type \"%.*s\" would have two fields named \"%.*s\"", STR_ARG(t->name),
                       STR_ARG(name));
    e->hint = STR("rename one of the columns in a view, or leave a relation out with "
                  "schema.expose.exclude");
}

/* Each of the items begins with its name. */
static void index_members(struct builder *b, struct type *t, const void *items, size_t n,
                          size_t size)
{
    size_t i;

    names_init(&t->members, items, n, size, b->arena);
    for (i = 0; i < n; i++) {
        const struct str *name = (const void *)((const char *)items + i * size);
        const void *first = names_get(&t->members, *name);
        bool fields = items == t->fields;

        if (first != name)
            taken_twice(b, t, *name, fields ? field_origin(b, first) : STR(""),
                        fields ? field_origin(b, &t->fields[i]) : STR(""));
    }
}

void builder_release_fields(struct builder *b, struct fields *fields)
{
    arena_undo(b->scratch, fields->items, fields->cap * sizeof(*fields->items));
    *fields = (struct fields){0};
}

void builder_release_inputs(struct builder *b, struct inputs *inputs)
{
    arena_undo(b->scratch, inputs->items, inputs->cap * sizeof(*inputs->items));
    *inputs = (struct inputs){0};
}

void builder_share_fields(struct builder *b, struct type *t, const struct field *fields, size_t n)
{
    t->fields = fields;
    t->nfields = n;
    index_members(b, t, fields, n, sizeof(*fields));
}

void builder_set_fields(struct builder *b, struct type *t, const struct fields *fields)
{
    struct fields settled = *fields;
    struct field *copy;

    sdl_settle_fields(b, t, &settled);
    fields = &settled;
    copy = ARENA_ARRAY(b->arena, fields->n, struct field);
    if (fields->n > 0)
        memcpy(copy, fields->items, fields->n * sizeof(*copy));
    builder_share_fields(b, t, copy, fields->n);
}

void builder_set_inputs(struct builder *b, struct type *t, const struct inputs *inputs)
{
    struct input_value *copy = ARENA_ARRAY(b->arena, inputs->n, struct input_value);

    if (inputs->n > 0)
        memcpy(copy, inputs->items, inputs->n * sizeof(*copy));
    t->inputs = copy;
    t->ninputs = inputs->n;
    index_members(b, t, copy, t->ninputs, sizeof(*copy));
}

void builder_set_values(struct builder *b, struct type *t, const struct enum_value *values,
                        size_t n)
{
    struct enum_value *copy = ARENA_ARRAY(b->arena, n, struct enum_value);

    if (n > 0)
        memcpy(copy, values, n * sizeof(*copy));
    t->values = copy;
    t->nvalues = n;
    index_members(b, t, copy, t->nvalues, sizeof(*copy));
}

size_t builder_index(const struct builder *b, const struct relation *r)
{
    return (size_t)(r - b->relations);
}

void comment_read(struct str comment, struct arena *a, struct str *description,
                  struct str *deprecated)
{
    struct str rest = comment, line, after;
    struct buf text;

    *deprecated = str_make(NULL, 0);
    buf_init(&text, 0);
    while (rest.len > 0) {
        str_cut(rest, '\n', &line, &after);
        rest = after;
        line = str_sub(line, 0, line.len - (line.len > 0 && line.data[line.len - 1] == '\r'));
        /* What follows the marker is for us, to the end. */
        if (str_starts(str_trim(line), STR("@fraiseql:")))
            break;
        if (str_starts(line, STR("@deprecated")) &&
            (line.len == 11 || line.data[11] == ' ' || line.data[11] == ':')) {
            struct str reason = str_trim(str_sub(line, 12, line.len));

            *deprecated = reason.len ? arena_dup(a, reason) : STR("No longer supported");
            continue;
        }
        buf_append_str(&text, line);
        buf_append_char(&text, '\n');
    }
    *description = arena_dup(a, str_trim(buf_str(&text)));
    buf_fini(&text);
}
