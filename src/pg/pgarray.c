/*
 * pgarray.c - arrays as PostgreSQL reads their text.
 *
 * Thread:   any.
 */
#include "pg/pgarray.h"

#include "base/buf.h"

struct str pgarray_text(const struct str *items, size_t n, struct arena *a)
{
    struct buf b;
    struct str text;

    buf_init(&b, 0);
    buf_append_char(&b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_append_char(&b, ',');
        buf_append_char(&b, '"');
        for (size_t j = 0; j < items[i].len; j++) {
            if (items[i].data[j] == '"' || items[i].data[j] == '\\')
                buf_append_char(&b, '\\');
            buf_append_char(&b, items[i].data[j]);
        }
        buf_append_char(&b, '"');
    }
    buf_append_char(&b, '}');
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}
