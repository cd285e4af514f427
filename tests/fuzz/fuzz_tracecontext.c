/*
 * fuzz_tracecontext.c - headers of traces: what is accepted is an id that is read back the same.
 *
 * The first byte chooses the header; the rest is its value.
 */
#include "base/tracecontext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tracecontext *t)
{
    struct tracecontext again = {0}, copy = *t;
    char text[TRACEPARENT_TEXT + 1];

    CHECK(t->continued && strlen(t->trace_id) == TRACE_ID_TEXT);
    copy.span = span_id_is_zero(t->parent) ? span_id_new() : t->parent;
    tracecontext_write(&copy, text);
    CHECK(tracecontext_read_parent(&again, str_of(text)));
    CHECK(strcmp(again.trace_id, t->trace_id) == 0 && again.sampled == t->sampled);
    CHECK(memcmp(again.parent.bytes, copy.span.bytes, sizeof(copy.span.bytes)) == 0);
    CHECK(tracecontext_within(t, UINT64_C(1) << 56) && !tracecontext_within(t, 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tracecontext untouched;
    struct tracecontext t = {0};
    struct str value;

    if (size == 0)
        return 0;
    value = str_make((const char *)data + 1, size - 1);
    if (data[0] % 3 == 0 ? tracecontext_read_parent(&t, value)
                         : data[0] % 3 == 1 && tracecontext_read_amazon(&t, value))
        check(&t);
    else if (data[0] % 3 != 2)
        CHECK(memcmp(&t, &untouched, sizeof(t)) == 0);
    else if (tracecontext_read_state(&t, value))
        CHECK(t.state.len <= TRACESTATE_MAX && str_eq(t.state, value));
    tracecontext_begin(&t, value);
    CHECK(strlen(t.trace_id) == TRACE_ID_TEXT);
    return 0;
}
