/*
 * token.h - a compact JWS (RFC 7515) taken apart, and its signature checked.
 *
 * Thread:   any.
 * Memory:   decoded parts are in the arena given.
 * Not here: which claims are acceptable (identity.c).
 */
#ifndef AUTH_TOKEN_H
#define AUTH_TOKEN_H

#include "auth/keys.h"
#include "base/jval.h"

struct token {
    struct str signing_input; /* header.payload as sent */
    struct str signature;     /* decoded */
    const struct jval *header;
    const struct jval *payload; /* an object */
    struct str alg;
    struct str kid; /* data NULL if there is none */
};

/*
 * Split, decode strictly (base64url without padding, canonical), parse. Refused:
 * other than three parts, "crit", a header or payload that is no object, "alg" or
 * "kid" that is no string, "typ" other than JWT or at+jwt. NULL on success, else why not.
 */
const char *token_parse(struct str text, struct arena *a, struct token *out);
/* Is the signature that of a key of the set made for this alg (and kid, when both have one)? */
bool token_verify(const struct token *t, const struct keys *keys);

#endif
