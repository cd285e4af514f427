/*
 * identity.c - claims of a verified token to session settings.
 *
 * Thread:   any.
 * Memory:   identities are in the request's arena.
 * Not here: the options and keys (auth.c), signatures (keys.c), putting settings into a batch
 *           (execution/session.c).
 *
 * An identity always has every configured setting, empty when there is nothing
 * to put into it: a setting left over from another request cannot exist.
 */
#include "auth/authstate.h"
#include "auth/claims.h"
#include "auth/token.h"
#include "base/deadline.h"

/* --- checking a token ------------------------------------------------------------ */

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

static bool audience_accepted(const struct auth_issuer_options *opt, const struct jval *aud)
{
    if (aud == NULL)
        return false;
    if (aud->kind == JVAL_STRING)
        return str_is_among(aud->text, opt->audiences, opt->naudiences);
    for (size_t i = 0; aud->kind == JVAL_ARRAY && i < aud->n; i++)
        if (aud->items[i]->kind == JVAL_STRING &&
            str_is_among(aud->items[i]->text, opt->audiences, opt->naudiences))
            return true;
    return false;
}

static const char another_issuer[] = "the token is from another issuer";

static const char *check_claims(const struct auth_options *opt, const struct auth_issuer *from,
                                const struct jval *claims)
{
    const struct jval *iss = jval_get(claims, STR("iss"));
    const char *bad = check_times(opt, claims);

    if (bad != NULL)
        return bad;
    if (opt->nissuers > 0 && (iss == NULL || iss->kind != JVAL_STRING ||
                              !str_is_among(iss->text, opt->issuers, opt->nissuers)))
        return another_issuer;
    if (from->opt.naudiences > 0 && !audience_accepted(&from->opt, jval_get(claims, STR("aud"))))
        return "the token is for another audience";
    return NULL;
}

/* --- claims to settings -------------------------------------------------------------- */

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
    const struct jval *v = claims_at(claims, claim->path);

    *text = v ? claim_text(v, a) : STR("");
    if (text->len == 0)
        return claim->required ? "is missing" : NULL;
    if (claim->type == CLAIM_UUID && (v->kind != JVAL_STRING || !is_uuid(*text)))
        return "is not a UUID";
    *text = arena_dup(a, *text);
    return NULL;
}

/* Which of the roles allowed to its issuer the claims name; a name that is not among them is
 * refused. */
static bool role_from_claims(const struct auth *au, const struct auth_issuer *from,
                             const struct jval *claims, struct identity *out, struct errors *errs)
{
    const struct jval *v = from->opt.nroles > 0 ? claims_at(claims, from->opt.role_path) : NULL;
    bool allowed;

    if (v == NULL || v->kind == JVAL_NULL)
        return true;
    allowed = v->kind == JVAL_STRING && str_is_among(v->text, from->opt.roles, from->opt.nroles);
    for (size_t i = 0; allowed && i < au->opt.nroles; i++) {
        if (str_eq(au->opt.roles[i], v->text)) {
            out->role = i + 1;
            return true;
        }
    }
    errors_add(errs, FORBIDDEN, "the token's role is not accepted");
    return false;
}

static bool settings_from_claims(const struct auth *au, const struct auth_issuer *from,
                                 const struct jval *claims, struct arena *ar, struct identity *out,
                                 struct errors *errs)
{
    struct identity_setting *settings =
        arena_copy(ar, au->empty, au->nsettings * sizeof(*au->empty));
    size_t at = 0;

    for (size_t i = 0; i < au->opt.nclaims; i++) {
        const struct auth_claim_options *claim = &from->opt.claims[i];
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

/*
 * Whose claims they are, as they say themselves: by that alone it is decided with whose keys they
 * are checked, so that no issuer can speak for another. NULL: nobody's that is known.
 */
static const struct auth_issuer *issuer_of(const struct auth *au, const struct jval *claims)
{
    const struct jval *iss = jval_get(claims, STR("iss"));

    if (au->opt.nby_issuer == 0)
        return &au->issuers[0];
    for (size_t i = 0; iss != NULL && iss->kind == JVAL_STRING && i < au->nissuers; i++)
        if (str_eq(au->issuers[i].opt.iss, iss->text))
            return &au->issuers[i];
    return NULL;
}

/* A reason why it will not do, or NULL. */
static const char *verify_signature(struct auth *au, const struct auth_issuer *from,
                                    const struct token *token, struct errors *errs)
{
    const struct keys *keys = auth_keys(au, from);
    const char *bad = NULL;

    if (token_verify(token, keys))
        bad = NULL;
    else if (keys_count(keys) == 0)
        errors_add(errs, SERVICE_UNAVAILABLE, "%s",
                   bad = "the keys that tokens are checked with are not loaded yet");
    else
        bad = keys_has(keys, token->alg, token->kid) ? "the token's signature is not valid"
                                                     : "the token's key is not known";
    if (bad != NULL && !keys_has(keys, token->alg, token->kid) && from->on_unknown != NULL)
        from->on_unknown(from->on_unknown_ctx);
    keys_unref(keys);
    return bad;
}

/* A reason why it will not do, or NULL. */
static const char *check_revoked(struct auth *au, const struct jval *claims, struct errors *errs)
{
    const struct revoked *r;
    const char *bad = NULL;

    if (!au->opt.revocation)
        return NULL;
    r = auth_revoked(au);
    if (r == NULL)
        errors_add(errs, SERVICE_UNAVAILABLE, "%s",
                   bad = "the list of revoked tokens is not loaded yet");
    else if (revoked_has(r, claims))
        bad = "the token was revoked";
    revoked_unref(r);
    return bad;
}

static bool verify_token(struct auth *au, struct str text, struct arena *ar, struct token *token,
                         struct errors *errs)
{
    const struct auth_issuer *from = NULL;
    const char *bad = NULL;

    if (text.len == 0)
        bad = "the request has no bearer token";
    else if (text.len > au->opt.max_token_bytes)
        bad = "the token is too long";
    else if ((bad = token_parse(text, ar, token)) != NULL)
        ;
    else if ((from = issuer_of(au, token->payload)) == NULL)
        bad = another_issuer;
    else if (from->opt.nalgorithms > 0 &&
             !str_is_among(token->alg, from->opt.algorithms, from->opt.nalgorithms))
        bad = "the token's algorithm is not accepted";
    else if ((bad = verify_signature(au, from, token, errs)) == NULL &&
             (bad = check_claims(&au->opt, from, token->payload)) == NULL)
        bad = check_revoked(au, token->payload, errs);
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

/* Of several issuers any may have a user of the same name. */
static struct str subject_of(const struct auth *au, const struct auth_issuer *from, struct str sub,
                             struct arena *ar)
{
    struct str iss = from->opt.iss;

    if (au->opt.nby_issuer == 0 || sub.len == 0)
        return sub;
    return arena_printf(ar, "%zu:%.*s%.*s", iss.len, STR_ARG(iss), STR_ARG(sub));
}

/* The identity of claims that are true; false: refused, *out may be half filled. */
static bool identify(const struct auth *au, const struct jval *claims, struct arena *ar,
                     struct identity *out, struct errors *errs)
{
    const struct jval *sub = jval_get(claims, STR("sub"));
    const struct auth_issuer *from = issuer_of(au, claims);

    if (from == NULL) {
        errors_add(errs, UNAUTHENTICATED, "%s", another_issuer);
        return false;
    }
    if (!settings_from_claims(au, from, claims, ar, out, errs))
        return false;
    if (au->opt.tenancy && out->tenant.len == 0) {
        errors_add(errs, FORBIDDEN, "the token names no tenant");
        return false;
    }
    if (!role_from_claims(au, from, claims, out, errs))
        return false;
    if (sub != NULL && sub->kind == JVAL_STRING)
        out->subject = subject_of(au, from, sub->text, ar);
    claims_grants(&from->opt, claims, ar, &out->grants);
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

bool auth_has_tenants(const struct auth *a)
{
    return a->opt.tenancy;
}

bool identity_of_tenant(const struct auth *a, struct str tenant, struct arena *ar,
                        struct identity *out, struct errors *errs)
{
    struct identity_setting *settings;
    size_t at = 0;

    *out = (struct identity){.settings = a->empty, .nsettings = a->nsettings};
    if (!a->opt.tenancy && tenant.len == 0)
        return true;
    if (!a->opt.tenancy || tenant.len == 0 ||
        (a->opt.claims[a->tenant_index].type == CLAIM_UUID && !is_uuid(tenant))) {
        errors_add(errs, BAD_REQUEST, "there can be no tenant \"%.*s\"", STR_ARG(tenant));
        return false;
    }
    settings = arena_copy(ar, a->empty, a->nsettings * sizeof(*a->empty));
    out->tenant = arena_dup(ar, tenant);
    for (size_t i = 0; i < a->opt.nclaims; i++)
        for (size_t j = 0; j < a->opt.claims[i].nsettings; j++, at++)
            if (i == a->tenant_index)
                settings[at].value = out->tenant.data;
    out->settings = settings;
    out->authenticated = true;
    return true;
}
