/*
 * tracing.h - which requests are traced.
 *
 * Thread:   a worker's; struct tracing is constant.
 * Memory:   the request's arena.
 * Not here: headers (base/tracecontext.h).
 */
#ifndef SERVER_TRACING_H
#define SERVER_TRACING_H

#include "base/tracecontext.h"
#include "server/headers.h"

struct tracing {
    bool accept_all; /* traces of any client are continued; else those that trusted proxies pass on
                      */
    bool follow_caller; /* the caller's decision whether to sample holds */
    uint64_t threshold; /* so many of 2^56 traces that begin here are sampled; 0: none */
};

/* Continue the caller's trace, or begin one: always, since its id is in the log. */
void tracing_begin(const struct tracing *t, const struct http_request *q,
                   const struct request_headers *h, struct str request_id,
                   struct tracecontext *out);
/* Tell the client which trace it was, if it asked in one or the trace is kept. */
void tracing_add_header(const struct tracecontext *trace, struct arena *a, struct reply_headers *h);

#endif
