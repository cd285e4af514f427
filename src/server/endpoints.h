/*
 * endpoints.h - table: path to handler.
 */
#ifndef SERVER_ENDPOINTS_H
#define SERVER_ENDPOINTS_H

#include "http/exchange.h"
#include "jobs/schema_watch.h"
#include "pg/pgfleet.h"
#include "server/graphiql.h"
#include "server/graphql_endpoint.h"

/* What the operational endpoints tell about. */
struct health {
    const struct workers *workers;
    struct pgpool *pool;
    const struct pgfleet *fleet;       /* NULL: off */
    const struct pgreplicas *replicas; /* NULL: there are none */
    struct schema_slot *schema;
    struct turbo *turbo;         /* NULL: off */
    struct persisted *persisted; /* NULL: off */
    bool draining;               /* loop only */
};

struct endpoints {
    struct workers *workers;
    const struct graphql_context *graphql;
    atomic_size_t *users; /* of it, as of workers_submit() */
    struct health *health;
    const struct graphiql *graphiql; /* NULL: off */
    struct str graphql_path;
    struct str metrics_path; /* empty: no metrics */
    bool openmetrics;        /* for who asks for it */
};

/* Exchange handlers of the two kinds of listener; ctx is a struct endpoints. */
void endpoints_api(struct exchange *x, void *ctx);
void endpoints_admin(struct exchange *x, void *ctx);

#endif
