/*
 * operation_series_test.c - a histogram for each name, up to a bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/thread.h"
#include "metrics/operation_series.h"

enum {
    THREADS = 4,
    NAMES = 300, /* of more than one page */
    ROUNDS = 50
};

static struct str name_of(int i, char *text, size_t size)
{
    return str_make(text, (size_t)snprintf(text, size, "Operation%d", i));
}

static void observe(void *arg)
{
    char text[32];

    (void)arg;
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < NAMES; i++)
            operation_series_observe(
                operation_series_of(name_of(i, text, sizeof(text)), NAMES - 100), 1000000);
}

/* Names that come first have their own series; no observation is lost, and none is twice. */
static void test_counts_what_is_above_the_bound_as_other(void **state)
{
    struct thread *threads[THREADS];
    char text[32];

    (void)state;
    for (int round = 1; round <= 2; round++) {
        for (int i = 0; i < THREADS; i++)
            threads[i] = thread_start(THREAD_WORKER, "observer", observe, NULL);
        operation_series_total(OPERATION_SERIES_OTHER); /* read while they count */
        for (int i = 0; i < THREADS; i++)
            thread_join(threads[i]);
        assert_int_equal(operation_series_count(), NAMES - 100 + 1);
        for (uint32_t i = 1; i < operation_series_count(); i++) {
            struct histogram_total t = operation_series_total(i);

            assert_string_equal(operation_series_name(i),
                                name_of((int)i - 1, text, sizeof(text)).data);
            assert_int_equal(t.counts[0], round * THREADS * ROUNDS);
            assert_int_equal(t.sum_ns, (uint64_t)round * THREADS * ROUNDS * 1000000);
        }
        assert_int_equal(operation_series_total(OPERATION_SERIES_OTHER).counts[0],
                         round * 100 * THREADS * ROUNDS);
    }
}

static void test_has_no_series_for_what_is_no_name(void **state)
{
    char text[OPERATION_SERIES_NAME_MAX + 1];
    uint32_t before = operation_series_count();

    (void)state;
    memset(text, 'x', sizeof(text));
    assert_int_equal(operation_series_of(STR(""), OPERATION_SERIES_MAX), OPERATION_SERIES_OTHER);
    assert_int_equal(operation_series_of(STR("other"), OPERATION_SERIES_MAX),
                     OPERATION_SERIES_OTHER);
    assert_int_equal(operation_series_of(str_make(text, sizeof(text)), OPERATION_SERIES_MAX),
                     OPERATION_SERIES_OTHER);
    assert_int_equal(operation_series_count(), before);
    assert_int_equal(operation_series_of(str_make(text, sizeof(text) - 1), OPERATION_SERIES_MAX),
                     before);
    assert_int_equal(operation_series_of(str_make(text, sizeof(text) - 1), 0), before);
    operation_series_observe(before, UINT64_C(11000000000));
    assert_int_equal(operation_series_total(before).counts[HISTOGRAM_BUCKETS], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_what_is_above_the_bound_as_other),
        cmocka_unit_test(test_has_no_series_for_what_is_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
