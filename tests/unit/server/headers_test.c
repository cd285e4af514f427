/* headers_test.c - the headers of a request, read in one pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/headers.h"

static void the_first_of_each_name_is_taken_in_any_case(void **state)
{
    static const struct http_header all[] = {
        {STR_INIT("Host"),                     STR_INIT("x")                },
        {STR_INIT("ACCEPT"),                   STR_INIT("1")                },
        {STR_INIT("Accept-Encoding"),          STR_INIT("2")                },
        {STR_INIT("accept"),                   STR_INIT("no")               },
        {STR_INIT("Apollo-Require-Preflight"), STR_INIT("3")                },
        {STR_INIT("authorization"),            STR_INIT("4")                },
        {STR_INIT("content-Type"),             STR_INIT("5")                },
        {STR_INIT("Cookie"),                   STR_INIT("6")                },
        {STR_INIT("If-None-Match"),            STR_INIT("7")                },
        {STR_INIT("Origin"),                   STR_INIT("")                 },
        {STR_INIT("Origin"),                   STR_INIT("https://b.example")},
        {STR_INIT("Sec-Fetch-Site"),           STR_INIT("8")                },
        {STR_INIT("X-Apollo-Operation-Name"),  STR_INIT("9")                },
        {STR_INIT("cooki2"),                   STR_INIT("no")               },
    };
    struct http_request q = {.headers = all, .nheaders = COUNT_OF(all)};
    struct request_headers h;

    (void)state;
    headers_read(&q, &h);
    assert_true(str_is(h.accept, "1"));
    assert_true(str_is(h.accept_encoding, "2"));
    assert_true(str_is(h.apollo_require_preflight, "3"));
    assert_true(str_is(h.authorization, "4"));
    assert_true(str_is(h.content_type, "5"));
    assert_true(str_is(h.cookie, "6"));
    assert_true(str_is(h.if_none_match, "7"));
    assert_true(h.origin.data != NULL && h.origin.len == 0);
    assert_true(str_is(h.sec_fetch_site, "8"));
    assert_true(str_is(h.x_apollo_operation_name, "9"));
}

static void what_is_not_there_is_null(void **state)
{
    struct http_request q = {0};
    struct request_headers h;

    (void)state;
    headers_read(&q, &h);
    assert_null(h.accept.data);
    assert_null(h.origin.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_each_name_is_taken_in_any_case),
        cmocka_unit_test(what_is_not_there_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
