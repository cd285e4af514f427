/*
 * identity.c - claims of a verified token to session settings.
 *
 * Thread:   any; an auth is constant.
 * Memory:   identities are in the request's arena.
 * Not here: signatures (keys.c), putting settings into a batch (execution/session.c).
 *
 * An identity always has every configured setting, empty when there is nothing
 * to put into it: a setting left over from another request cannot exist.
 */
#include <pthread.h>

#include "auth/auth.h"
#include "auth/jwks.h"
#include "auth/token.h"
#include "auth/tokencache.h"
#include "base/deadline.h"
#include "base/digest.h"
#include "base/map.h"

struct auth {
    struct arena *arena; /* owned; everything below is in it */
    struct auth_options opt;
    const struct keys *configured; /* retained */
    pthread_mutex_t mutex;         /* of the next three */
    const struct keys *keys;       /* retained; those and a key set's */
    struct digest set;             /* that they are of */
    bool has_set;
    void (*on_unknown)(void *ctx); /* before the first request, then constant */
    void *on_unknown_ctx;
    struct tokencache *cache;       /* NULL: off */
    struct identity_setting *empty; /* all settings with "" */
    size_t nsettings;
    size_t tenant_index; /* into opt.claims */
};

/* --- making one --------------------------------------------------------------- */

static struct str *copy_strings(struct arena *a, const struct str *from, size_t n)
{
    struct str *to = ARENA_ARRAY(a, n ? n : 1, struct str);

    for (size_t i = 0; i < n; i++)
        to[i] = arena_dup(a, from[i]);
    return to;
}

/* A key set's keys stand beside them, whenever one comes. */
static const struct auth_key_options *copy_keys(struct arena *a, const struct auth_options *opt)
{
    struct auth_key_options *keys =
        ARENA_ARRAY(a, opt->nkeys ? opt->nkeys : 1, struct auth_key_options);

    for (size_t i = 0; i < opt->nkeys && opt->key_sets; i++)
        keys[i] = (struct auth_key_options){
            arena_dup(a, opt->keys[i].kid), arena_dup(a, opt->keys[i].alg),
            arena_dup(a, opt->keys[i].secret), arena_dup(a, opt->keys[i].public_key)};
    return keys;
}

static void copy_claims(struct auth *au, const struct auth_options *opt)
{
    struct arena *a = au->arena;
    struct auth_claim_options *claims =
        ARENA_ARRAY(a, opt->nclaims ? opt->nclaims : 1, struct auth_claim_options);

    for (size_t i = 0; i < opt->nclaims; i++) {
        claims[i] = opt->claims[i];
        claims[i].name = arena_dup(a, opt->claims[i].name);
        claims[i].path = arena_dup(a, opt->claims[i].path);
        claims[i].settings = copy_strings(a, opt->claims[i].settings, opt->claims[i].nsettings);
        au->nsettings += opt->claims[i].nsettings;
    }
    au->opt.claims = claims;
    au->empty = ARENA_ARRAY(a, au->nsettings ? au->nsettings : 1, struct identity_setting);
    for (size_t i = 0, s = 0; i < opt->nclaims; i++)
        for (size_t j = 0; j < claims[i].nsettings; j++)
            au->empty[s++] = (struct identity_setting){claims[i].settings[j].data, ""};
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

static void check_algorithms(const struct auth_options *opt, struct errors *errs)
{
    bool open = false;

    for (size_t i = 0; i < opt->nalgorithms; i++) {
        if (!keys_knows(opt->algorithms[i]))
            errors_add(errs, CONFIG_INVALID, "auth.jwt.algorithms: unknown algorithm \"%.*s\"",
                       STR_ARG(opt->algorithms[i]));
        open = open || !str_starts(opt->algorithms[i], STR("HS"));
    }
    if (opt->key_sets && opt->key_sets_open && !open)
        errors_add(errs, CONFIG_INVALID,
                   "auth.jwt.algorithms has none for the keys of auth.jwks.url, such as RS256");
}

/* The configured ones. */
static struct keys *make_keys(const struct auth_options *opt, struct errors *errs)
{
    struct keys *k = keys_new();

    for (size_t i = 0; i < opt->nkeys; i++) {
        const struct auth_key_options *o = &opt->keys[i];
        const char *why = o->public_key.len > 0 ? keys_add_pem(k, o->alg, o->kid, o->public_key)
                                                : keys_add_secret(k, o->alg, o->kid, o->secret);

        if (why != NULL)
            errors_add(errs, CONFIG_INVALID, "auth.jwt.keys[%zu]: %.*s: %s", i, STR_ARG(o->alg),
                       why);
    }
    return k;
}

static void check_options(struct auth *au, struct errors *errs)
{
    const struct auth_options *opt = &au->opt;

    check_settings(opt, errs);
    check_roles(opt, errs);
    if (opt->mode != AUTH_NONE && opt->nkeys == 0 && !opt->key_sets)
        errors_add(errs, CONFIG_INVALID,
                   "auth.jwt.keys: a key, or auth.jwks, is needed unless auth.mode is \"none\"");
    check_algorithms(opt, errs);
    for (size_t i = 0; i < opt->nkeys && opt->nalgorithms; i++) {
        bool listed = false;

        for (size_t j = 0; j < opt->nalgorithms; j++)
            listed |= str_eq(opt->keys[i].alg, opt->algorithms[j]);
        if (!listed)
            errors_add(errs, CONFIG_INVALID,
                       "auth.jwt.keys[%zu]: %.*s is not among auth.jwt.algorithms", i,
                       STR_ARG(opt->keys[i].alg));
    }
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

struct auth *auth_new(const struct auth_options *opt, struct errors *errs)
{
    size_t before = errs->n;
    struct arena *a = arena_new(0);
    struct auth *au = ARENA_NEW(a, struct auth);

    au->arena = a;
    au->opt = *opt;
    check_options(au, errs);
    CHECK(pthread_mutex_init(&au->mutex, NULL) == 0);
    au->configured = make_keys(opt, errs);
    au->keys = keys_ref(au->configured);
    au->opt.keys = copy_keys(a, opt);
    au->opt.algorithms = copy_strings(a, opt->algorithms, opt->nalgorithms);
    au->opt.issuers = copy_strings(a, opt->issuers, opt->nissuers);
    au->opt.audiences = copy_strings(a, opt->audiences, opt->naudiences);
    au->opt.tenant_claim = arena_dup(a, opt->tenant_claim);
    au->opt.role_path = arena_dup(a, opt->role_path);
    au->opt.roles = copy_strings(a, opt->roles, opt->nroles);
    copy_claims(au, opt);
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
    keys_unref(a->keys);
    keys_unref(a->configured);
    pthread_mutex_destroy(&a->mutex);
    tokencache_free(a->cache);
    arena_free(a->arena);
}

/* --- key sets ---------------------------------------------------------------------- */

static const struct keys *current_keys(struct auth *a)
{
    const struct keys *k;

    pthread_mutex_lock(&a->mutex);
    k = keys_ref(a->keys);
    pthread_mutex_unlock(&a->mutex);
    return k;
}

/* Takes the reference over. */
static void replace_keys(struct auth *a, const struct keys *k, const struct digest *set)
{
    const struct keys *old;

    pthread_mutex_lock(&a->mutex);
    old = a->keys;
    a->keys = k;
    a->has_set = set != NULL;
    if (set != NULL)
        a->set = *set;
    pthread_mutex_unlock(&a->mutex);
    keys_unref(old);
    /* After the keys: what is verified from now on is verified with the new ones. */
    if (a->cache != NULL)
        tokencache_flush(a->cache);
}

static bool has_set(struct auth *a, const struct digest *set)
{
    bool same;

    pthread_mutex_lock(&a->mutex);
    same = a->has_set && digest_eq(&a->set, set, sizeof(*set));
    pthread_mutex_unlock(&a->mutex);
    return same;
}

bool auth_set_jwks(struct auth *a, struct str json, size_t *usable, size_t *skipped,
                   struct errors *errs)
{
    const struct auth_options *opt = &a->opt;
    struct digest set = digest_sha256(json);
    struct keys *k = make_keys(opt, errs);
    size_t configured = keys_count(k);

    if (!jwks_read(json, opt->algorithms, opt->nalgorithms, !opt->key_sets_open, k, skipped,
                   errs)) {
        keys_unref(k);
        return false;
    }
    *usable = keys_count(k) - configured;
    if (has_set(a, &set))
        keys_unref(k);
    else
        replace_keys(a, k, &set);
    return true;
}

void auth_drop_jwks(struct auth *a)
{
    replace_keys(a, keys_ref(a->configured), NULL);
}

void auth_on_unknown_key(struct auth *a, void (*fn)(void *ctx), void *ctx)
{
    a->on_unknown = fn;
    a->on_unknown_ctx = ctx;
}

/* --- checking a token ------------------------------------------------------------ */

static bool contains(const struct str *list, size_t n, struct str s)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], s))
            return true;
    return false;
}

/* A NumericDate in whole seconds; fractions are cut. False: no number of a sane size. */
static bool numeric_date(const struct jval *v, int64_t *out)
{
    struct str head, tail;

    if (v->kind != JVAL_NUMBER || str_find(v->text, 'e') != v->text.len ||
        str_find(v->text, 'E') != v->text.len)
        return false;
    str_cut(v->text, '.', &head, &tail);
    return str_to_i64(head, out) && *out > -(INT64_C(1) << 52) && *out < (INT64_C(1) << 52);
}

static const char *check_times(const struct auth_options *opt, const struct jval *claims)
{
    int64_t now = wall_clock_us() / 1000000;
    int64_t leeway = (int64_t)opt->leeway_s;
    int64_t t;
    const struct jval *exp = jval_get(claims, STR("exp"));
    const struct jval *nbf = jval_get(claims, STR("nbf"));
    const struct jval *iat = jval_get(claims, STR("iat"));

    if (exp == NULL && opt->require_exp)
        return "the token has no expiry";
    if (exp != NULL && !numeric_date(exp, &t))
        return "the token's expiry is malformed";
    if (exp != NULL && now >= t + leeway)
        return "the token has expired";
    if (nbf != NULL && (!numeric_date(nbf, &t) || now < t - leeway))
        return "the token is not valid yet";
    if (iat != NULL && (!numeric_date(iat, &t) || now < t - leeway))
        return "the token was issued in the future";
    if (opt->max_age_s > 0 && (iat == NULL || now > t + (int64_t)opt->max_age_s + leeway))
        return iat == NULL ? "the token does not tell when it was issued" : "the token is too old";
    return NULL;
}

static bool audience_accepted(const struct auth_options *opt, const struct jval *aud)
{
    if (aud == NULL)
        return false;
    if (aud->kind == JVAL_STRING)
        return contains(opt->audiences, opt->naudiences, aud->text);
    for (size_t i = 0; aud->kind == JVAL_ARRAY && i < aud->n; i++)
        if (aud->items[i]->kind == JVAL_STRING &&
            contains(opt->audiences, opt->naudiences, aud->items[i]->text))
            return true;
    return false;
}

static const char *check_claims(const struct auth_options *opt, const struct jval *claims)
{
    const struct jval *iss = jval_get(claims, STR("iss"));
    const char *bad = check_times(opt, claims);

    if (bad != NULL)
        return bad;
    if (opt->nissuers > 0 && (iss == NULL || iss->kind != JVAL_STRING ||
                              !contains(opt->issuers, opt->nissuers, iss->text)))
        return "the token is from another issuer";
    if (opt->naudiences > 0 && !audience_accepted(opt, jval_get(claims, STR("aud"))))
        return "the token is for another audience";
    return NULL;
}

/* --- claims to settings -------------------------------------------------------------- */

/* The whole path as one name first (claims such as "https://x/roles" have dots), then step by step.
 */
static const struct jval *claim_at(const struct jval *claims, struct str path)
{
    const struct jval *v = jval_get(claims, path);
    struct str step;

    if (v != NULL)
        return v;
    for (v = claims; path.len > 0 && v != NULL;) {
        str_cut(path, '.', &step, &path);
        v = v->kind == JVAL_OBJECT ? jval_get(v, step) : NULL;
    }
    return v;
}

static bool is_uuid(struct str s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = s.data[i];

        if (dash ? c != '-'
                 : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* Text of a claim: a scalar as it is, anything else as JSON. "" for null. */
static struct str claim_text(const struct jval *v, struct arena *a)
{
    struct buf b;
    struct str s;

    if (v->kind == JVAL_STRING || v->kind == JVAL_NUMBER)
        return v->text;
    if (v->kind == JVAL_NULL)
        return STR("");
    buf_init(&b, 0);
    jval_write(v, &b);
    s = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

/* Fill *text from the token; a reason why it will not do, or NULL. */
static const char *claim_value(const struct auth_claim_options *claim, const struct jval *claims,
                               struct arena *a, struct str *text)
{
    const struct jval *v = claim_at(claims, claim->path);

    *text = v ? claim_text(v, a) : STR("");
    if (text->len == 0)
        return claim->required ? "is missing" : NULL;
    if (claim->type == CLAIM_UUID && (v->kind != JVAL_STRING || !is_uuid(*text)))
        return "is not a UUID";
    *text = arena_dup(a, *text);
    return NULL;
}

/* Which of the allowed roles the claims name; a name that is not among them is refused. */
static bool role_from_claims(const struct auth *au, const struct jval *claims, struct identity *out,
                             struct errors *errs)
{
    const struct jval *v = au->opt.nroles > 0 ? claim_at(claims, au->opt.role_path) : NULL;

    if (v == NULL || v->kind == JVAL_NULL)
        return true;
    for (size_t i = 0; v->kind == JVAL_STRING && i < au->opt.nroles; i++) {
        if (str_eq(au->opt.roles[i], v->text)) {
            out->role = i + 1;
            return true;
        }
    }
    errors_add(errs, FORBIDDEN, "the token's role is not accepted");
    return false;
}

static bool settings_from_claims(const struct auth *au, const struct jval *claims, struct arena *ar,
                                 struct identity *out, struct errors *errs)
{
    struct identity_setting *settings =
        arena_copy(ar, au->empty, au->nsettings * sizeof(*au->empty));
    size_t at = 0;

    for (size_t i = 0; i < au->opt.nclaims; i++) {
        const struct auth_claim_options *claim = &au->opt.claims[i];
        struct str text;
        const char *bad = claim_value(claim, claims, ar, &text);

        if (bad != NULL) {
            errors_add(errs, UNAUTHENTICATED, "the token's claim \"%.*s\" %s", STR_ARG(claim->path),
                       bad);
            return false;
        }
        for (size_t j = 0; j < claim->nsettings; j++)
            settings[at++].value = text.data;
        if (au->opt.tenancy && i == au->tenant_index)
            out->tenant = text;
    }
    out->settings = settings;
    return true;
}

/* "Bearer <token>": the token, or the empty slice. RFC 6750 section 2.1. */
static struct str bearer_token(struct str authorization)
{
    struct str scheme, token;

    if (!str_cut(authorization, ' ', &scheme, &token) || !str_eq_nocase(scheme, STR("Bearer")))
        return str_make("", 0);
    return str_trim(token);
}

/* A reason why it will not do, or NULL. */
static const char *verify_signature(struct auth *au, const struct token *token, struct errors *errs)
{
    const struct keys *keys = current_keys(au);
    const char *bad = NULL;

    if (token_verify(token, keys))
        bad = NULL;
    else if (keys_count(keys) == 0)
        errors_add(errs, SERVICE_UNAVAILABLE, "%s",
                   bad = "the keys that tokens are checked with are not loaded yet");
    else
        bad = keys_has(keys, token->alg, token->kid) ? "the token's signature is not valid"
                                                     : "the token's key is not known";
    if (bad != NULL && !keys_has(keys, token->alg, token->kid) && au->on_unknown != NULL)
        au->on_unknown(au->on_unknown_ctx);
    keys_unref(keys);
    return bad;
}

static bool verify_token(struct auth *au, struct str text, struct arena *ar, struct token *token,
                         struct errors *errs)
{
    const char *bad = NULL;

    if (text.len == 0)
        bad = "the Authorization header has no bearer token";
    else if (text.len > au->opt.max_token_bytes)
        bad = "the token is too long";
    else if ((bad = token_parse(text, ar, token)) != NULL)
        ;
    else if (au->opt.nalgorithms > 0 &&
             !contains(au->opt.algorithms, au->opt.nalgorithms, token->alg))
        bad = "the token's algorithm is not accepted";
    else if ((bad = verify_signature(au, token, errs)) == NULL)
        bad = check_claims(&au->opt, token->payload);
    if (bad != NULL && !errors_any(errs))
        errors_add(errs, UNAUTHENTICATED, "%s", bad);
    return bad == NULL;
}

static bool anonymous(const struct auth *au, struct errors *errs)
{
    if (au->opt.mode == AUTH_REQUIRED || au->opt.tenancy) {
        errors_add(errs, UNAUTHENTICATED, "a bearer token is required");
        return false;
    }
    return true;
}

/* The identity of claims that are true; false: refused, *out may be half filled. */
static bool identify(const struct auth *au, const struct jval *claims, struct arena *ar,
                     struct identity *out, struct errors *errs)
{
    const struct jval *sub = jval_get(claims, STR("sub"));

    if (!settings_from_claims(au, claims, ar, out, errs))
        return false;
    if (au->opt.tenancy && out->tenant.len == 0) {
        errors_add(errs, FORBIDDEN, "the token names no tenant");
        return false;
    }
    if (!role_from_claims(au, claims, out, errs))
        return false;
    if (sub != NULL && sub->kind == JVAL_STRING)
        out->subject = sub->text;
    out->authenticated = true;
    return true;
}

static int64_t now_s(void)
{
    return wall_clock_us() / 1000000;
}

/* Until when a verified token may be taken from the cache. */
static int64_t cache_until(const struct auth *au, const struct token *token)
{
    const struct jval *exp = jval_get(token->payload, STR("exp"));
    int64_t until = now_s() + (int64_t)au->opt.cache_ttl_s;
    int64_t expires;

    if (exp != NULL && numeric_date(exp, &expires) && expires + (int64_t)au->opt.leeway_s < until)
        return expires + (int64_t)au->opt.leeway_s;
    return until;
}

bool identity_from_token(const struct auth *a, struct str authorization, struct arena *ar,
                         struct identity *out, struct errors *errs)
{
    const struct identity nobody = {.settings = a->empty, .nsettings = a->nsettings};
    struct auth *mine = (struct auth *)(uintptr_t)a; /* its keys and cache change */
    struct str text = bearer_token(authorization);
    struct token token;
    uint64_t generation;

    *out = nobody;
    if (a->opt.mode == AUTH_NONE)
        return true;
    if (authorization.data == NULL)
        return anonymous(a, errs);
    if (a->cache != NULL &&
        tokencache_get(a->cache, text, now_s(), a->empty, a->nsettings, ar, out))
        return true;
    generation = a->cache != NULL ? tokencache_generation(a->cache) : 0;
    if (verify_token(mine, text, ar, &token, errs) && identify(a, token.payload, ar, out, errs)) {
        if (a->cache != NULL)
            tokencache_put(a->cache, text, cache_until(a, &token), out, generation);
        return true;
    }
    *out = nobody;
    return false;
}

bool identity_from_claims(const struct auth *a, const struct jval *claims, struct arena *ar,
                          struct identity *out, struct errors *errs)
{
    *out = (struct identity){.settings = a->empty, .nsettings = a->nsettings};
    if (claims == NULL)
        return a->opt.mode == AUTH_NONE || anonymous(a, errs);
    return identify(a, claims, ar, out, errs);
}
