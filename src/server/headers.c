/*
 * headers.c - the request headers that GraphQL over HTTP looks at.
 *
 * Thread:   any.
 * Not here: what they mean (request.c, cors.c, csrf.c, http/compress.c).
 */
#include "server/headers.h"

/* name in lower case, where its value goes */
static const struct known_header {
    struct str name;
    size_t offset;
} known[] = {
  /* clang-format off */
    {STR_INIT("accept"), offsetof(struct request_headers, accept)},
    {STR_INIT("accept-encoding"), offsetof(struct request_headers, accept_encoding)},
    {STR_INIT("apollo-require-preflight"), offsetof(struct request_headers, apollo_require_preflight)},
    {STR_INIT("authorization"), offsetof(struct request_headers, authorization)},
    {STR_INIT("content-type"), offsetof(struct request_headers, content_type)},
    {STR_INIT("cookie"), offsetof(struct request_headers, cookie)},
    {STR_INIT("fraiseql-position"), offsetof(struct request_headers, fraiseql_position)},
    {STR_INIT("idempotency-key"), offsetof(struct request_headers, idempotency_key)},
    {STR_INIT("if-none-match"), offsetof(struct request_headers, if_none_match)},
    {STR_INIT("origin"), offsetof(struct request_headers, origin)},
    {STR_INIT("sec-fetch-site"), offsetof(struct request_headers, sec_fetch_site)},
    {STR_INIT("traceparent"), offsetof(struct request_headers, traceparent)},
    {STR_INIT("tracestate"), offsetof(struct request_headers, tracestate)},
    {STR_INIT("x-amzn-trace-id"), offsetof(struct request_headers, x_amzn_trace_id)},
    {STR_INIT("x-apollo-operation-name"), offsetof(struct request_headers, x_apollo_operation_name)},
  /* clang-format on */
};

static void read_one(const struct http_header *h, struct request_headers *out)
{
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        struct str *to;

        if (known[i].name.len != h->name.len || !str_eq_nocase(known[i].name, h->name))
            continue;
        to = (struct str *)(void *)((char *)out + known[i].offset);
        if (to->data == NULL)
            *to = h->value;
        return;
    }
}

void headers_read(const struct http_request *q, struct request_headers *out)
{
    *out = (struct request_headers){0};
    for (size_t i = 0; i < q->nheaders; i++)
        read_one(&q->headers[i], out);
}
