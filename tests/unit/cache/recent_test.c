/* recent_test.c - what was missing is not looked for, for a while, and no more than so often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "cache/recent.h"

#define SECOND UINT64_C(1000000000)

static struct digest numbered(uint32_t i)
{
    return digest_sha256(str_make((const char *)&i, sizeof(i)));
}

static void what_is_missing_is_looked_for_again_after_its_time(void **state)
{
    struct recent *r = recent_new(64, 10000, 100);
    struct digest a = numbered(1), b = numbered(2);

    (void)state;
    assert_true(recent_begin(r, &a, SECOND));
    recent_missed(r, &a, SECOND);
    assert_false(recent_begin(r, &a, SECOND));
    assert_true(recent_begin(r, &b, SECOND));
    assert_false(recent_begin(r, &a, 11 * SECOND - 1));
    assert_true(recent_begin(r, &a, 11 * SECOND));
    recent_free(r);
}

static void what_comes_to_be_there_is_looked_for_at_once(void **state)
{
    struct recent *r = recent_new(64, 10000, 100);
    struct digest a = numbered(1);

    (void)state;
    recent_missed(r, &a, SECOND);
    recent_forget(r, &a);
    assert_true(recent_begin(r, &a, SECOND));
    recent_missed(r, &a, SECOND);
    recent_found(r, &a);
    assert_true(recent_begin(r, &a, SECOND));
    recent_free(r);
}

static void only_look_ups_that_find_nothing_are_counted(void **state)
{
    struct recent *r = recent_new(4096, 10000, 10);
    struct digest d;

    (void)state;
    for (uint32_t i = 0; i < 50; i++) {
        d = numbered(i);
        assert_true(recent_begin(r, &d, SECOND));
        recent_found(r, &d);
    }
    for (uint32_t i = 0; i < 50; i++) {
        d = numbered(100 + i);
        assert_int_equal(recent_begin(r, &d, SECOND), i < 10);
    }
    d = numbered(200);
    assert_false(recent_begin(r, &d, 2 * SECOND - 1));
    assert_true(recent_begin(r, &d, 2 * SECOND));
    recent_free(r);
}

static void more_than_it_holds_are_forgotten_the_oldest_first(void **state)
{
    struct recent *r = recent_new(64, 10000, 1000000);
    size_t known = 0;
    struct digest d;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        d = numbered(i);
        recent_missed(r, &d, SECOND + i);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        d = numbered(i);
        known += !recent_begin(r, &d, 2 * SECOND);
    }
    assert_true(known > 32 && known <= 64);
    d = numbered(999);
    assert_false(recent_begin(r, &d, 2 * SECOND));
    d = numbered(0);
    assert_true(recent_begin(r, &d, 2 * SECOND));
    recent_free(r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_looked_for_again_after_its_time),
        cmocka_unit_test(what_comes_to_be_there_is_looked_for_at_once),
        cmocka_unit_test(only_look_ups_that_find_nothing_are_counted),
        cmocka_unit_test(more_than_it_holds_are_forgotten_the_oldest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
