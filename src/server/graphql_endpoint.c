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
#include "http/forwarded.h"
#include "metrics/metrics.h"
#include "server/csrf.h"
#include "server/etag.h"
#include "server/freshness.h"
#include "server/request.h"

static const char media_json[] = "application/json; charset=utf-8";
static const char media_graphql[] = "application/graphql-response+json; charset=utf-8";

/* What the endpoint adds to a job. */
struct graphql_job {
    struct job *job;
    struct request_headers headers;
    struct str authorization; /* the token's, from wherever; data NULL: none */
    struct tracecontext trace;
    enum request_media media;
    bool is_read;                   /* GET or HEAD */
    bool failed;                    /* an operation had an error */
    bool counted;                   /* among those of its tenant in flight */
    uint64_t retry_s;               /* of a refusal because of a rate */
    uint64_t after;                 /* a position of the database that it must see; 0: any */
    char position[PGPOSITION_TEXT]; /* that the last change has reached; "": there was none */
    /* of all operations together */
    uint64_t parse_ns, plan_ns, backend_ns;
    /* a batch */
    const struct jval *batch; /* NULL: a single operation */
    size_t next;              /* of its elements */
    struct buf body;          /* the answers so far */
    bool waiting;             /* for an operation's end */
    bool looping;             /* in run_batch() */
    struct stage_time authenticate;
    /* a batch's, the last one last, for its trace */
    struct traced_operation *first_traced, *last_traced;
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

/* Headers that a status must or should bring along (RFC 9110 section 15). */
static void add_status_headers(struct reply_headers *h, int status, const struct http_request *q,
                               bool with_token)
{
    if (status == 401)
        headers_add(h, STR("WWW-Authenticate"),
                    with_token ? STR("Bearer error=\"invalid_token\"") : STR("Bearer"));
    else if (status == 503)
        headers_add(h, STR("Retry-After"), STR("1"));
    else if (status == 405)
        headers_add(h, STR("Allow"),
                    str_is(q->method, "GET") || str_is(q->method, "HEAD") ? STR("POST")
                                                                          : STR("GET, POST"));
}

static void add_retry(struct reply_headers *h, uint64_t seconds, struct arena *a)
{
    headers_add(h, STR("Retry-After"), arena_printf(a, "%llu", (unsigned long long)seconds));
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

static void log_access(const struct graphql_job *g, const struct http_reply *r)
{
    const struct job *j = g->job;
    const struct http_request *q = exchange_request(j->exchange);
    const struct execution *x = &j->execution;
    const char *type = x->operation_type ? x->operation_type : "unknown";

    LOG(LOG_INFO, "request", LOG_STR("request_id", exchange_id(j->exchange)),
        LOG_CSTR("trace_id", g->trace.trace_id), LOG_STR("http_method", q->method),
        LOG_STR("path", q->path), LOG_INT("status", r->status),
        LOG_CSTR("operation_type", g->batch ? "batch" : type),
        LOG_STR("operation_name", g->batch ? STR("") : x->request.operation_name),
        LOG_STR("tenant_id", j->identity.tenant), LOG_STR("remote_ip", q->client),
        LOG_NS("duration_ms", monotonic_ns() - exchange_received_ns(j->exchange)),
        LOG_NS("db_ms", g->backend_ns), LOG_NS("queue_ms", x->stages.times[STAGE_WAIT].ns),
        LOG_INT("bytes_out", r->body.len), LOG_BOOL("turbo", x->turbo_hit),
        LOG_CSTR("cache", result_name(x->result.state)));
}

static void log_slow(const struct graphql_job *g, uint64_t elapsed_ns)
{
    const struct job *j = g->job;
    const struct execution *x = &j->execution;

    metric_add(METRIC_SLOW_OPERATIONS, 1);
    LOG(LOG_WARN, "slow operation", LOG_STR("request_id", exchange_id(j->exchange)),
        LOG_CSTR("trace_id", g->trace.trace_id),
        LOG_CSTR("operation_type", x->operation_type ? x->operation_type : "unknown"),
        LOG_STR("operation_name", x->stages.name), LOG_STR("tenant_id", j->identity.tenant),
        LOG_NS("duration_ms", elapsed_ns), LOG_NS("db_ms", g->backend_ns),
        LOG_NS("queue_ms", x->stages.times[STAGE_WAIT].ns),
        LOG_CSTR("sql_digest", x->stages.sql_digest), LOG_BOOL("turbo", x->turbo_hit),
        LOG_CSTR("cache", result_name(x->result.state)));
}

/* --- traces ------------------------------------------------------------------------------ */

static struct traced_operation traced_operation(const struct execution *x)
{
    return (struct traced_operation){
        .type = x->operation_type ? x->operation_type : "unknown",
        .turbo_hit = x->turbo_hit,
        .stages = x->stages,
    };
}

/* One of a batch: the next takes its place. */
static void note_operation(struct graphql_job *g)
{
    struct traced_operation *o =
        ARENA_NEW(exchange_arena(g->job->exchange), struct traced_operation);

    *o = traced_operation(&g->job->execution);
    if (g->last_traced != NULL)
        g->last_traced->next = o;
    else
        g->first_traced = o;
    g->last_traced = o;
}

static void end_trace(const struct graphql_job *g, const struct http_reply *r)
{
    const struct job *j = g->job;
    const struct execution *x = &j->execution;
    const struct traced_operation one = traced_operation(x);
    const struct error *e = x->errors.first;
    struct traced_request t = {
        .trace = &g->trace,
        .http = exchange_request(j->exchange),
        .request_id = exchange_id(j->exchange),
        .tenant = j->identity.tenant,
        .since_ns = exchange_received_ns(j->exchange),
        .authenticate = g->authenticate,
        .operations = g->first_traced,
        .status = r->status,
        .bytes_out = r->body.len,
        .code = e != NULL ? error_code_info(e->code)->name : NULL,
    };

    if (g->batch == NULL && x->operation_type != NULL) /* else it was refused before */
        t.operations = &one;
    tracing_end(&((const struct graphql_context *)j->context)->tracing, &t);
}

/* --- the reply ------------------------------------------------------------------------ */

static bool wants_gzip(const struct graphql_job *g, const struct http_reply *r)
{
    const struct graphql_context *ctx = g->job->context;

    return r->body.len >= ctx->compress_from && g->headers.accept_encoding.len > 0 &&
           compress_wanted(g->headers.accept_encoding);
}

static void add_etag(struct graphql_job *g, struct reply_headers *h, const struct etag *tag)
{
    headers_add(h, STR("ETag"), arena_dup(exchange_arena(g->job->exchange), str_of(tag->text)));
}

/*
 * The body's coding and, for a read that went well, its tag: 304 without a body
 * when the client has that already.
 */
static void encode_body(struct graphql_job *g, struct http_reply *r, struct reply_headers *h)
{
    bool tagged = g->is_read && r->status == 200 && !g->failed;
    bool gzip = wants_gzip(g, r);
    struct etag tag;

    if (tagged) {
        tag = etag_of(buf_str(&r->body), g->media, gzip);
        if (etag_matches(g->headers.if_none_match, &tag)) {
            buf_fini(&r->body);
            r->status = 304;
            r->content_type = STR("");
            add_etag(g, h, &tag);
            return;
        }
    }
    if (gzip && compress_gzip(job_compressor(g->job), &r->body))
        headers_add(h, STR("Content-Encoding"), STR("gzip"));
    else if (gzip && tagged)
        tag = etag_of(buf_str(&r->body), g->media, false);
    if (tagged)
        add_etag(g, h, &tag);
}

/* The answer changes as soon as the client sends the document. */
static bool misses_query(const struct graphql_job *g)
{
    const struct error *e = g->job->execution.errors.first;

    return g->batch == NULL && e != NULL && e->code == PERSISTED_QUERY_NOT_FOUND;
}

static void add_cache_headers(const struct graphql_job *g, const struct http_reply *r,
                              struct reply_headers *h)
{
    const struct graphql_context *ctx = g->job->context;

    freshness_add(h,
                  &(struct freshness){
                      .refused = misses_query(g),
                      .failed = g->failed || (r->status != 200 && r->status != 304),
                      .is_read = g->is_read,
                      .result = g->batch == NULL ? &g->job->execution.result : NULL,
                  },
                  exchange_arena(g->job->exchange));
    if (ctx->vary.len > 0)
        headers_add(h, STR("Vary"), ctx->vary);
}

static double milliseconds(uint64_t ns)
{
    return (double)ns / 1e6;
}

static void add_timing(const struct graphql_job *g, struct reply_headers *h)
{
    struct exchange *e = g->job->exchange;
    enum result_state cached = g->job->execution.result.state;

    headers_add(h, STR("Server-Timing"),
                arena_printf(exchange_arena(e),
                             "parse;dur=%.3f, plan;dur=%.3f, db;dur=%.3f%s%s, total;dur=%.3f",
                             milliseconds(g->parse_ns), milliseconds(g->plan_ns),
                             milliseconds(g->backend_ns),
                             cached != RESULT_NONE ? ", cache;desc=" : "",
                             cached != RESULT_NONE ? result_name(cached) : "",
                             milliseconds(monotonic_ns() - exchange_received_ns(e))));
}

static void reply(struct graphql_job *g)
{
    struct job *j = g->job;
    struct execution *x = &j->execution;
    const struct graphql_context *ctx = j->context;
    struct reply_headers *h = ARENA_NEW(exchange_arena(j->exchange), struct reply_headers);
    struct http_reply r = {
        .status = g->batch ? 200 : status_for(x, g->media),
        .content_type = str_of(g->media == MEDIA_GRAPHQL ? media_graphql : media_json),
        .body = buf_move(g->batch ? &g->body : &x->body),
    };
    uint64_t elapsed_ns;

    if (g->counted)
        inflight_leave(ctx->limits.tenant_in_flight, j->identity.tenant);
    add_status_headers(h, r.status, exchange_request(j->exchange), g->authorization.data != NULL);
    if (g->retry_s > 0)
        add_retry(h, g->retry_s, exchange_arena(j->exchange));
    encode_body(g, &r, h);
    add_cache_headers(g, &r, h);
    cors_add(&ctx->cors, g->headers.origin, h);
    if (x->replayed && g->batch == NULL)
        headers_add(h, STR("Idempotency-Replayed"), STR("true"));
    if (g->position[0] != '\0')
        headers_add(h, STR("Fraiseql-Position"),
                    arena_dup(exchange_arena(j->exchange), str_of(g->position)));
    if (ctx->server_timing)
        add_timing(g, h);
    tracing_add_header(&g->trace, exchange_arena(j->exchange), h);
    r.headers = h->items;
    r.nheaders = h->n;
    if (ctx->log_access)
        log_access(g, &r);
    elapsed_ns = monotonic_ns() - exchange_received_ns(j->exchange);
    metric_observe(HISTOGRAM_HTTP_REQUEST, elapsed_ns);
    metric_add(METRIC_HTTP_REQUEST_BYTES, exchange_request(j->exchange)->body.len);
    metric_add(METRIC_HTTP_RESPONSE_BYTES, r.body.len);
    if (ctx->engine->log_slow_ns > 0 && elapsed_ns >= ctx->engine->log_slow_ns)
        log_slow(g, elapsed_ns);
    if (tracing_keeps(&ctx->tracing, &g->trace, g->failed, elapsed_ns))
        end_trace(g, &r);
    job_reply(j, &r);
}

/* --- operations ------------------------------------------------------------------------- */

static void on_executed(struct execution *x);

static void init_execution(struct graphql_job *g)
{
    struct job *j = g->job;
    const struct graphql_context *ctx = j->context;
    struct execution *x = &j->execution;

    *x = (struct execution){
        .engine = ctx->engine,
        .pg = job_pg(j),
        .reading = {.readers = job_readers(j), .after = g->after},
        .arena = exchange_arena(j->exchange),
        .identity = &j->identity,
        .until = exchange_deadline(j->exchange),
        .request_id = exchange_id(j->exchange),
        .trace = &g->trace,
        .received_ns = exchange_received_ns(j->exchange),
        .done = on_executed,
    };
    errors_init(&x->errors, x->arena);
    buf_init(&x->body, 0);
}

static void report_errors(const struct graphql_job *g)
{
    const struct graphql_context *ctx = g->job->context;

    if (ctx->errors != NULL && errors_any(&g->job->execution.errors))
        error_report(ctx->errors, &g->job->execution, exchange_request(g->job->exchange));
}

/* Answer what was refused before execution: x->errors says why. */
static void refuse(struct graphql_job *g)
{
    struct execution *x = &g->job->execution;

    for (const struct error *e = x->errors.first; e != NULL; e = e->next)
        metric_add(metric_of_error(e->code), 1);
    g->failed = true;
    if (x->engine->fingerprint != NULL)
        fingerprint_errors(x->engine->fingerprint, x->request.operation_name, &x->errors);
    report_errors(g);
    response_errors(&x->errors, x->request_id, x->engine->mask_errors, &x->body);
}

/* The answer to a batch is an array, bounded as a single answer is. */
static void append_answer(struct graphql_job *g)
{
    struct execution *x = &g->job->execution;

    if (g->body.len + x->body.len > x->engine->max_response_bytes) {
        errors_init(&x->errors, x->arena);
        errors_add(&x->errors, QUERY_TOO_COMPLEX, "the response is larger than %zu bytes",
                   x->engine->max_response_bytes);
        metric_add(METRIC_LIMIT_RESPONSE_BYTES, 1);
        buf_fini(&x->body);
        buf_init(&x->body, 0);
        refuse(g);
    }
    buf_append_char(&g->body, g->body.len == 0 ? '[' : ',');
    buf_append_str(&g->body, buf_str(&x->body));
    buf_fini(&x->body);
}

/* Begin an element; its end is the element's answer in g->body. */
static void start_element(struct graphql_job *g, const struct jval *element)
{
    struct execution *x = &g->job->execution;

    init_execution(g);
    g->waiting = true;
    if (g->job->cancelled)
        errors_add(&x->errors, SERVICE_UNAVAILABLE, "the request was cancelled");
    else if (request_from_json(element, &x->request, &x->errors)) {
        execute_start(x);
        return;
    }
    refuse(g);
    append_answer(g);
    g->waiting = false;
}

/*
 * One operation after the other, so that each sees what those before it wrote
 * and a batch takes one connection as any request does. An operation may end
 * within its start: hence the loop, where on_executed() would call itself.
 */
static void run_batch(struct graphql_job *g)
{
    g->looping = true;
    while (g->next < g->batch->n && !g->waiting)
        start_element(g, g->batch->items[g->next++]);
    g->looping = false;
    if (g->waiting)
        return;
    buf_append_char(&g->body, ']');
    reply(g);
}

static void on_executed(struct execution *x)
{
    struct job *j = CONTAINER_OF(x, struct job, execution);
    struct graphql_job *g = j->state;

    report_errors(g);
    g->failed |= errors_any(&x->errors);
    g->parse_ns += x->parse_ns;
    g->plan_ns += x->plan_ns;
    g->backend_ns += x->backend_ns;
    g->retry_s = x->retry_s > g->retry_s ? x->retry_s : g->retry_s;
    if (x->reading.position[0] != '\0')
        memcpy(g->position, x->reading.position, sizeof(g->position));
    if (g->batch == NULL) {
        reply(g);
        return;
    }
    note_operation(g);
    append_answer(g);
    g->waiting = false;
    if (!g->looping)
        run_batch(g);
}

static bool check_batch(const struct graphql_job *g, struct errors *errs)
{
    const struct graphql_context *ctx = g->job->context;

    if (g->batch->n == 0) {
        errors_add(errs, BAD_REQUEST, "the batch is empty");
        return false;
    }
    if (g->batch->n <= ctx->max_batch)
        return true;
    errors_add(errs, BAD_REQUEST, "the batch has more than %zu operations", ctx->max_batch);
    metric_add(METRIC_LIMIT_BATCH, 1);
    return false;
}

static bool authenticate(struct graphql_job *g)
{
    struct job *j = g->job;
    const struct graphql_context *ctx = j->context;
    struct execution *x = &j->execution;
    uint64_t since = monotonic_ns();
    bool ok = credentials_find(&ctx->credentials, exchange_request(j->exchange),
                               g->headers.authorization, x->arena, &g->authorization, &x->errors) &&
              identity_from_token(ctx->auth, g->authorization, x->arena, &j->identity, &x->errors);

    if (g->authorization.data != NULL) {
        metric_add(ok ? METRIC_AUTH_TOKENS_ACCEPTED : METRIC_AUTH_TOKENS_REFUSED, 1);
        stage_add(&g->authenticate, since, monotonic_ns() - since);
        metric_observe(HISTOGRAM_PHASE_AUTH, g->authenticate.ns);
    }
    return ok;
}

/* Takes n of a key's rate. False with RATE_LIMITED. */
static bool take_rate(struct graphql_job *g, struct ratelimit *r, struct str key, uint64_t n,
                      enum metric rejected)
{
    struct errors *errs = &g->job->execution.errors;

    if (r == NULL || ratelimit_take(r, key, n, monotonic_ns(), &g->retry_s))
        return true;
    metric_add(rejected, 1);
    errors_add(errs, RATE_LIMITED, "too many requests");
    return false;
}

/* Who has a token has a rate, and their tenant another; each operation counts. */
static bool within_rates(struct graphql_job *g)
{
    const struct request_limits *limits =
        &((const struct graphql_context *)g->job->context)->limits;
    const struct identity *who = &g->job->identity;
    uint64_t n = g->batch != NULL ? g->batch->n : 1;
    char text[2 * DIGEST_SIZE + 1];
    struct digest user;

    if (!who->authenticated)
        return true;
    if (limits->per_user != NULL && who->subject.len > 0) {
        user = digest_parts((const struct str[]){who->tenant, who->subject}, 2);
        digest_hex(&user, text);
        if (!take_rate(g, limits->per_user, str_of(text), n, METRIC_HTTP_REJECTED_RATE_USER))
            return false;
    }
    if (who->tenant.len == 0)
        return true;
    if (!take_rate(g, limits->per_tenant, who->tenant, n, METRIC_HTTP_REJECTED_RATE_TENANT))
        return false;
    if (limits->tenant_in_flight == NULL)
        return true;
    g->counted = inflight_enter(limits->tenant_in_flight, who->tenant);
    if (g->counted)
        return true;
    g->retry_s = 1;
    metric_add(METRIC_HTTP_REJECTED_TENANT_IN_FLIGHT, 1);
    errors_add(&g->job->execution.errors, RATE_LIMITED,
               "too many requests of the tenant at the same time");
    return false;
}

/* One key for several operations would be none. */
static bool take_idempotency_key(struct graphql_job *g)
{
    struct execution *x = &g->job->execution;
    struct str header = g->headers.idempotency_key;

    if (g->batch == NULL)
        return request_idempotency(header, &x->request, &x->errors);
    if (header.data == NULL)
        return true;
    errors_add(&x->errors, BAD_REQUEST,
               "the operations of a batch have their idempotency keys in their extensions");
    return false;
}

/* What was answered to a change: the client is to see it, whichever daemon it asks now. */
static bool take_position(struct graphql_job *g)
{
    struct execution *x = &g->job->execution;
    struct str text = g->headers.fraiseql_position;

    if (text.data == NULL)
        return true;
    if (!pgposition_parse(text, &g->after)) {
        errors_add(&x->errors, BAD_REQUEST,
                   "Fraiseql-Position is no position that was answered to a mutation");
        return false;
    }
    x->reading.after = g->after;
    return true;
}

/* Who asks, and for what. False with errors. */
static bool admit(struct graphql_job *g)
{
    const struct graphql_context *ctx = g->job->context;
    const struct http_request *q = exchange_request(g->job->exchange);
    struct execution *x = &g->job->execution;

    if (!request_accept(g->headers.accept, &g->media)) {
        g->media = MEDIA_GRAPHQL;
        errors_add(&x->errors, NOT_ACCEPTABLE,
                   "the response is application/graphql-response+json or application/json");
        return false;
    }
    if (!g->is_read && !str_is(q->method, "POST")) {
        errors_add(&x->errors, METHOD_NOT_ALLOWED, "the method must be GET or POST");
        return false;
    }
    if (ctx->csrf_prevention && csrf_suspects(&g->headers, &ctx->cors)) {
        errors_add(&x->errors, BAD_REQUEST,
                   "the request may have been sent by another site: it needs the header "
                   "apollo-require-preflight or content-type: application/json");
        return false;
    }
    return authenticate(g) &&
           request_decode(q, g->headers.content_type, x->arena, &x->request,
                          ctx->max_batch > 0 ? &g->batch : NULL, &x->errors) &&
           within_rates(g) && take_idempotency_key(g) && take_position(g);
}

void graphql_endpoint_run(struct job *j)
{
    const struct http_request *q = exchange_request(j->exchange);
    struct graphql_job *g = ARENA_NEW(exchange_arena(j->exchange), struct graphql_job);

    j->state = g;
    g->job = j;
    g->is_read = str_is(q->method, "GET") || str_is(q->method, "HEAD");
    headers_read(q, &g->headers);
    tracing_begin(&((const struct graphql_context *)j->context)->tracing, q, &g->headers,
                  exchange_id(j->exchange), &g->trace);
    init_execution(g);
    if (admit(g) && g->batch == NULL) {
        execute_start(&j->execution);
    } else if (!errors_any(&j->execution.errors) && check_batch(g, &j->execution.errors)) {
        buf_init(&g->body, 0);
        run_batch(g);
    } else {
        g->batch = NULL;
        refuse(g);
        reply(g);
    }
}

/* --- on the loop -------------------------------------------------------------------------- */

void graphql_error_reply(struct exchange *x, enum error_code code, const char *message,
                         struct http_reply *out)
{
    const struct http_request *q = exchange_request(x);
    struct reply_headers *h = ARENA_NEW(exchange_arena(x), struct reply_headers);
    struct errors errs;

    *out = (struct http_reply){
        .status = error_code_info(code)->http_status,
        .content_type = str_of(media_json),
    };
    errors_init(&errs, exchange_arena(x));
    errors_add(&errs, code, "%s", message);
    buf_init(&out->body, 0);
    response_errors(&errs, exchange_id(x), false, &out->body);
    add_status_headers(h, out->status, q,
                       http_request_header(q, STR("authorization")).data != NULL);
    out->headers = h->items;
    out->nheaders = h->n;
}

void graphql_options_reply(const struct graphql_context *ctx, struct exchange *x,
                           struct http_reply *out)
{
    cors_preflight(&ctx->cors, exchange_request(x), exchange_arena(x), out);
}

static void refuse_on_loop(const struct graphql_context *ctx, struct exchange *x,
                           enum error_code code, const char *message, uint64_t retry_s,
                           struct http_reply *out)
{
    struct reply_headers *h = ARENA_NEW(exchange_arena(x), struct reply_headers);

    graphql_error_reply(x, code, message, out);
    add_retry(h, retry_s, exchange_arena(x));
    headers_add(h, STR("Cache-Control"), STR("no-store"));
    if (ctx->vary.len > 0)
        headers_add(h, STR("Vary"), ctx->vary);
    cors_add(&ctx->cors, http_request_header(exchange_request(x), STR("origin")), h);
    out->headers = h->items;
    out->nheaders = h->n;
}

void graphql_overload_reply(const struct graphql_context *ctx, struct exchange *x,
                            struct http_reply *out)
{
    refuse_on_loop(ctx, x, SERVICE_UNAVAILABLE, "the server is overloaded", 1, out);
}

struct str graphql_address_key(struct str client, struct ip_address *room)
{
    static const unsigned char v4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};

    if (!ip_parse(client, room))
        return client;
    return str_make((const char *)room->bytes, memcmp(room->bytes, v4, sizeof(v4)) == 0 ? 16 : 8);
}

bool graphql_admit_address(const struct graphql_context *ctx, struct exchange *x,
                           struct http_reply *out)
{
    struct ip_address room;
    uint64_t wait_s;

    if (ctx->limits.per_ip == NULL ||
        ratelimit_take(ctx->limits.per_ip, graphql_address_key(exchange_request(x)->client, &room),
                       1, monotonic_ns(), &wait_s))
        return true;
    metric_add(METRIC_HTTP_REJECTED_RATE_IP, 1);
    refuse_on_loop(ctx, x, RATE_LIMITED, "too many requests", wait_s, out);
    return false;
}
