/*
 * template.c - text with {{names}} in it that values stand in for.
 *
 * Thread:   any.
 * Memory:   the arena given.
 */
#include "base/template.h"

struct piece {
    struct str text; /* before … */
    size_t value;    /* … this value */
};

struct template
{
    struct piece *items;
    size_t n, cap;
    struct str rest;
};

static size_t find_pair(struct str s, char c)
{
    for (size_t i = 0; i + 1 < s.len; i++)
        if (s.data[i] == c && s.data[i + 1] == c)
            return i;
    return s.len;
}

static bool find_name(struct str name, const struct str *names, size_t n, size_t *out)
{
    for (*out = 0; *out < n; (*out)++)
        if (str_eq(names[*out], name))
            return true;
    return false;
}

const struct template *template_parse(struct str text, const struct str *names, size_t n,
                                      struct arena *a, struct str *why)
{
    struct template *t = ARENA_NEW(a, struct template);
    size_t open, close;

    for (t->rest = text; (open = find_pair(t->rest, '{')) < t->rest.len;
         t->rest = str_sub(t->rest, open + 2 + close + 2, SIZE_MAX)) {
        struct str inside = str_sub(t->rest, open + 2, SIZE_MAX), name;
        struct piece piece = {.text = str_sub(t->rest, 0, open)};

        close = find_pair(inside, '}');
        if (close == inside.len) {
            *why = STR("there is a {{ without }}");
            return NULL;
        }
        name = str_trim(str_sub(inside, 0, close));
        if (!find_name(name, names, n, &piece.value)) {
            *why = arena_printf(a, "there is no {{%.*s}}", STR_ARG(name));
            return NULL;
        }
        VEC_PUSH(a, t, piece);
    }
    return t;
}

void template_render(const struct template *t, const struct str *values, template_escape *escape,
                     struct buf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        buf_append_str(out, t->items[i].text);
        escape(out, values[t->items[i].value]);
    }
    buf_append_str(out, t->rest);
}
