/*
 * notifier_test.c - pauses between attempts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs/notifier.h"

static void test_pauses_double_up_to_the_longest(void **state)
{
    static const uint64_t expected[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_int_equal(notifier_pause_ms(i + 1, 30000, 3600000), expected[i] * 1000);
    assert_int_equal(notifier_pause_ms(UINT64_MAX, 1, 86400000), 86400000);
    assert_int_equal(notifier_pause_ms(1, 500, 500), 500);
    assert_int_equal(notifier_pause_ms(50, 500, 500), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_double_up_to_the_longest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
