/*
 * setup.h - what requests are answered by: all that is made of one configuration, as a whole.
 *
 * Thread:   made and freed on the main loop; constant in between, but for its users.
 * Memory:   owns its arena, retains its configuration; what it is made with must outlive it.
 * Not here: reading configurations (reload.h), what lives as long as the daemon (daemon.c).
 */
#ifndef SERVER_SETUP_H
#define SERVER_SETUP_H

#include "config/config.h"
#include "server/graphiql.h"
#include "server/graphql_endpoint.h"
#include "server/observers.h"

/* What stays when the configuration changes. */
struct setup_parts {
    struct schema_slot *slot;
    struct turbo *turbo;         /* NULL: off */
    struct resultcache *results; /* NULL: off, as the next */
    struct cachelog *cachelog;
    struct labels *labels;
    struct pgreplicas *replicas; /* NULL: there are none */
    struct recall_options recall;
    struct observers *observers;
    struct auth *auth;
    uint64_t (*doubt)(void *ctx); /* as in struct engine */
    bool (*doubt_checked)(void *ctx, uint64_t number, bool *certain);
    void *doubt_ctx;
};

struct rate_limits; /* with their counts */

struct setup {
    const struct config *config; /* retained */
    struct arena *arena;         /* owned */
    struct engine engine;
    struct graphql_context graphql;
    const struct graphiql *graphiql; /* NULL: off */
    struct rate_limits *limits;      /* shared with other setups whose rates are the same */
    atomic_size_t users;             /* requests, and whoever else holds it */
    struct setup *older;             /* main loop: replaced, but perhaps still used */
    struct loop_task retire;
    void *retired_ctx;
};

/* NULL with CONFIG_INVALID errors. before: what it will replace, or NULL. */
struct setup *setup_new(const struct setup_parts *parts, const struct config *c,
                        const struct setup *before, struct errors *errs);
void setup_free(struct setup *s); /* NULL is allowed */
/* Do both accept the same documents and make the same of them? */
/* The engine alone, as commands need it; what it points to is in the arena, or the parts'. */
struct engine setup_engine(const struct setup_parts *parts, const struct config *c,
                           struct arena *a);
bool setup_compiles_alike(const struct setup *a, const struct setup *b);

#endif
