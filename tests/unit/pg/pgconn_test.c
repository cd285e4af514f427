/* pgconn_test.c - what a batch means to PostgreSQL: settings, transaction, errors, statements. */
#include "pg/pgfixture.h"

static void settings_are_seen_by_the_statements_and_gone_afterwards(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    const struct pgsetting settings[] = {
        {"app.current_tenant_id", "t1"},
        {"app.empty",             ""  }
    };
    const char *show = "select current_setting('app.current_tenant_id', true) || '|' || "
                       "coalesce(current_setting('app.empty', true), 'unset') || '|' || "
                       "current_user || '|' || current_setting('statement_timeout') || '|' || "
                       "current_setting('transaction_read_only')";
    struct probe *with = PROBE(r.arena, show);
    struct probe *without = PROBE(r.arena, show);

    (void)state;
    with->session = (struct pgsession){.role = app_role,
                                       .settings = settings,
                                       .nsettings = 2,
                                       .timeout_ms = 1234,
                                       .read_only = true};
    rig_run(&r, with);
    assert_outcome(with, PGBATCH_OK);
    assert_string_equal(probe_value(with, 0),
                        arena_printf(r.arena, "t1||%s|1234ms|on", app_role).data);
    without->session.timeout_ms = 0;
    without->batch.until = DEADLINE_NEVER;
    rig_run(&r, without);
    assert_outcome(without, PGBATCH_OK);
    assert_string_equal(probe_value(without, 0), "||postgres|0|off");
    rig_free(&r);
}

static void a_write_in_a_read_only_session_fails_and_the_connection_stays(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *pid = PROBE(r.arena, "select pg_backend_pid()::text");
    struct probe *p = PROBE(r.arena, "create table no (a int)");
    struct probe *after = PROBE(r.arena, "select pg_backend_pid()::text");

    (void)state;
    rig_run(&r, pid);
    p->session.read_only = true;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_string_equal(p->batch.sqlstate, "25006");
    rig_run(&r, after);
    assert_string_equal(probe_value(pid, 0), probe_value(after, 0));
    rig_free(&r);
}

static void all_settings_are_set_however_many(void **state)
{
    enum {
        MANY = PGSESSION_MAX_SETTINGS
    };
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p =
        PROBE(r.arena, "select string_agg(current_setting('app.s' || i), ',' order by i) || ' ' ||"
                       " current_user from generate_series(0, 127) as i");
    struct pgsetting settings[MANY];
    struct buf expected = {0};

    (void)state;
    for (int i = 0; i < MANY; i++) {
        settings[i] = (struct pgsetting){arena_printf(r.arena, "app.s%d", i).data,
                                         arena_printf(r.arena, "%d", i * 7).data};
        buf_printf(&expected, "%s%d", i > 0 ? "," : "", i * 7);
    }
    buf_append_lit(&expected, " pg_monitor");
    p->session.settings = settings;
    p->session.nsettings = MANY;
    p->session.role = "pg_monitor";
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_string_equal(probe_value(p, 0), buf_cstr(&expected));
    buf_fini(&expected);
    rig_free(&r);
}

static void what_a_function_sets_for_the_session_does_not_reach_the_next_batch(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *evil = PROBE(r.arena, "select set_config('statement_timeout', '1', false)",
                               "select set_config('role', $$"
                               "pg_monitor"
                               "$$, false)");
    struct probe *next = PROBE(r.arena, "select current_user::text");

    (void)state;
    rig_run(&r, evil);
    assert_outcome(evil, PGBATCH_OK);
    rig_run(&r, next);
    assert_outcome(next, PGBATCH_OK);
    assert_string_equal(probe_value(next, 0), "postgres");
    rig_free(&r);
}

/* Also what no batch sets of its own: a policy may trust a setting, the wire an encoding. */
static void what_a_change_sets_for_the_session_is_gone_before_the_next_batch(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *evil = PROBE(r.arena, "select set_config('app.is_admin', 'on', false)",
                               "select set_config('row_security', 'off', false)",
                               "select set_config('timezone', 'Asia/Tokyo', false)",
                               "select set_config('default_transaction_read_only', 'on', false)",
                               "select set_config('client_encoding', 'LATIN1', false)");
    struct probe *next =
        PROBE(r.arena, "select concat_ws('|', nullif(current_setting('app.is_admin', true), ''), "
                       "current_setting('row_security'), current_setting('timezone'), "
                       "current_setting('transaction_read_only'), chr(233))");

    (void)state;
    evil->batch.repeatable = false;
    rig_run(&r, evil);
    assert_outcome(evil, PGBATCH_OK);
    rig_run(&r, next);
    assert_outcome(next, PGBATCH_OK);
    assert_string_equal(probe_value(next, 0), "on|UTC|off|\xc3\xa9");
    rig_free(&r);
}

static void all_is_rolled_back_when_one_statement_fails(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "insert into plain values (1)", "select 1/0",
                            "insert into plain values (2)");
    struct probe *count = PROBE(r.arena, "select count(*)::text from plain");

    (void)state;
    admin_do("create table plain (a int)");
    p->batch.repeatable = false;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, 1);
    assert_string_equal(p->batch.sqlstate, "22012");
    rig_run(&r, count);
    assert_string_equal(probe_value(count, 0), "0");
    rig_free(&r);
}

static void an_error_does_not_touch_the_next_batch_in_the_pipeline(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *probes[40];

    (void)state;
    opt.fast_connections = 1;
    for (int i = 0; i < 40; i++) {
        /* Both the failing and the good statement are prepared in the midst of it. */
        probes[i] = i % 3 == 0   ? PROBE(r.arena, "select 1/0", "select 'good'")
                    : i % 3 == 1 ? PROBE(r.arena, "select no_such_column", "select 'never'")
                                 : PROBE(r.arena, "select 'good'");
        probes[i]->batch.lane = PGLANE_FAST;
        rig_submit(&r, &probes[i]->batch);
    }
    rig_wait(&r);
    for (int i = 0; i < 40; i++) {
        if (i % 3 == 2) {
            assert_outcome(probes[i], PGBATCH_OK);
            assert_string_equal(probe_value(probes[i], 0), "good");
        } else {
            assert_outcome(probes[i], PGBATCH_FAILED);
            assert_string_equal(probes[i]->batch.sqlstate, i % 3 == 0 ? "22012" : "42703");
            assert_int_equal(probes[i]->batch.failed_call, 0);
        }
    }
    rig_free(&r);
}

static void a_setting_that_fails_fails_the_batch(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "select 1");

    (void)state;
    p->session.role = "no_such_role";
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    assert_true(p->batch.failed_call == SIZE_MAX);
    assert_null(p->calls[0].rows);
    rig_free(&r);
}

static void a_deferred_constraint_that_fails_at_commit_is_no_success(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "insert into late values (1) returning a::text",
                            "insert into late values (1) returning a::text");
    struct probe *next = PROBE(r.arena, "select count(*)::text from late");

    (void)state;
    admin_do("create table late (a int unique deferrable initially deferred)");
    p->batch.repeatable = false;
    rig_submit(&r, &p->batch);
    rig_submit(&r, &next->batch);
    rig_wait(&r);
    assert_outcome(p, PGBATCH_FAILED);
    assert_int_equal(p->batch.failed_call, 2);
    assert_string_equal(p->batch.sqlstate, "23505");
    assert_true(str_is(p->batch.constraint, "late_a_key"));
    assert_outcome(next, PGBATCH_OK);
    assert_string_equal(probe_value(next, 0), "0");
    rig_free(&r);
}

static void a_statement_that_leaves_its_transaction_open_fails(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "begin", "create table left_open (a int)");
    struct probe *next = PROBE(r.arena, "select coalesce(to_regclass('left_open')::text, 'no')");

    (void)state;
    p->batch.repeatable = false;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_FAILED);
    rig_run(&r, next);
    assert_outcome(next, PGBATCH_OK);
    assert_string_equal(probe_value(next, 0), "no");
    rig_free(&r);
}

static void copy_closes_the_connection(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "copy (select 1) to stdout");
    struct probe *next = PROBE(r.arena, "select 'well'");

    (void)state;
    p->batch.repeatable = false;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_LOST);
    rig_run(&r, next);
    assert_outcome(next, PGBATCH_OK);
    rig_free(&r);
}

static void statement_timeout_ends_a_statement(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *own = PROBE(r.arena, "select pg_sleep(10)");
    struct probe *deadline = PROBE(r.arena, "select pg_sleep(10)");
    struct probe *several =
        PROBE(r.arena, "select pg_sleep(0.4)", "select pg_sleep(0.4)", "select pg_sleep(0.4)",
              "select pg_sleep(0.4)", "select pg_sleep(0.4)", "select pg_sleep(0.4)");
    uint64_t start = monotonic_ns();

    (void)state;
    own->session.timeout_ms = 100;
    rig_run(&r, own);
    assert_outcome(own, PGBATCH_FAILED);
    assert_string_equal(own->batch.sqlstate, "57014");
    deadline->batch.until = deadline_in_ms(500);
    rig_run(&r, deadline);
    assert_outcome(deadline, PGBATCH_FAILED);
    assert_string_equal(deadline->batch.sqlstate, "57014");
    /* Each statement is within the limit: only a cancel request ends the batch. */
    several->batch.until = deadline_in_ms(500);
    rig_run(&r, several);
    assert_outcome(several, PGBATCH_FAILED);
    assert_string_equal(several->batch.sqlstate, "57014");
    assert_true(monotonic_ns() - start < UINT64_C(5000000000));
    rig_free(&r);
}

static void changed_result_types_are_invisible(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r = rig_new(&opt);

    (void)state;
    admin_do("create table shape (a int); insert into shape values (7)");
    for (int round = 0; round < 6; round++) {
        struct probe *first = PROBE(r.arena, "select * from shape");
        struct probe *second = PROBE(r.arena, "select * from shape");

        /* A change may be repeated too: nothing of it ran. */
        first->batch.repeatable = round % 2 == 0;
        rig_submit(&r, &first->batch);
        rig_submit(&r, &second->batch);
        rig_wait(&r);
        assert_outcome(first, PGBATCH_OK);
        assert_outcome(second, PGBATCH_OK);
        assert_int_equal(pgrows_columns(first->calls[0].rows), round + 1);
        admin_do("alter table shape add column c%d int", round);
    }
    rig_free(&r);
}

static void a_change_whose_later_statement_is_stale_happens_once(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);

    (void)state;
    admin_do(
        "create table entries (a int); create table form (a int); insert into form values (1)");
    for (int round = 1; round <= 4; round++) {
        struct probe *p = PROBE(r.arena, "insert into entries values (1)", "select * from form");

        p->batch.repeatable = false;
        rig_run(&r, p);
        assert_outcome(p, PGBATCH_OK);
        assert_int_equal(pgrows_columns(p->calls[1].rows), round);
        assert_int_equal(strtol(admin_do("select count(*) from entries"), NULL, 10), round);
        admin_do("alter table form add column c%d int", round);
    }
    rig_free(&r);
}

static void more_statements_than_fit_are_deallocated(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *count;

    (void)state;
    opt.max = 1;
    for (int i = 0; i < 700; i++) {
        const char *sql = arena_printf(r.arena, "select '%d'::text", i % 400).data;
        struct probe *p = PROBE(r.arena, sql);

        p->batch.lane = i % 5 == 0 ? PGLANE_SLOW : PGLANE_FAST;
        rig_submit(&r, &p->batch);
        if (i % 8 == 0)
            rig_wait(&r);
        if (i % 100 == 99) {
            rig_wait(&r);
            assert_outcome(p, PGBATCH_OK);
            assert_string_equal(probe_value(p, 0), arena_printf(r.arena, "%d", i % 400).data);
        }
    }
    rig_wait(&r);
    count = PROBE(r.arena, "select count(*)::int::text from pg_prepared_statements");
    rig_run(&r, count);
    assert_true(strtol(probe_value(count, 0), NULL, 10) > 200);
    assert_true(strtol(probe_value(count, 0), NULL, 10) <= 256);
    rig_free(&r);
}

static void statements_are_prepared_by_text_and_role_or_not_at_all(void **state)
{
    const char *sql = "select count(*)::text from pg_prepared_statements where name like 'fq%'";

    (void)state;
    for (int off = 0; off < 2; off++) {
        struct pgpool_options opt = rig_options(1);
        struct rig r;
        struct probe *last = NULL;

        opt.prepared = off ? PGPREPARED_OFF : PGPREPARED_AUTO;
        r = rig_new(&opt);
        for (int i = 0; i < 6; i++) {
            last = PROBE(r.arena, sql);
            last->session.role = i % 2 == 0 ? "" : app_role;
            rig_run(&r, last);
            assert_outcome(last, PGBATCH_OK);
        }
        /* Settings once, the statement for each of two roles. */
        assert_string_equal(probe_value(last, 0), off ? "0" : "3");
        rig_free(&r);
    }
}

static void a_wide_row_recycles_the_connection(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    const char *pid_sql = "select pg_backend_pid()::text";
    struct probe *before = PROBE(r.arena, pid_sql);
    struct probe *long_result =
        PROBE(r.arena, "select repeat('x', 1000) from generate_series(1, 4000)");
    struct probe *between = PROBE(r.arena, pid_sql);
    struct probe *wide = PROBE(r.arena, "select repeat('x', 3000000)");
    struct probe *after = PROBE(r.arena, pid_sql);

    (void)state;
    rig_run(&r, before);
    rig_run(&r, long_result);
    assert_int_equal(pgrows_count(long_result->calls[0].rows), 4000);
    rig_run(&r, between);
    assert_string_equal(probe_value(before, 0), probe_value(between, 0));
    rig_run(&r, wide);
    assert_int_equal(strlen(probe_value(wide, 0)), 3000000);
    rig_run(&r, after);
    assert_outcome(after, PGBATCH_OK);
    assert_string_not_equal(probe_value(before, 0), probe_value(after, 0));
    rig_free(&r);
}

/* Both directions are full at once: it reads while it still writes. */
static void large_parameters_and_results_do_not_lock_up(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    size_t size = 8 << 20;
    char *big = arena_alloc(r.arena, size + 1);
    const char *params[] = {big};
    struct probe *probes[4];

    (void)state;
    memset(big, 'y', size);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        probes[i] = PROBE(r.arena, "select $1::text", "select $1::text");
        for (size_t k = 0; k < 2; k++) {
            pgstatement_init(&probes[i]->statements[k], STR("select $1::text"), 1);
            probes[i]->calls[k].params = params;
        }
        probes[i]->session.timeout_ms = 20000;
        rig_submit(&r, &probes[i]->batch);
    }
    rig_wait(&r);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        struct pgvalue v;

        assert_outcome(probes[i], PGBATCH_OK);
        pgrows_row(probes[i]->calls[1].rows, 0, &v);
        assert_int_equal(v.len, size);
    }
    rig_free(&r);
}

static void values_are_binary_and_nulls_are_known(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    const char *params[] = {"258", NULL, ""};
    struct probe *p =
        PROBE(r.arena, "select $1::int4, $2::text, $3::text", "create table made (a int)",
              "insert into made select generate_series(1, 5)");
    struct pgvalue v[3];

    (void)state;
    p->statements[0].nparams = 3;
    p->calls[0].params = params;
    p->batch.repeatable = false;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_int_equal(pgrows_columns(p->calls[0].rows), 3);
    pgrows_row(p->calls[0].rows, 0, v);
    assert_int_equal(v[0].len, 4);
    assert_memory_equal(v[0].data, "\0\0\1\2", 4);
    assert_int_equal(v[1].len, -1);
    assert_int_equal(v[2].len, 0);
    assert_int_equal(pgrows_affected(p->calls[2].rows), 5);
    assert_true(p->batch.backend_ns > 0);
    rig_free(&r);
}

static void texts_do_not_depend_on_the_servers_settings(void **state)
{
    struct pgpool_options opt = rig_options(1);
    const char *path[] = {"odd \"schema\\", "public"};
    const struct pgkeyword keywords[] = {
        {"options", "-c datestyle=german -c work_mem=5MB"}
    };
    struct rig r;
    struct probe *p;

    (void)state;
    opt.search_path = path;
    opt.nsearch_path = 2;
    opt.keywords = keywords;
    opt.nkeywords = 1;
    r = rig_new(&opt);
    p = PROBE(r.arena, "select concat_ws('|', current_setting('datestyle'), "
                       "current_setting('intervalstyle'), current_setting('timezone'), "
                       "current_setting('bytea_output'), current_setting('jit'), "
                       "current_setting('search_path'), current_setting('work_mem'), "
                       "current_setting('application_name'), current_setting('client_encoding'))");
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    assert_string_equal(probe_value(p, 0),
                        "ISO, DMY|iso_8601|UTC|hex|off|\"odd \"\"schema\\\",\"public\"|"
                        "5MB|fraiseqld|UTF8");
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_seen_by_the_statements_and_gone_afterwards),
        cmocka_unit_test(a_write_in_a_read_only_session_fails_and_the_connection_stays),
        cmocka_unit_test(all_settings_are_set_however_many),
        cmocka_unit_test(what_a_function_sets_for_the_session_does_not_reach_the_next_batch),
        cmocka_unit_test(what_a_change_sets_for_the_session_is_gone_before_the_next_batch),
        cmocka_unit_test(all_is_rolled_back_when_one_statement_fails),
        cmocka_unit_test(an_error_does_not_touch_the_next_batch_in_the_pipeline),
        cmocka_unit_test(a_setting_that_fails_fails_the_batch),
        cmocka_unit_test(a_deferred_constraint_that_fails_at_commit_is_no_success),
        cmocka_unit_test(a_statement_that_leaves_its_transaction_open_fails),
        cmocka_unit_test(copy_closes_the_connection),
        cmocka_unit_test(statement_timeout_ends_a_statement),
        cmocka_unit_test(changed_result_types_are_invisible),
        cmocka_unit_test(a_change_whose_later_statement_is_stale_happens_once),
        cmocka_unit_test(more_statements_than_fit_are_deallocated),
        cmocka_unit_test(statements_are_prepared_by_text_and_role_or_not_at_all),
        cmocka_unit_test(a_wide_row_recycles_the_connection),
        cmocka_unit_test(large_parameters_and_results_do_not_lock_up),
        cmocka_unit_test(values_are_binary_and_nulls_are_known),
        cmocka_unit_test(texts_do_not_depend_on_the_servers_settings),
    };

    return cmocka_run_group_tests_name("pgconn", tests, database_setup, database_teardown);
}
