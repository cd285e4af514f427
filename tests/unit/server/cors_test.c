/* cors_test.c - which origins get which permission. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cors.h"

static const struct str listed[] = {STR_INIT("https://a.example"),
                                    STR_INIT("http://localhost:3000")};
static const struct str star[] = {STR_INIT("*")};
static const struct str methods[] = {STR_INIT("GET"), STR_INIT("POST")};
static const struct str names[] = {STR_INIT("content-type"), STR_INIT("authorization")};

static struct config config_of(const struct str *origins, size_t n, bool credentials)
{
    return (struct config){
        .cors_enabled = true,
        .cors_allow_origins = {origins, n                },
        .cors_allow_methods = {methods, COUNT_OF(methods)},
        .cors_allow_headers = {names,   COUNT_OF(names)  },
        .cors_expose_headers = {names,   1                },
        .cors_allow_credentials = credentials,
        .cors_max_age_ms = 600000,
    };
}

/* Value of a reply's header; data NULL: none. */
static struct str header(const struct http_header *items, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(items[i].name, name))
            return items[i].value;
    return str_make(NULL, 0);
}

static const struct {
    struct str origin;
    bool allowed;
} origins[] = {
    {STR_INIT("https://a.example"),      true },
    {STR_INIT("http://localhost:3000"),  true },
    {STR_INIT("http://a.example"),       false},
    {STR_INIT("https://a.example:443"),  false},
    {STR_INIT("https://A.example"),      false},
    {STR_INIT("https://a.example/"),     false},
    {STR_INIT("https://a.example.evil"), false},
    {STR_INIT("https://evil.a.example"), false},
    {STR_INIT("https://a.exampl"),       false},
    {STR_INIT("http://localhost"),       false},
    {STR_INIT("null"),                   false},
    {STR_INIT("*"),                      false},
    {STR_INIT(""),                       false},
    {{NULL, 0},                          false},
};

static void only_listed_origins_are_allowed(void **state)
{
    struct config config = config_of(listed, COUNT_OF(listed), true);
    struct arena *a = arena_new(0);
    struct cors c;

    (void)state;
    cors_init(&c, &config, a);
    for (size_t i = 0; i < COUNT_OF(origins); i++) {
        struct reply_headers h = {.n = 0};
        struct str said;

        cors_add(&c, origins[i].origin, &h);
        said = header(h.items, h.n, "Access-Control-Allow-Origin");
        if (cors_lists(&c, origins[i].origin) != origins[i].allowed ||
            (said.data != NULL) != origins[i].allowed || (h.n > 0) != origins[i].allowed)
            fail_msg("Origin: %.*s", STR_ARG(origins[i].origin));
        if (!origins[i].allowed)
            continue;
        assert_true(str_eq(said, origins[i].origin));
        assert_true(str_is(header(h.items, h.n, "Access-Control-Allow-Credentials"), "true"));
        assert_true(str_is(header(h.items, h.n, "Access-Control-Expose-Headers"), "content-type"));
    }
    arena_free(a);
}

static void a_star_allows_everybody_and_lists_nobody(void **state)
{
    struct config config = config_of(star, 1, false);
    struct arena *a = arena_new(0);
    struct reply_headers h = {.n = 0};
    struct cors c;

    (void)state;
    cors_init(&c, &config, a);
    cors_add(&c, STR("https://anybody.example"), &h);
    assert_true(str_is(header(h.items, h.n, "Access-Control-Allow-Origin"), "*"));
    assert_null(header(h.items, h.n, "Access-Control-Allow-Credentials").data);
    assert_false(cors_lists(&c, STR("https://anybody.example")));
    assert_false(cors_lists(&c, STR("*")));
    h.n = 0;
    cors_add(&c, str_make(NULL, 0), &h);
    assert_int_equal(h.n, 0);
    arena_free(a);
}

static void nothing_is_allowed_when_it_is_off(void **state)
{
    struct config config = config_of(listed, COUNT_OF(listed), false);
    struct arena *a = arena_new(0);
    struct reply_headers h = {.n = 0};
    struct cors c;

    (void)state;
    config.cors_enabled = false;
    cors_init(&c, &config, a);
    cors_add(&c, listed[0], &h);
    assert_int_equal(h.n, 0);
    assert_false(cors_lists(&c, listed[0]));
    arena_free(a);
}

static void preflight_answers_with_the_configuration_not_the_request(void **state)
{
    struct config config = config_of(listed, COUNT_OF(listed), false);
    struct http_header sent[] = {
        {STR("Origin"),                         STR("https://a.example")},
        {STR("Access-Control-Request-Method"),  STR("DELETE")           },
        {STR("Access-Control-Request-Headers"), STR("x-evil")           },
    };
    struct http_request q = {.method = STR("OPTIONS"), .headers = sent, .nheaders = 3};
    struct arena *a = arena_new(0);
    struct http_reply r;
    struct cors c;

    (void)state;
    cors_init(&c, &config, a);
    cors_preflight(&c, &q, a, &r);
    assert_int_equal(r.status, 204);
    assert_int_equal(r.body.len, 0);
    assert_true(str_is(header(r.headers, r.nheaders, "Vary"), "Origin"));
    assert_true(
        str_is(header(r.headers, r.nheaders, "Access-Control-Allow-Origin"), "https://a.example"));
    assert_true(str_is(header(r.headers, r.nheaders, "Access-Control-Allow-Methods"), "GET, POST"));
    assert_true(str_is(header(r.headers, r.nheaders, "Access-Control-Allow-Headers"),
                       "content-type, authorization"));
    assert_true(str_is(header(r.headers, r.nheaders, "Access-Control-Max-Age"), "600"));
    sent[0].value = STR("https://b.example");
    cors_preflight(&c, &q, a, &r);
    assert_int_equal(r.status, 204);
    assert_int_equal(r.nheaders, 1);
    assert_true(str_is(r.headers[0].name, "Vary"));
    /* Any OPTIONS that is no preflight. */
    q.nheaders = 1;
    cors_preflight(&c, &q, a, &r);
    assert_null(header(r.headers, r.nheaders, "Access-Control-Allow-Origin").data);
    assert_non_null(header(r.headers, r.nheaders, "Allow").data);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_listed_origins_are_allowed),
        cmocka_unit_test(a_star_allows_everybody_and_lists_nobody),
        cmocka_unit_test(nothing_is_allowed_when_it_is_off),
        cmocka_unit_test(preflight_answers_with_the_configuration_not_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
