/*
 * graphql_endpoint.c - GraphQL over HTTP: methods, media types, status codes.
 *
 * Thread:   the worker's that has the job; graphql_error_reply() any.
 * Memory:   in the exchange's arena.
 * Not here: execution (execution/execute.c).
 *
 * application/json is the older media type, under which a well-formed request
 * is always answered 200; application/graphql-response+json has a status for
 * each request error. What concerns HTTP itself (who you are, overload) has its
 * status under both.
 */
#include "server/graphql_endpoint.h"

#include "execution/response.h"
#include "metrics/metrics.h"
#include "server/request.h"

static const char media_json[] = "application/json; charset=utf-8";
static const char media_graphql[] = "application/graphql-response+json; charset=utf-8";

static const struct http_header challenge[] = {
    {STR_INIT("WWW-Authenticate"), STR_INIT("Bearer")},
};
static const struct http_header bad_token[] = {
    {STR_INIT("WWW-Authenticate"), STR_INIT("Bearer error=\"invalid_token\"")},
};
static const struct http_header retry_later[] = {
    {STR_INIT("Retry-After"), STR_INIT("1")},
};
static const struct http_header allow_both[] = {
    {STR_INIT("Allow"), STR_INIT("GET, POST")},
};
static const struct http_header allow_post[] = {
    {STR_INIT("Allow"), STR_INIT("POST")},
};

/* Codes that keep their HTTP status under application/json as well. */
static bool is_about_http(enum error_code code)
{
    switch (code) {
    case UNAUTHENTICATED:
    case FORBIDDEN:
    case METHOD_NOT_ALLOWED:
    case NOT_ACCEPTABLE:
    case UNSUPPORTED_MEDIA_TYPE:
    case BAD_REQUEST:
    case RATE_LIMITED:
    case PAYLOAD_TOO_LARGE:
    case TIMEOUT:
    case SERVICE_UNAVAILABLE:
    case INTERNAL_SERVER_ERROR:
        return true;
    default:
        return false;
    }
}

static void set_headers(struct http_reply *r, const struct http_header *headers, size_t n)
{
    r->headers = headers;
    r->nheaders = n;
}

/* Headers that a status must or should bring along (RFC 9110 section 15). */
static void headers_for(struct http_reply *r, const struct http_request *q)
{
    if (r->status == 401 && http_request_header(q, STR("authorization")).data != NULL)
        set_headers(r, bad_token, COUNT_OF(bad_token));
    else if (r->status == 401)
        set_headers(r, challenge, COUNT_OF(challenge));
    else if (r->status == 503 || r->status == 429)
        set_headers(r, retry_later, COUNT_OF(retry_later));
    else if (r->status == 405 && str_is(q->method, "GET"))
        set_headers(r, allow_post, COUNT_OF(allow_post));
    else if (r->status == 405)
        set_headers(r, allow_both, COUNT_OF(allow_both));
}

static int status_for(const struct execution *x, enum request_media media)
{
    enum error_code code;

    if (x->executed || !errors_any(&x->errors))
        return 200;
    code = x->errors.first->code;
    if (media == MEDIA_JSON && !is_about_http(code))
        return 200;
    return error_code_info(code)->http_status;
}

static void log_access(const struct job *j, int status)
{
    const struct http_request *q = exchange_request(j->exchange);
    const struct execution *x = &j->execution;

    LOG(LOG_INFO, "request", LOG_STR("request_id", exchange_id(j->exchange)),
        LOG_STR("http_method", q->method), LOG_STR("path", q->path), LOG_INT("status", status),
        LOG_CSTR("operation_type", x->operation_type ? x->operation_type : "unknown"),
        LOG_STR("operation_name", x->request.operation_name),
        LOG_STR("tenant_id", j->identity.tenant), LOG_STR("remote_ip", q->client),
        LOG_NS("duration_ms", monotonic_ns() - exchange_received_ns(j->exchange)),
        LOG_NS("db_ms", x->backend_ns), LOG_INT("bytes_out", x->body.len),
        LOG_BOOL("turbo", x->turbo_hit));
}

static void reply(struct job *j, enum request_media media)
{
    struct execution *x = &j->execution;
    const struct graphql_context *ctx = j->context;
    struct http_reply r = {
        .status = status_for(x, media),
        .content_type = str_of(media == MEDIA_GRAPHQL ? media_graphql : media_json),
    };

    headers_for(&r, exchange_request(j->exchange));
    if (ctx->log_access)
        log_access(j, r.status);
    metric_observe(HISTOGRAM_HTTP_REQUEST, monotonic_ns() - exchange_received_ns(j->exchange));
    r.body = buf_move(&x->body);
    job_reply(j, &r);
}

static enum request_media job_media(const struct job *j)
{
    enum request_media media;

    return request_accept(exchange_request(j->exchange), &media) ? media : MEDIA_GRAPHQL;
}

static void on_executed(struct execution *x)
{
    struct job *j = CONTAINER_OF(x, struct job, execution);

    reply(j, job_media(j));
}

/* Refused before execution: x->errors says why. */
static void refuse(struct job *j)
{
    struct execution *x = &j->execution;

    for (const struct error *e = x->errors.first; e != NULL; e = e->next)
        metric_add(metric_of_error(e->code), 1);
    response_errors(&x->errors, x->request_id, x->engine->mask_errors, &x->body);
    reply(j, job_media(j));
}

static bool authenticate(struct job *j)
{
    const struct graphql_context *ctx = j->context;
    struct execution *x = &j->execution;
    struct str header = http_request_header(exchange_request(j->exchange), STR("authorization"));
    uint64_t since = monotonic_ns();
    bool ok = identity_from_token(ctx->auth, header, x->arena, &j->identity, &x->errors);

    if (header.data != NULL) {
        metric_add(ok ? METRIC_AUTH_TOKENS_ACCEPTED : METRIC_AUTH_TOKENS_REFUSED, 1);
        metric_observe(HISTOGRAM_PHASE_AUTH, monotonic_ns() - since);
    }
    return ok;
}

void graphql_endpoint_run(struct job *j)
{
    const struct graphql_context *ctx = j->context;
    const struct http_request *q = exchange_request(j->exchange);
    struct arena *a = exchange_arena(j->exchange);
    struct execution *x = &j->execution;
    enum request_media media;

    x->engine = ctx->engine;
    x->pg = job_pg(j);
    x->arena = a;
    x->identity = &j->identity;
    x->until = exchange_deadline(j->exchange);
    x->request_id = exchange_id(j->exchange);
    x->done = on_executed;
    errors_init(&x->errors, a);
    buf_init(&x->body, 0);
    if (!request_accept(q, &media))
        errors_add(&x->errors, NOT_ACCEPTABLE,
                   "the response is application/graphql-response+json or application/json");
    else if (authenticate(j) && request_decode(q, a, &x->request, &x->errors)) {
        execute_start(x);
        return;
    }
    refuse(j);
}

void graphql_error_reply(struct exchange *x, enum error_code code, const char *message,
                         struct http_reply *out)
{
    struct errors errs;

    *out = (struct http_reply){
        .status = error_code_info(code)->http_status,
        .content_type = str_of(media_json),
    };
    errors_init(&errs, exchange_arena(x));
    errors_add(&errs, code, "%s", message);
    buf_init(&out->body, 0);
    response_errors(&errs, exchange_id(x), false, &out->body);
    headers_for(out, exchange_request(x));
}
