/*
 * tracing.h - which requests are traced, and what is told of them.
 *
 * Thread:   a worker's; struct tracing is constant but for its counts.
 * Memory:   the request's arena; records are given to those who keep them.
 * Not here: headers (base/tracecontext.h), keeping them (jobs/spans.c, server/otlp.c).
 */
#ifndef SERVER_TRACING_H
#define SERVER_TRACING_H

#include <stdatomic.h>

#include "base/tracecontext.h"
#include "execution/stages.h"
#include "jobs/spans.h"
#include "server/headers.h"

struct otlp;

struct tracing {
    bool accept_all; /* traces of any client are continued; else those that trusted proxies pass */
    bool follow_caller;  /* the caller's decision whether to sample holds */
    uint64_t threshold;  /* so many of 2^56 traces that begin here are sampled; 0: none */
    bool errors;         /* what had an error is kept, sampled or not */
    uint64_t slow_ns;    /* so is what took as long; 0: it is not */
    struct str route;    /* path of the endpoint */
    struct spans *spans; /* NULL: not to PostgreSQL */
    struct otlp *otlp;   /* NULL: not by OTLP */
    /* Of those that were not sampled: the second, and how many in it; see tracing_end(). */
    atomic_uint_fast64_t *unsampled;
};

/* An operation of a request: one, or several in a batch. */
struct traced_operation {
    const struct traced_operation *next;
    const char *type;
    bool turbo_hit;
    struct stages stages;
};

struct traced_request {
    const struct tracecontext *trace;
    const struct http_request *http;
    struct str request_id;
    struct str tenant;
    uint64_t since_ns; /* monotonic */
    struct stage_time authenticate;
    const struct traced_operation *operations;
    int status;
    size_t bytes_out;
    const char *code; /* of the first error; NULL: none */
};

/* Continue the caller's trace, or begin one: always, since its id is in the log. */
void tracing_begin(const struct tracing *t, const struct http_request *q,
                   const struct request_headers *h, struct str request_id,
                   struct tracecontext *out);
/* Tell the client which trace it was, if it asked in one or the trace is kept. */
void tracing_add_header(const struct tracecontext *trace, struct arena *a, struct reply_headers *h);
/*
 * The request is over: are its spans to be kept? Because it was sampled, or had an error or was
 * slow and that is to be kept. Of those not sampled at most TRACING_UNSAMPLED_MAX a second: errors
 * are as many as clients like.
 */
bool tracing_keeps(const struct tracing *t, const struct tracecontext *trace, bool failed,
                   uint64_t elapsed_ns);
/* Then have them kept. */
void tracing_end(const struct tracing *t, const struct traced_request *r);

#define TRACING_UNSAMPLED_MAX 100

#endif
