/*
 * map_test.c - insertion-ordered map.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"

static void test_finds_what_was_added_in_order(void **state)
{
    struct arena *a = arena_new(0);
    struct map m;

    (void)state;
    map_init(&m, a);
    assert_null(map_get(&m, STR("k0")));
    for (uintptr_t i = 0; i < 5000; i++) {
        struct str key = arena_printf(a, "k%zu", (size_t)i);

        assert_true(map_add(&m, key, (void *)(i + 1)));
        assert_false(map_add(&m, key, (void *)(i + 2)));
        assert_ptr_equal(map_get(&m, key), (void *)(i + 1));
        assert_null(map_get(&m, STR("absent")));
    }
    assert_int_equal(m.n, 5000);
    for (uintptr_t i = 0; i < m.n; i++) {
        assert_true(str_eq(m.entries[i].key, arena_printf(a, "k%zu", (size_t)i)));
        assert_ptr_equal(map_get(&m, m.entries[i].key), (void *)(i + 1));
    }
    arena_free(a);
}

static void test_put_replaces(void **state)
{
    struct arena *a = arena_new(0);
    struct map m;
    int one, two;

    (void)state;
    map_init(&m, a);
    map_put(&m, STR("a"), &one);
    map_put(&m, STR("a"), &two);
    assert_int_equal(m.n, 1);
    assert_ptr_equal(map_get(&m, STR("a")), &two);
    assert_true(map_add(&m, STR(""), &one));
    assert_ptr_equal(map_get(&m, str_of(NULL)), &one);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_added_in_order),
        cmocka_unit_test(test_put_replaces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
