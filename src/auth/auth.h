/*
 * auth.h - bearer token to verified identity: the options, the keys, the verifier.
 *
 * Thread:   an auth is immutable once made, but for the keys of a key set, which are replaced
 *           whole; any thread may use it.
 * Memory:   auth_new() copies its options; identities are in the request's arena.
 * Not here: what the identity may see (PostgreSQL decides that), how settings
 *           reach a statement (execution/session.c).
 */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "base/error.h"
#include "base/jval.h"

enum auth_mode {
    AUTH_NONE,     /* tokens are not looked at */
    AUTH_OPTIONAL, /* without a token: anonymous; a bad one is refused */
    AUTH_REQUIRED,
};

struct auth_key_options {
    struct str kid;        /* empty: used for tokens without kid */
    struct str alg;        /* its one algorithm */
    struct str secret;     /* bytes, of HS256 and its like … */
    struct str public_key; /* … or PEM, of the others */
};

enum claim_type {
    CLAIM_TEXT,
    CLAIM_UUID,
};

/* A claim and the session settings it becomes. */
struct auth_claim_options {
    struct str name;            /* ours: "tenant_id" */
    struct str path;            /* in the token: "tenant_id", "realm_access.roles" */
    const struct str *settings; /* "app.current_tenant_id", "app.tenant_id" */
    size_t nsettings;
    enum claim_type type;
    bool required; /* a token without it is refused */
};

/* An issuer whose tokens are checked with keys, and read by a map of claims, of its own. */
struct auth_issuer_options {
    struct str iss; /* of its tokens, exactly */
    const struct str *algorithms;
    size_t nalgorithms;
    const struct str *audiences; /* none: not checked */
    size_t naudiences;
    const struct auth_key_options *keys;
    size_t nkeys;
    bool key_sets;      /* others come by auth_set_jwks() */
    bool key_sets_open; /* from where they are public: no secrets are taken from them */
    const struct auth_claim_options *claims; /* those of auth_options, in their order, with paths
                                                of its own; path empty: its tokens have it not */
    struct str roles_path;                   /* these four as in auth_options */
    struct str scopes_path;
    struct str role_path;
    const struct str *roles; /* of those in auth_options */
    size_t nroles;
};

struct auth_options {
    enum auth_mode mode;
    /* Several issuers. With them algorithms, issuers, audiences, keys, key sets and paths stand
     * in each of them, not below. */
    const struct auth_issuer_options *by_issuer;
    size_t nby_issuer;
    const struct str *algorithms;
    size_t nalgorithms;
    const struct str *issuers; /* none: not checked */
    size_t nissuers;
    const struct str *audiences;
    size_t naudiences;
    uint64_t leeway_s;
    uint64_t max_age_s; /* since iat; 0: not looked at */
    bool require_exp;
    size_t max_token_bytes;
    size_t cache_entries; /* verified tokens remembered; 0: none */
    uint64_t cache_ttl_s; /* for at most so long, and never past their expiry */
    const struct auth_key_options *keys;
    size_t nkeys;
    bool revocation;    /* no token is accepted before auth_set_revoked() */
    bool key_sets;      /* others come by auth_set_jwks() */
    bool key_sets_open; /* from where they are public: no secrets are taken from them */
    const struct auth_claim_options *claims;
    size_t nclaims;
    struct str roles_path;   /* of the claim with roles for @auth; empty: roles */
    struct str scopes_path;  /* of that with scopes; empty: scope, or else scp */
    struct str role_path;    /* of the claim that names the role */
    const struct str *roles; /* that it may name; none: it is not looked at */
    size_t nroles;
    bool tenancy;            /* a request without the tenant claim is refused … */
    struct str tenant_claim; /* … of this name among `claims` */
};

struct auth;
struct revoked; /* auth/revoked.h */

/* NULL, with CONFIG_INVALID errors, if an option makes no sense. */
struct auth *auth_new(const struct auth_options *opt, struct errors *errs);
void auth_free(struct auth *a); /* NULL is allowed */

/*
 * Any thread: keys of a set in place of those of the one before; the configured ones, and those of
 * other issuers, stay. issuer: its position in by_issuer; 0 without them. Tokens that were
 * remembered are forgotten if anything has changed. False with BAD_REQUEST, and nothing done, if it
 * is no key set. usable: its keys that may verify one of the algorithms.
 */
NODISCARD bool auth_set_jwks(struct auth *a, size_t issuer, struct str json, size_t *usable,
                             size_t *skipped, struct errors *errs);
/*
 * Any thread: configured keys in place of those before, where there is no by_issuer; a key set's
 * stay. False with errors, and nothing done. Tokens that were remembered are forgotten.
 */
NODISCARD bool auth_set_keys(struct auth *a, const struct auth_key_options *keys, size_t n,
                             struct errors *errs);
/* They have not been heard of for too long. */
void auth_drop_jwks(struct auth *a, size_t issuer);
/* Any thread: who is refused from now on; takes the reference over. Tokens that were remembered are
 * forgotten. */
void auth_set_revoked(struct auth *a, const struct revoked *r);
/* A token of that issuer named a key that is not there; any thread, at most once for each request.
 */
void auth_on_unknown_key(struct auth *a, size_t issuer, void (*fn)(void *ctx), void *ctx);

struct identity_setting {
    const char *name;
    const char *value; /* "" when the token has no such claim, or there is no token */
};

/* What it may do beyond what PostgreSQL lets its role: for @auth. */
struct grants {
    const struct str *roles;
    size_t nroles;
    const struct str *scopes;
    size_t nscopes;
};

struct identity {
    bool authenticated;
    struct str subject; /* claim sub, or empty; of several issuers it is told which one's, so that
                           no two of them are one */
    struct str tenant;  /* value of the tenant claim, or empty */
    size_t role;        /* database role to run as: 1 + its position in auth_options.roles; 0: the
                           default one */
    const struct identity_setting
        *settings; /* every configured setting, always in the same order */
    size_t nsettings;
    struct grants grants;
};

/*
 * authorization: the header's value, data NULL if there was none. False, with
 * UNAUTHENTICATED (bad or missing token) or FORBIDDEN (no tenant, a role that is not allowed)
 * added.
 */
NODISCARD bool identity_from_token(const struct auth *a, struct str authorization, struct arena *ar,
                                   struct identity *out, struct errors *errs);
/* The same for claims that somebody vouches for without a token: whoever runs a command. NULL:
 * none, as for a request without Authorization. Nothing of them is checked but what identities
 * need. */
NODISCARD bool identity_from_claims(const struct auth *a, const struct jval *claims,
                                    struct arena *ar, struct identity *out, struct errors *errs);
/* Is a request without a tenant refused? */
bool auth_has_tenants(const struct auth *a);
/*
 * Of a tenant, but of none of its users: settings and role are those that a token with the tenant's
 * claim alone would give. Where there are no tenants, that of a request without a token. False with
 * BAD_REQUEST: no such tenant can be.
 */
NODISCARD bool identity_of_tenant(const struct auth *a, struct str tenant, struct arena *ar,
                                  struct identity *out, struct errors *errs);

#endif
