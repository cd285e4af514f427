/* pglisten_test.c - what is heard, what is not, and what happens to the connection. */
#include "pg/pgfixture.h"

#include <poll.h>

#include "pg/pglisten.h"

static const struct str word = STR_INIT("schema");

static bool readable(const struct pglisten *l, int ms)
{
    struct pollfd p = {.fd = pglisten_fd(l), .events = POLLIN};

    return poll(&p, 1, ms) == 1;
}

/* A notification of this payload is heard, as asking for something or not. */
static bool heard(struct pglisten *l, const char *channel, const char *payload)
{
    admin_do("select pg_notify('%s', '%s')", channel, payload);
    assert_true(readable(l, 5000));
    return pglisten_step(l, word);
}

static void payloads_are_told_apart(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct pglisten *l = pglisten_new(r.pool, "A \"channel\"; --");

    (void)state;
    assert_int_equal(pglisten_fd(l), -1);
    assert_true(deadline_passed(pglisten_due(l)));
    assert_true(pglisten_step(l, word)); /* before, it could hear nothing */
    assert_true(pglisten_fd(l) >= 0);
    assert_int_equal(pglisten_due(l).at_ns, UINT64_MAX);
    assert_false(pglisten_step(l, word));
    assert_true(heard(l, "A \"channel\"; --", "schema"));
    assert_true(heard(l, "A \"channel\"; --", ""));
    assert_false(heard(l, "A \"channel\"; --", "schemata"));
    admin_do("select pg_notify('another', 'schema')");
    assert_false(readable(l, 50));
    pglisten_free(l);
    rig_free(&r);
}

static void a_lost_connection_is_made_again(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r;
    struct pglisten *l;
    struct deadline due;

    (void)state;
    opt.backoff_min_ms = 50;
    opt.backoff_max_ms = 100;
    r = rig_new(&opt);
    l = pglisten_new(r.pool, "lost");
    assert_true(pglisten_step(l, word));
    admin_do(
        "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen \"lost\"'");
    while (pglisten_fd(l) >= 0) {
        assert_true(readable(l, 5000));
        assert_false(pglisten_step(l, word));
    }
    due = pglisten_due(l);
    assert_in_range(deadline_left_ms(due), 1, 100);
    assert_false(pglisten_step(l, word));
    usleep((useconds_t)deadline_left_ms(due) * 1000);
    assert_true(pglisten_step(l, word));
    assert_true(heard(l, "lost", "schema"));
    pglisten_free(l);
    rig_free(&r);
}

static void what_cannot_be_reached_is_tried_less_and_less(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r;
    struct pglisten *l;

    (void)state;
    opt.url = "host=/nowhere dbname=none";
    opt.backoff_min_ms = 5;
    opt.backoff_max_ms = 20;
    r = rig_new(&opt);
    l = pglisten_new(r.pool, "none");
    for (int i = 0; i < 5; i++) {
        assert_false(pglisten_step(l, word));
        assert_int_equal(pglisten_fd(l), -1);
        assert_in_range(deadline_left_ms(pglisten_due(l)), 0, i == 0 ? 5 : 20);
        usleep(21000);
    }
    pglisten_free(l);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_are_told_apart),
        cmocka_unit_test(a_lost_connection_is_made_again),
        cmocka_unit_test(what_cannot_be_reached_is_tried_less_and_less),
    };

    return cmocka_run_group_tests(tests, database_setup, database_teardown);
}
