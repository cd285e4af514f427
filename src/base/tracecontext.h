/*
 * tracecontext.h - which trace a request belongs to: W3C Trace Context, and Amazon's header.
 *
 * Thread:   any; values. Ids come from a generator of the thread's own.
 * Memory:   `state` borrows from the header.
 * Not here: which requests are traced (server/tracing.c), what is kept of them (jobs/spans.c).
 */
#ifndef BASE_TRACECONTEXT_H
#define BASE_TRACECONTEXT_H

#include "base/str.h"

#define TRACE_ID_TEXT    32 /* lower-case hexadecimal */
#define SPAN_ID_TEXT     16
#define TRACEPARENT_TEXT 55
#define TRACESTATE_MAX   512

struct span_id {
    unsigned char bytes[8];
};

struct tracecontext {
    char trace_id[TRACE_ID_TEXT + 1]; /* text with a NUL, as everybody wants it */
    struct span_id parent;            /* the caller's span; zeros: none, the trace begins here */
    struct span_id span;              /* the request's own */
    struct str state;                 /* tracestate, passed on; data NULL: none */
    bool continued;                   /* the trace is the caller's */
    bool has_flag;                    /* the caller has decided whether it is sampled */
    bool sampled;
};

/*
 * traceparent (W3C Trace Context, section 3.2): version 00 exactly, later ones as far as 00 goes.
 * False, and nothing touched, for anything else: upper case, zero ids, version ff, extra text.
 */
NODISCARD bool tracecontext_read_parent(struct tracecontext *t, struct str traceparent);
/* tracestate: kept if it is one (section 3.3) of at most TRACESTATE_MAX bytes. False: left out. */
bool tracecontext_read_state(struct tracecontext *t, struct str tracestate);
/*
 * X-Amzn-Trace-Id: "Root=1-<8>-<24>", with Parent and Sampled or without, and whatever else. False,
 * and nothing touched, if it has no proper root.
 */
NODISCARD bool tracecontext_read_amazon(struct tracecontext *t, struct str header);
/* A trace of its own: its id is the request's, where that is a UUID, so that the two are one. */
void tracecontext_begin(struct tracecontext *t, struct str request_id);
/* Never zeros. */
struct span_id span_id_new(void);
bool span_id_is_zero(struct span_id id);
/* With a NUL. */
void span_id_text(struct span_id id, char out[SPAN_ID_TEXT + 1]);
/* "00-<trace>-<span>-0<sampled>" with a NUL. */
void tracecontext_write(const struct tracecontext *t, char out[TRACEPARENT_TEXT + 1]);
/*
 * Is this trace within the ratio (of 2^56)? By the last seven bytes of its id, so that all who see
 * the trace and have the same ratio decide alike.
 */
bool tracecontext_within(const struct tracecontext *t, uint64_t threshold);

#endif
