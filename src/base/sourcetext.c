/*
 * sourcetext.c - errors with the place they are about.
 *
 * Thread:   any.
 * Memory:   the errors' arena.
 */
#include <stdarg.h>

#include "base/sourcetext.h"

/* Lines that may hold a secret are not shown. */
static bool may_be_secret(struct str line, struct arena *a)
{
    static const char *const words[] = {"*password*", "*secret*", "*url*", "*token*"};
    struct str lower = arena_dup(a, line);
    char *p = arena_copy(a, lower.data, lower.len);

    for (size_t i = 0; i < lower.len; i++)
        p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_glob(str_of(words[i]), str_make(p, lower.len)))
            return true;
    return false;
}

static bool printable(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            return false;
    return line.len <= 200 && str_is_utf8(line);
}

void sourcetext_place(const struct sourcetext *s, struct location at, struct error *e,
                      struct errors *errs)
{
    struct str rest = s->text, line = STR("");
    char *indent;
    size_t n;

    e->file = arena_printf(errs->arena, "%.*s:%u:%u", STR_ARG(s->name), at.line, at.column);
    error_at(e, errs, at);
    for (uint32_t i = 0; i < at.line; i++)
        str_cut(rest, '\n', &line, &rest);
    line = str_sub(line, 0, str_find(line, '\r'));
    if (line.len == 0 || !printable(line) || may_be_secret(line, errs->arena))
        return;
    /* Tabs stay tabs, so that the caret is below its column. Columns count characters. */
    indent = arena_alloc(errs->arena, line.len + 1);
    n = 0;
    for (size_t i = 0; i < line.len && n < at.column - 1; i++)
        if (((unsigned char)line.data[i] & 0xc0) != 0x80)
            indent[n++] = line.data[i] == '\t' ? '\t' : ' ';
    e->detail = arena_printf(errs->arena, "%.*s\n%s^", STR_ARG(line), indent);
}

static struct error *add(const struct sourcetext *s, struct location at, struct errors *errs,
                         const char *fmt, va_list args) PRINTF_LIKE(4, 0);

static struct error *add(const struct sourcetext *s, struct location at, struct errors *errs,
                         const char *fmt, va_list args)
{
    struct str text = arena_vprintf(errs->arena, fmt, args);
    struct error *e = errors_add(errs, s->code, "%.*s", STR_ARG(text));

    sourcetext_place(s, at, e, errs);
    return e;
}

struct error *sourcetext_error(const struct sourcetext *s, struct location at, struct errors *errs,
                               const char *fmt, ...)
{
    struct error *e;
    va_list args;

    va_start(args, fmt);
    e = add(s, at, errs, fmt, args);
    va_end(args);
    return e;
}

struct error *place_error(struct place p, struct errors *errs, const char *fmt, ...)
{
    struct error *e;
    va_list args;

    va_start(args, fmt);
    e = add(p.source, p.at, errs, fmt, args);
    va_end(args);
    return e;
}
