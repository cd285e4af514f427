/*
 * headers.h - the request headers that GraphQL over HTTP looks at, and those of a reply.
 *
 * Thread:   any.
 * Memory:   slices of the request; a reply's headers are borrowed texts.
 */
#ifndef SERVER_HEADERS_H
#define SERVER_HEADERS_H

#include "http/exchange.h"

/* The first value of each; data is NULL where there is none. */
struct request_headers {
    struct str accept;
    struct str accept_encoding;
    struct str authorization;
    struct str content_type;
    struct str cookie;
    struct str fraiseql_position;
    struct str idempotency_key;
    struct str if_none_match;
    struct str origin;
    struct str sec_fetch_site;
    struct str apollo_require_preflight;
    struct str x_apollo_operation_name;
    struct str traceparent;
    struct str tracestate;
    struct str x_amzn_trace_id;
};

/* In one pass. */
void headers_read(const struct http_request *q, struct request_headers *out);

#define REPLY_HEADERS_MAX 16

struct reply_headers {
    struct http_header items[REPLY_HEADERS_MAX];
    size_t n;
};

/* Both texts must live until the reply was sent: static, the configuration's, or in the exchange's
 * arena. */
static inline void headers_add(struct reply_headers *h, struct str name, struct str value)
{
    CHECK(h->n < REPLY_HEADERS_MAX);
    h->items[h->n++] = (struct http_header){name, value};
}

#endif
