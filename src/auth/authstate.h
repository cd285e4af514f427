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
#include "base/buf.h"
#include "base/digest.h"

/* Whoever signs tokens; without auth_options.by_issuer there is one, made of the other options. */
struct auth_issuer {
    struct auth_issuer_options opt; /* without its keys */
    /* under the mutex */
    const struct keys *configured; /* retained */
    const struct keys *keys;       /* retained; those and a key set's */
    struct digest set;             /* that they are of */
    bool has_set;
    struct buf set_json; /* owned; of has_set */
    /* before the first request, then constant */
    void (*on_unknown)(void *ctx);
    void *on_unknown_ctx;
};

struct auth {
    struct arena *arena; /* owned; everything below is in it */
    struct auth_options opt;
    struct auth_issuer *issuers;
    size_t nissuers;
    pthread_mutex_t mutex;
    const struct revoked *revoked;  /* retained, under the mutex; NULL: not read yet */
    struct tokencache *cache;       /* NULL: off */
    struct identity_setting *empty; /* all settings with "" */
    size_t nsettings;
    size_t tenant_index; /* into opt.claims */
};

/* An issuer's keys of now; retained. */
const struct keys *auth_keys(struct auth *a, const struct auth_issuer *i);
/* The list of revoked tokens; retained, NULL: not read yet. */
const struct revoked *auth_revoked(struct auth *a);

#endif
