/* persisted_test.c - documents come back by their hash, within bounds, from any thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/persisted.h"

static struct str numbered(struct arena *a, int i)
{
    return arena_printf(a, "query Q%d { projects { id } }", i);
}

static bool has(struct persisted *p, struct str text)
{
    struct digest d = digest_sha256(text);
    const struct persisted_text *t = persisted_get(p, &d);
    bool there = t != NULL;

    assert_true(t == NULL || str_eq(persisted_str(t), text));
    persisted_unref(t);
    return there;
}

static void put(struct persisted *p, struct str text, bool stored)
{
    struct digest d = digest_sha256(text);

    persisted_put(p, &d, text, stored);
}

static void a_document_comes_back_by_its_hash(void **state)
{
    struct persisted *p = persisted_new(10, 1 << 20);

    (void)state;
    assert_false(has(p, STR("{ a }")));
    put(p, STR("{ a }"), false);
    put(p, STR("{ a }"), false);
    put(p, STR("{ b }"), true);
    assert_true(has(p, STR("{ a }")));
    assert_true(has(p, STR("{ b }")));
    assert_false(has(p, STR("{ c }")));
    persisted_free(p);
}

static void it_stays_within_entries_and_bytes(void **state)
{
    static const struct {
        size_t entries, bytes;
    } bounds[] = {
        {7,    1 << 20},
        {1000, 500    }
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t b = 0; b < COUNT_OF(bounds); b++) {
        struct persisted *p = persisted_new(bounds[b].entries, bounds[b].bytes);
        struct persisted_stats stats;

        for (int i = 0; i < 300; i++) {
            put(p, numbered(a, i), i % 2 == 0);
            assert_true(i == 0 || has(p, numbered(a, i - 1)));
            /* What is used stays. */
            assert_true(i < 2 || has(p, numbered(a, 0)));
            persisted_stats(p, &stats);
            assert_true(stats.entries <= bounds[b].entries);
            assert_true(stats.bytes <= bounds[b].bytes);
        }
        assert_false(has(p, numbered(a, 100)));
        persisted_free(p);
    }
    arena_free(a);
}

static void what_is_new_is_taken_once(void **state)
{
    struct persisted *p = persisted_new(100, 1 << 20);
    struct arena *a = arena_new(0);
    struct persisted_row rows[4];
    struct digest *used;
    size_t n;

    (void)state;
    for (int i = 0; i < 6; i++)
        put(p, numbered(a, i), i == 0);
    assert_int_equal(n = persisted_take_new(p, 4, rows), 4);
    persisted_give_back(p, rows, 2);
    for (size_t i = 0; i < n; i++)
        persisted_unref(rows[i].text);
    assert_int_equal(n = persisted_take_new(p, 4, rows), 3);
    for (size_t i = 0; i < n; i++)
        persisted_unref(rows[i].text);
    assert_int_equal(persisted_take_new(p, 4, rows), 0);

    assert_int_equal(persisted_take_used(p, a, &used), 0);
    assert_true(has(p, numbered(a, 3)));
    assert_int_equal(persisted_take_used(p, a, &used), 1);
    assert_int_equal(persisted_take_used(p, a, &used), 0);
    arena_free(a);
    persisted_free(p);
}

/* --- threads ----------------------------------------------------------------------------- */

static void *race(void *arg)
{
    struct persisted *p = arg;
    struct arena *a = arena_new(0);

    for (int i = 0; i < 2000; i++) {
        struct persisted_row rows[2];
        size_t n;

        put(p, numbered(a, i % 40), false);
        (void)has(p, numbered(a, (i * 7) % 40));
        n = persisted_take_new(p, 2, rows);
        if (i % 3 == 0)
            persisted_give_back(p, rows, n);
        for (size_t j = 0; j < n; j++)
            persisted_unref(rows[j].text);
    }
    arena_free(a);
    return NULL;
}

static void threads_share_it(void **state)
{
    struct persisted *p = persisted_new(16, 1 << 20);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, p), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    persisted_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_comes_back_by_its_hash),
        cmocka_unit_test(it_stays_within_entries_and_bytes),
        cmocka_unit_test(what_is_new_is_taken_once),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
