/* ratelimit_test.c - keys get their rate and no more, whatever others do. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "server/ratelimit.h"

#define SECOND UINT64_C(1000000000)

static void a_bucket_holds_its_burst_and_fills_at_its_rate(void **state)
{
    struct ratelimit *r = ratelimit_new(1000, 10, 5);
    uint64_t now = 100 * SECOND, wait;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_true(ratelimit_take(r, STR("a"), 1, now, &wait));
    assert_false(ratelimit_take(r, STR("a"), 1, now, &wait));
    assert_int_equal(wait, 1);
    assert_true(ratelimit_take(r, STR("b"), 1, now, &wait));
    /* A tenth of a second is one token, and what is less is not lost. */
    for (int i = 0; i < 20; i++) {
        now += SECOND / 20;
        assert_int_equal(ratelimit_take(r, STR("a"), 1, now, &wait), i % 2);
    }
    now += 1000 * SECOND;
    assert_true(ratelimit_take(r, STR("a"), 5, now, &wait));
    assert_false(ratelimit_take(r, STR("a"), 1, now, &wait));
    ratelimit_free(r);
}

static void it_tells_how_long_to_wait(void **state)
{
    struct ratelimit *r = ratelimit_new(10, 2, 20);
    uint64_t wait;

    (void)state;
    assert_true(ratelimit_take(r, STR("a"), 20, SECOND, &wait));
    assert_false(ratelimit_take(r, STR("a"), 1, SECOND, &wait));
    assert_int_equal(wait, 1);
    assert_false(ratelimit_take(r, STR("a"), 7, SECOND, &wait));
    assert_int_equal(wait, 4);
    /* More than a bucket holds waits for a full one, not for ever. */
    assert_false(ratelimit_take(r, STR("a"), 1000, SECOND, &wait));
    assert_int_equal(wait, 10);
    assert_true(ratelimit_take(r, STR("a"), 1000, 11 * SECOND, &wait));
    /* Clocks that go back give nothing. */
    assert_false(ratelimit_take(r, STR("a"), 1, SECOND, &wait));
    ratelimit_free(r);
}

/* However many keys there are, one that keeps to its rate is never refused. */
static void others_do_not_count(void **state)
{
    struct ratelimit *r = ratelimit_new(64, 1, 1);
    struct arena *a = arena_new(0);
    uint64_t wait;

    (void)state;
    for (uint64_t s = 1; s < 30; s++) {
        for (int i = 0; i < 1000; i++)
            (void)ratelimit_take(r, arena_printf(a, "%d", i), 1, s * SECOND, &wait);
        assert_true(ratelimit_take(r, STR("good"), 1, s * SECOND, &wait));
    }
    arena_free(a);
    ratelimit_free(r);
}

static void so_many_are_in_flight_and_no_more(void **state)
{
    struct inflight *f = inflight_new(2);

    (void)state;
    assert_true(inflight_enter(f, STR("a")));
    assert_true(inflight_enter(f, STR("a")));
    assert_false(inflight_enter(f, STR("a")));
    assert_true(inflight_enter(f, STR("b")));
    inflight_leave(f, STR("a"));
    assert_true(inflight_enter(f, STR("a")));
    inflight_leave(f, STR("a"));
    inflight_leave(f, STR("a"));
    inflight_leave(f, STR("b"));
    inflight_free(f);
}

/* --- threads ------------------------------------------------------------------------------- */

struct shared {
    struct ratelimit *rate;
    struct inflight *flight;
    int taken;
};

static void *race(void *arg)
{
    struct shared *s = arg;
    uint64_t wait;

    for (int i = 0; i < 5000; i++) {
        if (ratelimit_take(s->rate, STR("all"), 1, SECOND, &wait))
            __atomic_fetch_add(&s->taken, 1, __ATOMIC_RELAXED);
        if (inflight_enter(s->flight, STR("all")))
            inflight_leave(s->flight, STR("all"));
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    struct shared s = {ratelimit_new(100, 1, 3000), inflight_new(3), 0};
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &s), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(s.taken, 3000);
    ratelimit_free(s.rate);
    inflight_free(s.flight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_its_burst_and_fills_at_its_rate),
        cmocka_unit_test(it_tells_how_long_to_wait),
        cmocka_unit_test(others_do_not_count),
        cmocka_unit_test(so_many_are_in_flight_and_no_more),
        cmocka_unit_test(threads_share_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
