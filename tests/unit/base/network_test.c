/*
 * network_test.c - which addresses are public.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/network.h"

static void test_addresses_inside_are_not_public(void **state)
{
    static const struct {
        const char *text;
        bool is_public;
    } rows[] = {
        {"8.8.8.8",                true },
        {"9.255.255.255",          true },
        {"11.0.0.0",               true },
        {"100.63.255.255",         true },
        {"100.128.0.0",            true },
        {"172.15.255.255",         true },
        {"172.32.0.0",             true },
        {"192.169.0.0",            true },
        {"198.17.255.255",         true },
        {"198.20.0.0",             true },
        {"223.255.255.255",        true },
        {"0.0.0.0",                false},
        {"0.1.2.3",                false},
        {"10.0.0.0",               false},
        {"10.255.255.255",         false},
        {"100.64.0.0",             false},
        {"100.127.255.255",        false},
        {"127.0.0.1",              false},
        {"127.9.9.9",              false},
        {"169.254.169.254",        false},
        {"172.16.0.0",             false},
        {"172.31.255.255",         false},
        {"192.0.0.8",              false},
        {"192.0.2.1",              false},
        {"192.168.0.1",            false},
        {"198.18.0.1",             false},
        {"198.19.255.255",         false},
        {"198.51.100.1",           false},
        {"203.0.113.1",            false},
        {"224.0.0.1",              false},
        {"240.0.0.1",              false},
        {"255.255.255.255",        false},
        {"2a00:1450::1",           true },
        {"2600::",                 true },
        {"2001:200::1",            true },
        {"::ffff:8.8.8.8",         true },
        {"64:ff9b::8.8.8.8",       true },
        {"64:ff9b::127.0.0.1",     false},
        {"64:ff9b::10.0.0.1",      false},
        {"64:ff9b:1::8.8.8.8",     false},
        {"::ffff:127.0.0.1",       false},
        {"::ffff:169.254.169.254", false},
        {"::",                     false},
        {"::1",                    false},
        {"::127.0.0.1",            false},
        {"fc00::1",                false},
        {"fd00:ec2::254",          false},
        {"fe80::1",                false},
        {"fec0::1",                false},
        {"ff02::1",                false},
        {"2001::1",                false},
        {"2001:db8::1",            false},
        {"2002:7f00:1::",          false},
        {"3fff::1",                false},
        {"100::1",                 false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ip_address ip;

        assert_true(ip_parse(str_of(rows[i].text), &ip));
        if (ip_is_public(&ip) != rows[i].is_public)
            fail_msg("%s", rows[i].text);
    }
}

static void test_addresses_of_sockets(void **state)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct ip_address ip, expected;

    (void)state;
    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &v4.sin_addr), 1);
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &v6.sin6_addr), 1);
    assert_true(ip_of((struct sockaddr *)&v4, &ip) && ip_parse(STR("192.0.2.7"), &expected));
    assert_memory_equal(&ip, &expected, sizeof(ip));
    assert_true(ip_of((struct sockaddr *)&v6, &ip) && ip_parse(STR("2001:db8::7"), &expected));
    assert_memory_equal(&ip, &expected, sizeof(ip));
    assert_false(ip_of((struct sockaddr *)&un, &ip));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_inside_are_not_public),
        cmocka_unit_test(test_addresses_of_sockets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
