/*
 * framing.h - reads one request from bytes as a connection does, cut into pieces. For
 * reqparse_test.c, bodyparse_test.c and the fuzz target.
 *
 * Memory: every piece is copied to a heap block of its exact size, so that
 * reading behind it is seen by the address sanitizer.
 */
#ifndef TESTS_FRAMING_H
#define TESTS_FRAMING_H

#include "base/buf.h"
#include "http/bodyparse.h"
#include "http/reqparse.h"

struct framed {
    enum parse_result result; /* PARSE_MORE: the bytes end inside the request */
    struct http_fault fault;
    bool in_body; /* the head was accepted */
    struct reqhead head;
    struct buf body; /* owned */
    size_t used;     /* PARSE_DONE: bytes of the request */
};

static inline enum parse_result framing_begin_body(const struct reqhead *h, struct bodyparse *b,
                                                   const struct body_limits *lim,
                                                   struct http_fault *fault)
{
    if (h->chunked) {
        bodyparse_begin_chunked(b, lim);
        return PARSE_MORE;
    }
    if (!bodyparse_begin_length(b, h->content_length, lim, fault))
        return PARSE_BAD;
    return b->state == BODY_END ? PARSE_DONE : PARSE_MORE;
}

/* The head, in pieces of `piece` bytes; *at is then behind it. */
static inline enum parse_result framing_head(struct str in, size_t piece,
                                             const struct head_limits *lim, struct arena *a,
                                             size_t *at, struct framed *out)
{
    struct headscan scan = {0};
    enum parse_result r = PARSE_MORE;
    size_t known = 0, end = 0;

    while (r == PARSE_MORE && known < in.len) {
        char *copy;

        known = in.len - known < piece ? in.len : known + piece;
        copy = xmalloc(known);
        memcpy(copy, in.data, known);
        r = headscan_feed(&scan, str_make(copy, known), lim, &end, &out->fault);
        xfree(copy);
    }
    if (r != PARSE_DONE)
        return r;
    *at = end;
    in.data = arena_copy(a, in.data + scan.start, end - scan.start);
    in.len = end - scan.start;
    return reqparse_head(in, lim, a, &out->head, &out->fault) ? PARSE_DONE : PARSE_BAD;
}

/* Free out->body. */
static inline void framing_read(struct str in, size_t piece, const struct head_limits *hl,
                                const struct body_limits *bl, struct arena *a, struct framed *out)
{
    struct bodyparse body;
    size_t at = 0, used;

    memset(out, 0, sizeof(*out));
    buf_init(&out->body, bl->max_body);
    out->result = framing_head(in, piece, hl, a, &at, out);
    if (out->result != PARSE_DONE)
        return;
    out->in_body = true;
    out->result = framing_begin_body(&out->head, &body, bl, &out->fault);
    while (out->result == PARSE_MORE && at < in.len) {
        size_t n = in.len - at < piece ? in.len - at : piece;
        char *copy = xmalloc(n);

        memcpy(copy, in.data + at, n);
        out->result = bodyparse_feed(&body, str_make(copy, n), &used, &out->body, &out->fault);
        xfree(copy);
        CHECK(used <= n && (used == n || out->result != PARSE_MORE));
        at += used;
    }
    CHECK(buf_ok(&out->body) && out->body.len <= bl->max_body);
    out->used = at;
}

static inline bool framing_same_head(const struct reqhead *a, const struct reqhead *b)
{
    size_t i;

    if (!str_eq(a->method, b->method) || !str_eq(a->target, b->target) ||
        !str_eq(a->path, b->path) || !str_eq(a->query, b->query) || a->nheaders != b->nheaders ||
        a->http_1_0 != b->http_1_0 || a->keep_alive != b->keep_alive || a->chunked != b->chunked ||
        a->has_length != b->has_length || a->content_length != b->content_length ||
        a->expect_continue != b->expect_continue)
        return false;
    for (i = 0; i < a->nheaders; i++)
        if (!str_eq(a->headers[i].name, b->headers[i].name) ||
            !str_eq(a->headers[i].value, b->headers[i].value))
            return false;
    return true;
}

/* Is it the same outcome, for everything a client or a handler could see? */
static inline bool framing_same(const struct framed *a, const struct framed *b)
{
    if (a->result != b->result || a->in_body != b->in_body)
        return false;
    if (a->result == PARSE_BAD)
        return a->fault.status == b->fault.status && a->fault.message == b->fault.message;
    if (a->in_body && !framing_same_head(&a->head, &b->head))
        return false;
    return a->result == PARSE_MORE ||
           (a->used == b->used && str_eq(buf_str(&a->body), buf_str(&b->body)));
}

#endif
