/*
 * bodyparse.c - bytes to the body of a request: Content-Length and chunked.
 *
 * Thread:   any.
 * Memory:   see bodyparse.h.
 *
 * Chunked coding is read by RFC 9112 section 7.1 to the letter: a size is
 * hexadecimal digits only, every line ends with CR LF, and a chunk's data is
 * followed by CR LF at once.
 */
#include "http/bodyparse.h"

/* 2^64 has 16; more would only be leading zeros. */
#define MAX_SIZE_DIGITS 16
/* Of all extensions of a body. Nobody uses any; the limit ends the use as a tar pit. */
#define MAX_EXTENSIONS 1024

bool bodyparse_begin_length(struct bodyparse *p, uint64_t length, const struct body_limits *lim,
                            struct http_fault *fault)
{
    memset(p, 0, sizeof(*p));
    p->limits = *lim;
    p->left = length;
    p->state = length > 0 ? BODY_LENGTH : BODY_END;
    if (length > lim->max_body) {
        *fault = (struct http_fault){413, "request body is too large"};
        return false;
    }
    return true;
}

void bodyparse_begin_chunked(struct bodyparse *p, const struct body_limits *lim)
{
    memset(p, 0, sizeof(*p));
    p->limits = *lim;
    p->state = BODY_SIZE;
}

static bool bad(struct http_fault *fault, int status, const char *message)
{
    *fault = (struct http_fault){status, message};
    return false;
}

static bool bad_size(struct http_fault *fault)
{
    return bad(fault, 400, "malformed chunk size");
}

/* One byte of the digits of a size, or of what ends them. */
static bool take_size(struct bodyparse *p, char c, struct http_fault *fault)
{
    int digit = str_hex_value(c);

    if (digit >= 0) {
        if (p->digits++ == MAX_SIZE_DIGITS)
            return bad_size(fault);
        p->left = p->left << 4 | (unsigned)digit;
        return true;
    }
    if (p->digits == 0)
        return bad_size(fault);
    if (p->left > p->limits.max_body - p->total)
        return bad(fault, 413, "request body is too large");
    if (c == '\r')
        p->state = BODY_SIZE_LF;
    else if (c == ';')
        p->state = BODY_EXTENSION;
    else if (c == ' ' || c == '\t')
        p->state = BODY_SIZE_SPACE;
    else
        return bad_size(fault);
    return true;
}

/* White space in front of an extension, and the extension. */
static bool take_extension(struct bodyparse *p, char c, struct http_fault *fault)
{
    if (++p->extensions > MAX_EXTENSIONS)
        return bad(fault, 400, "chunk extensions are too long");
    if (p->state == BODY_SIZE_SPACE) {
        if (c == ';')
            p->state = BODY_EXTENSION;
        else if (c != ' ' && c != '\t')
            return bad_size(fault);
    } else if (c == '\r') {
        p->state = BODY_SIZE_LF;
    } else if (!reqparse_is_value_char((unsigned char)c)) {
        return bad(fault, 400, "forbidden character in a chunk extension");
    }
    return true;
}

/* One byte of the trailer section, which ends with an empty line. */
static bool take_trailer(struct bodyparse *p, char c, struct http_fault *fault)
{
    if (p->state == BODY_TRAILER && c == '\r') {
        p->state = BODY_LAST_LF;
        return true;
    }
    if (++p->trailer > p->limits.max_trailer)
        return bad(fault, 431, "trailer section is too large");
    if (p->state == BODY_TRAILER_VALUE) {
        if (c == '\r')
            p->state = BODY_TRAILER_LF;
        else if (!reqparse_is_value_char((unsigned char)c))
            return bad(fault, 400, "forbidden character in a trailer field value");
        return true;
    }
    if (p->state == BODY_TRAILER_NAME && c == ':') {
        p->state = BODY_TRAILER_VALUE;
        return true;
    }
    if (!reqparse_is_token_char((unsigned char)c))
        return bad(fault, 400, "malformed trailer field name");
    if (p->state == BODY_TRAILER && ++p->trailers > p->limits.max_trailers)
        return bad(fault, 431, "too many trailer fields");
    p->state = BODY_TRAILER_NAME;
    return true;
}

/* A byte that must be `want`, and leads to `next`. */
static bool take_fixed(struct bodyparse *p, char c, char want, enum body_state next,
                       struct http_fault *fault)
{
    if (c != want)
        return bad(fault, 400, "chunk line does not end with CR LF");
    p->state = next;
    return true;
}

/* A byte of anything but data. */
static bool take_byte(struct bodyparse *p, char c, struct http_fault *fault)
{
    switch (p->state) {
    case BODY_SIZE:
        return take_size(p, c, fault);
    case BODY_SIZE_SPACE:
    case BODY_EXTENSION:
        return take_extension(p, c, fault);
    case BODY_SIZE_LF:
        return take_fixed(p, c, '\n', p->left > 0 ? BODY_DATA : BODY_TRAILER, fault);
    case BODY_DATA_CR:
        return take_fixed(p, c, '\r', BODY_DATA_LF, fault);
    case BODY_DATA_LF:
        p->digits = 0;
        return take_fixed(p, c, '\n', BODY_SIZE, fault);
    case BODY_TRAILER:
    case BODY_TRAILER_NAME:
    case BODY_TRAILER_VALUE:
        return take_trailer(p, c, fault);
    case BODY_TRAILER_LF:
        return take_fixed(p, c, '\n', BODY_TRAILER, fault);
    case BODY_LAST_LF:
        return take_fixed(p, c, '\n', BODY_END, fault);
    case BODY_LENGTH:
    case BODY_DATA:
    case BODY_END:
        break;
    }
    CHECK(!"a byte of data");
    return false;
}

enum parse_result bodyparse_feed(struct bodyparse *p, struct str in, size_t *used, struct buf *out,
                                 struct http_fault *fault)
{
    size_t at = 0;

    while (at < in.len && p->state != BODY_END) {
        if (p->state == BODY_LENGTH || p->state == BODY_DATA) {
            size_t n = p->left < in.len - at ? (size_t)p->left : in.len - at;

            buf_append(out, in.data + at, n);
            at += n;
            p->left -= n;
            p->total += n;
            if (p->left == 0)
                p->state = p->state == BODY_LENGTH ? BODY_END : BODY_DATA_CR;
        } else if (!take_byte(p, in.data[at++], fault)) {
            *used = at;
            return PARSE_BAD;
        }
    }
    *used = at;
    return p->state == BODY_END ? PARSE_DONE : PARSE_MORE;
}
