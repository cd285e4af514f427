/*
 * issuers.c - auth.issuers: several issuers of tokens, each with what its tokens are checked by.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 * Not here: checking tokens (auth/); that no two issuers have one name (auth/auth.c).
 */
#include "config/settings.h"

#define MAX_ISSUERS 100 /* each key set is watched by a thread */

/* Below "auth.issuers[0].": what is one text or list. */
static const struct part {
    struct str name;
    size_t offset; /* in struct config_issuer */
    bool list;
} parts[] = {
    {STR_INIT("iss"),                offsetof(struct config_issuer, iss),                false},
    {STR_INIT("algorithms"),         offsetof(struct config_issuer, algorithms),         true },
    {STR_INIT("audiences"),          offsetof(struct config_issuer, audiences),          true },
    {STR_INIT("jwks.url"),           offsetof(struct config_issuer, jwks_url),           false},
    {STR_INIT("jwks.file"),          offsetof(struct config_issuer, jwks_file),          false},
    {STR_INIT("role_claim.path"),    offsetof(struct config_issuer, role_claim_path),    false},
    {STR_INIT("role_claim.allowed"), offsetof(struct config_issuer, role_claim_allowed), true },
};

/* What is said of the place of one claim. */
struct said_claim {
    struct str path;
    const struct setting *type;
    const struct setting *required;
};

static void set_part(struct config_issuer *to, struct str name, const struct setting *s)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        char *field = (char *)to + parts[i].offset;

        if (!str_eq(parts[i].name, name))
            continue;
        if (parts[i].list)
            *(struct config_strings *)(void *)field = (struct config_strings){s->items, s->n};
        else
            *(struct str *)(void *)field = s->items[0];
    }
}

static bool is_claim(const struct config *c, struct str name)
{
    bool known = str_is(name, "roles") || str_is(name, "scopes");

    for (size_t i = 0; i < c->nclaims; i++)
        known = known || str_eq(c->claims[i].name, name);
    return known;
}

static void set_claim(struct loader *l, struct map *claims, struct str prefix,
                      const struct setting *s)
{
    struct str name = sections_name(s->key, prefix);
    struct str part = str_sub(s->key, prefix.len + name.len + 1, SIZE_MAX);
    struct said_claim *c = map_get(claims, name);

    if (c == NULL) {
        c = ARENA_NEW(l->arena, struct said_claim);
        c->path = name;
        map_put(claims, name, c);
        if (!is_claim(l->config, name))
            loader_refuse(l, s, "%.*s: there is no auth.claims.%.*s, which has its settings",
                          STR_ARG(s->key), STR_ARG(name));
    }
    if (str_is(part, "path"))
        c->path = s->items[0];
    else if (str_is(part, "type"))
        c->type = s;
    else
        c->required = s;
}

static struct str path_of(const struct map *claims, const char *name)
{
    const struct said_claim *c = map_get(claims, str_of(name));

    return c != NULL ? c->path : STR("");
}

/* The claims of the configuration, where this issuer has them. */
static void finish_claims(struct loader *l, const struct map *own, struct config_issuer *to)
{
    const struct config *c = l->config;
    struct config_claim *claims = ARENA_ARRAY(l->arena, c->nclaims, struct config_claim);

    for (size_t i = 0; i < c->nclaims; i++) {
        const struct said_claim *said = map_get(own, c->claims[i].name);

        claims[i] = c->claims[i];
        if (own->n == 0) {
            if (str_is(claims[i].name, "roles"))
                to->roles_path = claims[i].path;
            if (str_is(claims[i].name, "scopes"))
                to->scopes_path = claims[i].path;
            continue;
        }
        if (said == NULL) {
            claims[i].path = STR("");
            claims[i].required = false;
            continue;
        }
        claims[i].path = said->path;
        if (said->type != NULL)
            claims[i].uuid = str_is(said->type->items[0], "uuid");
        if (said->required != NULL)
            claims[i].required = str_is(said->required->items[0], "true");
    }
    to->claims = claims;
    if (own->n > 0) {
        to->roles_path = path_of(own, "roles");
        to->scopes_path = path_of(own, "scopes");
    }
}

/* A role that no request runs as has no schema. */
static void check_allowed(struct loader *l, const struct setting *last,
                          const struct config_issuer *to)
{
    const struct config_strings *all = &l->config->role_claim_allowed;

    for (size_t i = 0; i < to->role_claim_allowed.n; i++) {
        struct str role = to->role_claim_allowed.items[i];
        bool known = false;

        for (size_t j = 0; j < all->n; j++)
            known = known || str_eq(all->items[j], role);
        if (!known)
            loader_refuse(l, last, "\"%.*s\" is not among auth.role_claim.allowed", STR_ARG(role));
    }
}

/* False: nothing is said of it. */
static bool read_issuer(struct loader *l, size_t n, struct config_issuer *to)
{
    const struct config *c = l->config;
    struct str prefix = arena_printf(l->arena, "auth.issuers[%zu].", n);
    struct str below = arena_printf(l->arena, "%.*sclaims.", STR_ARG(prefix));
    const struct setting *last = NULL;
    struct map claims;

    *to = (struct config_issuer){.algorithms = c->jwt_algorithms,
                                 .audiences = c->jwt_audiences,
                                 .role_claim_path = c->role_claim_path,
                                 .role_claim_allowed = c->role_claim_allowed};
    map_init(&claims, l->arena);
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = l->settings->by_key.entries[i].value;

        if (!str_starts(s->key, prefix))
            continue;
        last = s;
        if (str_starts(s->key, below))
            set_claim(l, &claims, below, s);
        else
            set_part(to, str_sub(s->key, prefix.len, SIZE_MAX), s);
    }
    if (last == NULL)
        return false;
    sections_keys(l, arena_printf(l->arena, "%.*skeys", STR_ARG(prefix)), &to->keys, &to->nkeys);
    finish_claims(l, &claims, to);
    check_allowed(l, last, to);
    return true;
}

/* What says by whom tokens are signed says it of one issuer only. */
static void refuse_single(struct loader *l)
{
    static const struct str single[] = {STR_INIT("auth.jwt.issuers"), STR_INIT("auth.jwt.keys["),
                                        STR_INIT("auth.jwks.url"), STR_INIT("auth.jwks.file")};

    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = l->settings->by_key.entries[i].value;

        for (size_t j = 0; j < COUNT_OF(single) && !s->is_default; j++)
            if (str_starts(s->key, single[j]) && s->n > 0 && s->items[0].len > 0)
                loader_refuse(l, s, "%.*s has no place beside auth.issuers: say it of one of them",
                              STR_ARG(s->key));
    }
}

void issuers_apply(struct loader *l)
{
    struct {
        struct config_issuer *items;
        size_t n, cap;
    } all = {0};
    struct config_issuer one;

    while (read_issuer(l, all.n, &one))
        VEC_PUSH(l->arena, &all, one);
    sections_refuse_gaps(l, STR("auth.issuers"), all.n, "issuers");
    if (all.n > MAX_ISSUERS)
        errors_add(l->errs, CONFIG_INVALID, "auth.issuers: at most %d issuers", MAX_ISSUERS);
    if (all.n > 0)
        refuse_single(l);
    l->config->issuers = all.items;
    l->config->nissuers = all.n;
}
