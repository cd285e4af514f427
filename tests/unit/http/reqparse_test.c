/*
 * reqparse_test.c - which heads are requests, and what they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/framing.h"

#define H  "Host: a\r\n"
#define EX "GET / HTTP/1.1\r\n"

static const struct head_limits head_limits = {512, 8, 128};
static const struct body_limits body_limits = {64, 128, 4};

/* Every way to cut a request into equal pieces must give the same. */
static struct framed read_request(struct str in, struct arena *a)
{
    struct framed whole, cut;
    size_t piece;

    framing_read(in, in.len, &head_limits, &body_limits, a, &whole);
    for (piece = 1; piece < in.len; piece = piece < 8 ? piece + 1 : piece * 2) {
        framing_read(in, piece, &head_limits, &body_limits, a, &cut);
        if (!framing_same(&whole, &cut))
            fail_msg("pieces of %zu differ: %d %d / %d %d: %.*s", piece, whole.result,
                     whole.fault.status, cut.result, cut.fault.status, STR_ARG(in));
        buf_fini(&cut.body);
    }
    return whole;
}

/* head; status, 0: accepted, 1: incomplete */
static const struct {
    struct str in;
    int status;
} cases[] = {
  /* clang-format off */
    {STR_INIT(EX H "\r\n"), 0},
    {STR_INIT("\r\n" EX H "\r\n"), 0}, /* RFC 9112 section 2.2 */
    {STR_INIT("\r\n\r\n" EX H "\r\n"), 400},
    {STR_INIT("\r" EX H "\r\n"), 400},
    {STR_INIT("\n" EX H "\r\n"), 400},
    {STR_INIT(""), 1},
    {STR_INIT("\r"), 1},
    {STR_INIT("\r\n"), 1},
    {STR_INIT("G"), 1},
    {STR_INIT(EX H), 1},
    {STR_INIT(EX H "\r"), 1},
    /* request line */
    {STR_INIT("get / HTTP/1.1\r\n" H "\r\n"), 0}, /* another method */
    {STR_INIT("M-SEARCH / HTTP/1.1\r\n" H "\r\n"), 0},
    {STR_INIT("ABCDEFGHIJKLMNOP / HTTP/1.1\r\n" H "\r\n"), 0},
    {STR_INIT("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n" H "\r\n"), 501},
    {STR_INIT("CONNECT a:443 HTTP/1.1\r\n" H "\r\n"), 501},
    {STR_INIT("CONNECT / HTTP/1.1\r\n" H "\r\n"), 501},
    {STR_INIT("G@T / HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT(" GET / HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET  / HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET /  HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET / HTTP/1.1 \r\n" H "\r\n"), 400},
    {STR_INIT("GET\t/ HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET /a b HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET /\r\n"), 400}, /* HTTP/0.9, answered without waiting */
    {STR_INIT("GET HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("\x16\x03\x01"), 400}, /* TLS */
    {STR_INIT("GET / HTTP/1.0\r\n\r\n"), 0},
    {STR_INIT("GET / HTTP/1.2\r\n"), 505},
    {STR_INIT("GET / HTTP/2.0\r\n"), 505},
    {STR_INIT("GET / HTTP/0.9\r\n"), 505},
    {STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505}, /* RFC 9113 section 3.4 */
    {STR_INIT("GET / HTTP/1.10\r\n"), 400},
    {STR_INIT("GET / HTTP/11\r\n"), 400},
    {STR_INIT("GET / http/1.1\r\n"), 400},
    {STR_INIT("GET / HTTPS/1.1\r\n"), 400},
    {STR_INIT("GET / HTTP/1,1\r\n"), 400},
    {STR_INIT("GET / HTTP/1.1\n" H "\n"), 400},
    {STR_INIT("GET / HTTP/1.1\r\r\n" H "\r\n"), 400},
    /* target */
    {STR_INIT("GET /a?b={c}%20\"|\\^`<> HTTP/1.1\r\n" H "\r\n"), 0},
    {STR_INIT("GET /a#b HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET /\x7f HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET /\0 HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET a HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET a:80 HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET * HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"), 0},
    {STR_INIT("OPTIONS *a HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET http://a/b HTTP/1.1\r\n" H "\r\n"), 0},
    {STR_INIT("GET HTTPS://A HTTP/1.1\r\n" H "\r\n"), 0},
    {STR_INIT("GET http://b/ HTTP/1.1\r\n" H "\r\n"), 400}, /* differs from Host */
    {STR_INIT("GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n"), 400},
    {STR_INIT("GET http:///b HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET http:/a HTTP/1.1\r\n" H "\r\n"), 400},
    {STR_INIT("GET ftp://a/ HTTP/1.1\r\n" H "\r\n"), 400},
    /* Host */
    {STR_INIT(EX "\r\n"), 400},
    {STR_INIT(EX H H "\r\n"), 400},
    {STR_INIT("GET / HTTP/1.0\r\n" H H "\r\n"), 400},
    {STR_INIT(EX "Host: \r\n\r\n"), 400},
    {STR_INIT(EX "Host: a:80\r\n\r\n"), 0},
    {STR_INIT(EX "Host: a:\r\n\r\n"), 0},
    {STR_INIT(EX "Host: a:8a\r\n\r\n"), 400},
    {STR_INIT(EX "Host: [::1]:80\r\n\r\n"), 0},
    {STR_INIT(EX "Host: [::1\r\n\r\n"), 400},
    {STR_INIT(EX "Host: []\r\n\r\n"), 400},
    {STR_INIT(EX "Host: a b\r\n\r\n"), 400},
    {STR_INIT(EX "Host: a/b\r\n\r\n"), 400},
    {STR_INIT(EX "Host: a@b\r\n\r\n"), 400},
    /* fields */
    {STR_INIT(EX H "X:\r\n\r\n"), 0},
    {STR_INIT(EX H "X: \xc3\xa9\tb\r\n\r\n"), 0},
    {STR_INIT(EX "Host : a\r\n\r\n"), 400},
    {STR_INIT(EX H " X: a\r\n\r\n"), 400},
    {STR_INIT(EX H "X: a\r\n b\r\n\r\n"), 400}, /* obs-fold */
    {STR_INIT(EX H "X: a\r\n\tb\r\n\r\n"), 400},
    {STR_INIT(EX " " H "\r\n"), 400},
    {STR_INIT(EX H "X\r\n\r\n"), 400},
    {STR_INIT(EX H ": a\r\n\r\n"), 400},
    {STR_INIT(EX H "X(: a\r\n\r\n"), 400},
    {STR_INIT(EX H "X\xff: a\r\n\r\n"), 400},
    {STR_INIT(EX H "X: a\0b\r\n\r\n"), 400},
    {STR_INIT(EX H "X: a\x01\r\n\r\n"), 400},
    {STR_INIT(EX H "X: a\x7f\r\n\r\n"), 400},
    {STR_INIT(EX H "X: a\rb\r\n\r\n"), 400},
    {STR_INIT(EX H "X: a\n\r\n"), 400},
    {STR_INIT(EX H "X: a\r\n\n"), 400},
    /* framing */
    {STR_INIT(EX H "Content-Length: 0\r\n\r\n"), 0},
    {STR_INIT(EX H "Content-Length: 3\r\n\r\nabc"), 0},
    {STR_INIT(EX H "Content-Length: 3\r\n\r\nab"), 1},
    {STR_INIT(EX H "Content-Length: 0003\r\n\r\nabc"), 0},
    {STR_INIT(EX H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), 400},
    {STR_INIT(EX H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400},
    {STR_INIT(EX H "Content-Length: 3, 3\r\n\r\nabc"), 400},
    {STR_INIT(EX H "Content-Length: +3\r\n\r\nabc"), 400},
    {STR_INIT(EX H "Content-Length: -3\r\n\r\nabc"), 400},
    {STR_INIT(EX H "Content-Length: 0x3\r\n\r\nabc"), 400},
    {STR_INIT(EX H "Content-Length: 3 0\r\n\r\nabc"), 400},
    {STR_INIT(EX H "Content-Length:\r\n\r\n"), 400},
    {STR_INIT(EX H "Content-Length: 64\r\n\r\n"), 1},
    {STR_INIT(EX H "Content-Length: 65\r\n\r\n"), 413},
    {STR_INIT(EX H "Content-Length: 18446744073709551615\r\n\r\n"), 413},
    {STR_INIT(EX H "Content-Length: 18446744073709551616\r\n\r\n"), 413},
    {STR_INIT(EX H "Content-Length: 99999999999999999999999999\r\n\r\n"), 413},
    {STR_INIT(EX H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0},
    {STR_INIT(EX H "transfer-encoding: CHUNKED\r\n\r\n0\r\n\r\n"), 0},
    {STR_INIT(EX H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 501},
    {STR_INIT(EX H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501},
    {STR_INIT(EX H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), 501},
    {STR_INIT(EX H "Transfer-Encoding: identity\r\n\r\n"), 501},
    {STR_INIT(EX H "Transfer-Encoding:\r\n\r\n"), 501},
    {STR_INIT(EX H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {STR_INIT(EX H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"), 501},
    {STR_INIT(EX H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {STR_INIT(EX H "Transfer-Encoding: x\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400},
    {STR_INIT("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400},
    {STR_INIT(EX H "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na"), 0},
    {STR_INIT(EX H "Expect: 200-ok\r\n\r\n"), 417},
    {STR_INIT(EX H "Expect: 100-continue, x\r\n\r\n"), 417},
    {STR_INIT("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), 0},
    /* limits: 512 bytes, 8 fields, target of 128 bytes */
    {STR_INIT(EX H "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n\r\n"), 0},
    {STR_INIT(EX H "1:\r\n2:\r\n3:\r\n4:\r\n5:\r\n6:\r\n7:\r\n8:\r\n"), 431},
  /* clang-format on */
};

static void test_accepts_and_refuses(void **state)
{
    struct arena *a = arena_new(0);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(cases); i++) {
        struct framed f = read_request(cases[i].in, a);
        int status = f.result == PARSE_DONE ? 0 : f.result == PARSE_MORE ? 1 : f.fault.status;

        if (status != cases[i].status)
            fail_msg("%d for: %.*s", status, STR_ARG(cases[i].in));
        if (f.result == PARSE_DONE)
            assert_int_equal(f.used, cases[i].in.len);
        buf_fini(&f.body);
        arena_reset(a);
    }
    arena_free(a);
}

/* A request of which `n` bytes of `c` are the variable part. */
static int status_with(const char *before, char c, size_t n, const char *after)
{
    struct arena *a = arena_new(0);
    struct framed f;
    struct buf b;
    int status;

    buf_init(&b, 0);
    buf_append_str(&b, str_of(before));
    while (n-- > 0)
        buf_append_char(&b, c);
    buf_append_str(&b, str_of(after));
    f = read_request(buf_str(&b), a);
    status = f.result == PARSE_DONE ? 0 : f.result == PARSE_MORE ? 1 : f.fault.status;
    buf_fini(&f.body);
    buf_fini(&b);
    arena_free(a);
    return status;
}

static void test_limits_sizes_to_the_byte(void **state)
{
    const size_t around = sizeof(EX H "X:\r\n\r\n") - 1;

    (void)state;
    assert_int_equal(status_with("GET /", 'a', 127, " HTTP/1.1\r\n" H "\r\n"), 0);
    assert_int_equal(status_with("GET /", 'a', 128, " HTTP/1.1\r\n" H "\r\n"), 414);
    /* Without an end in sight, too. */
    assert_int_equal(status_with("GET /", 'a', 200, ""), 414);
    assert_int_equal(status_with("", 'A', 200, ""), 414);
    assert_int_equal(status_with(EX H "X:", 'a', 512 - around, "\r\n\r\n"), 0);
    assert_int_equal(status_with(EX H "X:", 'a', 513 - around, "\r\n\r\n"), 431);
    assert_int_equal(status_with(EX H "X:", 'a', 600, ""), 431);
    /* Where the head may not even be as long as the target, its limit is what strikes. */
    {
        const struct head_limits small = {100, 8, 1000};
        struct headscan scan = {0};
        struct http_fault fault;
        char text[101];
        size_t end;

        memset(text, 'A', sizeof(text));
        assert_int_equal(headscan_feed(&scan, str_make(text, 101), &small, &end, &fault),
                         PARSE_BAD);
        assert_int_equal(fault.status, 431);
    }
}

/* target line; method, target, path, query */
static const struct {
    struct str in;
    const char *method, *target, *path, *query;
} targets[] = {
  /* clang-format off */
    {STR_INIT("GET / HTTP/1.1\r\n" H "\r\n"), "GET", "/", "/", ""},
    {STR_INIT("POST /a/b?c=d?e HTTP/1.1\r\n" H "\r\n"), "POST", "/a/b?c=d?e", "/a/b", "c=d?e"},
    {STR_INIT("GET /? HTTP/1.1\r\n" H "\r\n"), "GET", "/?", "/", ""},
    {STR_INIT("GET //x HTTP/1.1\r\n" H "\r\n"), "GET", "//x", "//x", ""},
    {STR_INIT("GET http://a/b?c HTTP/1.1\r\n" H "\r\n"), "GET", "/b?c", "/b", "c"},
    {STR_INIT("GET http://a?c HTTP/1.1\r\n" H "\r\n"), "GET", "/?c", "/", "c"},
    {STR_INIT("GET http://a HTTP/1.1\r\n" H "\r\n"), "GET", "/", "/", ""},
    {STR_INIT("OPTIONS http://a HTTP/1.1\r\n" H "\r\n"), "OPTIONS", "*", "*", ""},
    {STR_INIT("OPTIONS * HTTP/1.1\r\n" H "\r\n"), "OPTIONS", "*", "*", ""},
  /* clang-format on */
};

static void test_takes_targets_apart(void **state)
{
    struct arena *a = arena_new(0);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(targets); i++) {
        struct framed f = read_request(targets[i].in, a);

        assert_int_equal(f.result, PARSE_DONE);
        assert_true(str_is(f.head.method, targets[i].method));
        assert_true(str_is(f.head.target, targets[i].target));
        assert_true(str_is(f.head.path, targets[i].path));
        assert_true(str_is(f.head.query, targets[i].query));
        buf_fini(&f.body);
    }
    arena_free(a);
}

static void test_keeps_fields_as_sent(void **state)
{
    struct arena *a = arena_new(0);
    struct framed f = read_request(STR(EX H "x-Y: \t a  b\t \r\nX-y:c\r\nEmpty: \t\r\n\r\n"), a);
    struct http_request r = {0};

    (void)state;
    assert_int_equal(f.head.nheaders, 4);
    assert_true(str_is(f.head.headers[1].name, "x-Y"));
    assert_true(str_is(f.head.headers[1].value, "a  b"));
    r.headers = f.head.headers;
    r.nheaders = f.head.nheaders;
    assert_true(str_is(http_request_header(&r, STR("X-Y")), "a  b"));
    assert_non_null(http_request_header(&r, STR("empty")).data);
    assert_int_equal(http_request_header(&r, STR("empty")).len, 0);
    assert_null(http_request_header(&r, STR("absent")).data);
    buf_fini(&f.body);
    arena_free(a);
}

/* request; is the connection kept? */
static const struct {
    struct str in;
    bool keep_alive;
} persistence[] = {
  /* clang-format off */
    {STR_INIT(EX H "\r\n"), true},
    {STR_INIT(EX H "Connection: close\r\n\r\n"), false},
    {STR_INIT(EX H "Connection: x, CLOSE\r\n\r\n"), false},
    {STR_INIT(EX H "Connection: keep-alive\r\nConnection: close\r\n\r\n"), false},
    {STR_INIT(EX H "Connection: closed\r\n\r\n"), true},
    {STR_INIT("GET / HTTP/1.0\r\n\r\n"), false},
    {STR_INIT("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), true},
    {STR_INIT("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"), false},
  /* clang-format on */
};

static void test_decides_persistence(void **state)
{
    struct arena *a = arena_new(0);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(persistence); i++) {
        struct framed f = read_request(persistence[i].in, a);

        assert_int_equal(f.result, PARSE_DONE);
        assert_int_equal(f.head.keep_alive, persistence[i].keep_alive);
        buf_fini(&f.body);
    }
    arena_free(a);
}

static void test_expects_only_in_1_1(void **state)
{
    struct arena *a = arena_new(0);
    struct framed f = read_request(STR("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), a);
    struct framed g = read_request(STR("POST / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n"), a);

    (void)state;
    assert_false(f.head.expect_continue);
    assert_true(g.head.expect_continue);
    buf_fini(&f.body);
    buf_fini(&g.body);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_and_refuses), cmocka_unit_test(test_limits_sizes_to_the_byte),
        cmocka_unit_test(test_takes_targets_apart), cmocka_unit_test(test_keeps_fields_as_sent),
        cmocka_unit_test(test_decides_persistence), cmocka_unit_test(test_expects_only_in_1_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
