/*
 * keys.h - the keys that may sign tokens; each is bound to one algorithm.
 *
 * Thread:   any; constant once made, shared by reference count.
 * Memory:   owns copies of the secrets and wipes them.
 * Not here: where keys come from (jwks.h, the configuration), parsing tokens (token.h).
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "auth/auth.h"

struct keys;
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* One reference, no keys. */
struct keys *keys_new(void);
const struct keys *keys_ref(const struct keys *k);
void keys_unref(const struct keys *k); /* NULL is allowed */
size_t keys_count(const struct keys *k);

/* Is it an algorithm that we know (RFC 7518 section 3.1, RFC 8037)? */
bool keys_knows(struct str alg);
/*
 * While it is being made, by its only owner. NULL on success, else why the key will not do: an
 * unknown algorithm, a secret shorter than the hash (RFC 7518 section 3.2), no PEM of a public key
 * or certificate, a key of another type or curve than the algorithm's, RSA of less than 2048 bits.
 */
const char *keys_add_secret(struct keys *k, struct str alg, struct str kid, struct str secret);
const char *keys_add_pem(struct keys *k, struct str alg, struct str kid, struct str pem);
/* Keeps a reference of its own. */
const char *keys_add_public(struct keys *k, struct str alg, struct str kid,
                            struct evp_pkey_st *pkey);

/* All that another set has, kept or copied. */
void keys_add_all(struct keys *k, const struct keys *from);

/* Verify a signature over input by any key with that alg and kid. Constant time per secret. */
bool keys_verify(const struct keys *k, struct str alg, struct str kid, struct str input,
                 struct str signature);
/* Is there a key that would be asked? */
bool keys_has(const struct keys *k, struct str alg, struct str kid);

#endif
