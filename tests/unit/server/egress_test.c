/*
 * egress_test.c - which hosts and addresses may be sent to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/egress.h"

static const struct str listed[] = {STR_INIT("hooks.example.com"), STR_INIT("*.trusted.example"),
                                    STR_INIT("10.1.0.0/16"), STR_INIT("2001:db8:1::/48")};

static bool allows(const struct egress *e, const char *host, const char *address)
{
    struct ip_address ip;

    assert_true(ip_parse(str_of(address), &ip));
    return egress_allows(e, str_of(host), &ip);
}

static void test_without_a_list_only_public_addresses_will_do(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    const struct egress *e;

    (void)state;
    errors_init(&errs, a);
    e = egress_new(NULL, 0, "k", a, &errs);
    assert_non_null(e);
    assert_true(allows(e, "hooks.example.com", "8.8.8.8"));
    assert_true(allows(e, "8.8.8.8", "8.8.8.8"));
    assert_false(allows(e, "hooks.example.com", "127.0.0.1"));
    assert_false(allows(e, "hooks.example.com", "169.254.169.254"));
    assert_false(allows(e, "localhost", "::1"));
    arena_free(a);
}

static void test_a_list_says_which_hosts_and_networks(void **state)
{
    static const struct {
        const char *host, *address;
        bool allowed;
    } rows[] = {
        {"hooks.example.com",      "8.8.8.8",       true },
        {"HOOKS.Example.com",      "8.8.8.8",       true },
        {"hooks.example.com.",     "8.8.8.8",       true },
        {"example.com",            "8.8.8.8",       false},
        {"a.hooks.example.com",    "8.8.8.8",       false},
        {"hooks.example.com.evil", "8.8.8.8",       false},
        {"xhooks.example.com",     "8.8.8.8",       false},
        {"a.trusted.example",      "8.8.8.8",       true },
        {"a.b.trusted.example",    "8.8.8.8",       true },
        {"trusted.example",        "8.8.8.8",       false},
        {".trusted.example",       "8.8.8.8",       false},
        {"untrusted.example",      "8.8.8.8",       false},
        {"8.8.8.8",                "8.8.8.8",       false},
        {"",                       "8.8.8.8",       false},
 /* A name's address is what its server says: it has to be listed as well. */
        {"hooks.example.com",      "10.0.0.1",      false},
        {"hooks.example.com",      "127.0.0.1",     false},
        {"hooks.example.com",      "::1",           false},
        {"hooks.example.com",      "10.1.2.3",      true },
        {"whatever.example",       "10.1.2.3",      true },
        {"whatever.example",       "10.2.0.0",      false},
        {"whatever.example",       "2001:db8:1::1", true },
        {"whatever.example",       "2001:db8:2::1", false},
    };
    struct arena *a = arena_new(0);
    struct errors errs;
    const struct egress *e;

    (void)state;
    errors_init(&errs, a);
    e = egress_new(listed, COUNT_OF(listed), "k", a, &errs);
    assert_non_null(e);
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (allows(e, rows[i].host, rows[i].address) != rows[i].allowed)
            fail_msg("%s %s", rows[i].host, rows[i].address);
    arena_free(a);
}

static void test_an_entry_is_a_host_or_a_network(void **state)
{
    static const char *const wrong[] = {"",
                                        "https://a.example",
                                        "a.example:443",
                                        "a.*.com",
                                        "*",
                                        "*.",
                                        "10.1.2.3/8",
                                        "10.1.2",
                                        "10.1.2.3/33",
                                        "a/b",
                                        "user@a.example",
                                        "a b",
                                        ".example",
                                        "example."};
    struct arena *a = arena_new(0);
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct str entry = str_of(wrong[i]);

        if (egress_new(&entry, 1, "the.key", a, &errs) != NULL)
            fail_msg("%s", wrong[i]);
    }
    assert_int_equal(errs.n, COUNT_OF(wrong));
    assert_true(str_starts(errs.first->message, STR("the.key: ")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_list_only_public_addresses_will_do),
        cmocka_unit_test(test_a_list_says_which_hosts_and_networks),
        cmocka_unit_test(test_an_entry_is_a_host_or_a_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
