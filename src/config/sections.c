/*
 * sections.c - what several settings make together.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 */
#include "config/settings.h"

struct str sections_name(struct str key, struct str before)
{
    struct str rest = str_sub(key, before.len, SIZE_MAX);

    return str_sub(rest, 0, size_min(str_find(rest, '.'), str_find(rest, ']')));
}

static const struct setting *setting_at(struct loader *l, size_t i)
{
    return l->settings->by_key.entries[i].value;
}

/* --- database_keywords --------------------------------------------------------------- */

static void apply_keywords(struct loader *l)
{
    const struct str options = STR("database.options.");
    struct {
        struct config_pair *items;
        size_t n, cap;
    } pairs = {0};

    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);
        struct str name;

        if (s->option->type != OPTION_KEYWORD)
            continue;
        name = s->option->choices != NULL ? str_of(s->option->choices)
                                          : sections_name(s->key, options);
        for (size_t k = 0; s->option->choices == NULL && k < options_count; k++)
            if (options_table[k].type == OPTION_KEYWORD && options_table[k].choices != NULL &&
                str_is(name, options_table[k].choices))
                loader_refuse(l, s, "use %s in place of %.*s", options_table[k].key,
                              STR_ARG(s->key));
        VEC_PUSH(l->arena, &pairs, (struct config_pair){name, s->items[0]});
    }
    l->config->database_keywords = (struct config_pairs){pairs.items, pairs.n};
}

/* --- auth.claims ----------------------------------------------------------------------- */

struct claim {
    struct config_claim claim;
    const struct setting *first; /* where errors about the whole point */
};

static void add_claim_settings(struct loader *l, struct claim *c, const struct setting *s)
{
    if (c->claim.settings.n > 0)
        loader_refuse(l, s, "auth.claims.%.*s has both \"setting\" and \"settings\"",
                      STR_ARG(c->claim.name));
    c->claim.settings = (struct config_strings){s->items, s->n};
}

static void set_claim(struct loader *l, struct claim *c, const struct setting *s)
{
    struct str part = str_sub(s->key, strlen("auth.claims.") + c->claim.name.len + 1, SIZE_MAX);

    if (str_is(part, "path"))
        c->claim.path = s->items[0];
    else if (str_is(part, "setting") || str_is(part, "settings"))
        add_claim_settings(l, c, s);
    else if (str_is(part, "type"))
        c->claim.uuid = str_is(s->items[0], "uuid");
    else if (str_is(part, "required"))
        c->claim.required = str_is(s->items[0], "true");
}

/* Is it a name that set_config() takes? A dot is what makes it ours to invent. */
static bool is_setting_name(struct str name)
{
    bool dot = false, start = true;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (c == '.') {
            if (start)
                return false;
            dot = start = true;
            continue;
        }
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (c >= '0' && c <= '9' && !start)))
            return false;
        start = false;
    }
    return dot && !start;
}

static void check_claim(struct loader *l, const struct claim *c)
{
    /* What @auth goes by need not be a setting as well. */
    if (c->claim.settings.n == 0 && !str_is(c->claim.name, "roles") &&
        !str_is(c->claim.name, "scopes"))
        loader_refuse(l, c->first, "auth.claims.%.*s has no \"setting\"", STR_ARG(c->claim.name));
    for (size_t i = 0; i < c->claim.settings.n; i++)
        if (!is_setting_name(c->claim.settings.items[i]))
            loader_refuse(l, c->first,
                          "auth.claims.%.*s: \"%.*s\" is not the name of a setting, such as "
                          "app.tenant_id",
                          STR_ARG(c->claim.name), STR_ARG(c->claim.settings.items[i]));
}

static void apply_claims(struct loader *l)
{
    struct map names;
    struct config_claim *claims;

    map_init(&names, l->arena);
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);
        struct claim *c;
        struct str name;

        if (!str_starts(s->key, STR("auth.claims.")))
            continue;
        name = sections_name(s->key, STR("auth.claims."));
        c = map_get(&names, name);
        if (c == NULL) {
            c = ARENA_NEW(l->arena, struct claim);
            c->claim.name = c->claim.path = name;
            c->first = s;
            map_put(&names, name, c);
        }
        set_claim(l, c, s);
    }
    claims = ARENA_ARRAY(l->arena, names.n, struct config_claim);
    for (size_t i = 0; i < names.n; i++) {
        const struct claim *c = names.entries[i].value;

        check_claim(l, c);
        claims[i] = c->claim;
    }
    l->config->claims = claims;
    l->config->nclaims = names.n;
}

/* --- auth.jwt.keys ----------------------------------------------------------------------- */

static void check_key(struct loader *l, const struct setting *last, const struct config_key *key,
                      struct str list, size_t n)
{
    bool secret = str_starts(key->alg, STR("HS"));

    if (key->secret.len > 0 && key->public_key.len > 0)
        loader_refuse(l, last, "%.*s[%zu] has both a secret and a public key", STR_ARG(list), n);
    else if (secret && key->secret.len == 0)
        loader_refuse(l, last, "%.*s[%zu] has no \"secret\" or \"secret_file\"", STR_ARG(list), n);
    else if (!secret && key->public_key.len == 0)
        loader_refuse(l, last, "%.*s[%zu] has no \"public_key\" or \"public_key_file\"",
                      STR_ARG(list), n);
}

/* NULL: nothing is said of it; else the last setting of it. */
static const struct setting *read_key(struct loader *l, struct str prefix, struct config_key *key)
{
    const struct setting *last = NULL;

    *key = (struct config_key){.alg = STR("HS256")};
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);
        struct str part;

        if (!str_starts(s->key, prefix))
            continue;
        last = s;
        part = str_sub(s->key, prefix.len, SIZE_MAX);
        if (str_is(part, "kid"))
            key->kid = s->items[0];
        else if (str_is(part, "alg"))
            key->alg = s->items[0];
        else if (str_starts(part, STR("secret")))
            key->secret = s->items[0];
        else
            key->public_key = s->items[0];
    }
    return last;
}

void sections_refuse_gaps(struct loader *l, struct str list, size_t n, const char *what)
{
    struct str prefix = arena_printf(l->arena, "%.*s[", STR_ARG(list));

    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);
        uint64_t index;

        if (str_starts(s->key, prefix) &&
            (!str_to_u64(sections_name(s->key, prefix), &index) || index >= n))
            loader_refuse(l, s, "%.*s: the %s before it are missing", STR_ARG(s->key), what);
    }
}

void sections_keys(struct loader *l, struct str list, const struct config_key **keys, size_t *n)
{
    struct {
        struct config_key *items;
        size_t n, cap;
    } all = {0};

    for (;;) {
        struct config_key key;
        const struct setting *last =
            read_key(l, arena_printf(l->arena, "%.*s[%zu].", STR_ARG(list), all.n), &key);

        if (last == NULL)
            break;
        check_key(l, last, &key, list, all.n);
        VEC_PUSH(l->arena, &all, key);
    }
    sections_refuse_gaps(l, list, all.n, "keys");
    *keys = all.items;
    *n = all.n;
}

/* --- database.roles ---------------------------------------------------------------------- */

static void apply_roles(struct loader *l)
{
    struct {
        struct config_role *items;
        size_t n, cap;
    } roles = {0};

    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);
        struct config_role role = {0};

        if (!str_starts(s->key, STR("database.roles.")))
            continue;
        role.name = sections_name(s->key, STR("database.roles."));
        if (!option_duration(s->items[0], &role.statement_timeout_ms) ||
            role.statement_timeout_ms == 0 || role.statement_timeout_ms > 3600000)
            loader_refuse(l, s, "%.*s must be a duration, 1ms to 1h", STR_ARG(s->key));
        VEC_PUSH(l->arena, &roles, role);
    }
    l->config->roles = roles.items;
    l->config->nroles = roles.n;
}

/* --- jobs.definitions ---------------------------------------------------------------------- */

static struct config_job *job_named(struct map *names, struct str name, struct arena *a)
{
    struct config_job *j = map_get(names, name);

    if (j == NULL) {
        j = ARENA_NEW(a, struct config_job);
        j->name = name;
        map_put(names, name, j);
    }
    return j;
}

static void set_job(struct loader *l, struct config_job *j, const struct setting *s)
{
    struct str part = str_sub(s->key, strlen("jobs.definitions.") + j->name.len + 1, SIZE_MAX);

    if (str_is(part, "schedule"))
        j->schedule = s->items[0];
    else if (str_is(part, "builtin"))
        j->builtin = s->items[0];
    else if (str_is(part, "refresh"))
        j->refresh = s->items[0];
    else if (str_is(part, "sql"))
        j->sql = s->items[0];
    else if (str_is(part, "documents"))
        j->documents = (struct config_strings){s->items, s->n};
    else if (str_is(part, "tenants"))
        j->tenants = (struct config_strings){s->items, s->n};
    else if (str_is(part, "concurrently"))
        j->plainly = !str_is(s->items[0], "true");
    else if (!option_duration(s->items[0], &j->timeout_ms) || j->timeout_ms < 100 ||
             j->timeout_ms > UINT64_C(86400000))
        loader_refuse(l, s, "%.*s must be a duration, 100ms to 1d", STR_ARG(s->key));
}

static void apply_jobs(struct loader *l)
{
    struct map names;
    struct config_job *jobs;

    map_init(&names, l->arena);
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);

        if (str_starts(s->key, STR("jobs.definitions.")))
            set_job(l, job_named(&names, sections_name(s->key, STR("jobs.definitions.")), l->arena),
                    s);
    }
    jobs = ARENA_ARRAY(l->arena, names.n, struct config_job);
    for (size_t i = 0; i < names.n; i++)
        jobs[i] = *(const struct config_job *)names.entries[i].value;
    l->config->jobs = jobs;
    l->config->njobs = names.n;
}

/* --- cache.types, cache.operations ------------------------------------------------------------ */

#define LONGEST_TTL_MS UINT64_C(604800000)

static void set_cached(struct loader *l, struct config_cached *c, const struct setting *s,
                       size_t before)
{
    struct str part = str_sub(s->key, before + c->name.len + 1, SIZE_MAX);
    unsigned mode;

    if (str_is(part, "mode") && option_choice(s->option->choices, s->items[0], &mode)) {
        c->mode = (enum config_cache_mode)mode;
        return;
    }
    c->has_ttl = true;
    if (!option_duration(s->items[0], &c->ttl_ms) || c->ttl_ms > LONGEST_TTL_MS)
        loader_refuse(l, s, "%.*s must be a duration, 0s to 7d", STR_ARG(s->key));
}

static void apply_cached(struct loader *l, struct str section, const struct config_cached **out,
                         size_t *n)
{
    struct map names;
    struct config_cached *all;

    map_init(&names, l->arena);
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = setting_at(l, i);
        struct config_cached *c;
        struct str name;

        if (!str_starts(s->key, section))
            continue;
        name = sections_name(s->key, section);
        c = map_get(&names, name);
        if (c == NULL) {
            c = ARENA_NEW(l->arena, struct config_cached);
            c->name = name;
            map_put(&names, name, c);
        }
        set_cached(l, c, s, section.len);
    }
    all = ARENA_ARRAY(l->arena, names.n, struct config_cached);
    for (size_t i = 0; i < names.n; i++)
        all[i] = *(const struct config_cached *)names.entries[i].value;
    *out = all;
    *n = names.n;
}

void sections_apply(struct loader *l)
{
    apply_cached(l, STR("cache.types."), &l->config->cache_types, &l->config->ncache_types);
    apply_cached(l, STR("cache.operations."), &l->config->cache_operations,
                 &l->config->ncache_operations);
    apply_jobs(l);
    apply_keywords(l);
    apply_claims(l);
    sections_keys(l, STR("auth.jwt.keys"), &l->config->jwt_keys, &l->config->njwt_keys);
    apply_roles(l);
    issuers_apply(l);
    notifications_apply(l);
}
