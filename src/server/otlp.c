/*
 * otlp.c - sends traces to a collector: OTLP over HTTP, as JSON.
 *
 * Thread:   a helper of its own; offering is any thread's and never waits for it.
 * Memory:   a bounded ring of records, and an arena for each request.
 *
 * In JSON ids are hexadecimal and 64-bit numbers are texts (OTLP 1.x, "JSON Protobuf Encoding").
 * What could not be sent is dropped and counted: a collector that is away must not cost memory.
 */
#include "server/otlp.h"

#include "base/jval.h"
#include "base/jwriter.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/thread.h"
#include "metrics/metrics.h"
#include "server/fetch.h"
#include "version.h"

#define ROUND_MS     1000
#define MAX_RECORDS  200   /* of one request */
#define MAX_RESPONSE 65536 /* bytes; nothing is done with them */

struct otlp {
    struct otlp_options opt;
    struct queue *queue; /* owned */
    struct thread *thread;
    bool failing; /* the log knows */
};

/* --- JSON ------------------------------------------------------------------------------------- */

static void write_attribute(struct str name, const struct jval *v, struct buf *out)
{
    buf_append_lit(out, "{\"key\":");
    jwriter_string(out, name);
    buf_append_lit(out, ",\"value\":");
    if (v->kind == JVAL_BOOL) {
        buf_printf(out, "{\"boolValue\":%s}}", v->boolean ? "true" : "false");
        return;
    }
    buf_append_str(out, v->kind == JVAL_NUMBER ? STR("{\"intValue\":") : STR("{\"stringValue\":"));
    jwriter_string(out, v->text);
    buf_append_lit(out, "}}");
}

/* From an object that was made here: texts, integers and truth values. */
static void write_attributes(struct str object, struct buf *out)
{
    static const struct jval_limits limits = {2, 1000};
    struct arena *a = arena_new(0);
    const struct jval *v;
    struct errors errs;

    errors_init(&errs, a);
    buf_append_lit(out, "\"attributes\":[");
    if (jval_parse(object, &limits, a, &v, &errs))
        for (size_t i = 0; i < v->n; i++) {
            if (i > 0)
                buf_append_char(out, ',');
            write_attribute(v->members[i].name, v->members[i].value, out);
        }
    buf_append_char(out, ']');
    arena_free(a);
}

static void write_id(const char *key, struct span_id id, struct buf *out)
{
    char text[SPAN_ID_TEXT + 1];

    if (span_id_is_zero(id))
        return;
    span_id_text(id, text);
    buf_printf(out, "\"%s\":\"%s\",", key, text);
}

static void write_span(const struct trace_record *r, const struct span *s, struct buf *out)
{
    /* By enum span_kind. */
    static const int kinds[] = {[SPAN_INTERNAL] = 1, [SPAN_SERVER] = 2, [SPAN_CLIENT] = 3};
    uint64_t start_ns = (uint64_t)s->start_us * 1000;

    buf_printf(out, "{\"traceId\":\"%s\",", r->trace_id);
    write_id("spanId", s->id, out);
    write_id("parentSpanId", s->parent, out);
    if (r->state.len > 0) {
        buf_append_lit(out, "\"traceState\":");
        jwriter_string(out, r->state);
        buf_append_char(out, ',');
    }
    buf_append_lit(out, "\"name\":");
    jwriter_string(out, s->name);
    buf_printf(out, ",\"kind\":%d,\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu\",",
               kinds[s->kind], (unsigned long long)start_ns,
               (unsigned long long)(start_ns + s->duration_ns));
    write_attributes(s->attributes, out);
    if (s->error.len > 0) {
        buf_append_lit(out, ",\"status\":{\"code\":2,\"message\":");
        jwriter_string(out, s->error);
        buf_append_char(out, '}');
    }
    buf_append_char(out, '}');
}

/* The body of a request. */
static void write_body(struct str resource, struct trace_record *const *records, size_t n,
                       struct buf *out)
{
    bool first = true;

    buf_append_lit(out, "{\"resourceSpans\":[{\"resource\":{");
    write_attributes(resource, out);
    buf_append_lit(out, "},\"scopeSpans\":[{\"scope\":{\"name\":\"fraiseqld\",\"version\":"
                        "\"" FRAISEQLD_VERSION "\"},\"spans\":[");
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < records[i]->spans.n; j++) {
            if (!first)
                buf_append_char(out, ',');
            first = false;
            write_span(records[i], &records[i]->spans.items[j], out);
        }
    buf_append_lit(out, "]}]}]}");
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static bool post(struct otlp *o, struct str body)
{
    struct fetch f = {.url = o->opt.url,
                      .ca_file = o->opt.ca_file,
                      .timeout_ms = o->opt.timeout_ms,
                      .max_bytes = MAX_RESPONSE,
                      .allow_http = o->opt.allow_http,
                      .headers = o->opt.headers,
                      .nheaders = o->opt.nheaders};
    struct buf answer, why;
    bool ok;

    buf_init(&answer, MAX_RESPONSE);
    buf_init(&why, 0);
    ok = fetch_post(&f, body, &answer, &why);
    if (ok == o->failing) {
        o->failing = !ok;
        if (ok)
            LOG(LOG_INFO, "traces are taken again");
        else
            LOG(LOG_WARN, "could not send traces", LOG_CSTR("detail", buf_cstr(&why)));
    }
    buf_fini(&answer);
    buf_fini(&why);
    return ok;
}

/* The first, and what comes within a round, or fills a request. */
static void send_round(struct otlp *o, struct trace_record *first)
{
    struct deadline until = deadline_in_ms(ROUND_MS);
    struct trace_record *records[MAX_RECORDS];
    struct buf body;
    size_t n = 0;

    for (struct trace_record *r = first; r != NULL;
         r = n < MAX_RECORDS ? queue_pop(o->queue, until) : NULL)
        records[n++] = r;
    buf_init(&body, 0);
    write_body(o->opt.resource, records, n, &body);
    metric_add(post(o, buf_str(&body)) ? METRIC_TRACES_EXPORTED_OTLP : METRIC_TRACES_DROPPED_FAILED,
               n);
    buf_fini(&body);
    for (size_t i = 0; i < n; i++)
        trace_record_unref(records[i]);
}

static void run(void *arg)
{
    struct otlp *o = arg;
    struct trace_record *r;

    while ((r = queue_pop(o->queue, DEADLINE_NEVER)) != NULL)
        send_round(o, r);
}

struct otlp *otlp_start(const struct otlp_options *opt)
{
    struct otlp *o = xcalloc(1, sizeof(*o));

    o->opt = *opt;
    o->queue = queue_new(opt->queue);
    o->thread = thread_start(THREAD_HELPER, "otlp", run, o);
    return o;
}

void otlp_offer(struct otlp *o, struct trace_record *r)
{
    trace_record_ref(r);
    if (queue_push(o->queue, r))
        return;
    trace_record_unref(r);
    metric_add(METRIC_TRACES_DROPPED_FULL, 1);
}

void otlp_stop(struct otlp *o)
{
    queue_close(o->queue);
    thread_join(o->thread);
    queue_free(o->queue);
    xfree(o);
}
