/*
 * arena_test.c - bump allocation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

static void test_zeroes_and_aligns(void **state)
{
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t size = 0; size < 5000; size += 7) {
        char *p = arena_alloc(a, size);

        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xaa, size);
    }
    assert_ptr_not_equal(arena_alloc(a, 0), arena_alloc(a, 0));
    arena_free(a);
    arena_free(NULL);
}

static void test_gives_large_and_small(void **state)
{
    static const size_t sizes[] = {1, 16000, 16384, 1 << 20, 3 << 20, 8, 400000, 100000, 1};
    struct arena *a = arena_new(0);
    size_t total = 0;

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            memset(arena_alloc_raw(a, sizes[i]), 1, sizes[i]);
            total += sizes[i];
        }
        assert_int_equal(arena_used(a), total);
        arena_reset(a);
        total = 0;
        assert_int_equal(arena_used(a), 0);
    }
    arena_free(a);
}

static void test_reset_zeroes_again(void **state)
{
    struct arena *a = arena_new(0);
    char *first = arena_alloc(a, 100);

    (void)state;
    memset(first, 0xff, 100);
    arena_reset(a);
    assert_ptr_equal(arena_alloc(a, 100), first);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(first[i], 0);
    arena_free(a);
}

static void test_limit_tells_and_does_not_fail(void **state)
{
    struct arena *a = arena_new(1000);

    (void)state;
    arena_alloc(a, 1000);
    assert_false(arena_over_limit(a));
    assert_non_null(arena_alloc(a, 1));
    assert_true(arena_over_limit(a));
    arena_reset(a);
    assert_false(arena_over_limit(a));
    arena_free(a);
}

struct trace {
    char text[8];
    size_t n;
};

static struct trace trace;

static void note(void *arg)
{
    trace.text[trace.n++] = *(const char *)arg;
}

static void test_cleans_up_newest_first(void **state)
{
    static char letters[] = "abc";
    struct arena *a = arena_new(0);

    (void)state;
    memset(&trace, 0, sizeof(trace));
    arena_cleanup(a, note, &letters[0]);
    arena_cleanup(a, note, &letters[1]);
    arena_reset(a);
    assert_string_equal(trace.text, "ba");
    arena_cleanup(a, note, &letters[2]);
    arena_free(a);
    assert_string_equal(trace.text, "bac");
}

static void test_prints_and_copies(void **state)
{
    struct arena *a = arena_new(0);
    struct str s = arena_printf(a, "%s=%d", "x", 7);
    struct str big;

    (void)state;
    assert_string_equal(s.data, "x=7");
    assert_int_equal(s.len, 3);
    big = arena_printf(a, "%0*d", 5000, 1);
    assert_int_equal(big.len, 5000);
    assert_int_equal(big.data[4999], '1');
    assert_int_equal(big.data[5000], '\0');
    s = arena_dup(a, str_make("abc", 2));
    assert_string_equal(s.data, "ab");
    assert_string_equal(arena_dup(a, str_of(NULL)).data, "");
    assert_memory_equal(arena_copy(a, "\0\1\2", 3), "\0\1\2", 3);
    arena_free(a);
}

static void test_vector_grows(void **state)
{
    struct arena *a = arena_new(0);
    struct {
        uint64_t *items;
        size_t n, cap;
    } v = {0}, w = {0};

    (void)state;
    for (uint64_t i = 0; i < 100000; i++) {
        VEC_PUSH(a, &v, i);
        if (i % 3 == 0)
            VEC_PUSH(a, &w, i); /* in between, so that v cannot always grow in place */
    }
    assert_int_equal(v.n, 100000);
    for (uint64_t i = 0; i < v.n; i++)
        assert_true(v.items[i] == i);
    for (uint64_t i = 0; i < w.n; i++)
        assert_true(w.items[i] == 3 * i);
    arena_free(a);
}

static void test_undo_gives_back_the_last_only(void **state)
{
    struct arena *a = arena_new(0);
    struct {
        size_t *items;
        size_t n, cap;
    } v = {0};
    size_t used = arena_used(a);
    char *first, *last;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        VEC_PUSH(a, &v, i);
    arena_undo(a, v.items, v.cap * sizeof *v.items);
    assert_int_equal(arena_used(a), used);
    first = arena_alloc(a, 100);
    assert_ptr_equal(first, v.items); /* the same place */
    last = arena_alloc(a, 50);
    arena_undo(a, first, 100);
    assert_int_equal(arena_used(a), used + 150);
    memset(first, 1, 100);
    arena_undo(a, last, 50);
    arena_undo(a, NULL, 0);
    assert_int_equal(arena_used(a), used + 100);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_undo_gives_back_the_last_only),
        cmocka_unit_test(test_zeroes_and_aligns),
        cmocka_unit_test(test_gives_large_and_small),
        cmocka_unit_test(test_reset_zeroes_again),
        cmocka_unit_test(test_limit_tells_and_does_not_fail),
        cmocka_unit_test(test_cleans_up_newest_first),
        cmocka_unit_test(test_prints_and_copies),
        cmocka_unit_test(test_vector_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
