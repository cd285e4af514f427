/*
 * bodyparse.h - bytes to the body of a request: Content-Length and chunked.
 *
 * Thread:   any; no state but the caller's.
 * Memory:   appends to the caller's buf, whose maximum must not be smaller than max_body.
 * Not here: which of the two it is (reqparse.h).
 */
#ifndef HTTP_BODYPARSE_H
#define HTTP_BODYPARSE_H

#include "base/buf.h"
#include "http/reqparse.h"

struct body_limits {
    size_t max_body;     /* decoded: 413 */
    size_t max_trailer;  /* bytes of all trailer fields: 431 */
    size_t max_trailers; /* trailer fields: 431 */
};

enum body_state {
    BODY_LENGTH, /* inside a body of known length */
    BODY_SIZE,   /* chunked: in the digits of a chunk's size */
    BODY_SIZE_SPACE,
    BODY_EXTENSION,
    BODY_SIZE_LF,
    BODY_DATA,
    BODY_DATA_CR,
    BODY_DATA_LF,
    BODY_TRAILER, /* at the beginning of a trailer field or of the last line */
    BODY_TRAILER_NAME,
    BODY_TRAILER_VALUE,
    BODY_TRAILER_LF,
    BODY_LAST_LF,
    BODY_END,
};

struct bodyparse {
    enum body_state state;
    struct body_limits limits;
    uint64_t left;     /* bytes missing of the body, or of the chunk */
    size_t total;      /* decoded so far */
    unsigned digits;   /* of the chunk's size so far */
    size_t extensions; /* bytes of all chunk extensions */
    size_t trailer;
    size_t trailers;
};

/* A body of `length` bytes; larger than the limit: false, 413. */
bool bodyparse_begin_length(struct bodyparse *p, uint64_t length, const struct body_limits *lim,
                            struct http_fault *fault);
void bodyparse_begin_chunked(struct bodyparse *p, const struct body_limits *lim);
/*
 * Decode from `in` to `out`; *used tells how much of `in` belonged to the body.
 * Chunk extensions and trailer fields are checked and dropped.
 */
enum parse_result bodyparse_feed(struct bodyparse *p, struct str in, size_t *used, struct buf *out,
                                 struct http_fault *fault);

#endif
