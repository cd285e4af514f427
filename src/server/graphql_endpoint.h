/*
 * graphql_endpoint.h - GraphQL over HTTP: methods, media types, status codes.
 */
#ifndef SERVER_GRAPHQL_ENDPOINT_H
#define SERVER_GRAPHQL_ENDPOINT_H

#include "auth/auth.h"
#include "http/forwarded.h"
#include "server/cors.h"
#include "server/credentials.h"
#include "server/error_report.h"
#include "server/ratelimit.h"
#include "server/tracing.h"
#include "server/workers.h"

/* NULL: no limit. */
struct request_limits {
    struct ratelimit *per_ip;
    struct ratelimit *per_user;
    struct ratelimit *per_tenant;
    struct inflight *tenant_in_flight;
    struct ratelimit *cost; /* costs.h; NULL: off */
    uint64_t cost_per_minute;
    bool cost_shadow; /* only counted */
};

struct graphql_context {
    struct request_limits limits;
    const struct auth *auth;
    const struct engine *engine;
    struct cors cors;
    struct tracing tracing;
    const struct error_reports *errors; /* NULL: errors are not recorded */
    struct credentials_options credentials;
    struct str vary;      /* which request headers decide about a response; empty: not told */
    size_t compress_from; /* bytes; SIZE_MAX: never */
    size_t max_batch;     /* operations; 0: no batches */
    bool csrf_prevention;
    bool server_timing;
    bool log_access;
};

/* A job's run function; its context is a struct graphql_context. */
void graphql_endpoint_run(struct job *j);
/* The loop's replies at the path of the endpoint: to OPTIONS, and when there are too many requests.
 */
void graphql_options_reply(const struct graphql_context *ctx, struct exchange *x,
                           struct http_reply *out);
void graphql_overload_reply(const struct graphql_context *ctx, struct exchange *x,
                            struct http_reply *out);
/* Is the address within its rate? If not, the reply is 429. */
NODISCARD bool graphql_admit_address(const struct graphql_context *ctx, struct exchange *x,
                                     struct http_reply *out);
/* A reply in the form of a GraphQL request error, for any thread: {"errors":[{…}]}. */
void graphql_error_reply(struct exchange *x, enum error_code code, const char *message,
                         struct http_reply *out);
/* What an address is limited by: IPv6 by its /64, which is what one client gets. In `room`, or the
 * text itself. */
struct str graphql_address_key(struct str client, struct ip_address *room);

#endif
