/*
 * authrule.c - what a request needs to use a part of the schema: making rules, and printing them.
 *
 * Thread:   one at a time while a schema is built, then any.
 */
#include "schema/authrule.h"

#include "base/jwriter.h"
#include "schema/build.h"

static bool same_list(const struct str *a, size_t na, const struct str *b, size_t nb)
{
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return true;
}

bool authrule_eq(const struct auth_rule *a, const struct auth_rule *b)
{
    return same_list(a->roles, a->nroles, b->roles, b->nroles) &&
           same_list(a->scopes, a->nscopes, b->scopes, b->nscopes);
}

static void print_list(const char *before, const struct str *items, size_t n, struct buf *out)
{
    if (n == 0)
        return;
    buf_printf(out, "%s: [", before);
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%s", i > 0 ? ", " : "");
        jwriter_string(out, items[i]);
    }
    buf_append_char(out, ']');
}

void authrule_print(const struct auth_rule *r, struct buf *out)
{
    if (r == NULL)
        return;
    buf_append_lit(out, " @auth");
    if (r->nroles + r->nscopes == 0)
        return;
    print_list("(roles", r->roles, r->nroles, out);
    print_list(r->nroles > 0 ? ", scopes" : "(scopes", r->scopes, r->nscopes, out);
    buf_append_char(out, ')');
}

const struct auth_rule *authrule_of_field(const struct field *f)
{
    bool column = f->resolver == RESOLVE_COLUMN || f->resolver == RESOLVE_PART;
    bool way = f->resolver == RESOLVE_TO_ONE || f->resolver == RESOLVE_TO_MANY;

    if (f->auth != NULL)
        return f->auth;
    if (column && f->column != NULL)
        return f->column->auth;
    if (way && f->relationship != NULL)
        return f->relationship->auth;
    return f->resolver == RESOLVE_FUNCTION && f->function != NULL ? f->function->auth : NULL;
}

/* --- making them ------------------------------------------------------------------------------ */

static const struct str *copy_list(struct arena *a, const struct said_list *from)
{
    struct str *to = ARENA_ARRAY(a, from->n, struct str);

    for (size_t i = 0; i < from->n; i++)
        to[i] = arena_dup(a, from->items[i].text);
    return to;
}

const struct auth_rule *authrule_make(struct builder *b, const struct said_auth *said)
{
    struct auth_rule *r;

    if (!said->said)
        return NULL;
    r = ARENA_NEW(b->arena, struct auth_rule);
    *r = (struct auth_rule){copy_list(b->arena, &said->roles), said->roles.n,
                            copy_list(b->arena, &said->scopes), said->scopes.n};
    b->schema->has_auth = true;
    return r;
}

void authrule_check(const struct said_auth *said, struct errors *errs)
{
    if ((said->roles.said && said->roles.n == 0) || (said->scopes.said && said->scopes.n == 0))
        place_error(said->at, errs, "an empty list of roles or scopes: leave it out, or hide it");
}

void authrule_settle(struct builder *b, const struct said_auth *said, struct field *f)
{
    const struct auth_rule *rule = authrule_make(b, said);

    if (rule == NULL)
        return;
    /* They are the builder's own, and not published yet. */
    if (f->resolver == RESOLVE_COLUMN || f->resolver == RESOLVE_PART)
        ((struct column *)(uintptr_t)f->column)->auth = rule;
    else if (f->resolver == RESOLVE_TO_ONE || f->resolver == RESOLVE_TO_MANY)
        ((struct relationship *)(uintptr_t)f->relationship)->auth = rule;
    else if (f->resolver == RESOLVE_FUNCTION)
        ((struct function *)(uintptr_t)f->function)->auth = rule;
    else
        f->auth = rule;
}
