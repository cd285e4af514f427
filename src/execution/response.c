/*
 * response.c - columns + shape to JSON: data, errors and extensions to bytes.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf; paths of errors in the arena of their list.
 * Not here: single values (encode.c), fields in documents (response_document.c), the errors
 *           member (response_errors.c).
 *
 * The nesting of a shape is bounded by the planner, and so is the recursion here.
 */
#include "execution/response_writer.h"

#include "base/jwriter.h"
#include "execution/encode.h"
#include "execution/encode_opaque.h"
#include "execution/introspection.h"

/* --- errors ------------------------------------------------------------------------------- */

/* Paths are built on the stack while writing; an error needs one that stays. */
static const struct path *keep_path(struct arena *a, const struct path *p)
{
    const struct path *first = NULL;
    const struct path **link = &first;

    for (; p != NULL; p = p->parent) {
        struct path *copy = ARENA_NEW(a, struct path);

        *copy = (struct path){.key = arena_dup(a, p->key), .index = p->index};
        *link = copy;
        link = &copy->parent;
    }
    return first;
}

enum outcome response_fail(struct writer *w, const struct shape_field *f, const struct path *path,
                           const char *message, const char *detail)
{
    struct error *e = errors_add(w->errs, INTERNAL_SERVER_ERROR, "%s", message);

    e->detail = arena_dup(w->errs->arena, str_of(detail));
    e->path = keep_path(w->errs->arena, path);
    error_at(e, w->errs, plan_location(w->plan, f->offset));
    return FAILED;
}

/* --- values --------------------------------------------------------------------------------- */

static enum outcome write_object(struct writer *w, const struct shape *s,
                                 const struct pgvalue *columns, const struct path *path);
/* Position of the first null in an array whose items must not be null; -1 if there is none. */
static int64_t null_item(struct pgvalue v)
{
    struct encode_array it;
    struct pgvalue item;
    int64_t i = 0;

    if (!encode_array_begin(v, &it)) /* of several dimensions, or malformed: encode_value() tells */
        return -1;
    for (; it.left > 0 && encode_array_next(&it, &item); i++)
        if (item.len < 0)
            return i;
    return -1;
}

static enum outcome write_value(struct writer *w, const struct shape_field *f, struct pgvalue v,
                                const struct path *path)
{
    size_t start = w->out->len;

    if (v.len < 0)
        return NOTHING;
    if (f->items_non_null && f->codec->kind == CODEC_ARRAY) {
        struct path item = {.parent = path, .index = null_item(v)};

        if (item.index >= 0)
            return response_fail(w, f, &item, "a value that cannot be null is null",
                                 "null in an array of non-null items");
    }
    if (encode_value(f->codec, v, w->out) || !buf_ok(w->out))
        return WRITTEN;
    w->out->len = start;
    response_fail(w, f, path, "could not read a value", "bytes do not fit the codec of the column");
    /* datatype_mismatch, as PostgreSQL would have it: the schema is older than the column. */
    if (!encode_fits(f->codec, v))
        memcpy(w->errs->last->sqlstate, "42804", 6);
    return FAILED;
}

/* --- records ---------------------------------------------------------------------------------- */

/* The row of a record; *columns is valid until row_close(). */
static bool row_open(struct writer *w, const struct shape *s, struct pgvalue record,
                     struct pgvalue **columns)
{
    CHECK(w->used + s->ncolumns <= w->ncolumns);
    *columns = w->columns + w->used;
    w->used += s->ncolumns;
    return encode_record(record, *columns, s->ncolumns) == (int)s->ncolumns;
}

static void row_close(struct writer *w, const struct shape *s)
{
    w->used -= s->ncolumns;
}

static enum outcome write_record(struct writer *w, const struct shape_field *f, struct pgvalue v,
                                 const struct path *path)
{
    struct pgvalue *columns;
    enum outcome o;

    if (v.len < 0)
        return NOTHING;
    if (row_open(w, f->object, v, &columns))
        o = write_object(w, f->object, columns, path);
    else
        o = response_fail(w, f, path, "could not read a value", "malformed record");
    row_close(w, f->object);
    return o;
}

/* One item of a list is done; false: the list is null because of it. */
static bool write_item_end(struct writer *w, const struct shape_field *f, enum outcome o)
{
    if (o == WRITTEN)
        return true;
    if (f->items_non_null)
        return false;
    buf_append_lit(w->out, "null");
    return true;
}

static enum outcome write_records(struct writer *w, const struct shape_field *f, struct pgvalue v,
                                  const struct path *path)
{
    struct path at = {.parent = path, .index = 0};
    struct encode_array it;

    if (v.len < 0)
        return NOTHING;
    if (!encode_array_begin(v, &it))
        return response_fail(w, f, path, "could not read a value", "malformed array of records");
    buf_append_char(w->out, '[');
    for (; it.left > 0 && buf_ok(w->out); at.index++) {
        struct pgvalue record;

        if (at.index > 0)
            buf_append_char(w->out, ',');
        if (!encode_array_next(&it, &record))
            return response_fail(w, f, path, "could not read a value",
                                 "malformed array of records");
        if (!write_item_end(w, f, write_record(w, f, record, &at)))
            return FAILED;
    }
    buf_append_char(w->out, ']');
    return WRITTEN;
}

/* One row of the result: the object, or an item of the list. */
static enum outcome write_result_row(struct writer *w, const struct shape_field *f, size_t row,
                                     const struct path *path)
{
    const struct shape *s = f->object;
    struct pgvalue *columns = w->columns + w->used;
    enum outcome o;

    CHECK(w->used + s->ncolumns <= w->ncolumns);
    w->used += s->ncolumns;
    pgrows_row(w->calls[f->step].rows, row, columns);
    o = write_object(w, s, columns, path);
    row_close(w, s);
    return o;
}

static enum outcome write_rows(struct writer *w, const struct shape_field *f,
                               const struct path *path)
{
    struct path at = {.parent = path, .index = 0};
    size_t n = pgrows_count(w->calls[f->step].rows);

    buf_append_char(w->out, '[');
    for (size_t i = 0; i < n && buf_ok(w->out); i++) {
        at.index = (int64_t)i;
        if (i > 0)
            buf_append_char(w->out, ',');
        if (!write_item_end(w, f, write_result_row(w, f, i, &at)))
            return FAILED;
    }
    buf_append_char(w->out, ']');
    return WRITTEN;
}

static enum outcome write_result(struct writer *w, const struct shape_field *f,
                                 const struct path *path)
{
    struct pgvalue v;

    pgrows_row(w->calls[f->step].rows, 0, &v);
    if (f->object == NULL)
        return write_value(w, f, v, path);
    return type_ref_is_list(f->selection->field->type) ? write_records(w, f, v, path)
                                                       : write_record(w, f, v, path);
}

static enum outcome write_outcome(struct writer *w, const struct shape_field *f,
                                  const struct path *path)
{
    const struct shape *s = f->object;
    struct pgvalue *columns = w->columns + w->used;
    enum outcome o;

    CHECK(w->used + s->ncolumns <= w->ncolumns);
    w->used += s->ncolumns;
    pgrows_row(w->calls[f->step].rows, 0, columns);
    if (columns[0].len != 1 || columns[0].data[0] == 0)
        s = f->otherwise;
    o = write_object(w, s, columns, path);
    row_close(w, s);
    return o;
}

static enum outcome write_step(struct writer *w, const struct shape_field *f,
                               const struct path *path)
{
    const struct pgrows *rows = w->calls[f->step].rows;

    if (rows == NULL)
        return FAILED;
    if (f->kind == SHAPE_ROWS)
        return write_rows(w, f, path);
    if (f->kind == SHAPE_RESULT)
        return write_result(w, f, path);
    if (f->kind == SHAPE_OUTCOME)
        return write_outcome(w, f, path);
    return pgrows_count(rows) > 0 ? write_result_row(w, f, 0, path) : NOTHING;
}

static enum outcome write_opaque(struct writer *w, const struct shape_field *f,
                                 const struct shape_opaque *o, const struct pgvalue *columns,
                                 const struct path *path)
{
    size_t start = w->out->len;

    if (encode_opaque(o, columns, &w->scratch, w->out) || !buf_ok(w->out))
        return WRITTEN;
    w->out->len = start;
    return response_fail(w, f, path, "could not read a value",
                         "bytes do not fit the codec of the column");
}

/* --- pages -------------------------------------------------------------------------------- */

/* The rows of a page among those fetched, which are one more if there are more. */
struct page {
    struct encode_array rows; /* the next is the first of the page */
    int32_t n;
    bool more;
};

static int64_t page_size(const struct writer *w, const struct shape_page *p)
{
    int64_t n = p->limit;

    if (p->param >= 0)
        CHECK(str_to_i64(str_of(w->params[p->param]), &n));
    return n;
}

static bool page_open(const struct writer *w, const struct shape_page *p, struct pgvalue v,
                      struct page *out)
{
    int64_t size = page_size(w, p);
    struct pgvalue ignored;

    if (v.len < 0 || !encode_array_begin(v, &out->rows))
        return false;
    out->more = out->rows.left > size;
    out->n = out->more ? (int32_t)size : out->rows.left;
    while (p->backward && out->rows.left > out->n)
        if (!encode_array_next(&out->rows, &ignored))
            return false;
    return true;
}

static enum outcome malformed(struct writer *w, const struct shape_field *f,
                              const struct path *path)
{
    return response_fail(w, f, path, "could not read a value", "malformed array of records");
}

static enum outcome write_page(struct writer *w, const struct shape_field *f, struct pgvalue v,
                               const struct path *path)
{
    struct path at = {.parent = path, .index = 0};
    struct page p;

    if (!page_open(w, f->page, v, &p))
        return malformed(w, f, path);
    buf_append_char(w->out, '[');
    for (; at.index < p.n && buf_ok(w->out); at.index++) {
        struct pgvalue record;

        if (at.index > 0)
            buf_append_char(w->out, ',');
        if (!encode_array_next(&p.rows, &record))
            return malformed(w, f, path);
        if (!write_item_end(w, f, write_record(w, f, record, &at)))
            return FAILED;
    }
    buf_append_char(w->out, ']');
    return WRITTEN;
}

static enum outcome write_page_cursor(struct writer *w, const struct shape_field *f,
                                      struct pgvalue v, const struct path *path)
{
    const struct shape row = {.ncolumns = f->page->ncolumns};
    struct pgvalue record = {NULL, -1, 0};
    struct pgvalue *columns;
    enum outcome o;
    struct page p;

    if (!page_open(w, f->page, v, &p))
        return malformed(w, f, path);
    for (int32_t i = 0; i < (f->end ? p.n : p.n > 0); i++)
        if (!encode_array_next(&p.rows, &record))
            return malformed(w, f, path);
    if (record.len < 0)
        return NOTHING;
    if (row_open(w, &row, record, &columns))
        o = write_opaque(w, f, &f->page->cursor, columns, path);
    else
        o = malformed(w, f, path);
    row_close(w, &row);
    return o;
}

static enum outcome write_page_more(struct writer *w, const struct shape_field *f,
                                    const struct pgvalue *columns, const struct path *path)
{
    int column = f->end ? f->page->behind : f->page->before;
    bool more = column >= 0 && columns[column].len == 1 && columns[column].data[0] != 0;
    struct page p;

    if (!page_open(w, f->page, columns[f->page->column], &p))
        return malformed(w, f, path);
    jwriter_bool(w->out, more || (p.more && f->end != f->page->backward));
    return WRITTEN;
}

static enum outcome write_field_value(struct writer *w, const struct shape_field *f,
                                      const struct pgvalue *columns, const struct pgvalue *keys,
                                      const struct path *path)
{
    switch (f->kind) {
    case SHAPE_VALUE:
        return write_value(w, f, columns[f->column], path);
    case SHAPE_OBJECT:
        if (f->object->presence >= 0 && columns[f->object->presence].len < 0)
            return NOTHING;
        return write_object(w, f->object, columns, path);
    case SHAPE_RECORD:
        return write_record(w, f, columns[f->column], path);
    case SHAPE_RECORDS:
        return write_records(w, f, columns[f->column], path);
    case SHAPE_ROWS:
    case SHAPE_ROW:
    case SHAPE_RESULT:
    case SHAPE_OUTCOME:
        return write_step(w, f, path);
    case SHAPE_DOCUMENT:
        return response_document(w, f, columns[f->column], path);
    case SHAPE_KEY:
        return response_document_key(w, f, keys[f->column], path);
    case SHAPE_TYPENAME:
        jwriter_string(w->out, f->text);
        return WRITTEN;
    case SHAPE_INTROSPECTION:
        return introspection_write(w->plan, f, w->params, w->out) ? WRITTEN : NOTHING;
    case SHAPE_NULL:
        return NOTHING;
    case SHAPE_OPAQUE:
        return write_opaque(w, f, f->opaque, columns, path);
    case SHAPE_PAGE:
        return write_page(w, f, columns[f->page->column], path);
    case SHAPE_PAGE_CURSOR:
        return write_page_cursor(w, f, columns[f->page->column], path);
    case SHAPE_PAGE_MORE:
        return write_page_more(w, f, columns, path);
    }
    return NOTHING;
}

/* In whole chunks, which a key's memory has: no call, and no loop for nearly all. */
static inline void write_key(struct buf *out, struct str key)
{
    char *to = buf_room(out, key.len + SHAPE_KEY_CHUNK);

    if (to == NULL)
        return;
    memcpy(to, key.data, SHAPE_KEY_CHUNK);
    for (size_t i = SHAPE_KEY_CHUNK; __builtin_expect(i < key.len, 0); i += SHAPE_KEY_CHUNK)
        memcpy(to + i, key.data + i, SHAPE_KEY_CHUNK);
    buf_used(out, key.len);
}

/* The usual value, which is in order, or null where it may be; otherwise nothing was appended. */
static inline bool write_usual(const struct shape_field *f, const struct pgvalue *columns,
                               struct buf *out)
{
    size_t start = out->len;

    if (f->kind != SHAPE_VALUE)
        return false;
    if (columns[f->column].len < 0) {
        if (!f->non_null)
            buf_append_lit(out, "null");
        return !f->non_null;
    }
    if (f->codec->kind == CODEC_ARRAY)
        return false; /* of items that may not be null */
    if (encode_value(f->codec, columns[f->column], out))
        return true;
    out->len = start;
    return false;
}

/* False: there is none, and its object is null because of that. */
static __attribute__((noinline)) bool write_any(struct writer *w, const struct shape_field *f,
                                                const struct pgvalue *columns,
                                                const struct pgvalue *keys, const struct path *path)
{
    struct path at = {.parent = path, .key = f->key, .index = -1};
    size_t start = w->out->len;
    enum outcome o = write_field_value(w, f, columns, keys, &at);

    if (o == WRITTEN)
        return true;
    if (o == NOTHING && f->non_null)
        response_fail(w, f, &at, "a value that cannot be null is null", "null in the data");
    if (f->non_null)
        return false;
    w->out->len = start;
    buf_append_lit(w->out, "null");
    return true;
}

/* Specification section 6.4.4: an object with a null where none may be is null itself. */
enum outcome response_fields(struct writer *w, const struct shape *s, const struct pgvalue *columns,
                             const struct pgvalue *keys, const struct path *path)
{
    const struct shape_field *end = s->fields + s->nfields;
    struct buf *out = w->out;
    size_t start = out->len;

    for (const struct shape_field *f = s->fields; f < end; f++) {
        write_key(out, f->key_json);
        if (!write_usual(f, columns, out) && !write_any(w, f, columns, keys, path)) {
            out->len = start;
            return FAILED;
        }
    }
    /* In place of the first comma. */
    if (out->len > start)
        out->data[start] = '{';
    else
        buf_append_char(out, '{');
    buf_append_char(out, '}');
    return WRITTEN;
}

static enum outcome write_object(struct writer *w, const struct shape *s,
                                 const struct pgvalue *columns, const struct path *path)
{
    if (s->nkeys == 0)
        return response_fields(w, s, columns, NULL, path);
    return response_document_fields(w, s, columns, path);
}

/* The rows are the steps', unless something went very wrong. */
static bool rows_fit(const struct plan *p, const struct pgcall *calls, bool partial)
{
    for (size_t i = 0; i < p->nsteps; i++) {
        const struct plan_step *step = &p->steps[i];
        const struct pgrows *rows = calls[i].rows;

        if (rows == NULL &&
            (partial || (step->guard >= 0 && calls[step->guard].tripped) || calls[i].tripped))
            continue;
        if (rows == NULL || pgrows_columns(rows) != step->ncolumns ||
            (step->one_row && pgrows_count(rows) != 1))
            return false;
    }
    return true;
}

bool response_data(const struct plan *p, const char *const *params, const struct pgcall *calls,
                   bool partial, struct buf *out, struct errors *errs)
{
    struct writer w = {.plan = p,
                       .params = params,
                       .calls = calls,
                       .out = out,
                       .errs = errs,
                       .ncolumns = p->max_open_columns};

    if (!rows_fit(p, calls, partial)) {
        errors_add(errs, INTERNAL_SERVER_ERROR, "the result has other columns than expected");
        buf_append_lit(out, "{\"data\":null}");
        return buf_ok(out);
    }
    /* One too many, so that there is an address even for none. */
    w.columns = arena_alloc_raw(errs->arena, (w.ncolumns + 1) * sizeof *w.columns);
    if (p->root->ncolumns > 0) {
        pgrows_row(calls[0].rows, 0, w.columns);
        w.used = p->root->ncolumns;
    }
    buf_init(&w.scratch, 0);
    buf_append_lit(out, "{\"data\":");
    if (write_object(&w, p->root, w.columns, NULL) != WRITTEN)
        buf_append_lit(out, "null");
    buf_append_char(out, '}');
    buf_fini(&w.scratch);
    return buf_ok(out);
}
