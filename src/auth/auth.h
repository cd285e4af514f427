/*
 * auth.h - bearer token to verified identity: the options, the keys, the verifier.
 *
 * Thread:   an auth is immutable once made; any thread may use it.
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
    struct str kid;    /* empty: used for tokens without kid */
    struct str alg;    /* HS256, HS384, HS512 */
    struct str secret; /* bytes */
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

struct auth_options {
    enum auth_mode mode;
    const struct str *algorithms;
    size_t nalgorithms;
    const struct str *issuers; /* none: not checked */
    size_t nissuers;
    const struct str *audiences;
    size_t naudiences;
    uint64_t leeway_s;
    bool require_exp;
    size_t max_token_bytes;
    size_t cache_entries; /* verified tokens remembered; 0: none */
    uint64_t cache_ttl_s; /* for at most so long, and never past their expiry */
    const struct auth_key_options *keys;
    size_t nkeys;
    const struct auth_claim_options *claims;
    size_t nclaims;
    struct str role_path;    /* of the claim that names the role */
    const struct str *roles; /* that it may name; none: it is not looked at */
    size_t nroles;
    bool tenancy;            /* a request without the tenant claim is refused … */
    struct str tenant_claim; /* … of this name among `claims` */
};

struct auth;

/* NULL, with CONFIG_INVALID errors, if an option makes no sense. */
struct auth *auth_new(const struct auth_options *opt, struct errors *errs);
void auth_free(struct auth *a); /* NULL is allowed */

struct identity_setting {
    const char *name;
    const char *value; /* "" when the token has no such claim, or there is no token */
};

struct identity {
    bool authenticated;
    struct str subject; /* claim sub, or empty */
    struct str tenant;  /* value of the tenant claim, or empty */
    size_t role;        /* database role to run as: 1 + its position in auth_options.roles; 0: the
                           default one */
    const struct identity_setting
        *settings; /* every configured setting, always in the same order */
    size_t nsettings;
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

#endif
