/*
 * digits_test.c - numbers as digits, against printf().
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digits.h"

static void test_pairs(void **state)
{
    char text[3], expected[3];

    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        *digits_hex(text, (unsigned char)i) = '\0';
        snprintf(expected, sizeof(expected), "%02x", i);
        assert_string_equal(text, expected);
        if (i >= 100)
            continue;
        *digits_pair(text, i) = '\0';
        snprintf(expected, sizeof(expected), "%02u", i);
        assert_string_equal(text, expected);
    }
}

static void check(uint64_t v)
{
    char text[24], expected[24];
    int n = snprintf(expected, sizeof(expected), "%llu", (unsigned long long)v);

    assert_int_equal(digits_count(v), n);
    *digits_put(text, v, (unsigned)n) = '\0';
    assert_string_equal(text, expected);
}

/* Around every power of two and of ten. */
static void test_every_length(void **state)
{
    uint64_t power = 1;

    (void)state;
    for (unsigned bit = 0; bit < 64; bit++)
        for (uint64_t d = 0; d < 3; d++)
            check((UINT64_C(1) << bit) + d - 1);
    for (int i = 0; i < 20; i++, power *= 10)
        for (uint64_t d = 0; d < 3; d++)
            check(power + d - 1);
    check(UINT64_MAX);
}

static void test_as_many_as_asked_for(void **state)
{
    char text[8];

    (void)state;
    *digits_put(text, 42, 5) = '\0';
    assert_string_equal(text, "00042");
    *digits_put(text, 1234567, 3) = '\0';
    assert_string_equal(text, "567");
    *digits_put(text, 7, 0) = '\0';
    assert_string_equal(text, "");
}

static void test_uuids(void **state)
{
    static const unsigned char bytes[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                          0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    char text[UUID_TEXT + 1];

    (void)state;
    *digits_uuid(text, bytes) = '\0';
    assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_as_many_as_asked_for),
        cmocka_unit_test(test_uuids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
