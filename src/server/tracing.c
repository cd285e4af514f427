/*
 * tracing.c - which requests are traced, and what is told of them.
 *
 * Thread:   a worker's.
 * Memory:   the request's arena.
 */
#include "server/tracing.h"

#include "base/deadline.h"
#include "base/jwriter.h"
#include "metrics/exemplars.h"
#include "metrics/metrics.h"
#include "server/otlp.h"

/* W3C's header first; load balancers of Amazon add theirs to whatever is there. */
static bool continue_trace(const struct request_headers *h, struct tracecontext *out)
{
    if (h->traceparent.data != NULL && tracecontext_read_parent(out, h->traceparent)) {
        (void)tracecontext_read_state(out, h->tracestate);
        return true;
    }
    return h->x_amzn_trace_id.data != NULL && tracecontext_read_amazon(out, h->x_amzn_trace_id);
}

void tracing_begin(const struct tracing *t, const struct http_request *q,
                   const struct request_headers *h, struct str request_id, struct tracecontext *out)
{
    *out = (struct tracecontext){0};
    if (!(t->accept_all || q->trusted) || !continue_trace(h, out))
        tracecontext_begin(out, request_id);
    out->span = span_id_new();
    if (!(t->follow_caller && out->has_flag))
        out->sampled = t->threshold > 0 && tracecontext_within(out, t->threshold);
}

void tracing_add_header(const struct tracecontext *trace, struct arena *a, struct reply_headers *h)
{
    char *text;

    if (!trace->continued && !trace->sampled)
        return;
    text = arena_alloc_raw(a, TRACEPARENT_TEXT + 1);
    tracecontext_write(trace, text);
    headers_add(h, STR("traceresponse"), str_make(text, TRACEPARENT_TEXT));
}

/* --- what is kept ----------------------------------------------------------------------------- */

/* One more in this second? The count is in the lower bits, which a second's requests do not fill.
 */
static bool within_rate(atomic_uint_fast64_t *unsampled, uint64_t now_ns)
{
    const uint64_t second = now_ns / UINT64_C(1000000000) << 20;
    /* Relaxed: a count, which publishes nothing; two that meet may let one more through. */
    uint64_t seen = atomic_load_explicit(unsampled, memory_order_relaxed);

    if (seen < second) {
        atomic_store_explicit(unsampled, second + 1, memory_order_relaxed);
        return true;
    }
    if (seen - second >= TRACING_UNSAMPLED_MAX)
        return false;
    atomic_fetch_add_explicit(unsampled, 1, memory_order_relaxed);
    return true;
}

bool tracing_keeps(const struct tracing *t, const struct tracecontext *trace, bool failed,
                   uint64_t elapsed_ns)
{
    if (t->spans == NULL && t->otlp == NULL)
        return false;
    if (trace->sampled)
        return true;
    if (!(t->errors && failed) && !(t->slow_ns > 0 && elapsed_ns >= t->slow_ns))
        return false;
    if (within_rate(t->unsampled, monotonic_ns()))
        return true;
    metric_add(METRIC_TRACES_DROPPED_RATE, 1);
    return false;
}

/* --- spans -------------------------------------------------------------------------------------
 */

/* Where spans go, and by which the monotonic clock becomes a date. */
struct telling {
    struct trace_record *record;
    struct buf attributes; /* of the span that is being made; without its last brace */
    int64_t wall_us;
    uint64_t now_ns;
};

static void add_key(struct telling *w, const char *key)
{
    buf_append_char(&w->attributes, w->attributes.len == 0 ? '{' : ',');
    jwriter_key(&w->attributes, str_of(key));
}

static void add_text(struct telling *w, const char *key, struct str value)
{
    if (value.len == 0 || !str_is_utf8(value))
        return;
    add_key(w, key);
    jwriter_string(&w->attributes, value);
}

static void add_number(struct telling *w, const char *key, uint64_t value)
{
    add_key(w, key);
    buf_append_u64(&w->attributes, value);
}

static void add_bool(struct telling *w, const char *key, bool value)
{
    add_key(w, key);
    jwriter_bool(&w->attributes, value);
}

/* With the attributes that were added before. */
static void end_span(struct telling *w, struct span s, uint64_t since_ns)
{
    struct arena *a = w->record->arena;

    if (w->attributes.len == 0)
        buf_append_char(&w->attributes, '{');
    buf_append_char(&w->attributes, '}');
    s.name = arena_dup(a, s.name);
    s.attributes = arena_dup(a, buf_str(&w->attributes));
    s.error = arena_dup(a, s.error);
    s.start_us = w->wall_us - (int64_t)((w->now_ns - since_ns) / 1000);
    (void)trace_record_add(w->record, &s);
    buf_clear(&w->attributes);
}

static void tell_stage(struct telling *w, const char *name, const struct stage_time *t,
                       struct span_id parent)
{
    if (t->since_ns != 0)
        end_span(
            w,
            (struct span){
                .id = span_id_new(), .parent = parent, .name = str_of(name), .duration_ns = t->ns},
            t->since_ns);
}

static void tell_database(struct telling *w, const struct stages *s, struct span_id parent)
{
    const struct stage_time *t = &s->times[STAGE_DATABASE];

    if (t->since_ns == 0)
        return;
    add_text(w, "db.system.name", STR("postgresql"));
    add_text(w, "db.query.text", s->sql);
    add_text(w, "fraiseql.sql_digest", str_of(s->sql_digest));
    add_text(w, "db.response.status_code", str_of(s->sqlstate));
    end_span(w,
             (struct span){.id = span_id_new(),
                           .parent = parent,
                           .name = STR("database"),
                           .kind = SPAN_CLIENT,
                           .duration_ns = t->ns,
                           .error = str_of(s->sqlstate != NULL && s->sqlstate[0] ? s->code : NULL)},
             t->since_ns);
}

/* From its first stage to the end of its last. */
static void find_times(const struct stages *s, uint64_t *since_ns, uint64_t *until_ns)
{
    for (size_t i = 0; i < STAGE_COUNT; i++) {
        const struct stage_time *t = &s->times[i];

        if (t->since_ns == 0)
            continue;
        if (*since_ns == 0 || t->since_ns < *since_ns)
            *since_ns = t->since_ns;
        if (t->since_ns + t->ns > *until_ns)
            *until_ns = t->since_ns + t->ns;
    }
}

static void tell_operation(struct telling *w, const struct traced_operation *o,
                           const struct traced_request *r)
{
    struct span_id id = span_id_new();
    uint64_t since_ns = 0, until_ns = 0;

    find_times(&o->stages, &since_ns, &until_ns);
    if (since_ns == 0) /* refused at once */
        since_ns = until_ns = w->now_ns;

    add_text(w, "graphql.operation.type", str_of(o->type));
    add_text(w, "graphql.operation.name", o->stages.name);
    add_bool(w, "fraiseql.turbo", o->turbo_hit);
    add_text(w, "error.type", str_of(o->stages.code));
    end_span(w,
             (struct span){.id = id,
                           .parent = r->trace->span,
                           .name = str_of(o->type),
                           .duration_ns = until_ns - since_ns,
                           .error = str_of(o->stages.code)},
             since_ns);
    tell_stage(w, "validate", &o->stages.times[STAGE_VALIDATE], id);
    tell_stage(w, "plan", &o->stages.times[STAGE_PLAN], id);
    tell_stage(w, "wait", &o->stages.times[STAGE_WAIT], id);
    tell_database(w, &o->stages, id);
    tell_stage(w, "respond", &o->stages.times[STAGE_RESPOND], id);
}

/* OpenTelemetry's semantic conventions for HTTP servers and GraphQL; ours begin with fraiseql. */
static void tell_request(struct telling *w, const struct tracing *t, const struct traced_request *r)
{
    const struct http_request *q = r->http;
    const struct traced_operation *o = r->operations;
    char name[64];

    add_text(w, "http.request.method", q->method);
    add_text(w, "http.route", t->route);
    add_text(w, "url.path", q->path);
    add_text(w, "url.scheme", q->secure ? STR("https") : STR("http"));
    add_text(w, "network.protocol.version", q->http_1_0 ? STR("1.0") : STR("1.1"));
    add_number(w, "http.response.status_code", (uint64_t)r->status);
    add_number(w, "http.request.body.size", q->body.len);
    add_number(w, "http.response.body.size", r->bytes_out);
    add_text(w, "client.address", q->client);
    add_text(w, "user_agent.original", str_sub(http_request_header(q, STR("user-agent")), 0, 256));
    add_text(w, "error.type", str_of(r->code));
    if (o != NULL) {
        add_text(w, "graphql.operation.type", str_of(o->next != NULL ? "batch" : o->type));
        add_text(w, "graphql.operation.name", o->next != NULL ? STR("") : o->stages.name);
    }
    add_text(w, "fraiseql.request_id", r->request_id);
    add_text(w, "fraiseql.tenant_id", r->tenant);
    add_bool(w, "fraiseql.sampled", r->trace->sampled);
    snprintf(name, sizeof(name), "%.*s %.*s", STR_ARG(q->method), STR_ARG(t->route));
    end_span(w,
             (struct span){.id = r->trace->span,
                           .parent = r->trace->parent,
                           .name = str_of(name),
                           .kind = SPAN_SERVER,
                           .duration_ns = w->now_ns - r->since_ns,
                           .error = str_of(r->code)},
             r->since_ns);
}

void tracing_end(const struct tracing *t, const struct traced_request *r)
{
    struct telling w = {
        .record = trace_record_new(r->trace), .wall_us = wall_clock_us(), .now_ns = monotonic_ns()};

    exemplar_put(r->trace->trace_id, w.now_ns - r->since_ns);
    buf_init(&w.attributes, 0);
    tell_request(&w, t, r);
    tell_stage(&w, "authenticate", &r->authenticate, r->trace->span);
    for (const struct traced_operation *o = r->operations; o != NULL; o = o->next)
        tell_operation(&w, o, r);
    buf_fini(&w.attributes);
    if (t->spans != NULL)
        spans_offer(t->spans, w.record);
    if (t->otlp != NULL)
        otlp_offer(t->otlp, w.record);
    trace_record_unref(w.record);
}
