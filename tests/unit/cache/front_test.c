/* front_test.c - an answer is there for a moment, until a change is heard of, within bounds. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache/front.h"

#define SECOND UINT64_C(1000000000)

static struct flight_key key_of(unsigned n)
{
    struct flight_key k = {{0}};

    memcpy(k.bytes, &n, sizeof(n));
    return k;
}

static void put(struct front *f, unsigned n, const char *value, uint64_t now_ns)
{
    struct flight_key k = key_of(n);

    front_put(f, &k, &(struct front_answer){str_of(value), 7, 60}, front_generation(f), now_ns);
}

/* What is found; data NULL: nothing. */
static struct front_answer get(struct front *f, unsigned n, uint64_t now_ns, struct arena *a)
{
    struct front_answer found = {
        {NULL, 0},
        0, 0
    };
    struct flight_key k = key_of(n);

    (void)front_get(f, &k, now_ns, a, &found);
    return found;
}

static void an_answer_is_there_for_a_moment(void **state)
{
    struct front *f = front_new(1 << 20, 2000);
    struct arena *a = arena_new(0);
    struct front_answer found;

    (void)state;
    put(f, 1, "one", 10 * SECOND);
    put(f, 2, "two", 10 * SECOND);
    put(f, 2, "two again", 10 * SECOND);
    found = get(f, 1, 11 * SECOND, a);
    assert_true(str_is(found.value, "one"));
    assert_int_equal(found.age_s, 8);
    assert_int_equal(found.ttl_s, 59);
    assert_true(str_is(get(f, 2, 11 * SECOND, a).value, "two again"));
    assert_null(get(f, 3, 11 * SECOND, a).value.data);
    assert_null(get(f, 1, 12 * SECOND, a).value.data);
    arena_free(a);
    front_free(f);
}

static void a_change_ends_all_of_them_and_those_that_were_under_way(void **state)
{
    struct front *f = front_new(1 << 20, 2000);
    struct arena *a = arena_new(0);
    struct flight_key k = key_of(2);
    uint64_t before;

    (void)state;
    put(f, 1, "one", SECOND);
    before = front_generation(f);
    front_clear(f);
    assert_null(get(f, 1, SECOND, a).value.data);
    front_put(f, &k, &(struct front_answer){STR("late"), 0, 60}, before, SECOND);
    assert_null(get(f, 2, SECOND, a).value.data);
    put(f, 1, "new", SECOND);
    assert_true(str_is(get(f, 1, SECOND, a).value, "new"));
    arena_free(a);
    front_free(f);
}

static void it_stays_within_its_bytes(void **state)
{
    struct front *f = front_new(80000, 2000);
    struct arena *a = arena_new(0);
    char value[1001] = {0};
    unsigned found = 0;

    (void)state;
    memset(value, 'x', 1000);
    for (unsigned n = 0; n < 500; n++) {
        put(f, n * 65536, value, SECOND);
        put(f, 0, value, SECOND); /* is used again and again */
    }
    for (unsigned n = 0; n < 500; n++)
        found += get(f, n * 65536, SECOND, a).value.data != NULL;
    assert_in_range(found, 20, 80);
    assert_non_null(get(f, 0, SECOND, a).value.data);
    memset(value, 'y', 1000);
    arena_free(a);
    front_free(f);
}

static void *race(void *arg)
{
    struct front *f = arg;
    struct arena *a = arena_new(0);

    for (unsigned i = 0; i < 20000; i++) {
        put(f, i % 97, "value", SECOND);
        (void)get(f, i % 89, SECOND, a);
        if (i % 1000 == 0) {
            front_clear(f);
            arena_free(a);
            a = arena_new(0);
        }
    }
    arena_free(a);
    return NULL;
}

static void threads_share_it(void **state)
{
    struct front *f = front_new(10000, 2000);
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, f), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    front_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_there_for_a_moment),
        cmocka_unit_test(a_change_ends_all_of_them_and_those_that_were_under_way),
        cmocka_unit_test(it_stays_within_its_bytes),
        cmocka_unit_test(threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
