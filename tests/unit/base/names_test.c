/*
 * names_test.c - items of an array by their names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/names.h"

struct item {
    struct str name;
    size_t number;
};

/* n items, named by their numbers so that the names begin anew after `different` of them. */
static struct item *make(size_t n, size_t different, struct arena *a)
{
    struct item *items = ARENA_ARRAY(a, n, struct item);

    for (size_t i = 0; i < n; i++)
        items[i] = (struct item){arena_printf(a, "name%zu", i % different), i};
    return items;
}

static void test_finds_the_first_of_each_name(void **state)
{
    static const size_t sizes[] = {0, 1, 7, 8, 9, 15, 16, 17, 100, 4097};
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        size_t n = sizes[s], different = n / 3 + 1;
        struct item *items = make(n, different, a);
        struct names x;

        names_init(&x, items, n, sizeof *items, a);
        for (size_t i = 0; i < n; i++)
            assert_ptr_equal(names_get(&x, items[i].name), &items[i % different]);
        assert_null(names_get(&x, STR("name")));
        assert_null(names_get(&x, STR("")));
        assert_null(names_get(&x, STR("another")));
    }
    arena_free(a);
}

static void test_finds_what_pointers_lead_to(void **state)
{
    static const size_t sizes[] = {1, 8, 9, 1000};
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        size_t n = sizes[s];
        struct item *items = make(n, n, a);
        const struct item **pointers = ARENA_ARRAY(a, n, const struct item *);
        struct names x;

        for (size_t i = 0; i < n; i++)
            pointers[i] = &items[n - 1 - i];
        names_init_pointers(&x, pointers, n, a);
        for (size_t i = 0; i < n; i++)
            assert_ptr_equal(names_get(&x, items[i].name), &items[i]);
        assert_null(names_get(&x, STR("name")));
    }
    arena_free(a);
}

static void test_none_are_found_in_zeros(void **state)
{
    struct names x = {0};

    (void)state;
    assert_null(names_get(&x, STR("name")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_first_of_each_name),
        cmocka_unit_test(test_finds_what_pointers_lead_to),
        cmocka_unit_test(test_none_are_found_in_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
