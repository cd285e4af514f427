/*
 * keys.h - the keys that may sign tokens; each is bound to one algorithm.
 *
 * Thread:   any; constant once made.
 * Memory:   owns copies of the secrets and wipes them.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "auth/auth.h"

struct keys;

/* NULL with CONFIG_INVALID errors: unknown algorithm, secret shorter than the hash (RFC 7518
 * section 3.2). */
struct keys *keys_new(const struct auth_key_options *keys, size_t n, struct errors *errs);
void keys_free(struct keys *k); /* NULL is allowed */
/* Verify a signature over input by any key with that alg and kid. Constant time per key. */
bool keys_verify(const struct keys *k, struct str alg, struct str kid, struct str input,
                 struct str signature);

#endif
