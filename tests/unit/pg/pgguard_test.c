/*
 * pgguard_test.c - batches some of which may fail without the rest: guards, and transactions of
 * their own with more Syncs than one.
 */
#include "pg/pgfixture.h"

/* The statements of planner/plan_guard.c, for a part named by a letter. */
#define OUTCOME(o) "select set_config('fraiseql.outcome', '" o "', true)"
#define GUARD      "select pg_catalog.current_setting('fraiseql.outcome')::pg_catalog.bool"
#define PART(k, insert, outcome, read)                                                        \
    "savepoint fraiseql", insert, OUTCOME(outcome), "savepoint fraiseql_" k, GUARD,           \
        "release savepoint fraiseql_" k, read, OUTCOME("done"), "release savepoint fraiseql", \
        "savepoint fraiseql", "savepoint fraiseql_" k, "rollback to savepoint fraiseql_" k,   \
        "select (case pg_catalog.current_setting('fraiseql.outcome') when 'true' then "       \
        "'interrupted' else 'true' end)::pg_catalog.bool",                                    \
        "rollback to savepoint fraiseql", "release savepoint fraiseql"
#define PART_SIZE  15
#define PART_GUARD 4
#define PART_READ  6
#define PART_SYNC  10

static struct rig new_rig(void)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);

    admin_do("drop table if exists child, items, parent");
    admin_do("create table parent (id int primary key)");
    admin_do("create table items (a int)");
    admin_do("create table child (parent int references parent deferrable initially deferred)");
    return r;
}

/* Of "begin", parts and "commit": guards and Syncs where they are. */
static void set_parts(struct probe *p, size_t nparts)
{
    p->batch.repeatable = false;
    p->batch.transaction = true;
    assert_int_equal(p->batch.ncalls, nparts * PART_SIZE + 2);
    for (size_t i = 0; i < nparts; i++) {
        p->calls[1 + i * PART_SIZE + PART_GUARD].guard = true;
        p->calls[1 + i * PART_SIZE + PART_SYNC].sync = true;
    }
    p->calls[nparts * PART_SIZE].sync = true;
}

static size_t at(size_t part, size_t call)
{
    return 1 + part * PART_SIZE + call;
}

static const char *items(void)
{
    return admin_do("select coalesce(string_agg(a::text, ',' order by a), '') from items");
}

static void a_tripped_guard_rolls_back_and_what_came_before_it_is_the_answer(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "insert into items values (1) returning a::text",
                            OUTCOME("an error"), GUARD, "select 'read'");

    (void)state;
    p->batch.repeatable = false;
    p->calls[2].guard = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_true(p->calls[2].tripped);
    assert_string_equal(probe_value(p, 0), "1");
    assert_null(p->calls[3].rows);
    assert_string_equal(items(), "");
    rig_free(&r);
}

static void a_guard_that_passes_changes_nothing(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "insert into items values (1) returning a::text",
                            OUTCOME("true"), GUARD, "select 'read'");

    (void)state;
    p->batch.repeatable = false;
    p->calls[2].guard = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_false(p->calls[2].tripped);
    assert_string_equal(probe_value(p, 3), "read");
    assert_string_equal(items(), "1");
    rig_free(&r);
}

/* The same error elsewhere, and another error of the guard. */
static void only_the_guards_own_error_is_no_failure(void **state)
{
    struct rig r = new_rig();
    struct probe *elsewhere = PROBE(r.arena, "select 'x'::bool", GUARD);
    struct probe *other = PROBE(r.arena, "insert into items values (1)", "select 1/0");

    (void)state;
    elsewhere->calls[1].guard = other->calls[1].guard = true;
    rig_run(&r, elsewhere);
    assert_outcome(elsewhere, PGBATCH_FAILED);
    assert_int_equal(elsewhere->batch.failed_call, 0);
    rig_run(&r, other);
    assert_outcome(other, PGBATCH_FAILED);
    assert_false(other->calls[1].tripped);
    assert_string_equal(items(), "");
    rig_free(&r);
}

static void a_part_whose_guard_trips_is_rolled_back_alone(void **state)
{
    struct rig r = new_rig();

    (void)state;
    /* All that can trip: none, each, two in a row, all. */
    for (unsigned tripped = 0; tripped < 8; tripped++) {
        struct buf expected;
        struct probe *p = PROBE(
            r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
            PART("2", "insert into items values (2)", "true", "select count(*)::text from items"),
            PART("3", "insert into items values (3)", "true", "select 'r3'"), "commit");

        buf_init(&expected, 0);
        set_parts(p, 3);
        for (unsigned i = 0; i < 3; i++) {
            if (tripped & 1u << i)
                pgstatement_init(&p->statements[at(i, 2)], str_of(OUTCOME("an error")), 0);
            else
                buf_printf(&expected, "%s%u", expected.len > 0 ? "," : "", i + 1);
        }
        admin_do("truncate items, child, parent");
        rig_run(&r, p);
        assert_outcome(p, PGBATCH_OK);
        for (unsigned i = 0; i < 3; i++) {
            bool trips = tripped & 1u << i;

            assert_int_equal(p->calls[at(i, PART_GUARD)].tripped, trips);
            assert_int_equal(p->calls[at(i, PART_READ)].rows == NULL, trips);
        }
        if (!(tripped & 2))
            assert_string_equal(probe_value(p, at(1, PART_READ)), tripped & 1 ? "1" : "2");
        assert_string_equal(items(), buf_cstr(&expected));
        buf_fini(&expected);
    }
    rig_free(&r);
}

/* Call by call, in an operation whose first part has an error result. */
static void an_error_anywhere_rolls_back_all_parts(void **state)
{
    struct rig r = new_rig();

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        static const size_t places[] = {1, 2, PART_READ};

        for (size_t j = 0; j < COUNT_OF(places); j++) {
            struct probe *p = PROBE(
                r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
                PART("2", "insert into items values (2)", "true", "select 'r2'"),
                PART("3", "insert into items values (3)", "an error", "select 'r3'"), "commit");

            set_parts(p, 3);
            pgstatement_init(&p->statements[at(i, places[j])], str_of("select 1/0"), 0);
            rig_run(&r, p);
            assert_outcome(p, PGBATCH_FAILED);
            assert_string_equal(p->batch.sqlstate, "22012");
            assert_int_equal(p->batch.failed_call, at(i, places[j]));
            assert_string_equal(items(), "");
        }
    }
    rig_free(&r);
}

static void an_error_behind_a_part_that_was_rolled_back_fails_the_whole(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(r.arena, "begin",
                            PART("1", "insert into items values (1)", "an error", "select 'r1'"),
                            PART("2", "select 1/0", "true", "select 'r2'"), "commit");

    (void)state;
    set_parts(p, 2);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, at(1, 1));
    assert_string_equal(items(), "");
    rig_free(&r);
}

static void a_deferred_constraint_fails_the_whole(void **state)
{
    struct rig r = new_rig();
    struct probe *p =
        PROBE(r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
              PART("2", "insert into child values (7)", "true", "select 'r2'"), "commit");
    struct probe *undone =
        PROBE(r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
              PART("2", "insert into child values (7)", "an error", "select 'r2'"), "commit");

    (void)state;
    set_parts(p, 2);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_string_equal(p->batch.sqlstate, "23503");
    assert_string_equal(items(), "");
    /* What was rolled back owes nothing. */
    set_parts(undone, 2);
    rig_run(&r, undone);
    assert_outcome(undone, PGBATCH_OK);
    assert_string_equal(items(), "1");
    rig_free(&r);
}

/* A cancel request may come at any moment: what the guard did not get to say is not guessed. */
static void an_interrupted_guard_counts_as_what_it_would_have_said(void **state)
{
    struct rig r = new_rig();
    struct probe *would_pass =
        PROBE(r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
              PART("2", "insert into items values (2)", "true", "select 'r2'"), "commit");
    struct probe *would_trip = PROBE(
        r.arena, "begin", PART("1", "insert into items values (1)", "an error", "select 'r1'"),
        PART("2", "insert into items values (2)", "true", "select 'r2'"), "commit");

    (void)state;
    set_parts(would_pass, 2);
    pgstatement_init(&would_pass->statements[at(0, PART_GUARD)], str_of("select 1/0"), 0);
    rig_run(&r, would_pass);
    assert_outcome(would_pass, PGBATCH_FAILED);
    assert_string_equal(items(), "");
    set_parts(would_trip, 2);
    pgstatement_init(&would_trip->statements[at(0, PART_GUARD)], str_of("select 1/0"), 0);
    rig_run(&r, would_trip);
    assert_outcome(would_trip, PGBATCH_OK);
    assert_true(would_trip->calls[at(0, PART_GUARD)].tripped);
    assert_string_equal(items(), "2");
    rig_free(&r);
}

/* Whatever is cut short between the parts. */
static void an_interruption_between_parts_rolls_back_all(void **state)
{
    struct rig r = new_rig();

    (void)state;
    for (size_t call = PART_SYNC + 1; call < PART_SIZE; call++) {
        for (size_t part = 0; part < 3; part++) {
            struct probe *p = PROBE(
                r.arena, "begin",
                PART("1", "insert into items values (1)", "an error", "select 'r1'"),
                PART("2", "insert into items values (2)", "true", "select 'r2'"),
                PART("3", "insert into items values (3)", "an error", "select 'r3'"), "commit");

            set_parts(p, 3);
            pgstatement_init(&p->statements[at(part, call)], str_of("select 1/0"), 0);
            rig_run(&r, p);
            assert_outcome(p, PGBATCH_FAILED);
            assert_string_equal(items(), "");
        }
    }
    rig_free(&r);
}

/* The name of a statement that never was prepared, as what stands before it failed. */
static void parts_may_have_the_same_statements(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(
        r.arena, "begin", PART("1", "insert into items values (1)", "an error", "select 'same'"),
        PART("2", "insert into items values (1)", "true", "select 'same'"), "commit");
    struct probe *again =
        PROBE(r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'same'"),
              PART("2", "insert into items values (1)", "an error", "select 'same'"), "commit");

    (void)state;
    set_parts(p, 2);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_int_equal(p->batch.retried, 0);
    assert_string_equal(probe_value(p, at(1, PART_READ)), "same");
    assert_string_equal(items(), "1");
    set_parts(again, 2);
    rig_run(&r, again);
    assert_outcome(again, PGBATCH_OK);
    assert_int_equal(again->batch.retried, 0);
    assert_string_equal(items(), "1,1");
    rig_free(&r);
}

static void a_session_that_cannot_be_set_changes_nothing(void **state)
{
    struct rig r = new_rig();
    struct probe *p =
        PROBE(r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
              PART("2", "insert into items values (2)", "an error", "select 'r2'"), "commit");
    struct probe *next = PROBE(r.arena, "select 'next'");

    (void)state;
    set_parts(p, 2);
    p->session.role = "no such role";
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, SIZE_MAX);
    assert_string_equal(items(), "");
    rig_run(&r, next);
    assert_string_equal(probe_value(next, 0), "next");
    rig_free(&r);
}

static void settings_and_role_hold_in_all_parts_and_not_after_them(void **state)
{
    struct rig r = new_rig();
    const struct pgsetting settings[] = {
        {"app.current_tenant_id", "t1"}
    };
    const char *show = "select current_user || '|' || current_setting('app.current_tenant_id')";
    struct probe *p = PROBE(r.arena, "begin", PART("1", "select 1", "an error", "select 'r1'"),
                            PART("2", "select 1", "true", "select 'r2'"), "commit");
    struct probe *next = PROBE(r.arena, "select current_user || '|' || "
                                        "current_setting('app.current_tenant_id')");

    (void)state;
    set_parts(p, 2);
    pgstatement_init(&p->statements[at(0, 1)], str_of(show), 0);
    pgstatement_init(&p->statements[at(1, PART_READ)], str_of(show), 0);
    p->session = (struct pgsession){.role = app_role, .settings = settings, .nsettings = 1};
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_string_equal(probe_value(p, at(0, 1)), arena_printf(r.arena, "%s|t1", app_role).data);
    assert_string_equal(probe_value(p, at(1, PART_READ)),
                        arena_printf(r.arena, "%s|t1", app_role).data);
    rig_run(&r, next);
    assert_string_equal(probe_value(next, 0), "postgres|");
    rig_free(&r);
}

static void a_lost_connection_is_an_unknown_outcome_and_rolls_back(void **state)
{
    struct rig r = new_rig();
    struct probe *p =
        PROBE(r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
              PART("2", "select pg_terminate_backend(pg_backend_pid())", "true", "select 'r2'"),
              "commit");
    struct probe *next = PROBE(r.arena, "select 'next'");

    (void)state;
    set_parts(p, 2);
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_LOST);
    assert_int_equal(p->batch.retried, 0);
    assert_string_equal(items(), "");
    rig_run(&r, next);
    assert_string_equal(probe_value(next, 0), "next");
    rig_free(&r);
}

/* Wherever it sleeps: in the call, in the guard, between the parts. */
static void a_cancelled_batch_changes_nothing(void **state)
{
    static const size_t places[] = {1, PART_GUARD, PART_READ, PART_SYNC + 2};
    struct rig r = new_rig();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        struct probe *p = PROBE(
            r.arena, "begin", PART("1", "insert into items values (1)", "true", "select 'r1'"),
            PART("2", "insert into items values (2)", "true", "select 'r2'"),
            PART("3", "insert into items values (3)", "true", "select 'r3'"), "commit");

        set_parts(p, 3);
        pgstatement_init(&p->statements[at(1, places[i])], str_of("select pg_sleep(20)"), 0);
        rig_submit(&r, &p->batch);
        rig_pass(&r, 100);
        pgclient_cancel(r.client, &p->batch);
        rig_wait(&r);
        assert_outcome(p, PGBATCH_CANCELLED);
        assert_string_equal(items(), "");
    }
    rig_free(&r);
}

static void a_timeout_in_a_part_fails_the_whole(void **state)
{
    struct rig r = new_rig();
    struct probe *p = PROBE(
        r.arena, "begin", PART("1", "insert into items values (1)", "an error", "select 'r1'"),
        PART("2", "select pg_sleep(20)", "true", "select 'r2'"),
        PART("3", "insert into items values (3)", "true", "select 'r3'"), "commit");

    (void)state;
    set_parts(p, 3);
    p->session.timeout_ms = 100;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_string_equal(p->batch.sqlstate, "57014");
    assert_string_equal(items(), "");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tripped_guard_rolls_back_and_what_came_before_it_is_the_answer),
        cmocka_unit_test(a_guard_that_passes_changes_nothing),
        cmocka_unit_test(only_the_guards_own_error_is_no_failure),
        cmocka_unit_test(a_part_whose_guard_trips_is_rolled_back_alone),
        cmocka_unit_test(an_error_anywhere_rolls_back_all_parts),
        cmocka_unit_test(an_error_behind_a_part_that_was_rolled_back_fails_the_whole),
        cmocka_unit_test(a_deferred_constraint_fails_the_whole),
        cmocka_unit_test(an_interrupted_guard_counts_as_what_it_would_have_said),
        cmocka_unit_test(an_interruption_between_parts_rolls_back_all),
        cmocka_unit_test(parts_may_have_the_same_statements),
        cmocka_unit_test(a_session_that_cannot_be_set_changes_nothing),
        cmocka_unit_test(settings_and_role_hold_in_all_parts_and_not_after_them),
        cmocka_unit_test(a_lost_connection_is_an_unknown_outcome_and_rolls_back),
        cmocka_unit_test(a_cancelled_batch_changes_nothing),
        cmocka_unit_test(a_timeout_in_a_part_fails_the_whole),
    };

    return cmocka_run_group_tests(tests, database_setup, database_teardown);
}
