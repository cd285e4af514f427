/*
 * otlp.h - sends traces to a collector: OTLP over HTTP, as JSON.
 *
 * Thread:   started and stopped from the main thread; otlp_offer() any; sends on its own (helper).
 * Memory:   see jobs/spans.h.
 * Not here: HTTP itself (fetch.c), which requests are traced (tracing.c).
 */
#ifndef SERVER_OTLP_H
#define SERVER_OTLP_H

#include "jobs/spans.h"

struct otlp_options {
    const char *url;            /* of /v1/traces */
    const char *ca_file;        /* NULL: the system's */
    const char *const *headers; /* "name: value" */
    size_t nheaders;
    bool allow_http;
    uint64_t timeout_ms;
    size_t queue;        /* records that wait; more are dropped and counted */
    struct str resource; /* a JSON object: attributes of the resource */
};

struct otlp;

/* All texts must outlive it. */
struct otlp *otlp_start(const struct otlp_options *opt);
/* Takes a hold of its own. Never waits. */
void otlp_offer(struct otlp *o, struct trace_record *r);
/* Sends what is left, once; what fails is lost. */
void otlp_stop(struct otlp *o);

#endif
