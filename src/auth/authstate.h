/*
 * authstate.h - what auth.c makes and identity.c uses.
 *
 * Thread:   see the fields.
 * Not here: the interface (auth.h).
 */
#ifndef AUTH_AUTHSTATE_H
#define AUTH_AUTHSTATE_H

#include <pthread.h>

#include "auth/auth.h"
#include "auth/keys.h"
#include "auth/revoked.h"
#include "auth/tokencache.h"
#include "base/digest.h"

struct auth {
    struct arena *arena; /* owned; everything below is in it */
    struct auth_options opt;
    const struct keys *configured; /* retained */
    pthread_mutex_t mutex;         /* of the next four */
    const struct keys *keys;       /* retained; those and a key set's */
    struct digest set;             /* that they are of */
    bool has_set;
    const struct revoked *revoked; /* retained, under the mutex too; NULL: not read yet */
    void (*on_unknown)(void *ctx); /* before the first request, then constant */
    void *on_unknown_ctx;
    struct tokencache *cache;       /* NULL: off */
    struct identity_setting *empty; /* all settings with "" */
    size_t nsettings;
    size_t tenant_index; /* into opt.claims */
};

/* The keys of now; retained. */
const struct keys *auth_keys(struct auth *a);
/* The list of revoked tokens; retained, NULL: not read yet. */
const struct revoked *auth_revoked(struct auth *a);

#endif
