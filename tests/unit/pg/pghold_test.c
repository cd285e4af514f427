/*
 * pghold_test.c - batches whose last calls depend on what the first ones answered, and those that
 * are rolled back whatever happens.
 */
#include "pg/pgfixture.h"
#include "pg/pgretry.h"

/* What `held` has seen and says. */
static unsigned held_times;
static const char *held_param;
static char held_saw[64];

static void held(struct pgbatch *b)
{
    static const char *params[1];
    struct pgvalue v;

    held_times++;
    assert_non_null(b->calls[0].rows);
    pgrows_row(b->calls[0].rows, 0, &v);
    snprintf(held_saw, sizeof held_saw, "%.*s", (int)v.len, v.data);
    params[0] = held_param;
    b->calls[b->hold].params = params;
}

static struct rig new_rig(void)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);

    admin_do("drop table if exists child, items, parent");
    admin_do("create table parent (id int primary key)");
    admin_do("create table items (a text unique)");
    admin_do("create table child (parent int references parent deferrable initially deferred)");
    held_times = 0;
    held_saw[0] = '\0';
    held_param = "kept";
    return r;
}

static const char *items(void)
{
    return admin_do("select coalesce(string_agg(a, ',' order by a), '') from items");
}

static void hold(struct probe *p, size_t at)
{
    static const char *const none[1] = {NULL};

    p->batch.repeatable = false;
    p->batch.hold = at;
    p->batch.held = held;
    p->calls[at].params = none;
    pgstatement_init(&p->statements[at], p->statements[at].sql, 1);
}

#define KEEP "insert into items values ($1)"

/* The one connection still serves. */
static void assert_sound(struct rig *r)
{
    struct probe *p = PROBE(r->arena, "select 'sound'");

    rig_run(r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_string_equal(probe_value(p, 0), "sound");
}

static void the_rest_is_sent_in_the_same_transaction(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "insert into items values ('made') returning a",
                            "select count(*)::text from items", KEEP, "select a from items");

    (void)state;
    hold(p, 2);
    for (unsigned i = 1; i <= 3; i++) {
        admin_do("delete from items");
        rig_run(&r, p);
        assert_outcome(p, PGBATCH_OK);
        assert_int_equal(held_times, i);
        assert_string_equal(held_saw, "made");
        assert_string_equal(probe_value(p, 1), "1");
        assert_int_equal(pgrows_count(p->calls[3].rows), 2);
        assert_string_equal(items(), "kept,made");
        pgbatch_init(&p->batch, &p->session, p->calls, 4, r.arena);
        p->batch.until = deadline_in_ms(20000);
        hold(p, 2);
    }
    assert_sound(&r);
    rig_free(&r);
}

static void after_a_failure_nothing_is_asked_or_sent(void **state)
{
    struct rig r = new_rig();
    struct probe *p =
        PROBE(r.arena, "insert into items values ('made') returning a", "select 1 / 0", KEEP);

    (void)state;
    hold(p, 2);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, 1);
    assert_string_equal(p->batch.sqlstate, "22012");
    assert_int_equal(held_times, 0);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void what_is_sent_later_fails_the_whole(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "insert into items values ('made') returning a", KEEP);

    (void)state;
    hold(p, 1);
    held_param = "made"; /* once more */
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, 1);
    assert_string_equal(p->batch.sqlstate, "23505");
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void a_commit_that_fails_fails_what_was_held(void **state)
{
    struct rig r = new_rig();
    struct probe *p =
        PROBE(r.arena, "select 'first'", "insert into child values (1)", KEEP, "select 'last'");

    (void)state;
    hold(p, 2);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, 4);
    assert_string_equal(p->batch.sqlstate, "23503");
    assert_int_equal(held_times, 1);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void a_tripped_guard_leaves_nothing_to_hold(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "insert into items values ('made') returning a",
                            "select 'an error'::text::bool", "select 'read'", KEEP);

    (void)state;
    hold(p, 3);
    p->calls[1].guard = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_true(p->calls[1].tripped);
    assert_string_equal(probe_value(p, 0), "made");
    assert_int_equal(held_times, 0);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void a_transaction_of_its_own_is_held_before_its_commit(void **state)
{
    struct rig r = new_rig();
    struct probe *p =
        PROBE(r.arena, "select 'first'", "begin", "insert into items values ('made')",
              "savepoint s", "insert into items values ('taken back')",
              "select 'an error'::text::bool", "rollback to savepoint s", KEEP, "commit");

    (void)state;
    hold(p, 7);
    p->batch.transaction = true;
    p->calls[5].guard = p->calls[5].sync = true;
    p->calls[6].sync = p->calls[7].sync = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_true(p->calls[5].tripped);
    assert_int_equal(held_times, 1);
    assert_string_equal(items(), "kept,made");
    assert_sound(&r);
    rig_free(&r);
}

static void a_transaction_of_its_own_that_failed_is_ended(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "select 'first'", "begin", "insert into items values ('made')",
                            "select 1 / 0", KEEP, "commit");

    (void)state;
    hold(p, 4);
    p->batch.transaction = true;
    p->calls[3].sync = p->calls[4].sync = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, 3);
    assert_int_equal(held_times, 0);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void lost_while_held_nothing_has_happened(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "select 'first'", "insert into items values ('made')",
                            "select pg_terminate_backend(pg_backend_pid())", KEEP);

    (void)state;
    hold(p, 3);
    rig_run(&r, p);
    /* It was sent once more, since nothing was asked to be committed. */
    assert_outcome(p, PGBATCH_UNAVAILABLE);
    assert_int_equal(p->batch.retried, PGRETRY_LOST);
    assert_int_equal(held_times, 0);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void lost_when_the_end_was_sent_it_is_unknown(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "select 'first'", "insert into items values ($1)",
                            "select pg_terminate_backend(pg_backend_pid())");

    (void)state;
    hold(p, 1);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_LOST);
    assert_int_equal(p->batch.retried, 0);
    assert_int_equal(held_times, 1);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

/* --- rolled back ------------------------------------------------------------------------------ */

#define TRY(a, ...) PROBE(a, "begin", __VA_ARGS__, "set constraints all immediate", "rollback")

static void roll_back(struct probe *p)
{
    size_t n = p->batch.ncalls;

    p->batch.repeatable = false;
    p->batch.transaction = true;
    p->batch.rolls_back = true;
    p->calls[n - 3].sync = p->calls[n - 2].sync = true;
}

static void what_is_rolled_back_is_answered_and_not_there(void **state)
{
    struct rig r = new_rig();
    struct probe *p = TRY(r.arena, "insert into items values ('made') returning a",
                          "insert into parent values (1)", "insert into child values (1)",
                          "select count(*)::text from items");

    (void)state;
    roll_back(p);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_string_equal(probe_value(p, 1), "made");
    assert_string_equal(probe_value(p, 4), "1");
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void lost_nothing_that_is_rolled_back_has_happened(void **state)
{
    struct rig r = new_rig();
    struct probe *p = TRY(r.arena, "insert into items values ('tried')",
                          "select pg_terminate_backend(pg_backend_pid())");

    (void)state;
    roll_back(p);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_UNAVAILABLE);
    assert_int_equal(p->batch.retried, PGRETRY_LOST);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void a_deferred_constraint_is_checked_before_it_is_rolled_back(void **state)
{
    struct rig r = new_rig();
    struct probe *p = TRY(r.arena, "insert into child values (1)");

    (void)state;
    roll_back(p);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_string_equal(p->batch.sqlstate, "23503");
    assert_int_equal(p->batch.failed_call, 2);
    assert_sound(&r);
    rig_free(&r);
}

static void a_failure_stays_the_one_that_was(void **state)
{
    struct rig r = new_rig();
    struct probe *p = TRY(r.arena, "select 1 / 0", "insert into items values ('made')");

    (void)state;
    roll_back(p);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_string_equal(p->batch.sqlstate, "22012");
    assert_int_equal(p->batch.failed_call, 1);
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

static void a_tripped_guard_is_an_answer_there_too(void **state)
{
    struct rig r = new_rig();
    struct probe *p = TRY(r.arena, "insert into items values ('made') returning a",
                          "select 'an error'::text::bool", "select 'read'");

    (void)state;
    roll_back(p);
    p->calls[2].guard = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_true(p->calls[2].tripped);
    assert_string_equal(probe_value(p, 1), "made");
    assert_string_equal(items(), "");
    assert_sound(&r);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_is_sent_in_the_same_transaction),
        cmocka_unit_test(after_a_failure_nothing_is_asked_or_sent),
        cmocka_unit_test(what_is_sent_later_fails_the_whole),
        cmocka_unit_test(a_commit_that_fails_fails_what_was_held),
        cmocka_unit_test(a_tripped_guard_leaves_nothing_to_hold),
        cmocka_unit_test(a_transaction_of_its_own_is_held_before_its_commit),
        cmocka_unit_test(a_transaction_of_its_own_that_failed_is_ended),
        cmocka_unit_test(lost_while_held_nothing_has_happened),
        cmocka_unit_test(lost_when_the_end_was_sent_it_is_unknown),
        cmocka_unit_test(lost_nothing_that_is_rolled_back_has_happened),
        cmocka_unit_test(what_is_rolled_back_is_answered_and_not_there),
        cmocka_unit_test(a_deferred_constraint_is_checked_before_it_is_rolled_back),
        cmocka_unit_test(a_failure_stays_the_one_that_was),
        cmocka_unit_test(a_tripped_guard_is_an_answer_there_too),
    };

    return cmocka_run_group_tests(tests, database_setup, database_teardown);
}
