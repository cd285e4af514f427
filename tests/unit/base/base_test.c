/*
 * base_test.c - errors, deadlines, digests, threads: the small files together.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/thread.h"

static void test_errors_keep_order_and_count(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct error *e;

    (void)state;
    errors_init(&errs, a);
    errs.max = 2;
    e = errors_add(&errs, BAD_REQUEST, "first %d", 1);
    error_at(e, &errs, (struct location){1, 2});
    error_also_at(e, &errs, (struct location){3, 4});
    errors_add(&errs, TIMEOUT, "second");
    assert_non_null(errors_add(&errs, TIMEOUT, "dropped"));
    assert_int_equal(errs.n, 2);
    assert_int_equal(errs.dropped, 1);
    assert_true(errors_any(&errs));
    assert_true(str_is(errs.first->message, "first 1"));
    assert_int_equal(errs.first->nlocations, 2);
    assert_int_equal(errs.first->locations[1].column, 4);
    assert_true(str_is(errs.first->next->message, "second"));
    assert_null(errs.first->next->next);
    arena_free(a);
}

static void test_every_code_has_its_row(void **state)
{
    (void)state;
    for (int code = 0; code < ERROR_CODE_COUNT; code++) {
        const struct error_code_info *info = error_code_info((enum error_code)code);

        assert_non_null(info->name);
        assert_true(info->http_status >= 200 && info->http_status < 600);
    }
    assert_string_equal(error_code_info(BAD_REQUEST)->name, "BAD_REQUEST");
    assert_int_equal(error_code_info(UNAUTHENTICATED)->http_status, 401);
    assert_true(error_code_info(INTERNAL_SERVER_ERROR)->masked);
}

static void test_deadlines(void **state)
{
    struct deadline past = {monotonic_ns() - 1};
    struct deadline later = deadline_in_ms(60000);

    (void)state;
    assert_true(deadline_passed(past));
    assert_int_equal(deadline_left_ms(past), 0);
    assert_false(deadline_passed(later));
    assert_in_range(deadline_left_ms(later), 50000, 60000);
    assert_int_equal(deadline_left_ms((struct deadline){monotonic_ns() + 999999}), 1);
    assert_false(deadline_passed(DEADLINE_NEVER));
    assert_true(deadline_left_ms(DEADLINE_NEVER) == INT64_MAX / 2);
    assert_true(deadline_earlier(later, past).at_ns == past.at_ns);
    assert_true(wall_clock_us() > INT64_C(1700000000000000));
}

static void test_digests(void **state)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
  /* FIPS 180-4 examples */
        {"",    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };
    struct str joined[] = {STR("ab"), STR("c")};
    struct str other[] = {STR("a"), STR("bc")};
    unsigned char bytes[2][16];
    struct digest d, e;
    char hex[2 * DIGEST_SIZE + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        d = digest_sha256(str_of(cases[i].text));
        digest_hex(&d, hex);
        assert_string_equal(hex, cases[i].hex);
    }
    d = digest_parts(joined, 2);
    e = digest_parts(other, 2);
    assert_false(digest_eq(d.bytes, e.bytes, DIGEST_SIZE));
    e = digest_parts(joined, 2);
    assert_true(digest_eq(d.bytes, e.bytes, DIGEST_SIZE));
    random_bytes(bytes[0], sizeof(bytes[0]));
    random_bytes(bytes[1], sizeof(bytes[1]));
    assert_false(digest_eq(bytes[0], bytes[1], sizeof(bytes[0])));
}

static void look_around(void *arg)
{
    sigset_t blocked;

    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    if (thread_kind() == THREAD_JOBS && sigismember(&blocked, SIGTERM) == 1)
        *(bool *)arg = true;
    thread_check(THREAD_JOBS);
    digest_sha256(STR("a context of this thread's own"));
}

static void test_threads(void **state)
{
    static const struct {
        const char *text;
        unsigned cpus;
    } quotas[] = {
        {"max 100000\n",           0},
        {"200000 100000\n",        2},
        {"150000 100000\n",        2},
        {"50000 100000",           1},
        {"100000 0\n",             0},
        {"",                       0},
        {"rubbish",                0},
        {"18446744073709551615 1", 0},
    };
    bool seen = false;

    (void)state;
    thread_join(thread_start(THREAD_JOBS, "a name longer than sixteen", look_around, &seen));
    assert_true(seen);
    assert_int_equal(thread_kind(), THREAD_MAIN);
    thread_become(THREAD_LOOP, "loop");
    assert_int_equal(thread_kind(), THREAD_LOOP);
    thread_become(THREAD_MAIN, "main");
    assert_true(thread_cpus() >= 1);
    assert_true(thread_cpus() <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
    for (size_t i = 0; i < COUNT_OF(quotas); i++)
        assert_int_equal(thread_quota(str_of(quotas[i].text)), quotas[i].cpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_keep_order_and_count),
        cmocka_unit_test(test_every_code_has_its_row),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_digests),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
