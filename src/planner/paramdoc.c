/*
 * paramdoc.c - input objects as JSON documents.
 *
 * Thread:   any.
 */
#include "planner/paramdoc.h"

#include "base/jwriter.h"
#include "planner/paramtext.h"

struct writer {
    struct arena *arena;
    struct buf *out;
};

static bool write_value(struct writer *w, struct type_ref type, const struct jval *v);

static bool write_list(struct writer *w, struct type_ref type, const struct jval *v)
{
    size_t n = v->kind == JVAL_ARRAY ? v->n : 1;

    buf_append_char(w->out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_append_char(w->out, ',');
        /* One that is no list is meant as a list of one. */
        if (!write_value(w, type_ref_item(type), v->kind == JVAL_ARRAY ? v->items[i] : v))
            return false;
    }
    buf_append_char(w->out, ']');
    return true;
}

static bool write_object(struct writer *w, const struct type *t, const struct jval *v)
{
    bool any = false;

    if (v->kind != JVAL_OBJECT)
        return false;
    buf_append_char(w->out, '{');
    for (size_t i = 0; i < t->ninputs; i++) {
        const struct input_value *to = &t->inputs[i];
        const struct jval *member = jval_get(v, to->name);

        if (member == NULL && !type_ref_non_null(to->type))
            continue;
        if (member == NULL)
            return false;
        if (any)
            buf_append_char(w->out, ',');
        any = true;
        jwriter_key(w->out, to->column->name);
        if (!write_value(w, to->type, member))
            return false;
    }
    buf_append_char(w->out, '}');
    return true;
}

static bool write_leaf(struct writer *w, const struct type *t, const struct jval *v)
{
    struct str text;

    if (t->scalar != NULL && str_is(t->scalar->name, "JSON")) {
        jval_write(v, w->out);
        return true;
    }
    if (!paramtext_leaf(t, v, w->arena, &text))
        return false;
    if (v->kind == JVAL_BOOL)
        jwriter_bool(w->out, v->boolean);
    else if (v->kind == JVAL_NUMBER && !(t->scalar != NULL && str_is(t->scalar->name, "ID")))
        buf_append_str(w->out, v->text);
    else
        jwriter_string(w->out, text);
    return true;
}

/* As deep as the value, which limits of text and variables have bounded. */
static bool write_value(struct writer *w, struct type_ref type, const struct jval *v)
{
    if (v->kind == JVAL_NULL) {
        buf_append_lit(w->out, "null");
        return !type_ref_non_null(type);
    }
    if (type_ref_is_list(type))
        return write_list(w, type, v);
    if (type.type->kind == TYPE_INPUT_OBJECT)
        return write_object(w, type.type, v);
    return write_leaf(w, type.type, v);
}

bool paramdoc_text(struct type_ref type, const struct jval *v, struct arena *a, struct str *out)
{
    struct buf text;
    struct writer w = {a, &text};
    bool ok;

    buf_init(&text, 0);
    ok = write_value(&w, type, v);
    if (ok)
        *out = arena_dup(a, buf_str(&text));
    buf_fini(&text);
    return ok;
}
