/*
 * bodyparse_test.c - which bodies are complete, and what they are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/bodyparse.h"

/* Body 16 bytes, trailers 32 bytes and 2 fields. */
static const struct body_limits limits = {16, 32, 2};

/* chunked body; body, or status */
static const struct {
    struct str in;
    const char *body; /* NULL: refused, or incomplete with status 0 */
    int status;
    size_t left; /* bytes behind the body */
} cases[] = {
  /* clang-format off */
    {STR_INIT("0\r\n\r\n"), "", 0, 0},
    {STR_INIT("3\r\nabc\r\n0\r\n\r\n"), "abc", 0, 0},
    {STR_INIT("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET"), "abcde", 0, 3},
    {STR_INIT("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789", 0, 0},
    {STR_INIT("A\r\n0123456789\r\n000\r\n\r\n"), "0123456789", 0, 0},
    {STR_INIT("10\r\n0123456789abcdef\r\n0\r\n\r\n"), "0123456789abcdef", 0, 0},
    {STR_INIT("0000000000000003\r\nabc\r\n0\r\n\r\n"), "abc", 0, 0},
    {STR_INIT("3;a\r\nabc\r\n0;b=\"c\"\r\n\r\n"), "abc", 0, 0},
    {STR_INIT("3 \t;a = b\r\nabc\r\n0\r\n\r\n"), "abc", 0, 0},
    {STR_INIT("0\r\nX: a\r\nY:\r\n\r\n"), "", 0, 0},
    {STR_INIT("3\r\na\r\n\r\n0\r\n\r\n"), "a\r\n", 0, 0},
    /* incomplete */
    {STR_INIT(""), NULL, 0, 0},
    {STR_INIT("3"), NULL, 0, 0},
    {STR_INIT("3\r\nab"), NULL, 0, 0},
    {STR_INIT("3\r\nabc\r\n0\r\n"), NULL, 0, 0},
    {STR_INIT("3\r\nabc\r\n0\r\n\r"), NULL, 0, 0},
    /* sizes */
    {STR_INIT("\r\n"), NULL, 400, 0},
    {STR_INIT("x\r\n"), NULL, 400, 0},
    {STR_INIT(" 3\r\n"), NULL, 400, 0},
    {STR_INIT("+3\r\n"), NULL, 400, 0},
    {STR_INIT("-3\r\n"), NULL, 400, 0},
    {STR_INIT("0x3\r\n"), NULL, 400, 0},
    {STR_INIT("3 \r\n"), NULL, 400, 0},
    {STR_INIT("3g\r\n"), NULL, 400, 0},
    {STR_INIT("3\n"), NULL, 400, 0},
    {STR_INIT("3\r\r\n"), NULL, 400, 0},
    {STR_INIT("3\rabc"), NULL, 400, 0},
    {STR_INIT(";a\r\n"), NULL, 400, 0},
    {STR_INIT("00000000000000003\r\n"), NULL, 400, 0},
    {STR_INIT("11\r\n"), NULL, 413, 0},
    {STR_INIT("ffffffffffffffff\r\n"), NULL, 413, 0},
    {STR_INIT("10\r\n0123456789abcdef\r\n1\r\n"), NULL, 413, 0},
    /* extensions */
    {STR_INIT("3;a\n"), NULL, 400, 0},
    {STR_INIT("3;a\0\r\n"), NULL, 400, 0},
    {STR_INIT("3;\x7f\r\n"), NULL, 400, 0},
    {STR_INIT("3 a\r\n"), NULL, 400, 0},
    /* data not followed by CR LF */
    {STR_INIT("3\r\nabcd\r\n"), NULL, 400, 0},
    {STR_INIT("3\r\nabc\n"), NULL, 400, 0},
    {STR_INIT("3\r\nabc\rx"), NULL, 400, 0},
    /* trailers */
    {STR_INIT("0\r\n: a\r\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\nX a\r\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\nX : a\r\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\nX: a\r\n b\r\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\nX: a\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\nX: \x01\r\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\nX\r\n\r\n"), NULL, 400, 0},
    {STR_INIT("0\r\n\n"), NULL, 400, 0},
    {STR_INIT("0\r\n\rx"), NULL, 400, 0},
    {STR_INIT("0\r\nX:\r\nY:\r\nZ:\r\n\r\n"), NULL, 431, 0},
    {STR_INIT("0\r\nX: 0123456789012345678901234567890\r\n\r\n"), NULL, 431, 0},
  /* clang-format on */
};

static void check_case(size_t i, size_t piece)
{
    struct bodyparse p;
    struct http_fault fault = {0};
    enum parse_result r = PARSE_MORE;
    struct buf out;
    size_t at = 0, used;

    buf_init(&out, limits.max_body);
    bodyparse_begin_chunked(&p, &limits);
    while (r == PARSE_MORE && at < cases[i].in.len) {
        r = bodyparse_feed(&p, str_sub(cases[i].in, at, piece), &used, &out, &fault);
        at += used;
    }
    if (cases[i].body != NULL) {
        if (r != PARSE_DONE || !str_is(buf_str(&out), cases[i].body))
            fail_msg("\"%.*s\" in pieces of %zu: %d", STR_ARG(cases[i].in), piece, r);
        assert_int_equal(cases[i].in.len - at, cases[i].left);
    } else if (r != (cases[i].status > 0 ? PARSE_BAD : PARSE_MORE) ||
               fault.status != cases[i].status) {
        fail_msg("\"%.*s\" in pieces of %zu: %d, %d", STR_ARG(cases[i].in), piece, r, fault.status);
    }
    buf_fini(&out);
}

static void test_decodes_chunks_however_cut(void **state)
{
    size_t i, piece;

    (void)state;
    for (i = 0; i < COUNT_OF(cases); i++)
        for (piece = 1; piece <= cases[i].in.len + 1; piece++)
            check_case(i, piece);
}

static void test_limits_extensions_of_all_chunks(void **state)
{
    struct bodyparse p;
    struct http_fault fault = {0};
    enum parse_result r = PARSE_MORE;
    struct buf out;
    size_t used, n = 0;

    (void)state;
    buf_init(&out, 0);
    bodyparse_begin_chunked(&p, &(struct body_limits){1000000, 32, 2});
    while (r == PARSE_MORE && n++ < 100000)
        r = bodyparse_feed(&p, STR("1;0123456789\r\na\r\n"), &used, &out, &fault);
    assert_int_equal(r, PARSE_BAD);
    assert_int_equal(fault.status, 400);
    assert_in_range(n, 50, 1024);
    buf_fini(&out);
}

static void test_counts_a_body_of_known_length(void **state)
{
    struct bodyparse p;
    struct http_fault fault = {0};
    struct buf out;
    size_t used;

    (void)state;
    buf_init(&out, limits.max_body);
    assert_true(bodyparse_begin_length(&p, 5, &limits, &fault));
    assert_int_equal(bodyparse_feed(&p, STR("ab"), &used, &out, &fault), PARSE_MORE);
    assert_int_equal(used, 2);
    assert_int_equal(bodyparse_feed(&p, STR("cdeGET"), &used, &out, &fault), PARSE_DONE);
    assert_int_equal(used, 3);
    assert_true(str_is(buf_str(&out), "abcde"));
    assert_true(bodyparse_begin_length(&p, 0, &limits, &fault));
    assert_int_equal(bodyparse_feed(&p, STR("GET"), &used, &out, &fault), PARSE_DONE);
    assert_int_equal(used, 0);
    assert_true(bodyparse_begin_length(&p, 16, &limits, &fault));
    assert_false(bodyparse_begin_length(&p, 17, &limits, &fault));
    assert_int_equal(fault.status, 413);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decodes_chunks_however_cut),
        cmocka_unit_test(test_limits_extensions_of_all_chunks),
        cmocka_unit_test(test_counts_a_body_of_known_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
