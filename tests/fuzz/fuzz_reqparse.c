/*
 * fuzz_reqparse.c - heads and bodies: never reads past the end, cuts do not
 * matter, and what was accepted means the same when it is written again.
 *
 * The first byte chooses how the input is cut; the rest is the input.
 */
#include "../unit/http/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct head_limits head_limits = {1024, 12, 200};
static const struct body_limits body_limits = {512, 128, 4};

/* Limits are not under test here: what is written may be longer than what was read. */
static const struct head_limits wide_head = {65536, 12, 4096};

/* The one way to write a request: no empty lines, extensions, trailers or white space. */
static void write_again(const struct framed *f, struct buf *out)
{
    const struct reqhead *h = &f->head;
    size_t i;

    buf_append_str(out, h->method);
    buf_append_char(out, ' ');
    buf_append_str(out, h->target);
    buf_append_str(out, h->http_1_0 ? STR(" HTTP/1.0\r\n") : STR(" HTTP/1.1\r\n"));
    for (i = 0; i < h->nheaders; i++) {
        buf_append_str(out, h->headers[i].name);
        buf_append_char(out, ':');
        buf_append_str(out, h->headers[i].value);
        buf_append_lit(out, "\r\n");
    }
    buf_append_lit(out, "\r\n");
    if (!h->chunked) {
        buf_append_str(out, buf_str(&f->body));
        return;
    }
    if (f->body.len > 0) {
        buf_printf(out, "%zx\r\n", f->body.len);
        buf_append_str(out, buf_str(&f->body));
        buf_append_lit(out, "\r\n");
    }
    buf_append_lit(out, "0\r\n\r\n");
}

static void check_accepted(const struct framed *f, struct arena *a)
{
    struct framed again;
    struct buf text;
    size_t i;

    CHECK(f->head.method.len > 0 && f->head.method.len <= REQPARSE_MAX_METHOD);
    CHECK(f->head.target.data[0] == '/' || str_is(f->head.target, "*"));
    CHECK(f->head.target.len <= head_limits.max_uri_bytes);
    CHECK(f->head.nheaders <= head_limits.max_headers);
    CHECK(!(f->head.chunked && (f->head.has_length || f->head.http_1_0)));
    CHECK(f->head.chunked || f->body.len == f->head.content_length);
    for (i = 0; i < f->head.nheaders; i++) {
        struct http_header h = f->head.headers[i];

        CHECK(h.name.len > 0 && str_eq(h.value, str_trim(h.value)));
        CHECK(h.value.len == 0 || memchr(h.value.data, '\n', h.value.len) == NULL);
        CHECK(h.value.len == 0 || memchr(h.value.data, '\0', h.value.len) == NULL);
    }
    buf_init(&text, 0);
    write_again(f, &text);
    framing_read(buf_str(&text), text.len, &wide_head, &body_limits, a, &again);
    CHECK(again.result == PARSE_DONE && again.used == text.len);
    CHECK(framing_same_head(&f->head, &again.head));
    CHECK(str_eq(buf_str(&f->body), buf_str(&again.body)));
    buf_fini(&again.body);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a;
    struct framed whole, cut;
    struct str in;
    size_t piece;

    if (size < 2 || size > 3000)
        return 0;
    a = arena_new(0);
    in = str_make((const char *)data + 1, size - 1);
    piece = (size_t)data[0] + 1;
    framing_read(in, in.len, &head_limits, &body_limits, a, &whole);
    framing_read(in, piece, &head_limits, &body_limits, a, &cut);
    CHECK(framing_same(&whole, &cut));
    if (whole.result == PARSE_BAD)
        CHECK(whole.fault.status >= 400 && whole.fault.message != NULL);
    if (whole.result == PARSE_DONE)
        check_accepted(&whole, a);
    buf_fini(&whole.body);
    buf_fini(&cut.body);
    arena_free(a);
    return 0;
}
