/*
 * forwarded_test.c - whom to believe about who the client is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/forwarded.h"

static struct forwarded *make(struct arena *a, const char *list, struct errors *errs)
{
    struct str items[8], rest = str_of(list);
    size_t n = 0;

    errors_init(errs, a);
    while (rest.len > 0) {
        str_cut(rest, ' ', &items[n], &rest);
        n++;
    }
    return forwarded_new(items, n, errs);
}

static void test_refuses_malformed_networks(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/33", "10.0.0.1/8",  "10.0.0/8", "fd00::/129",  "fd00::1/8", "example.com",
        "10.0.0.0/",   "10.0.0.0/-1", "/8",       "10.0.0.0/8x", "unix",      "10.0.0.0/0008",
    };
    struct arena *a = arena_new(0);
    struct errors errs;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++) {
        if (make(a, bad[i], &errs) != NULL)
            fail_msg("accepted %s", bad[i]);
        assert_int_equal(errs.n, 1);
        assert_int_equal(errs.first->code, CONFIG_INVALID);
    }
    assert_null(make(a, "10.0.0.0/8 a b", &errs));
    assert_int_equal(errs.n, 2);
    arena_free(a);
}

/* networks, peer; trusted? */
static const struct {
    const char *networks, *peer;
    bool trusted;
} trust[] = {
  /* clang-format off */
    {"", "10.1.2.3", false},
    {"10.0.0.0/8", "10.1.2.3", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "::ffff:10.0.0.1", true},
    {"10.128.0.0/9", "10.127.255.255", false},
    {"10.128.0.0/9", "10.128.0.0", true},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"0.0.0.0/0", "203.0.113.1", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "203.0.113.1", true},
    {"fd00::/8 ::1", "fdff::1", true},
    {"fd00::/8 ::1", "::1", true},
    {"fd00::/8 ::1", "fe00::1", false},
    {"10.0.0.0/8", NULL, false},
    {"10.0.0.0/8 unix:", NULL, true},
  /* clang-format on */
};

static void test_trusts_peers_in_networks(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(trust); i++) {
        struct forwarded *f = make(a, trust[i].networks, &errs);
        struct ip_address ip;

        assert_non_null(f);
        if (trust[i].peer != NULL)
            assert_true(ip_parse(str_of(trust[i].peer), &ip));
        if (forwarded_trusts(f, trust[i].peer != NULL ? &ip : NULL) != trust[i].trusted)
            fail_msg("%s in %s", trust[i].peer, trust[i].networks);
        forwarded_free(f);
    }
    arena_free(a);
}

/* two X-Forwarded-For headers (NULL: absent); client, NULL: nothing to learn */
static const struct {
    const char *first, *second, *client;
} clients[] = {
  /* clang-format off */
    {NULL, NULL, NULL},
    {"203.0.113.7", NULL, "203.0.113.7"},
    {"198.51.100.1, 203.0.113.7", NULL, "203.0.113.7"}, /* the left one is anybody's claim */
    {"203.0.113.7, 10.0.0.2", NULL, "203.0.113.7"},
    {"203.0.113.7,10.0.0.2 ,\t10.0.0.3", NULL, "203.0.113.7"},
    {"203.0.113.7", "10.0.0.2", "203.0.113.7"},
    {"198.51.100.1", "203.0.113.7", "203.0.113.7"},
    {"10.0.0.4, 10.0.0.3", NULL, "10.0.0.4"},
    {"203.0.113.7:4711", NULL, "203.0.113.7"},
    {"[2001:DB8::1]:4711", NULL, "2001:db8::1"},
    {"[2001:db8::1]", NULL, "2001:db8::1"},
    {"2001:db8:0:0::1", NULL, "2001:db8::1"},
    {"::ffff:203.0.113.7", NULL, "203.0.113.7"},
    {"unknown", NULL, NULL},
    {"", NULL, NULL},
    {"203.0.113.7, unknown", NULL, NULL},
    {"203.0.113.7, unknown, 10.0.0.2", NULL, "10.0.0.2"},
    {"203.0.113.7,", NULL, NULL},
    {"203.0.113.007", NULL, NULL},
    {"[2001:db8::1", NULL, NULL},
    {"[2001:db8::1]x", NULL, NULL},
  /* clang-format on */
};

static void test_finds_the_client(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct forwarded *f = make(a, "10.0.0.0/8", &errs);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(clients); i++) {
        struct http_header h[2] = {
            {STR("x-FORWARDED-for"), str_of(clients[i].first) },
            {STR("X-Forwarded-For"), str_of(clients[i].second)}
        };
        struct http_request r = {.headers = h};
        struct str client;

        r.nheaders = clients[i].second != NULL ? 2 : clients[i].first != NULL ? 1 : 0;
        client = forwarded_client(f, &r, a);
        if (!str_eq(client, str_of(clients[i].client)) ||
            (client.data == NULL) != (clients[i].client == NULL))
            fail_msg("\"%s\": %.*s", clients[i].first, STR_ARG(client));
    }
    forwarded_free(f);
    arena_free(a);
}

static void test_learns_the_scheme(void **state)
{
    static const struct {
        const char *value;
        bool secure;
    } schemes[] = {
        {"https",        true },
        {"HTTPS",        true },
        {"http",         false},
        {"",             false},
        {"https, http",  false},
        {"http, https ", true },
        {"wss",          false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(schemes); i++) {
        struct http_header h = {STR("X-Forwarded-Proto"), str_of(schemes[i].value)};
        struct http_request r = {.headers = &h, .nheaders = 1};

        assert_int_equal(forwarded_secure(&r), schemes[i].secure);
    }
    assert_false(forwarded_secure(&(struct http_request){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_malformed_networks),
        cmocka_unit_test(test_trusts_peers_in_networks),
        cmocka_unit_test(test_finds_the_client),
        cmocka_unit_test(test_learns_the_scheme),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
