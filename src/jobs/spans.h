/*
 * spans.h - writes traces to fraiseql.otel_traces.
 *
 * Thread:   started and stopped from the main thread; spans_offer() any; works on its own (jobs).
 * Memory:   a trace_record has an arena of its own and counts who holds it.
 * Not here: which requests are traced, and what is told of them (server/tracing.c).
 */
#ifndef JOBS_SPANS_H
#define JOBS_SPANS_H

#include <stdatomic.h>

#include "base/tracecontext.h"
#include "pg/pgpool.h"

enum span_kind {
    SPAN_INTERNAL,
    SPAN_SERVER,
    SPAN_CLIENT,
};

struct span {
    struct span_id id;
    struct span_id parent; /* zeros: none */
    struct str name;
    enum span_kind kind;
    int64_t start_us; /* since 1970 */
    uint64_t duration_ns;
    struct str error;      /* the code; empty: it went well */
    struct str attributes; /* a JSON object */
};

/* What is told of one request. Not changed any more once it was offered. */
struct trace_record {
    struct arena *arena; /* owned: all that the spans hold, and the record itself */
    atomic_uint holders;
    char trace_id[TRACE_ID_TEXT + 1];
    struct str state;
    struct {
        struct span *items;
        size_t n, cap;
    } spans;
};

/* One holder. */
struct trace_record *trace_record_new(const struct tracecontext *t);
void trace_record_ref(struct trace_record *r);
void trace_record_unref(struct trace_record *r);
/* Adds one; its pointer holds until the next is added. */
struct span *trace_record_add(struct trace_record *r, const struct span *s);

struct spans_options {
    struct pgpool *pool;
    size_t queue; /* records that wait; more are dropped and counted */
    struct str service;
    struct str resource; /* a JSON object: what is true of all spans of this daemon */
};

struct spans;

/* The texts must outlive it. */
struct spans *spans_start(const struct spans_options *opt);
/* Takes a hold of its own. Never waits. */
void spans_offer(struct spans *s, struct trace_record *r);
/* Writes what is left, if the database is there. */
void spans_stop(struct spans *s);

#endif
