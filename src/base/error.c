/*
 * error.c - lists of errors, and the table of their codes.
 *
 * Thread:   one at a time.
 * Memory:   the arena of the list.
 */
#include <stdarg.h>

#include "base/error.h"

#define DEFAULT_MAX 100

static const struct error_code_info codes[] = {
#define ERROR_CODE(name, status, level, masked, tracked) \
    [name] = {#name, (status), (level), (masked), (tracked)},
#include "base/error_code.def"
#undef ERROR_CODE
};

const struct error_code_info *error_code_info(enum error_code code)
{
    CHECK((size_t)code < COUNT_OF(codes));
    return &codes[code];
}

void errors_init(struct errors *errs, struct arena *a)
{
    *errs = (struct errors){.arena = a};
}

struct error *errors_add(struct errors *errs, enum error_code code, const char *fmt, ...)
{
    struct error *e = ARENA_NEW(errs->arena, struct error);
    va_list args;

    e->code = code;
    va_start(args, fmt);
    e->message = arena_vprintf(errs->arena, fmt, args);
    va_end(args);
    if (errs->n >= (errs->max > 0 ? errs->max : DEFAULT_MAX)) {
        errs->dropped++;
        return e;
    }
    if (errs->last != NULL)
        errs->last->next = e;
    else
        errs->first = e;
    errs->last = e;
    errs->n++;
    return e;
}

void error_at(struct error *e, struct errors *errs, struct location at)
{
    e->locations = arena_copy(errs->arena, &at, sizeof(at));
    e->nlocations = 1;
}

void error_also_at(struct error *e, struct errors *errs, struct location at)
{
    struct location *all = ARENA_ARRAY(errs->arena, e->nlocations + 1, struct location);

    if (e->nlocations > 0)
        memcpy(all, e->locations, e->nlocations * sizeof(*all));
    all[e->nlocations] = at;
    e->locations = all;
    e->nlocations++;
}
