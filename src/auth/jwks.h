/*
 * jwks.h - JSON Web Key Sets (RFC 7517) to keys.
 *
 * Thread:   any.
 * Not here: fetching them (server/jwks_watch.c).
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/keys.h"

/*
 * Adds the keys of a set that may verify, for one of the algorithms; a key that names no algorithm,
 * for each of its type. secrets: also symmetric keys. What is of no use (for encryption, an unknown
 * type, too weak) is left out, and counted in *skipped. False with BAD_REQUEST if it is no key set.
 */
NODISCARD bool jwks_read(struct str json, const struct str *algorithms, size_t nalgorithms,
                         bool secrets, struct keys *into, size_t *skipped, struct errors *errs);

#endif
