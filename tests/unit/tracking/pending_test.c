/*
 * pending_test.c - every error is counted, few are kept, and memory is bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/thread.h"
#include "metrics/metrics.h"
#include "tracking/pending.h"

static const int64_t noon = INT64_C(1795780800000000);

static struct pending_options options(void)
{
    return (struct pending_options){.max = 100, .burst = 3, .sample = 1, .batch = 50};
}

static struct pending_kind kind(const char *fingerprint, const char *tenant, int64_t at_us)
{
    return (struct pending_kind){str_of(fingerprint), str_of(tenant), SEVERITY_ERROR, at_us};
}

/* As who reports one does. */
static bool add(struct pending *p, const char *fingerprint, const char *tenant, int64_t at_us)
{
    struct pending_kind k = kind(fingerprint, tenant, at_us);
    char common[200], whole[300];

    snprintf(common, sizeof(common), "\"fingerprint\":\"%s\",\"tenant\":\"%s\"", fingerprint,
             tenant);
    snprintf(whole, sizeof(whole), "{%s,\"full\":true}", common);
    if (!pending_count(p, &k))
        return false;
    pending_keep(p, &k, str_of(common), str_of(whole));
    return true;
}

static uint64_t total(const struct pending_batch *b)
{
    uint64_t n = 0;

    for (size_t i = 0; i < b->n; i++)
        n += b->items[i].count;
    return n;
}

static bool mentions(const struct pending_element *e, const char *text)
{
    return memmem(e->json.data, e->json.len, text, strlen(text)) != NULL;
}

static void test_a_few_are_kept_and_all_counted(void **state)
{
    struct pending_options opt = options();
    struct pending *p = pending_new(&opt);
    struct pending_batch b;

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(add(p, "f", "acme", noon + i), i < 3);
    assert_int_equal(pending_length(p), 4);
    pending_take(p, &b);
    assert_int_equal(b.n, 4);
    assert_int_equal(total(&b), 1000);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(b.items[i].json.data,
                            "{\"fingerprint\":\"f\",\"tenant\":\"acme\",\"full\":true}");
    assert_int_equal(b.items[3].count, 997);
    assert_int_equal(b.items[3].severity, SEVERITY_ERROR);
    assert_true(mentions(&b.items[3], "{\"fingerprint\":\"f\",\"tenant\":\"acme\","
                                      "\"occurrence_id\":\""));
    assert_true(
        mentions(&b.items[3], "\",\"occurred_at\":\"2026-11-27T12:00:00.000999Z\",\"count\":997}"));
    arena_free(b.arena);

    /* Begins anew. */
    pending_take(p, &b);
    assert_int_equal(b.n, 0);
    arena_free(b.arena);
    assert_true(add(p, "f", "acme", noon));
    pending_free(p);
}

static void test_each_tenant_and_hour_has_its_own_count(void **state)
{
    struct pending_options opt = options();
    struct pending *p = pending_new(&opt);
    struct pending_batch b;
    uint64_t of[2] = {0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        add(p, "f", "acme", noon);
        add(p, "f", "globex", noon);
        add(p, "f", "globex", noon - 1); /* the hour before */
    }
    pending_take(p, &b);
    assert_int_equal(total(&b), 30);
    /* The first of each, of all together the burst; and the rest of each. */
    assert_int_equal(b.n, 3 + 3);
    for (size_t i = 0; i < b.n; i++)
        of[mentions(&b.items[i], "globex")] += b.items[i].count;
    assert_int_equal(of[0], 10);
    assert_int_equal(of[1], 20);
    arena_free(b.arena);
    pending_free(p);
}

static void test_a_part_is_kept_where_that_is_wanted(void **state)
{
    struct pending_options opt = {.max = 10000, .burst = 10000, .sample = 0.25, .batch = 100000};
    struct pending *p = pending_new(&opt);
    struct pending_batch b;
    int kept = 0;

    (void)state;
    assert_true(add(p, "f", "acme", noon)); /* the first always */
    for (int i = 0; i < 2000; i++)
        kept += add(p, "f", "acme", noon);
    assert_in_range(kept, 380, 620);
    pending_take(p, &b);
    assert_int_equal(total(&b), 2001);
    arena_free(b.arena);
    pending_free(p);
}

/* Ten times as many kinds as there may be, and texts without end. */
static void test_memory_is_bounded(void **state)
{
    struct pending_options opt = {
        .max = 100, .max_bytes = 100000, .burst = 1000, .sample = 1, .batch = 1000};
    struct pending *p = pending_new(&opt);
    struct pending_batch b;
    uint64_t dropped = metric_total(METRIC_ERRORS_DROPPED_FULL);
    struct str huge = {NULL, 30000};
    struct pending_kind k;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char f[20];

        snprintf(f, sizeof(f), "f%d", i);
        add(p, f, "acme", noon);
    }
    pending_take(p, &b);
    assert_true(arena_used(b.arena) < 200000);
    dropped = metric_total(METRIC_ERRORS_DROPPED_FULL) - dropped;
    assert_true(dropped > 0);
    assert_int_equal(total(&b) + dropped, 2000);
    arena_free(b.arena);

    huge.data = xcalloc(1, huge.len);
    k = kind("f", "acme", noon);
    for (int i = 0; i < 100; i++)
        if (pending_count(p, &k))
            pending_keep(p, &k, STR("\"a\":1"), huge);
    pending_take(p, &b);
    assert_true(arena_used(b.arena) < 200000);
    assert_int_equal(total(&b), 100);
    arena_free(b.arena);
    xfree((char *)(uintptr_t)huge.data);
    pending_free(p);
}

/* Between the two calls of the first, others are counted and a batch is taken. */
static void test_what_was_not_told_yet_is_not_lost(void **state)
{
    struct pending_options opt = options();
    struct pending *p = pending_new(&opt);
    struct pending_kind k = kind("f", "acme", noon);
    struct pending_batch b;

    (void)state;
    opt.burst = 1;
    pending_free(p);
    p = pending_new(&opt);
    assert_true(pending_count(p, &k));
    for (int i = 0; i < 5; i++)
        assert_false(pending_count(p, &k));
    pending_take(p, &b);
    assert_int_equal(b.n, 0);
    arena_free(b.arena);
    pending_keep(p, &k, STR("\"a\":1"), STR("{}"));
    pending_take(p, &b);
    assert_int_equal(b.n, 2);
    assert_int_equal(total(&b), 6);
    arena_free(b.arena);
    pending_free(p);
}

static void test_waiting(void **state)
{
    struct pending_options opt = options();
    struct pending *p;
    uint64_t since = monotonic_ns();

    (void)state;
    opt.batch = 2;
    p = pending_new(&opt);
    add(p, "f", "", noon);
    pending_wait(p, deadline_in_ms(20));
    assert_true(monotonic_ns() - since >= UINT64_C(20000000));
    add(p, "g", "", noon);
    pending_wait(p, deadline_in_ms(600000)); /* a batch is there */
    assert_false(pending_closed(p));
    pending_close(p);
    assert_true(pending_closed(p));
    pending_pause(p, deadline_in_ms(600000));
    pending_free(p);
    pending_free(NULL);
}

enum {
    THREADS = 4,
    EACH = 20000
};

static void report_many(void *arg)
{
    for (int i = 0; i < EACH; i++)
        add(arg, i % 3 ? "f" : "g", i % 7 ? "acme" : "globex", noon);
}

static void test_many_threads_lose_nothing(void **state)
{
    struct pending_options opt = options();
    struct pending *p = pending_new(&opt);
    struct thread *threads[THREADS];
    struct pending_batch b;
    uint64_t n = 0;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        threads[i] = thread_start(THREAD_WORKER, "report", report_many, p);
    for (int i = 0; i < 200; i++) {
        pending_take(p, &b);
        n += total(&b);
        arena_free(b.arena);
    }
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    pending_take(p, &b);
    n += total(&b);
    arena_free(b.arena);
    assert_int_equal(n, THREADS * EACH);
    pending_free(p);
}

static void test_ids_go_by_time(void **state)
{
    char a[PENDING_ID_TEXT + 1], b[PENDING_ID_TEXT + 1], at[PENDING_TIME_TEXT + 1];

    (void)state;
    pending_id(noon, a);
    pending_id(noon + 1000, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '7');
    assert_true(strcmp(a, b) < 0);
    pending_time(0, at);
    assert_string_equal(at, "1970-01-01T00:00:00.000000Z");
    pending_time(noon + 123456, at);
    assert_string_equal(at, "2026-11-27T12:00:00.123456Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_few_are_kept_and_all_counted),
        cmocka_unit_test(test_each_tenant_and_hour_has_its_own_count),
        cmocka_unit_test(test_a_part_is_kept_where_that_is_wanted),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_what_was_not_told_yet_is_not_lost),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_many_threads_lose_nothing),
        cmocka_unit_test(test_ids_go_by_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
