/*
 * opaque.c - typed values behind a text that clients hand back unread.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 */
#include "schema/opaque.h"

#include "base/base64url.h"

/* A value may be a list, or JSON where a key is of jsonb. */
static const struct jval_limits limits = {.max_depth = 64, .max_values = 10000};

const struct jval *opaque_read(struct str text, struct arena *a)
{
    unsigned char *bytes = arena_alloc_raw(a, text.len + 1);
    const struct jval *v;
    struct errors ignored;
    size_t len;

    errors_init(&ignored, a);
    if (!base64url_decode(text, bytes, &len) ||
        !jval_parse(str_make((const char *)bytes, len), &limits, a, &v, &ignored))
        return NULL;
    return v->kind == JVAL_ARRAY && v->n > 0 && v->items[0]->kind == JVAL_STRING ? v : NULL;
}

const struct jval *const *opaque_values(const struct opaque_form *form, struct str text,
                                        struct arena *a)
{
    const struct jval *v = opaque_read(text, a);

    if (v == NULL || v->n != form->n + 1 || !str_eq(v->items[0]->text, form->head))
        return NULL;
    return v->items + 1;
}
