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

struct str opaque_head(struct str text, char room[OPAQUE_HEAD_MAX + 1])
{
    /* Four characters are three bytes: the text up to there is base64url of its own. */
    size_t some = size_min(text.len, (size_t)OPAQUE_HEAD_MAX / 3 * 4);
    size_t len, end = 2;

    if (!base64url_decode(str_sub(text, 0, some), (unsigned char *)room, &len) || len < 3 ||
        room[0] != '[' || room[1] != '"')
        return str_make(NULL, 0);
    while (end < len && room[end] != '"' && room[end] != '\\')
        end++;
    if (end == len || room[end] != '"')
        return str_make(NULL, 0);
    return str_make(room + 2, end - 2);
}

const struct jval *const *opaque_values(const struct opaque_form *form, struct str text,
                                        struct arena *a)
{
    unsigned char *bytes = arena_alloc_raw(a, text.len + 1);
    const struct jval *v;
    struct errors ignored;
    size_t len;

    errors_init(&ignored, a);
    if (!base64url_decode(text, bytes, &len) ||
        !jval_parse(str_make((const char *)bytes, len), &limits, a, &v, &ignored))
        return NULL;
    if (v->kind != JVAL_ARRAY || v->n != form->n + 1 || v->items[0]->kind != JVAL_STRING ||
        !str_eq(v->items[0]->text, form->head))
        return NULL;
    return v->items + 1;
}
