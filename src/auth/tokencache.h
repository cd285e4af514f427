/*
 * tokencache.h - identities of tokens verified a moment ago.
 *
 * Thread:   any; one leaf mutex.
 * Memory:   bounded by entries; owns copies of tokens and values.
 * Not here: verifying (identity.c). Only verified tokens get in, so nobody
 *           without a key can fill it or push others out.
 */
#ifndef AUTH_TOKENCACHE_H
#define AUTH_TOKENCACHE_H

#include "auth/auth.h"

struct tokencache;

struct tokencache *tokencache_new(size_t entries);
void tokencache_free(struct tokencache *c); /* NULL is allowed */
/*
 * Fill *out with copies in the arena; its settings' names are those of `empty`.
 * False: not there, or past its time. now_s: seconds since 1970.
 */
bool tokencache_get(struct tokencache *c, struct str token, int64_t now_s,
                    const struct identity_setting *empty, size_t nsettings, struct arena *a,
                    struct identity *out);
/* generation: tokencache_generation() from before the token was verified; what was verified before
 * a flush is not kept behind it. */
void tokencache_put(struct tokencache *c, struct str token, int64_t until_s,
                    const struct identity *who, uint64_t generation);
uint64_t tokencache_generation(struct tokencache *c);
/* The keys are others now. */
void tokencache_flush(struct tokencache *c);

#endif
