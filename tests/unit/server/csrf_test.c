/* csrf_test.c - which requests another site could have had sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/csrf.h"

static const struct str listed[] = {STR_INIT("https://a.example")};
static const struct str star[] = {STR_INIT("*")};

struct csrf_row {
    struct request_headers headers;
    bool suspect;
};

#define S(text) STR_INIT(text)

static const struct csrf_row rows[] = {
  /* clang-format off */
    /* No browser, or nothing of its user. */
    {{.accept = S("*/*")}, false},
    {{.content_type = S("text/plain")}, false},
    /* Evidence of another site. */
    {{.origin = S("https://b.example")}, true},
    {{.origin = S("null")}, true},
    {{.origin = S("")}, true},
    {{.sec_fetch_site = S("cross-site")}, true},
    {{.sec_fetch_site = S("same-site")}, true},
    {{.sec_fetch_site = S("nonsense")}, true},
    {{.cookie = S("session=1")}, true},
    {{.sec_fetch_site = S("cross-site"), .cookie = S("session=1")}, true},
    /* The browser vouches for it. */
    {{.sec_fetch_site = S("same-origin"), .cookie = S("session=1")}, false},
    {{.sec_fetch_site = S("none"), .cookie = S("session=1")}, false},
    /* A listed origin. */
    {{.origin = S("https://a.example"), .sec_fetch_site = S("cross-site"), .cookie = S("session=1")}, false},
    {{.origin = S("https://a.example.evil"), .sec_fetch_site = S("cross-site")}, true},
    /* Headers that take a preflight. */
    {{.origin = S("https://b.example"), .content_type = S("application/json")}, false},
    {{.origin = S("https://b.example"), .content_type = S("application/json; charset=utf-8")}, false},
    {{.origin = S("https://b.example"), .apollo_require_preflight = S("x")}, false},
    {{.origin = S("https://b.example"), .x_apollo_operation_name = S("x")}, false},
    {{.cookie = S("session=1"), .content_type = S("application/json")}, false},
    {{.origin = S("https://b.example"), .apollo_require_preflight = S("")}, true},
    {{.origin = S("https://b.example"), .x_apollo_operation_name = S("")}, true},
    /* Headers that do not. */
    {{.origin = S("https://b.example"), .content_type = S("text/plain")}, true},
    {{.origin = S("https://b.example"), .content_type = S("TEXT/plain;charset=UTF-8")}, true},
    {{.origin = S("https://b.example"), .content_type = S("text/plain; application/json")}, true},
    {{.origin = S("https://b.example"), .content_type = S("application/x-www-form-urlencoded")}, true},
    {{.origin = S("https://b.example"), .content_type = S("multipart/form-data; boundary=x")}, true},
    {{.origin = S("https://b.example"), .content_type = S("json")}, true},
    {{.origin = S("https://b.example"), .content_type = S("")}, true},
  /* clang-format on */
};

static void what_takes_no_preflight_is_suspect_where_a_browser_may_have_sent_it(void **state)
{
    const struct cors cors = {
        .enabled = true, .origins = {listed, 1}
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (csrf_suspects(&rows[i].headers, &cors) != rows[i].suspect)
            fail_msg("row %zu", i);
}

static void a_star_or_a_list_that_is_off_vouches_for_nobody(void **state)
{
    static const struct request_headers h = {.origin = S("https://a.example")};
    const struct cors any = {
        .enabled = true, .any = true, .origins = {star, 1}
    };
    const struct cors off = {
        .enabled = false, .origins = {listed, 1}
    };

    (void)state;
    assert_true(csrf_suspects(&h, &any));
    assert_true(csrf_suspects(&h, &off));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_takes_no_preflight_is_suspect_where_a_browser_may_have_sent_it),
        cmocka_unit_test(a_star_or_a_list_that_is_off_vouches_for_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
