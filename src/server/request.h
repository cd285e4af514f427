/*
 * request.h - HTTP request to GraphQL request (GraphQL over HTTP, sections 4 and 5).
 *
 * Thread:   any.
 * Memory:   in the arena given, or pointing into the HTTP request.
 */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include "execution/execute.h"
#include "http/exchange.h"

enum request_media {
    MEDIA_JSON,    /* application/json */
    MEDIA_GRAPHQL, /* application/graphql-response+json */
};

/* What the Accept header prefers; application/json when it has no preference. False: neither. */
bool request_accept(struct str accept, enum request_media *out);
/*
 * BAD_REQUEST, METHOD_NOT_ALLOWED or UNSUPPORTED_MEDIA_TYPE when it is none. An
 * array of requests is given out as it is, or refused when batch is NULL.
 */
NODISCARD bool request_decode(const struct http_request *q, struct str content_type,
                              struct arena *a, struct graphql_request *out,
                              const struct jval **batch, struct errors *errs);
/* An element of a batch. BAD_REQUEST when it is none. */
NODISCARD bool request_from_json(const struct jval *v, struct graphql_request *out,
                                 struct errors *errs);
/*
 * What the header Idempotency-Key says; data NULL if there is none. BAD_REQUEST if
 * it is no key, or not the one that the request itself has.
 */
NODISCARD bool request_idempotency(struct str header, struct graphql_request *out,
                                   struct errors *errs);
/* Undo percent-encoding and '+' (application/x-www-form-urlencoded); false if malformed or not
 * UTF-8. */
bool request_percent_decode(struct str s, struct arena *a, struct str *out);

#endif
