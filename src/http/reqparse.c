/*
 * reqparse.c - bytes to the head of a request, strictly by RFC 9112.
 *
 * Thread:   any.
 * Memory:   see reqparse.h.
 *
 * What RFC 9112 lets a recipient tolerate is refused where two readers of the
 * same bytes could disagree about where a request ends (bare LF, folded lines,
 * white space before the colon, repeated Content-Length): a proxy in front of us is
 * such a second reader. The one tolerance is in the target, where the characters
 * "<>\^`{|} pass unencoded: people type GraphQL into curl, and no framing hangs on it.
 */
#include "http/reqparse.h"

enum {
    CHAR_TOKEN = 1,
    CHAR_VALUE = 2,
    CHAR_TARGET = 4,
    CHAR_HOST = 8,
    CHAR_DIGIT = 16,
    CHAR_HEX = 32,
};

#define T CHAR_TOKEN
#define V CHAR_VALUE
#define G CHAR_TARGET
#define H CHAR_HOST
#define D CHAR_DIGIT
#define X CHAR_HEX

/* What each byte may be part of; obs-text (from 0x80) is allowed in values only. */
/* clang-format off */
static const unsigned char char_class[256] = {
    ['\t'] = V, [' '] = V,
    ['!'] = T|V|G|H, ['"'] = V|G,     ['#'] = T|V,     ['$'] = T|V|G|H, ['%'] = T|V|G|H,
    ['&'] = T|V|G|H, ['\''] = T|V|G|H, ['('] = V|G|H,  [')'] = V|G|H,   ['*'] = T|V|G|H,
    ['+'] = T|V|G|H, [','] = V|G|H,   ['-'] = T|V|G|H, ['.'] = T|V|G|H, ['/'] = V|G,
    ['0' ... '9'] = T|V|G|H|D|X,
    [':'] = V|G,     [';'] = V|G|H,   ['<'] = V|G,     ['='] = V|G|H,   ['>'] = V|G,
    ['?'] = V|G,     ['@'] = V|G,
    ['A' ... 'F'] = T|V|G|H|X, ['G' ... 'Z'] = T|V|G|H,
    ['['] = V|G,     ['\\'] = V|G,    [']'] = V|G,     ['^'] = T|V|G,   ['_'] = T|V|G|H,
    ['`'] = T|V|G,
    ['a' ... 'f'] = T|V|G|H|X, ['g' ... 'z'] = T|V|G|H,
    ['{'] = V|G,     ['|'] = T|V|G,   ['}'] = V|G,     ['~'] = T|V|G|H,
    [0x80 ... 0xff] = V,
};
/* clang-format on */

#undef T
#undef V
#undef G
#undef H
#undef D
#undef X

static bool is_class(char c, unsigned class)
{
    return (char_class[(unsigned char)c] & class) != 0;
}

/* Length of the leading run of bytes of a class. */
static size_t span(struct str s, unsigned class)
{
    size_t i = 0;

    while (i < s.len && is_class(s.data[i], class))
        i++;
    return i;
}

static bool all_of(struct str s, unsigned class)
{
    return span(s, class) == s.len;
}

/*
 * Are all bytes CHAR_VALUE? Values are most of a head: eight bytes at a time are
 * searched for one below space and for DEL; only where there is one (a tab, say)
 * the table decides.
 */
static bool is_value(struct str s)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t i;

    for (i = 0; s.len - i >= 8; i += 8) {
        uint64_t w, below, del;

        memcpy(&w, s.data + i, 8);
        below = (w - ones * 0x20) & ~w & highs;
        del = w ^ ones * 0x7f;
        del = (del - ones) & ~del & highs;
        if ((below | del) != 0 && !all_of(str_make(s.data + i, 8), CHAR_VALUE))
            return false;
    }
    return all_of(str_make(s.data + i, s.len - i), CHAR_VALUE);
}

static bool refuse(struct http_fault *fault, int status, const char *message)
{
    fault->status = status;
    fault->message = message;
    return false;
}

static enum parse_result stop_scan(struct http_fault *fault, int status, const char *message)
{
    refuse(fault, status, message);
    return PARSE_BAD;
}

/* "HTTP/1.1": whether it is one, and one we speak. */
static bool check_version(struct str v, struct http_fault *fault)
{
    if (v.len != 8 || memcmp(v.data, "HTTP/", 5) != 0 || !is_class(v.data[5], CHAR_DIGIT) ||
        v.data[6] != '.' || !is_class(v.data[7], CHAR_DIGIT))
        return refuse(fault, 400, "malformed request line");
    if (v.data[5] != '1' || v.data[7] > '1')
        return refuse(fault, 505, "HTTP version not supported");
    return true;
}

/*
 * Complete lines are checked in order as far as needed to answer early: HTTP/0.9
 * and other protocols end at the first line, before any timeout. Limits are
 * checked by position, so that they strike at the same byte however the input was cut.
 */
static enum parse_result check_line(const struct headscan *s, struct str line,
                                    const struct head_limits *lim, struct http_fault *fault)
{
    if (line.len < 2 || line.data[line.len - 2] != '\r')
        return stop_scan(fault, 400, "line does not end with CR LF");
    if (s->lines == 0) {
        if (line.len < 2 + 8 || !check_version(str_sub(line, line.len - 2 - 8, 8), fault))
            return line.len < 2 + 8 ? stop_scan(fault, 400, "malformed request line") : PARSE_BAD;
        return PARSE_MORE;
    }
    if (line.len == 2)
        return PARSE_DONE;
    if (s->lines > lim->max_headers)
        return stop_scan(fault, 431, "too many header fields");
    return PARSE_MORE;
}

/* The one place of the size limits: line_len bytes of the current line are known. */
static enum parse_result check_size(const struct headscan *s, size_t line_len, size_t head_len,
                                    const struct head_limits *lim, struct http_fault *fault)
{
    /* Method, two spaces, version and CR LF around the target. */
    size_t max_line = lim->max_uri_bytes + REQPARSE_MAX_METHOD + 12;

    if (s->lines == 0 && line_len > max_line && max_line <= lim->max_header_bytes)
        return stop_scan(fault, 414, "request target is too long");
    if (head_len > lim->max_header_bytes)
        return stop_scan(fault, 431, "request head is too large");
    return PARSE_MORE;
}

/* Skip one empty line; what follows must begin a method. */
static enum parse_result scan_start(struct headscan *s, struct str in, struct http_fault *fault)
{
    if (s->start == 0 && in.data[0] == '\r') {
        if (in.len < 2)
            return PARSE_MORE;
        if (in.data[1] != '\n')
            return stop_scan(fault, 400, "malformed request line");
        s->start = s->line = s->seen = 2;
        if (in.len == 2)
            return PARSE_MORE;
    }
    if (!is_class(in.data[s->start], CHAR_TOKEN))
        return stop_scan(fault, 400, "malformed request line");
    return PARSE_DONE;
}

enum parse_result headscan_feed(struct headscan *s, struct str in, const struct head_limits *lim,
                                size_t *end, struct http_fault *fault)
{
    enum parse_result r;

    if (in.len <= s->start)
        return PARSE_MORE;
    if (s->lines == 0) {
        r = scan_start(s, in, fault);
        if (r != PARSE_DONE)
            return r;
    }
    for (;;) {
        const char *lf = memchr(in.data + s->seen, '\n', in.len - s->seen);
        size_t next = lf != NULL ? (size_t)(lf - in.data) + 1 : in.len;

        r = check_size(s, next - s->line, next - s->start, lim, fault);
        if (r == PARSE_MORE && lf != NULL)
            r = check_line(s, str_make(in.data + s->line, next - s->line), lim, fault);
        s->seen = next;
        if (r == PARSE_DONE)
            *end = next;
        if (r != PARSE_MORE || lf == NULL)
            return r;
        s->lines++;
        s->line = next;
    }
}

/* uri-host [ ":" port ] of RFC 3986, without user information. */
static bool is_host(struct str s)
{
    size_t n;

    if (s.len > 0 && s.data[0] == '[') {
        n = 1;
        while (n < s.len && (is_class(s.data[n], CHAR_HEX) || s.data[n] == ':' || s.data[n] == '.'))
            n++;
        if (n == 1 || n == s.len || s.data[n] != ']')
            return false;
        n++;
    } else {
        n = span(s, CHAR_HOST);
        if (n == 0)
            return false;
    }
    if (n < s.len && s.data[n] == ':')
        n += 1 + span(str_sub(s, n + 1, s.len), CHAR_DIGIT);
    return n == s.len;
}

/* Bring http://host/path to origin-form; *authority is then what Host must say. */
static bool take_absolute(struct arena *a, struct reqhead *out, struct str *authority,
                          struct http_fault *fault)
{
    struct str t = out->target;
    size_t scheme = str_find(t, ':');
    size_t n;

    if (!str_eq_nocase(str_sub(t, 0, scheme), STR("http")) &&
        !str_eq_nocase(str_sub(t, 0, scheme), STR("https")))
        return refuse(fault, 400, "malformed request target");
    if (!str_starts(str_sub(t, scheme, t.len), STR("://")))
        return refuse(fault, 400, "malformed request target");
    t = str_sub(t, scheme + 3, t.len);
    n = size_min(str_find(t, '/'), str_find(t, '?'));
    *authority = str_sub(t, 0, n);
    if (!is_host(*authority))
        return refuse(fault, 400, "malformed request target");
    t = str_sub(t, n, t.len);
    if (t.len == 0)
        out->target = str_is(out->method, "OPTIONS") ? STR("*") : STR("/");
    else if (t.data[0] == '?')
        out->target = arena_printf(a, "/%.*s", STR_ARG(t));
    else
        out->target = t;
    return true;
}

static bool take_target(struct arena *a, const struct head_limits *lim, struct reqhead *out,
                        struct str *authority, struct http_fault *fault)
{
    size_t question;

    if (out->target.len > lim->max_uri_bytes)
        return refuse(fault, 414, "request target is too long");
    if (out->target.len == 0 || !all_of(out->target, CHAR_TARGET))
        return refuse(fault, 400, "malformed request target");
    if (str_is(out->method, "CONNECT"))
        return refuse(fault, 501, "method CONNECT is not supported");
    if (str_is(out->target, "*")) {
        if (!str_is(out->method, "OPTIONS"))
            return refuse(fault, 400, "malformed request target");
    } else if (out->target.data[0] != '/' && !take_absolute(a, out, authority, fault)) {
        return false;
    }
    question = str_find(out->target, '?');
    out->path = str_sub(out->target, 0, question);
    out->query = str_sub(out->target, question + 1, out->target.len);
    return true;
}

/* method SP target SP version, without its CR LF. */
static bool take_request_line(struct str line, struct arena *a, const struct head_limits *lim,
                              struct reqhead *out, struct str *authority, struct http_fault *fault)
{
    struct str version;
    size_t n = span(line, CHAR_TOKEN);

    if (n == 0 || n == line.len || line.data[n] != ' ')
        return refuse(fault, 400, "malformed request line");
    if (n > REQPARSE_MAX_METHOD)
        return refuse(fault, 501, "method is not supported");
    out->method = str_sub(line, 0, n);
    if (!str_cut(str_sub(line, n + 1, line.len), ' ', &out->target, &version))
        return refuse(fault, 400, "malformed request line");
    if (!check_version(version, fault))
        return false;
    out->http_1_0 = version.data[7] == '0';
    return take_target(a, lim, out, authority, fault);
}

/* What the framing fields say, before they are weighed against each other. */
struct framing {
    size_t hosts;
    struct str host;
    size_t lengths;
    size_t encodings;
    bool other_encoding;
    bool close;
    bool keep_alive;
    bool other_expectation;
};

static void take_length(struct str v, struct reqhead *out, struct framing *f)
{
    f->lengths++;
    out->has_length = all_of(v, CHAR_DIGIT) && v.len > 0;
    if (out->has_length && !str_to_u64(v, &out->content_length))
        out->content_length = UINT64_MAX;
}

static void take_connection(struct str v, struct framing *f)
{
    struct str item;

    while (v.len > 0) {
        str_cut(v, ',', &item, &v);
        item = str_trim(item);
        if (str_eq_nocase(item, STR("close")))
            f->close = true;
        else if (str_eq_nocase(item, STR("keep-alive")))
            f->keep_alive = true;
    }
}

/* Note a field that takes part in framing. The length sorts out nearly all others at once. */
static void take_known(struct http_header h, struct reqhead *out, struct framing *f)
{
    switch (h.name.len) {
    case 4:
        if (str_eq_nocase(h.name, STR("host"))) {
            f->hosts++;
            f->host = h.value;
        }
        break;
    case 6:
        if (str_eq_nocase(h.name, STR("expect"))) {
            if (str_eq_nocase(h.value, STR("100-continue")))
                out->expect_continue = true;
            else
                f->other_expectation = true;
        }
        break;
    case 10:
        if (str_eq_nocase(h.name, STR("connection")))
            take_connection(h.value, f);
        break;
    case 14:
        if (str_eq_nocase(h.name, STR("content-length")))
            take_length(h.value, out, f);
        break;
    case 17:
        if (str_eq_nocase(h.name, STR("transfer-encoding"))) {
            f->encodings++;
            if (str_eq_nocase(h.value, STR("chunked")))
                out->chunked = true;
            else
                f->other_encoding = true;
        }
        break;
    }
}

/* name ":" OWS value OWS, without its CR LF. */
static bool take_field(struct str line, struct http_header *out, struct http_fault *fault)
{
    size_t n = span(line, CHAR_TOKEN);
    size_t end = line.len;

    if (n == 0 || n == line.len || line.data[n] != ':')
        return refuse(fault, 400,
                      line.len > 0 && (line.data[0] == ' ' || line.data[0] == '\t')
                          ? "folded header fields are not supported"
                          : "malformed header field name");
    out->name = str_sub(line, 0, n);
    n++;
    while (n < end && (line.data[n] == ' ' || line.data[n] == '\t'))
        n++;
    while (end > n && (line.data[end - 1] == ' ' || line.data[end - 1] == '\t'))
        end--;
    out->value = str_make(line.data + n, end - n);
    if (!is_value(out->value))
        return refuse(fault, 400, "forbidden character in a header field value");
    return true;
}

static bool take_fields(struct str rest, const struct head_limits *lim, struct arena *a,
                        struct reqhead *out, struct framing *f, struct http_fault *fault)
{
    size_t cap = 0;

    for (;;) {
        const char *lf = memchr(rest.data, '\n', rest.len);
        size_t n = lf != NULL ? (size_t)(lf - rest.data) : 0;

        if (lf == NULL || n == 0 || rest.data[n - 1] != '\r')
            return refuse(fault, 400, "line does not end with CR LF");
        if (n == 1)
            return true;
        if (out->nheaders == lim->max_headers)
            return refuse(fault, 431, "too many header fields");
        if (out->nheaders == cap)
            out->headers = arena_grow(a, out->headers, out->nheaders, &cap, sizeof(*out->headers));
        if (!take_field(str_make(rest.data, n - 1), &out->headers[out->nheaders], fault))
            return false;
        take_known(out->headers[out->nheaders++], out, f);
        rest = str_make(rest.data + n + 1, rest.len - n - 1);
    }
}

/* RFC 9112 sections 3.2 and 6.3, without the leniency. */
static bool weigh_framing(const struct framing *f, struct str authority, struct reqhead *out,
                          struct http_fault *fault)
{
    if (f->hosts > 1 || (f->hosts == 0 && !out->http_1_0))
        return refuse(fault, 400, "exactly one Host header field is required");
    if (f->hosts == 1 && !is_host(f->host))
        return refuse(fault, 400, "malformed Host header field");
    /* Section 3.2.2 lets Host be ignored here; a difference is a routing attack. */
    if (f->hosts == 1 && authority.len > 0 && !str_eq_nocase(f->host, authority))
        return refuse(fault, 400, "Host header field differs from the request target");
    if (f->lengths > 0 && f->encodings > 0)
        return refuse(fault, 400, "Content-Length and Transfer-Encoding exclude each other");
    if (f->lengths > 1 || (f->lengths == 1 && !out->has_length))
        return refuse(fault, 400, "malformed Content-Length header field");
    if (f->encodings > 0 && out->http_1_0)
        return refuse(fault, 400, "Transfer-Encoding is not part of HTTP/1.0");
    if (f->other_encoding)
        return refuse(fault, 501, "transfer encodings other than chunked are not supported");
    if (f->encodings > 1)
        return refuse(fault, 400, "repeated Transfer-Encoding header field");
    if (f->other_expectation)
        return refuse(fault, 417, "expectations other than 100-continue are not supported");
    if (out->http_1_0)
        out->expect_continue = false; /* RFC 9110 section 10.1.1 */
    out->keep_alive = !f->close && (!out->http_1_0 || f->keep_alive);
    return true;
}

bool reqparse_head(struct str head, const struct head_limits *lim, struct arena *a,
                   struct reqhead *out, struct http_fault *fault)
{
    struct framing f = {0};
    struct str authority = {0};
    size_t lf = str_find(head, '\n');

    memset(out, 0, sizeof(*out));
    if (lf == head.len || lf == 0 || head.data[lf - 1] != '\r')
        return refuse(fault, 400, "line does not end with CR LF");
    return take_request_line(str_sub(head, 0, lf - 1), a, lim, out, &authority, fault) &&
           take_fields(str_sub(head, lf + 1, head.len), lim, a, out, &f, fault) &&
           weigh_framing(&f, authority, out, fault);
}

bool reqparse_is_token_char(unsigned char c)
{
    return (char_class[c] & CHAR_TOKEN) != 0;
}

bool reqparse_is_token(struct str s)
{
    return s.len > 0 && all_of(s, CHAR_TOKEN);
}

bool reqparse_is_value(struct str s)
{
    return is_value(s);
}

bool reqparse_is_value_char(unsigned char c)
{
    return (char_class[c] & CHAR_VALUE) != 0;
}
