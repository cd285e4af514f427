/*
 * buf_test.c - growable bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_appends(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    assert_string_equal(buf_cstr(&b), "");
    buf_append_lit(&b, "a");
    buf_append_str(&b, STR("bc"));
    buf_append_char(&b, ',');
    buf_append_u64(&b, UINT64_MAX);
    buf_append_char(&b, ',');
    buf_append_i64(&b, INT64_MIN);
    buf_append_u64(&b, 0);
    buf_printf(&b, " %s", "end");
    buf_append(&b, NULL, 0);
    assert_string_equal(buf_cstr(&b), "abc,18446744073709551615,-92233720368547758080 end");
    assert_true(buf_ok(&b));
    buf_fini(&b);
}

static void test_fails_at_its_maximum_and_stays_so(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    buf_append_lit(&b, "0123456789");
    assert_true(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "0123456789"); /* the NUL is not counted */
    buf_append_char(&b, 'x');
    assert_false(buf_ok(&b));
    assert_int_equal(b.len, 10);
    buf_append(&b, "", 0);
    buf_printf(&b, "%d", 1);
    assert_false(buf_ok(&b));
    assert_null(buf_reserve(&b, 1));
    assert_string_equal(buf_cstr(&b), "");
    buf_clear(&b);
    assert_true(buf_ok(&b));
    buf_append_lit(&b, "again");
    assert_string_equal(buf_cstr(&b), "again");
    assert_null(buf_reserve(&b, SIZE_MAX));
    buf_fini(&b);
}

static void test_room_need_not_be_used(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10);
    for (int i = 0; i < 5; i++) {
        char *to = buf_room(&b, 1000);

        assert_non_null(to);
        memset(to, '0' + i, 1000);
        buf_used(&b, 2);
    }
    assert_true(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "0011223344");
    assert_non_null(buf_room(&b, 1000));
    buf_used(&b, 0);
    assert_true(buf_ok(&b));
    /* The maximum holds for the others, too. */
    assert_null(buf_reserve(&b, 1));
    assert_null(buf_room(&b, 1));
    buf_clear(&b);
    assert_non_null(buf_room(&b, 1000));
    buf_used(&b, 11);
    assert_false(buf_ok(&b));
    buf_fini(&b);
    b = (struct buf){0};
    assert_non_null(buf_room(&b, 3));
    buf_used(&b, 3);
    assert_true(buf_ok(&b));
    buf_fini(&b);
}

static void test_moves(void **state)
{
    struct buf a, b;

    (void)state;
    buf_init(&a, 100);
    buf_append_lit(&a, "text");
    b = buf_move(&a);
    assert_int_equal(a.len, 0);
    assert_null(a.data);
    assert_string_equal(buf_cstr(&b), "text");
    buf_append_lit(&a, "more");
    assert_string_equal(buf_cstr(&a), "more");
    buf_fini(&a);
    buf_fini(&b);
}

static void test_prints_long_text(void **state)
{
    struct buf b;

    (void)state;
    for (int len = 250; len < 1100; len += 3) {
        buf_init(&b, 0);
        buf_append_char(&b, '>');
        buf_printf(&b, "%0*d", len, 7);
        assert_int_equal(b.len, len + 1);
        assert_int_equal(b.data[len], '7');
        buf_fini(&b);
    }
    buf_init(&b, 300);
    buf_printf(&b, "%0300d", 7);
    assert_true(buf_ok(&b));
    assert_int_equal(b.len, 300);
    buf_fini(&b);
    buf_init(&b, 299);
    buf_printf(&b, "%0300d", 7);
    assert_false(buf_ok(&b));
    buf_fini(&b);
}

static void test_a_zeroed_buf_has_no_limit(void **state)
{
    struct buf b = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_append_lit(&b, "0123456789");
    assert_int_equal(b.len, 1000000);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_fails_at_its_maximum_and_stays_so),
        cmocka_unit_test(test_room_need_not_be_used),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_prints_long_text),
        cmocka_unit_test(test_a_zeroed_buf_has_no_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
