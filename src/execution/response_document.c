/*
 * response_document.c - fields whose values are in a jsonb document.
 *
 * Thread:   any.
 * Memory:   appends to the writer's buf.
 * Not here: the document's text (document.c), values of columns (response.c).
 *
 * The nesting of a shape is bounded by the planner, and so is the recursion here.
 */
#include "execution/response_writer.h"

#include "execution/document.h"
#include "planner/collect.h"

/* The length of a key's value where there is no object that it could be in. */
#define NO_DOCUMENT (-2)

static enum outcome write_document_object(struct writer *w, const struct shape *s,
                                          struct str document, const struct path *path);

static enum outcome wrong_kind(struct writer *w, const struct shape_field *f,
                               const struct path *path)
{
    return response_fail(w, f, path, "could not read a value",
                         "the document has another kind of value");
}

static enum outcome write_json(struct writer *w, const struct shape_field *f, struct type_ref type,
                               struct str json, const struct path *path);

/* One item; false: the list is null because of it. */
static bool write_json_item(struct writer *w, const struct shape_field *f, struct type_ref type,
                            struct str json, const struct path *path)
{
    enum outcome o = document_is_null(json) ? NOTHING : write_json(w, f, type, json, path);

    if (o == WRITTEN)
        return true;
    if (o == NOTHING && type_ref_non_null(type))
        response_fail(w, f, path, "a value that cannot be null is null", "null in the document");
    if (type_ref_non_null(type))
        return false;
    buf_append_lit(w->out, "null");
    return true;
}

static enum outcome write_json_list(struct writer *w, const struct shape_field *f,
                                    struct type_ref type, struct str json, const struct path *path)
{
    struct path at = {.parent = path, .index = 0};
    size_t start = w->out->len;
    struct document_items it;
    struct str item;
    bool more;

    if (!document_begin(json, &it))
        return wrong_kind(w, f, path);
    buf_append_char(w->out, '[');
    for (; buf_ok(w->out); at.index++) {
        if (!document_next(&it, &item, &more)) {
            w->out->len = start;
            return wrong_kind(w, f, path);
        }
        if (!more)
            break;
        if (at.index > 0)
            buf_append_char(w->out, ',');
        if (!write_json_item(w, f, type, item, &at)) {
            w->out->len = start;
            return FAILED;
        }
    }
    buf_append_char(w->out, ']');
    return WRITTEN;
}

/* What is no null in a document, as the type of the field has it. Types bound the recursion. */
static enum outcome write_json(struct writer *w, const struct shape_field *f, struct type_ref type,
                               struct str json, const struct path *path)
{
    size_t start = w->out->len;

    if (type_ref_is_list(type))
        return write_json_list(w, f, type_ref_item(type), json, path);
    if (f->object != NULL)
        return json.data[0] == '{' ? write_document_object(w, f->object, json, path)
                                   : wrong_kind(w, f, path);
    if (document_value(f->codec, json, w->out) || !buf_ok(w->out))
        return WRITTEN;
    w->out->len = start;
    return wrong_kind(w, f, path);
}

/* --- keys --------------------------------------------------------------------------------- */

/* Room for the values of the keys, which is left with keys_close(). */
static struct pgvalue *keys_open(struct writer *w, const struct shape *s)
{
    struct pgvalue *keys = w->columns + w->used;

    CHECK(w->used + s->nkeys <= w->ncolumns);
    w->used += s->nkeys;
    return keys;
}

static void keys_close(struct writer *w, const struct shape *s)
{
    w->used -= s->nkeys;
}

/* No document is one without keys; what is no object has none that could be read. */
static void find_keys(const struct shape *s, struct pgvalue column, struct pgvalue *keys)
{
    struct str json = STR("{}");
    bool ok = column.len < 0 || document_open(column, &json);

    if (ok && document_is_null(json))
        json = STR("{}");
    if (ok && document_find(json, s->keys, s->nkeys, keys))
        return;
    for (size_t i = 0; i < s->nkeys; i++)
        keys[i].len = NO_DOCUMENT;
}

/* An object that is a value in a document, and begins with a brace. */
static enum outcome write_document_object(struct writer *w, const struct shape *s,
                                          struct str document, const struct path *path)
{
    struct pgvalue *keys = keys_open(w, s);
    enum outcome o;

    if (!document_find(document, s->keys, s->nkeys, keys))
        for (size_t i = 0; i < s->nkeys; i++)
            keys[i].len = NO_DOCUMENT;
    o = response_fields(w, s, NULL, keys, path);
    keys_close(w, s);
    return o;
}

enum outcome response_document_fields(struct writer *w, const struct shape *s,
                                      const struct pgvalue *columns, const struct path *path)
{
    struct pgvalue *keys = keys_open(w, s);
    enum outcome o;

    find_keys(s, columns[s->document], keys);
    o = response_fields(w, s, columns, keys, path);
    keys_close(w, s);
    return o;
}

enum outcome response_document_key(struct writer *w, const struct shape_field *f, struct pgvalue v,
                                   const struct path *path)
{
    if (v.len == NO_DOCUMENT)
        return wrong_kind(w, f, path);
    if (v.len < 0)
        return NOTHING;
    return write_json(w, f, f->selection->field->type, str_make(v.data, (size_t)v.len), path);
}

enum outcome response_document(struct writer *w, const struct shape_field *f, struct pgvalue v,
                               const struct path *path)
{
    struct str json;

    if (v.len < 0)
        return NOTHING;
    if (!document_open(v, &json))
        return wrong_kind(w, f, path);
    if (document_is_null(json))
        return NOTHING;
    return write_json(w, f, f->selection->field->type, json, path);
}
