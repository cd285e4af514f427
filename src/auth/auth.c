/*
 * auth.c - the options of identities, and the keys that tokens are checked with.
 *
 * Thread:   made by one; keys are replaced by any, whole, under the mutex.
 * Memory:   see auth.h.
 * Not here: checking a token (identity.c), signatures (keys.c).
 */
#include "auth/authstate.h"
#include "auth/jwks.h"
#include "base/map.h"

/* --- making one --------------------------------------------------------------- */

static struct str *copy_strings(struct arena *a, const struct str *from, size_t n)
{
    struct str *to = ARENA_ARRAY(a, n ? n : 1, struct str);

    for (size_t i = 0; i < n; i++)
        to[i] = arena_dup(a, from[i]);
    return to;
}

static const struct auth_claim_options *copy_claims(struct arena *a,
                                                    const struct auth_claim_options *from, size_t n)
{
    struct auth_claim_options *claims = ARENA_ARRAY(a, n ? n : 1, struct auth_claim_options);

    for (size_t i = 0; i < n; i++) {
        claims[i] = from[i];
        claims[i].name = arena_dup(a, from[i].name);
        claims[i].path = arena_dup(a, from[i].path);
        claims[i].settings = copy_strings(a, from[i].settings, from[i].nsettings);
    }
    return claims;
}

/* The settings of all claims, which every identity has, whoever its issuer. */
static void make_empty(struct auth *au)
{
    const struct auth_options *opt = &au->opt;

    for (size_t i = 0; i < opt->nclaims; i++)
        au->nsettings += opt->claims[i].nsettings;
    au->empty = ARENA_ARRAY(au->arena, au->nsettings ? au->nsettings : 1, struct identity_setting);
    for (size_t i = 0, s = 0; i < opt->nclaims; i++)
        for (size_t j = 0; j < opt->claims[i].nsettings; j++)
            au->empty[s++] = (struct identity_setting){opt->claims[i].settings[j].data, ""};
}

/* The one issuer that the options speak of where they have none of their own. */
static struct auth_issuer_options only_issuer(const struct auth_options *opt)
{
    return (struct auth_issuer_options){
        .algorithms = opt->algorithms,
        .nalgorithms = opt->nalgorithms,
        .audiences = opt->audiences,
        .naudiences = opt->naudiences,
        .keys = opt->keys,
        .nkeys = opt->nkeys,
        .key_sets = opt->key_sets,
        .key_sets_open = opt->key_sets_open,
        .claims = opt->claims,
        .roles_path = opt->roles_path,
        .scopes_path = opt->scopes_path,
        .role_path = opt->role_path,
        .roles = opt->roles,
        .nroles = opt->nroles,
    };
}

static struct auth_issuer_options
copy_issuer(struct arena *a, const struct auth_issuer_options *from, size_t nclaims)
{
    struct auth_issuer_options to = *from;

    to.iss = arena_dup(a, from->iss);
    to.algorithms = copy_strings(a, from->algorithms, from->nalgorithms);
    to.audiences = copy_strings(a, from->audiences, from->naudiences);
    to.keys = NULL; /* they are in `configured` */
    to.nkeys = 0;
    to.claims = copy_claims(a, from->claims, nclaims);
    to.roles_path = arena_dup(a, from->roles_path);
    to.scopes_path = arena_dup(a, from->scopes_path);
    to.role_path = arena_dup(a, from->role_path);
    to.roles = copy_strings(a, from->roles, from->nroles);
    return to;
}

/* PostgreSQL takes a setting for one of its own unless it has a dot; role and the like must stay
 * ours. */
static bool is_custom_setting(struct str name)
{
    size_t dot = str_find(name, '.');

    return dot > 0 && dot + 1 < name.len && !str_eq_nocase(str_sub(name, 0, dot), STR("fraiseql"));
}

static void check_settings(const struct auth_options *opt, struct errors *errs)
{
    struct arena *a = errs->arena;
    struct map seen;

    map_init(&seen, a);
    for (size_t i = 0; i < opt->nclaims; i++)
        for (size_t j = 0; j < opt->claims[i].nsettings; j++) {
            struct str name = opt->claims[i].settings[j];

            if (!is_custom_setting(name))
                errors_add(
                    errs, CONFIG_INVALID,
                    "auth.claims.%.*s: \"%.*s\" is not a custom setting such as app.tenant_id",
                    STR_ARG(opt->claims[i].name), STR_ARG(name));
            else if (!map_add(&seen, name, errs))
                errors_add(errs, CONFIG_INVALID,
                           "auth.claims.%.*s: the setting \"%.*s\" is filled by another claim",
                           STR_ARG(opt->claims[i].name), STR_ARG(name));
        }
}

/* set_config('role', 'none') would mean the login role. */
static void check_roles(const struct auth_options *opt, struct errors *errs)
{
    for (size_t i = 0; i < opt->nroles; i++)
        if (opt->roles[i].len == 0 || str_is(opt->roles[i], "none"))
            errors_add(errs, CONFIG_INVALID,
                       "auth.role_claim.allowed: \"%.*s\" is not the name of a role",
                       STR_ARG(opt->roles[i]));
    if (opt->nroles > 0 && opt->mode == AUTH_NONE)
        errors_add(errs, CONFIG_INVALID,
                   "auth.role_claim.allowed: no token is looked at while auth.mode is \"none\"");
}

/* The section of the configuration that has what an issuer is checked by: "auth.jwt". */
static const char *section_of(const struct auth *au, size_t issuer)
{
    return au->opt.nby_issuer == 0 ? "auth.jwt"
                                   : arena_printf(au->arena, "auth.issuers[%zu]", issuer).data;
}

static void check_algorithms(const struct auth_issuer_options *opt, const char *section,
                             struct errors *errs)
{
    bool open = false;

    for (size_t i = 0; i < opt->nalgorithms; i++) {
        if (!keys_knows(opt->algorithms[i]))
            errors_add(errs, CONFIG_INVALID, "%s.algorithms: unknown algorithm \"%.*s\"", section,
                       STR_ARG(opt->algorithms[i]));
        open = open || !str_starts(opt->algorithms[i], STR("HS"));
    }
    if (opt->key_sets && opt->key_sets_open && !open)
        errors_add(errs, CONFIG_INVALID,
                   "%s.algorithms has none for the keys of %s.url, such as RS256", section,
                   opt->iss.len > 0 ? "its jwks" : "auth.jwks");
    for (size_t i = 0; i < opt->nkeys && opt->nalgorithms; i++) {
        bool listed = false;

        for (size_t j = 0; j < opt->nalgorithms; j++)
            listed |= str_eq(opt->keys[i].alg, opt->algorithms[j]);
        if (!listed)
            errors_add(errs, CONFIG_INVALID, "%s.keys[%zu]: %.*s is not among %s.algorithms",
                       section, i, STR_ARG(opt->keys[i].alg), section);
    }
}

/* The configured ones. */
static struct keys *make_keys(const struct auth_issuer_options *opt, const char *section,
                              struct errors *errs)
{
    struct keys *k = keys_new();

    for (size_t i = 0; i < opt->nkeys; i++) {
        const struct auth_key_options *o = &opt->keys[i];
        const char *why = o->public_key.len > 0 ? keys_add_pem(k, o->alg, o->kid, o->public_key)
                                                : keys_add_secret(k, o->alg, o->kid, o->secret);

        if (why != NULL)
            errors_add(errs, CONFIG_INVALID, "%s.keys[%zu]: %.*s: %s", section, i, STR_ARG(o->alg),
                       why);
    }
    return k;
}

/* Each has a name of its own, by which it is chosen; keys; and settings as all of them have. */
static void check_issuer(const struct auth *au, size_t n, struct errors *errs)
{
    const struct auth_issuer_options *all = au->opt.by_issuer;

    if (all[n].iss.len == 0)
        errors_add(errs, CONFIG_INVALID, "auth.issuers[%zu] has no \"iss\"", n);
    for (size_t i = 0; i < n; i++)
        if (str_eq(all[i].iss, all[n].iss))
            errors_add(errs, CONFIG_INVALID,
                       "auth.issuers[%zu]: \"%.*s\" is the iss of auth.issuers[%zu] too", n,
                       STR_ARG(all[n].iss), i);
    if (au->opt.mode != AUTH_NONE && all[n].nkeys == 0 && !all[n].key_sets)
        errors_add(errs, CONFIG_INVALID, "auth.issuers[%zu]: a key, or jwks, is needed", n);
    if (au->opt.tenancy && au->tenant_index < au->opt.nclaims &&
        all[n].claims[au->tenant_index].path.len == 0)
        errors_add(errs, CONFIG_INVALID,
                   "auth.issuers[%zu].claims: \"%.*s\" is missing, which names the tenant", n,
                   STR_ARG(au->opt.tenant_claim));
}

static void check_tenancy(struct auth *au, struct errors *errs)
{
    const struct auth_options *opt = &au->opt;

    if (!opt->tenancy)
        return;
    if (opt->mode == AUTH_NONE)
        errors_add(errs, CONFIG_INVALID,
                   "tenancy.enabled: no request has a tenant while auth.mode is \"none\"");
    au->tenant_index = opt->nclaims;
    for (size_t i = 0; i < opt->nclaims; i++)
        if (str_eq(opt->claims[i].name, opt->tenant_claim))
            au->tenant_index = i;
    if (au->tenant_index == opt->nclaims)
        errors_add(errs, CONFIG_INVALID, "tenancy.claim: \"%.*s\" is not among auth.claims",
                   STR_ARG(opt->tenant_claim));
}

static void check_options(struct auth *au, struct errors *errs)
{
    const struct auth_options *opt = &au->opt;

    check_settings(opt, errs);
    check_roles(opt, errs);
    check_tenancy(au, errs);
    if (opt->mode != AUTH_NONE && opt->nby_issuer == 0 && opt->nkeys == 0 && !opt->key_sets)
        errors_add(errs, CONFIG_INVALID,
                   "auth.jwt.keys: a key, or auth.jwks, is needed unless auth.mode is \"none\"");
    for (size_t i = 0; i < opt->nby_issuer; i++)
        check_issuer(au, i, errs);
}

static void make_issuers(struct auth *au, struct errors *errs)
{
    const struct auth_options *opt = &au->opt;

    au->nissuers = opt->nby_issuer > 0 ? opt->nby_issuer : 1;
    au->issuers = ARENA_ARRAY(au->arena, au->nissuers, struct auth_issuer);
    for (size_t i = 0; i < au->nissuers; i++) {
        const struct auth_issuer_options from =
            opt->nby_issuer > 0 ? opt->by_issuer[i] : only_issuer(opt);
        struct auth_issuer *to = &au->issuers[i];

        check_algorithms(&from, section_of(au, i), errs);
        *to = (struct auth_issuer){.opt = copy_issuer(au->arena, &from, opt->nclaims)};
        to->configured = make_keys(&from, section_of(au, i), errs);
        to->keys = keys_ref(to->configured);
    }
}

struct auth *auth_new(const struct auth_options *opt, struct errors *errs)
{
    size_t before = errs->n;
    struct arena *a = arena_new(0);
    struct auth *au = ARENA_NEW(a, struct auth);

    au->arena = a;
    au->opt = *opt;
    check_options(au, errs);
    CHECK(pthread_mutex_init(&au->mutex, NULL) == 0);
    make_issuers(au, errs);
    au->opt.issuers = copy_strings(a, opt->issuers, opt->nissuers);
    au->opt.tenant_claim = arena_dup(a, opt->tenant_claim);
    au->opt.roles = copy_strings(a, opt->roles, opt->nroles);
    au->opt.claims = copy_claims(a, opt->claims, opt->nclaims);
    make_empty(au);
    if (opt->cache_entries > 0 && opt->cache_ttl_s > 0)
        au->cache = tokencache_new(opt->cache_entries);
    if (errs->n == before)
        return au;
    auth_free(au);
    return NULL;
}

void auth_free(struct auth *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->nissuers; i++) {
        keys_unref(a->issuers[i].keys);
        keys_unref(a->issuers[i].configured);
        buf_fini(&a->issuers[i].set_json);
    }
    revoked_unref(a->revoked);
    pthread_mutex_destroy(&a->mutex);
    tokencache_free(a->cache);
    arena_free(a->arena);
}

/* --- key sets ---------------------------------------------------------------------- */

static struct auth_issuer *issuer_at(struct auth *a, size_t issuer)
{
    CHECK(issuer < a->nissuers);
    return &a->issuers[issuer];
}

const struct keys *auth_keys(struct auth *a, const struct auth_issuer *i)
{
    const struct keys *k;

    pthread_mutex_lock(&a->mutex);
    k = keys_ref(i->keys);
    pthread_mutex_unlock(&a->mutex);
    return k;
}

static const struct keys *configured_keys(struct auth *a, const struct auth_issuer *i)
{
    const struct keys *k;

    pthread_mutex_lock(&a->mutex);
    k = keys_ref(i->configured);
    pthread_mutex_unlock(&a->mutex);
    return k;
}

/* Takes the reference over. */
static void replace_keys(struct auth *a, struct auth_issuer *i, const struct keys *k,
                         const struct digest *set)
{
    const struct keys *old;

    pthread_mutex_lock(&a->mutex);
    old = i->keys;
    i->keys = k;
    i->has_set = set != NULL;
    if (set != NULL)
        i->set = *set;
    pthread_mutex_unlock(&a->mutex);
    keys_unref(old);
    /* After the keys: what is verified from now on is verified with the new ones. */
    if (a->cache != NULL)
        tokencache_flush(a->cache);
}

static bool has_set(struct auth *a, const struct auth_issuer *i, const struct digest *set)
{
    bool same;

    pthread_mutex_lock(&a->mutex);
    same = i->has_set && digest_eq(&i->set, set, sizeof(*set));
    pthread_mutex_unlock(&a->mutex);
    return same;
}

/* Configured keys may change beside it. */
static void remember_set(struct auth *a, struct auth_issuer *i, struct str json)
{
    pthread_mutex_lock(&a->mutex);
    buf_clear(&i->set_json);
    buf_append_str(&i->set_json, json);
    pthread_mutex_unlock(&a->mutex);
}

bool auth_set_jwks(struct auth *a, size_t issuer, struct str json, size_t *usable, size_t *skipped,
                   struct errors *errs)
{
    struct auth_issuer *i = issuer_at(a, issuer);
    const struct auth_issuer_options *opt = &i->opt;
    struct digest set = digest_sha256(json);
    const struct keys *configured = configured_keys(a, i);
    size_t nconfigured = keys_count(configured);
    struct keys *k = keys_new();

    keys_add_all(k, configured);
    keys_unref(configured);
    if (!jwks_read(json, opt->algorithms, opt->nalgorithms, !opt->key_sets_open, k, skipped,
                   errs)) {
        keys_unref(k);
        return false;
    }
    *usable = keys_count(k) - nconfigured;
    if (has_set(a, i, &set)) {
        keys_unref(k);
        return true;
    }
    remember_set(a, i, json);
    replace_keys(a, i, k, &set);
    return true;
}

/* The one issuer's, with those of its key set as it is now. */
bool auth_set_keys(struct auth *a, const struct auth_key_options *keys, size_t n,
                   struct errors *errs)
{
    struct auth_issuer *i = issuer_at(a, 0);
    struct auth_issuer_options opt = {.keys = keys, .nkeys = n};
    size_t before = errs->n, usable, skipped;
    struct keys *k = make_keys(&opt, "auth.jwt", errs);
    const struct keys *old;
    struct buf set = {0};

    if (errs->n > before) {
        keys_unref(k);
        return false;
    }
    pthread_mutex_lock(&a->mutex);
    old = i->configured;
    i->configured = k;
    buf_append_str(&set, i->has_set ? buf_str(&i->set_json) : STR(""));
    pthread_mutex_unlock(&a->mutex);
    keys_unref(old);
    replace_keys(a, i, keys_ref(k), NULL);
    if (set.len > 0 && !auth_set_jwks(a, 0, buf_str(&set), &usable, &skipped, errs))
        LOG(LOG_WARN, "could not read the key set again");
    buf_fini(&set);
    return true;
}

void auth_drop_jwks(struct auth *a, size_t issuer)
{
    struct auth_issuer *i = issuer_at(a, issuer);

    replace_keys(a, i, keys_ref(i->configured), NULL);
}

void auth_on_unknown_key(struct auth *a, size_t issuer, void (*fn)(void *ctx), void *ctx)
{
    struct auth_issuer *i = issuer_at(a, issuer);

    i->on_unknown = fn;
    i->on_unknown_ctx = ctx;
}

/* --- revoked tokens ------------------------------------------------------------------- */

const struct revoked *auth_revoked(struct auth *a)
{
    const struct revoked *r;

    pthread_mutex_lock(&a->mutex);
    r = a->revoked != NULL ? revoked_ref(a->revoked) : NULL;
    pthread_mutex_unlock(&a->mutex);
    return r;
}

void auth_set_revoked(struct auth *a, const struct revoked *r)
{
    const struct revoked *old;

    pthread_mutex_lock(&a->mutex);
    old = a->revoked;
    a->revoked = r;
    pthread_mutex_unlock(&a->mutex);
    revoked_unref(old);
    if (a->cache != NULL)
        tokencache_flush(a->cache);
}
