/* flights_test.c - one makes it, the others are told; from any thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/flights.h"

#define ROUNDS 2000

static struct flight_key key_of(unsigned n)
{
    struct flight_key k = {{0}};

    memcpy(k.bytes, &n, sizeof(n));
    return k;
}

struct waiting {
    struct flight_waiter waiter;
    unsigned told;
};

static void landed(struct flight_waiter *w)
{
    CONTAINER_OF(w, struct waiting, waiter)->told++;
}

/* What was posted is run. */
static void turn(struct loop *l)
{
    loop_stop(l);
    loop_run(l);
}

static void the_first_leads_and_the_others_are_told(void **state)
{
    struct flights *f = flights_new();
    struct loop *l = loop_new("test");
    struct flight_key k = key_of(1), other = key_of(2);
    struct waiting a =
                       {
                           .waiter = {.loop = l, .landed = landed}
    },
                   b = a, c = a;

    (void)state;
    assert_true(flights_join(f, &k, &a.waiter));
    assert_false(flights_awaited(f, &k));
    assert_false(flights_join(f, &k, &b.waiter));
    assert_false(flights_join(f, &k, &c.waiter));
    assert_true(flights_awaited(f, &k));
    assert_true(flights_join(f, &other, &a.waiter));
    flights_end(f, &other);
    turn(l);
    assert_int_equal(b.told + c.told, 0);
    flights_end(f, &k);
    turn(l);
    assert_int_equal(a.told, 0);
    assert_int_equal(b.told, 1);
    assert_int_equal(c.told, 1);
    assert_true(flights_join(f, &k, &a.waiter));
    flights_end(f, &k);
    loop_free(l);
    flights_free(f);
}

static void who_leaves_is_not_told_and_who_was_told_cannot_leave(void **state)
{
    struct flights *f = flights_new();
    struct loop *l = loop_new("test");
    struct flight_key k = key_of(1);
    struct waiting lead =
                       {
                           .waiter = {.loop = l, .landed = landed}
    },
                   a = lead, b = lead;

    (void)state;
    assert_true(flights_join(f, &k, &lead.waiter));
    assert_false(flights_join(f, &k, &a.waiter));
    assert_false(flights_join(f, &k, &b.waiter));
    assert_true(flights_leave(f, &a.waiter));
    flights_end(f, &k);
    assert_false(flights_leave(f, &b.waiter));
    /* Nor when somebody leads again. */
    assert_true(flights_join(f, &k, &lead.waiter));
    assert_false(flights_leave(f, &b.waiter));
    flights_end(f, &k);
    turn(l);
    assert_int_equal(a.told, 0);
    assert_int_equal(b.told, 1);
    loop_free(l);
    flights_free(f);
}

/* --- threads ----------------------------------------------------------------------------- */

struct racer {
    struct flights *flights;
    struct loop *loop;
    struct waiting waiting;
    unsigned round;
    unsigned led, told, left;
};

static void next_round(struct racer *r);

static void on_told(struct flight_waiter *w)
{
    struct racer *r = CONTAINER_OF(w, struct racer, waiting.waiter);

    r->told++;
    next_round(r);
}

/* Few keys, so that they meet; now and then one that waits leaves. */
static void next_round(struct racer *r)
{
    while (r->round < ROUNDS) {
        struct flight_key k = key_of(r->round++ % 3);

        if (flights_join(r->flights, &k, &r->waiting.waiter)) {
            r->led++;
            flights_end(r->flights, &k);
        } else if (r->round % 2 == 0 || !flights_leave(r->flights, &r->waiting.waiter)) {
            return; /* until it is told */
        } else {
            r->left++;
        }
    }
    loop_stop(r->loop);
}

static void *race(void *arg)
{
    struct racer *r = arg;

    r->loop = loop_new("racer");
    r->waiting.waiter = (struct flight_waiter){.loop = r->loop, .landed = on_told};
    next_round(r);
    loop_run(r->loop);
    loop_free(r->loop);
    return NULL;
}

static void each_round_of_each_thread_ends_in_one_way(void **state)
{
    struct flights *f = flights_new();
    struct racer racers[4] = {0};
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        racers[i].flights = f;
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(racers[i].led + racers[i].told + racers[i].left, ROUNDS);
    }
    flights_free(f); /* which checks that none is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_leads_and_the_others_are_told),
        cmocka_unit_test(who_leaves_is_not_told_and_who_was_told_cannot_leave),
        cmocka_unit_test(each_round_of_each_thread_ends_in_one_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
