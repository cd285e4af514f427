/*
 * claims.h - where things are among the claims of a token.
 *
 * Thread:   any.
 * Memory:   what is found points into the claims; lists are in the arena given.
 */
#ifndef AUTH_CLAIMS_H
#define AUTH_CLAIMS_H

#include "auth/auth.h"

/* The whole path as one name first (claims such as "https://x/roles" have dots), then step by step.
 * NULL: it is not there, or the path is empty. */
const struct jval *claims_at(const struct jval *claims, struct str path);
/*
 * Roles and scopes of the claims. Roles are a list of texts, or one text that is one role. Scopes
 * are those of `scope`, or else of `scp`, unless the options name another: a text with spaces
 * between them, or a list of texts. What is of another kind is none.
 */
void claims_grants(const struct auth_issuer_options *opt, const struct jval *claims,
                   struct arena *a, struct grants *out);

#endif
