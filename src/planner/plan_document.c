/*
 * plan_document.c - what is selected of declared documents.
 *
 * Thread:   any.
 * Not here: conditions and order by keys, which are columns like others (sqlbuf_column()).
 *
 * A document is read as one column, whatever is selected of it, and taken apart
 * in C: PostgreSQL would work out a view's document anew for each key that is
 * mentioned in its SELECT list.
 */
#include "planner/plan_document.h"

#include "base/jwriter.h"
#include "language/source.h"
#include "planner/plan_row.h"

/* As JSON has it between quotes. */
static struct str escaped(struct compiler *c, struct str name)
{
    struct buf b;
    struct str out;

    buf_init(&b, 0);
    jwriter_escape(&b, name);
    out = arena_dup(c->in.arena, buf_str(&b));
    buf_fini(&b);
    return out;
}

static uint16_t find_key(struct compiler *c, struct keys *keys, struct str name)
{
    struct str key = escaped(c, name);

    for (size_t i = 0; i < keys->names.n; i++)
        if (str_eq(keys->names.items[i], key))
            return (uint16_t)i;
    VEC_PUSH(c->in.scratch, &keys->names, key);
    return (uint16_t)(keys->names.n - 1);
}

/* An object in a document of another type may have fields that are no keys. */
static bool is_no_key(struct compiler *c, const struct selection *s)
{
    error_at(errors_add(c->in.errs, BAD_USER_INPUT,
                        "\"%.*s\" cannot be selected here: this %.*s is part of a document",
                        STR_ARG(s->field->name), STR_ARG(s->parent->name)),
             c->in.errs, source_location(c->in.op->document->source, s->ast->offset));
    return false;
}

static bool select_keys(struct compiler *c, const struct selection *s, unsigned depth,
                        const struct shape **object)
{
    struct arena *a = c->in.arena;
    struct shape *shape = ARENA_NEW(a, struct shape);
    struct shape_field *fields = ARENA_ARRAY(a, s->nchildren, struct shape_field);
    struct keys keys = {0};

    if (depth > MAX_SHAPE_DEPTH)
        return plan_too_complex(c, s, "the operation is nested too deep");
    for (size_t i = 0; i < s->nchildren; i++) {
        const struct selection *child = s->children[i];

        if (child->field->resolver == RESOLVE_TYPENAME) {
            plan_shape_field(c, child, &fields[i]);
            fields[i].kind = SHAPE_TYPENAME;
            fields[i].text = child->parent->name;
        } else if (child->field->resolver != RESOLVE_PART &&
                   child->field->resolver != RESOLVE_COLUMN) {
            return is_no_key(c, child);
        } else if (!plan_key(c, &keys, child, depth, &fields[i])) {
            return false;
        }
    }
    *shape = (struct shape){.fields = fields, .nfields = s->nchildren, .presence = -1};
    plan_keys_finish(c, &keys, -1, fields, shape);
    *object = shape;
    return true;
}

bool plan_document(struct compiler *c, const struct selection *s, unsigned depth,
                   struct shape_field *out)
{
    const struct column *column = s->field->column;

    if (column->composite != NULL)
        return select_keys(c, s, depth + 1, &out->object);
    out->codec = column->codec;
    while (out->codec->kind == CODEC_ARRAY)
        out->codec = out->codec->element;
    return true;
}

bool plan_key(struct compiler *c, struct keys *keys, const struct selection *s, unsigned depth,
              struct shape_field *out)
{
    plan_shape_field(c, s, out);
    out->kind = SHAPE_KEY;
    out->column = find_key(c, keys, s->field->column->name);
    return plan_document(c, s, depth, out);
}

void plan_keys_finish(struct compiler *c, const struct keys *keys, int document,
                      struct shape_field *fields, struct shape *shape)
{
    size_t n = keys->names.n;
    struct str *sorted = arena_copy(c->in.arena, keys->names.items, n * sizeof *sorted);

    /* By insertion: an object has few, and most come sorted. */
    for (size_t i = 1; i < n; i++) {
        struct str key = sorted[i];
        size_t at = i;

        for (; at > 0 && str_cmp_length(sorted[at - 1], key) > 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = key;
    }
    for (size_t i = 0; i < shape->nfields; i++) {
        uint16_t at = 0;

        if (fields[i].kind != SHAPE_KEY)
            continue;
        while (!str_eq(sorted[at], keys->names.items[fields[i].column]))
            at++;
        fields[i].column = at;
    }
    shape->keys = sorted;
    shape->nkeys = n;
    shape->document = document;
}
