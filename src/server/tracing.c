/*
 * tracing.c - which requests are traced.
 *
 * Thread:   a worker's.
 * Memory:   the request's arena.
 */
#include "server/tracing.h"

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
