/*
 * reqparse.h - bytes to the head of a request, strictly by RFC 9112.
 *
 * Thread:   any; no state but the caller's.
 * Memory:   slices of the head's bytes; the header array is in the caller's arena.
 * Not here: bodies (bodyparse.h), what the target or a header means to the server.
 *
 * Two steps, so that a head that arrives in pieces costs no more than one that
 * arrives whole: headscan_feed() finds the end, looking at each byte once;
 * reqparse_head() then reads the complete head, once.
 */
#ifndef HTTP_REQPARSE_H
#define HTTP_REQPARSE_H

#include "base/arena.h"
#include "base/str.h"
#include "http/exchange.h"

/* Longer method names are answered 501. */
#define REQPARSE_MAX_METHOD 16

/* Why a request is refused. Every one ends the connection: the next request cannot be found. */
struct http_fault {
    int status;
    const char *message;
};

struct head_limits {
    size_t max_header_bytes; /* of the whole head: 431 */
    size_t max_headers;      /* 431 */
    size_t max_uri_bytes;    /* 414 */
};

enum parse_result {
    PARSE_MORE, /* not there yet */
    PARSE_DONE,
    PARSE_BAD, /* see the fault */
};

/* How far the search for the end of a head has come. All zero at its beginning. */
struct headscan {
    size_t start; /* of the head: 2 behind an empty line, which RFC 9112 section 2.2 ignores */
    size_t line;  /* where the current one begins */
    size_t seen;  /* bytes looked at */
    size_t lines; /* complete lines, the request line included */
};

/*
 * Look for the end of a head. `in` holds every byte since the last request
 * ended, those of earlier calls included. PARSE_DONE: the head is the bytes
 * from s->start to *end. The outcome does not depend on how the bytes were cut.
 */
enum parse_result headscan_feed(struct headscan *s, struct str in, const struct head_limits *lim,
                                size_t *end, struct http_fault *fault);

struct reqhead {
    struct str method;
    struct str target; /* origin-form, or "*" for OPTIONS */
    struct str path;
    struct str query;
    struct http_header *headers;
    size_t nheaders;
    bool http_1_0;
    bool keep_alive; /* the client will send more behind this request */
    bool chunked;
    bool has_length;
    uint64_t content_length; /* UINT64_MAX: more than fits */
    bool expect_continue;
};

/*
 * Read a complete head, as found by headscan_feed(). The slices in *out point
 * into it, or into the arena. On failure *out holds what was understood, so
 * that out->method tells HEAD from the others.
 */
bool reqparse_head(struct str head, const struct head_limits *lim, struct arena *a,
                   struct reqhead *out, struct http_fault *fault);

/* Is this byte allowed in a token (RFC 9110 section 5.6.2)? */
bool reqparse_is_token_char(unsigned char c);
bool reqparse_is_token(struct str s);
/* May these bytes be a field value? */
bool reqparse_is_value(struct str s);
/* Is this byte allowed in a field value: VCHAR, obs-text, space, tab? */
bool reqparse_is_value_char(unsigned char c);

#endif
