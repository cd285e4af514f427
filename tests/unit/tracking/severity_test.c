/*
 * severity_test.c - how bad which code is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tracking/severity.h"

static void test_codes(void **state)
{
    (void)state;
    assert_int_equal(severity_of(INTERNAL_SERVER_ERROR), SEVERITY_ERROR);
    assert_int_equal(severity_of(UNKNOWN_OUTCOME), SEVERITY_CRITICAL);
    assert_int_equal(severity_of(SERVICE_UNAVAILABLE), SEVERITY_ERROR);
    assert_int_equal(severity_of(TIMEOUT), SEVERITY_WARNING);
    assert_int_equal(severity_of(FORBIDDEN), SEVERITY_WARNING);
    assert_int_equal(severity_of(BAD_USER_INPUT), SEVERITY_INFO);
}

static void test_names(void **state)
{
    (void)state;
    for (int s = 0; s < SEVERITY_COUNT; s++)
        assert_int_equal(severity_by_name(str_of(severity_name((enum severity)s))), s);
    assert_int_equal(severity_by_name(STR("dreadful")), SEVERITY_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
