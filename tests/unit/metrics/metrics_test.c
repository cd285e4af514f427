/*
 * metrics_test.c - counts of many threads, and the page that shows them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/thread.h"
#include "metrics/metrics.h"
#include "metrics/prometheus.h"

enum {
    THREADS = 4,
    COUNTS = 10000
};

static void count(void *arg)
{
    (void)arg;
    for (int i = 0; i < COUNTS; i++) {
        metric_add(METRIC_TURBO_HIT, 2);
        metric_observe(HISTOGRAM_DB_QUERY, 1000000);
        metric_gauge_add(GAUGE_DB_POOL_WAITERS, 1);
    }
}

static void test_sums_over_threads_that_ended(void **state)
{
    struct thread *threads[THREADS];
    struct histogram_total h;

    (void)state;
    for (int round = 1; round <= 3; round++) {
        for (int i = 0; i < THREADS; i++)
            threads[i] = thread_start(THREAD_WORKER, "counter", count, NULL);
        metric_total(METRIC_TURBO_HIT); /* read while they count */
        for (int i = 0; i < THREADS; i++)
            thread_join(threads[i]);
        h = metric_histogram(HISTOGRAM_DB_QUERY);
        assert_int_equal(metric_total(METRIC_TURBO_HIT), 2 * round * THREADS * COUNTS);
        assert_int_equal(h.counts[0], round * THREADS * COUNTS);
        assert_true(h.sum_ns == (uint64_t)round * THREADS * COUNTS * 1000000);
        assert_true(metric_gauge(GAUGE_DB_POOL_WAITERS) == round * THREADS * COUNTS);
    }
}

static void test_bounds_ascend_and_include(void **state)
{
    (void)state;
    for (int h = 0; h < HISTOGRAM_COUNT; h++)
        for (int i = 1; i < HISTOGRAM_BUCKETS; i++)
            assert_true(metric_bounds((enum histogram)h)[i - 1] <
                        metric_bounds((enum histogram)h)[i]);
    metric_observe(HISTOGRAM_HTTP_REQUEST, 2500000);
    metric_observe(HISTOGRAM_HTTP_REQUEST, 2500001);
    metric_observe(HISTOGRAM_HTTP_REQUEST, UINT64_C(11000000000));
    assert_int_equal(metric_histogram(HISTOGRAM_HTTP_REQUEST).counts[1], 1);
    assert_int_equal(metric_histogram(HISTOGRAM_HTTP_REQUEST).counts[2], 1);
    assert_int_equal(metric_histogram(HISTOGRAM_HTTP_REQUEST).counts[HISTOGRAM_BUCKETS], 1);
}

static void test_finds_the_counter_of_a_code(void **state)
{
    (void)state;
    assert_int_equal(metric_of_status(200), METRIC_HTTP_REQUESTS_200);
    assert_int_equal(metric_of_status(431), METRIC_HTTP_REQUESTS_431);
    assert_int_equal(metric_of_status(505), METRIC_HTTP_REQUESTS_505);
    assert_int_equal(metric_of_status(418), METRIC_HTTP_REQUESTS_OTHER);
    assert_int_equal(metric_of_error(GRAPHQL_PARSE_FAILED),
                     METRIC_GRAPHQL_ERRORS_GRAPHQL_PARSE_FAILED);
    assert_int_equal(metric_of_error(TIMEOUT), METRIC_GRAPHQL_ERRORS_TIMEOUT);
    assert_int_equal(metric_of_error(SCHEMA_INVALID), METRIC_GRAPHQL_ERRORS_SCHEMA_INVALID);
    assert_int_equal(metric_of_sqlstate("40001"), METRIC_DB_ERRORS_40);
    assert_int_equal(metric_of_sqlstate("XX000"), METRIC_DB_ERRORS_XX);
    assert_int_equal(metric_of_sqlstate(""), METRIC_DB_ERRORS_OTHER);
    assert_int_equal(metric_of_sqlstate("0A000"), METRIC_DB_ERRORS_OTHER);
}

static double value_of(const char *page, const char *series)
{
    const char *at = strstr(page, series);

    assert_non_null(at);
    return strtod(at + strlen(series), NULL);
}

static void test_page_shows_everything(void **state)
{
    struct buf out = {0};
    const char *page;

    (void)state;
    metric_add(metric_of_error(TIMEOUT), 3);
    metric_gauge_set(GAUGE_DB_POOL_UTILIZATION, 0.25);
    metric_observe(HISTOGRAM_PHASE_PLAN, 30000);
    prometheus_write(&out, false);
    page = buf_cstr(&out);
    assert_non_null(strstr(page, "\nfraiseql_graphql_errors_total{code=\"TIMEOUT\"} 3\n"));
    assert_non_null(strstr(page, "\nfraiseql_db_pool_utilization_ratio 0.25\n"));
    assert_non_null(strstr(page, "\ndb_pool_utilization 0.25\n"));
    assert_non_null(strstr(page, "\nfraiseql_build_info{version=\""));
    assert_non_null(strstr(
        page, "\nfraiseql_graphql_phase_duration_seconds_bucket{phase=\"plan\",le=\"0.000025\"} 0\n"
              "fraiseql_graphql_phase_duration_seconds_bucket{phase=\"plan\",le=\"0.00005\"} 1\n"));
    assert_non_null(strstr(page, "le=\"+Inf\"} 1\n"
                                 "fraiseql_graphql_phase_duration_seconds_sum{phase=\"plan\"} "
                                 "0.00003\n"
                                 "fraiseql_graphql_phase_duration_seconds_count{phase=\"plan\"} "
                                 "1\n"));
    assert_true(value_of(page, "\nprocess_open_fds ") >= 3);
    assert_true(value_of(page, "\nprocess_resident_memory_bytes ") > 100000);
    assert_true(value_of(page, "\nprocess_max_fds ") >= 3);
    assert_true(value_of(page, "\nprocess_start_time_seconds ") > (double)time(NULL) - 3600);
    assert_true(value_of(page, "\nprocess_start_time_seconds ") <= (double)time(NULL) + 1);
    for (int i = 0; i < 1000; i++) {
        struct buf again;

        buf_init(&again, 0);
        prometheus_write(&again, false);
        assert_true(value_of(buf_cstr(&again), "\nprocess_start_time_seconds ") ==
                    value_of(page, "\nprocess_start_time_seconds "));
        buf_fini(&again);
    }
    assert_int_equal(page[out.len - 1], '\n');
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_over_threads_that_ended),
        cmocka_unit_test(test_bounds_ascend_and_include),
        cmocka_unit_test(test_finds_the_counter_of_a_code),
        cmocka_unit_test(test_page_shows_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
