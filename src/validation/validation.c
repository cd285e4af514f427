/*
 * validation.c - what the rules have in common: errors, suggestions, quotations, look-ups.
 *
 * Thread:   one at a time.
 * Memory:   errors are in their list's arena, texts in the validation's scratch arena.
 * Not here: the walk (validate.c), the rules (rules_*.c).
 */
#include <stdarg.h>

#include "language/printer.h"
#include "language/source.h"
#include "metrics/metrics.h"
#include "validation/rules.h"

/* How much of a literal or type a message quotes. */
#define MAX_QUOTE ((size_t)100)

struct error *validation_error(struct validation *v, uint32_t offset, const char *fmt, ...)
{
    struct error *e;
    char line[1024];
    va_list args;

    if (v->stopped)
        return NULL;
    va_start(args, fmt);
    vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    e = errors_add(v->errs, GRAPHQL_VALIDATION_FAILED, "%s", line);
    error_at(e, v->errs, source_location(v->document->source, offset));
    if (++v->nerrors >= v->max_errors)
        v->stopped = true;
    return e;
}

void validation_also(struct validation *v, struct error *e, uint32_t offset)
{
    if (e)
        error_also_at(e, v->errs, source_location(v->document->source, offset));
}

bool validation_spend(struct validation *v, size_t n)
{
    if (v->stopped)
        return false;
    v->work += n;
    if (v->work <= MAX_WORK)
        return true;
    errors_add(v->errs, QUERY_TOO_COMPLEX, "document takes too much work to validate");
    metric_add(METRIC_LIMIT_WORK, 1);
    v->nerrors++;
    v->stopped = true;
    return false;
}

struct str validation_suggest(struct validation *v, struct str wrong, const struct str *names,
                              size_t n, size_t stride)
{
    size_t limit = wrong.len * 2 / 5 + 1, best = limit + 1;
    struct str found = {0};

    if (!v->suggestions || wrong.len > MAX_QUOTE)
        return STR("");
    for (size_t i = 0; i < n; i++) {
        const struct str *name =
            (const struct str *)(const void *)((const char *)names + i * stride);
        size_t distance = str_distance(wrong, *name, limit);

        if (distance < best) {
            best = distance;
            found = *name;
        }
    }
    if (best > limit)
        return STR("");
    return arena_printf(v->arena, "; did you mean \"%.*s\"?", STR_ARG(found));
}

struct str validation_suggest_type(struct validation *v, struct str wrong)
{
    struct str *names;

    if (!v->suggestions)
        return STR("");
    names = ARENA_ARRAY(v->arena, v->schema->ntypes, struct str);
    for (size_t i = 0; i < v->schema->ntypes; i++)
        names[i] = v->schema->types[i]->name;
    return validation_suggest(v, wrong, names, v->schema->ntypes, sizeof(*names));
}

/* Take what a buf holds as a slice of the arena, cut between characters when long. */
static struct str quote(struct validation *v, struct buf *b)
{
    size_t n = b->len;
    struct str text;

    if (n > MAX_QUOTE) {
        for (n = MAX_QUOTE; n > 0 && ((unsigned char)b->data[n] & 0xC0) == 0x80; n--)
            continue;
        b->len = n;
        buf_append_lit(b, "…");
    }
    text = arena_dup(v->arena, buf_str(b));
    buf_fini(b);
    return text;
}

struct str validation_type_name(struct validation *v, struct type_ref r)
{
    struct buf b;

    buf_init(&b, 0);
    type_ref_print(r, &b);
    return quote(v, &b);
}

struct str validation_print_type(struct validation *v, const struct ast_type *t)
{
    struct buf b;

    buf_init(&b, 0);
    printer_type(t, &b);
    return quote(v, &b);
}

struct str validation_print_value(struct validation *v, const struct ast_value *value)
{
    struct buf b;

    buf_init(&b, 0);
    printer_value(value, &b);
    return quote(v, &b);
}

bool validation_resolve_type(const struct schema *s, const struct ast_type *t, struct type_ref *out,
                             const struct ast_type **unknown)
{
    *out = (struct type_ref){0};
    for (; t->kind == AST_LIST_TYPE; t = t->of) {
        *unknown = t;
        if (out->nlists == TYPE_REF_MAX_LISTS)
            return false;
        out->non_null = (uint16_t)(out->non_null | (unsigned)t->non_null << out->nlists);
        out->nlists++;
    }
    *unknown = t;
    out->non_null = (uint16_t)(out->non_null | (unsigned)t->non_null << out->nlists);
    out->type = schema_type(s, t->name);
    return out->type != NULL;
}

struct definition *validation_fragment(const struct validation *v, struct str name)
{
    return map_get(&v->fragments, name);
}

bool validation_first(struct map *seen, struct str name, const void *what, const void **earlier)
{
    *earlier = map_get(seen, name);
    if (*earlier)
        return false;
    /* The map gives the pointer back as const only. */
    return map_add(seen, name, (void *)(uintptr_t)what);
}
