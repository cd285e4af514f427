/*
 * handed_test.c - what $LISTEN_FDS and its kin say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/handed.h"

static char own[32];

static void test_takes_by_name_in_order(void **state)
{
    struct handed h;

    (void)state;
    handed_read(&h, own, "4", "http:admin:http:");
    assert_int_equal(h.n, 4);
    assert_int_equal(handed_take(&h, STR("admin")), 4);
    assert_int_equal(handed_take(&h, STR("admin")), -1);
    assert_int_equal(handed_take(&h, STR("http")), 3);
    assert_int_equal(handed_take(&h, STR("http")), 5);
    assert_int_equal(handed_take(&h, STR("http")), -1);
    assert_int_equal(handed_take(&h, STR("htt")), -1);
    assert_false(h.items[3].taken);
}

/* systemd's own word for them */
static void test_without_names_they_are_unknown(void **state)
{
    struct handed h;

    (void)state;
    handed_read(&h, own, "2", NULL);
    assert_int_equal(handed_take(&h, STR("unknown")), 3);
    assert_int_equal(handed_take(&h, STR("unknown")), 4);
    assert_int_equal(handed_take(&h, STR("unknown")), -1);
}

static void test_what_is_not_for_us_is_nothing(void **state)
{
    struct handed h;

    (void)state;
    handed_read(&h, "1", "1", "http");
    assert_int_equal(h.n, 0);
    handed_read(&h, NULL, "1", "http");
    assert_int_equal(h.n, 0);
    handed_read(&h, own, NULL, "http");
    assert_int_equal(h.n, 0);
    handed_read(&h, own, "-1", "http");
    assert_int_equal(h.n, 0);
    handed_read(&h, own, "many", "http");
    assert_int_equal(h.n, 0);
    handed_read(&h, own, "18446744073709551615", "http");
    assert_int_equal(h.n, MAX_HANDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_by_name_in_order),
        cmocka_unit_test(test_without_names_they_are_unknown),
        cmocka_unit_test(test_what_is_not_for_us_is_nothing),
    };

    snprintf(own, sizeof(own), "%d", (int)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
