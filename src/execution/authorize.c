/*
 * authorize.c - may an identity run a plan?
 *
 * Thread:   any.
 * Memory:   errors only.
 */
#include "execution/authorize.h"

#include "schema/authrule.h"

static bool has(const struct str *list, size_t n, struct str wanted)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], wanted))
            return true;
    return false;
}

static bool has_role(const struct auth_rule *rule, const struct grants *g)
{
    for (size_t i = 0; i < rule->nroles; i++)
        if (has(g->roles, g->nroles, rule->roles[i]))
            return true;
    return rule->nroles == 0;
}

bool authorize_rule(const struct auth_rule *rule, const struct identity *who)
{
    if (!who->authenticated || !has_role(rule, &who->grants))
        return false;
    for (size_t i = 0; i < rule->nscopes; i++)
        if (!has(who->grants.scopes, who->grants.nscopes, rule->scopes[i]))
            return false;
    return true;
}

/* A path in the request's arena: the plan may be gone before the errors are. */
static const struct path *copy_path(const struct path *p, struct arena *a)
{
    struct path *copy;

    if (p == NULL)
        return NULL;
    copy = ARENA_NEW(a, struct path);
    *copy = (struct path){copy_path(p->parent, a), arena_dup(a, p->key), p->index};
    return copy;
}

bool authorize(const struct plan *p, const struct identity *who, struct errors *errs)
{
    bool ok = true;

    for (size_t i = 0; i < p->ndemands; i++) {
        const struct plan_demand *d = &p->demands[i];
        struct error *e;

        if (authorize_rule(d->rule, who))
            continue;
        ok = false;
        e = errors_add(errs, who->authenticated ? FORBIDDEN : UNAUTHENTICATED,
                       who->authenticated ? "not allowed to use \"%.*s\""
                                          : "\"%.*s\" needs a bearer token",
                       STR_ARG(d->what));
        e->path = copy_path(d->path, errs->arena);
        error_at(e, errs, plan_location(p, d->offset));
    }
    return ok;
}
