/*
 * graphql_endpoint.h - GraphQL over HTTP: methods, media types, status codes.
 */
#ifndef SERVER_GRAPHQL_ENDPOINT_H
#define SERVER_GRAPHQL_ENDPOINT_H

#include "auth/auth.h"
#include "server/workers.h"

struct graphql_context {
    const struct auth *auth;
    const struct engine *engine;
    bool log_access;
};

/* A job's run function; its context is a struct graphql_context. */
void graphql_endpoint_run(struct job *j);
/* A reply in the form of a GraphQL request error, for any thread: {"errors":[{…}]}. */
void graphql_error_reply(struct exchange *x, enum error_code code, const char *message,
                         struct http_reply *out);

#endif
