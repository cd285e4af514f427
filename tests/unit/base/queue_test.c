/*
 * queue_test.c - bounded, ordered, closable.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/queue.h"
#include "base/thread.h"

static void test_is_bounded_and_ordered(void **state)
{
    struct queue *q = queue_new(3);
    int items[4];

    (void)state;
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_true(queue_push(q, &items[i]));
        assert_false(queue_push(q, &items[3]));
        assert_int_equal(queue_length(q), 3);
        for (int i = 0; i < 3; i++)
            assert_ptr_equal(queue_pop(q, DEADLINE_NEVER), &items[i]);
    }
    queue_free(q);
    queue_free(NULL);
}

static void test_pop_gives_up_at_its_deadline(void **state)
{
    struct queue *q = queue_new(1);
    uint64_t start = monotonic_ns();

    (void)state;
    assert_null(queue_pop(q, deadline_in_ms(20)));
    assert_true(monotonic_ns() - start >= UINT64_C(20000000));
    queue_free(q);
}

static void test_closing_drains(void **state)
{
    struct queue *q = queue_new(2);
    int item;

    (void)state;
    assert_true(queue_push(q, &item));
    queue_close(q);
    assert_false(queue_push(q, &item));
    assert_ptr_equal(queue_pop(q, DEADLINE_NEVER), &item);
    assert_null(queue_pop(q, DEADLINE_NEVER));
    queue_free(q);
}

enum {
    ITEMS = 5000
};

struct traffic {
    struct queue *queue;
    uintptr_t sum; /* of one consumer */
};

static void consume(void *arg)
{
    struct traffic *t = arg;
    void *item;

    while ((item = queue_pop(t->queue, DEADLINE_NEVER)) != NULL)
        t->sum += (uintptr_t)item;
}

static void test_hands_everything_over_once(void **state)
{
    struct queue *q = queue_new(16);
    struct traffic traffic[2] = {
        {q, 0},
        {q, 0}
    };
    struct thread *threads[2];

    (void)state;
    for (int i = 0; i < 2; i++)
        threads[i] = thread_start(THREAD_HELPER, "consumer", consume, &traffic[i]);
    for (uintptr_t i = 1; i <= ITEMS; i++)
        while (!queue_push(q, (void *)i))
            sched_yield();
    queue_close(q);
    for (int i = 0; i < 2; i++)
        thread_join(threads[i]);
    assert_int_equal(traffic[0].sum + traffic[1].sum, (uintptr_t)ITEMS * (ITEMS + 1) / 2);
    queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_bounded_and_ordered),
        cmocka_unit_test(test_pop_gives_up_at_its_deadline),
        cmocka_unit_test(test_closing_drains),
        cmocka_unit_test(test_hands_everything_over_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
