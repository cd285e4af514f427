/*
 * revoked.h - tokens that are refused though they have not expired.
 *
 * Thread:   made by one; then any may read, sharing it by reference count.
 * Memory:   owns copies of what is added.
 * Not here: where the list comes from (server/revocation_watch.c).
 */
#ifndef AUTH_REVOKED_H
#define AUTH_REVOKED_H

#include "base/jval.h"

struct revoked;

/* One reference, nobody revoked. */
struct revoked *revoked_new(void);
void revoked_add_token(struct revoked *r, struct str jti);
/* Tokens issued up to that second, since 1970. */
void revoked_add_subject(struct revoked *r, struct str subject, int64_t until_s);
const struct revoked *revoked_ref(const struct revoked *r);
void revoked_unref(const struct revoked *r); /* NULL is allowed */
/* Are the claims those of a revoked token? One that does not tell when it was issued is. */
bool revoked_has(const struct revoked *r, const struct jval *claims);

#endif
