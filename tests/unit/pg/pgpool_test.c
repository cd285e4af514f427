/* pgpool_test.c - the pool's size, health and lifetime; blocking batches; poolers. */
#include "pg/pgfixture.h"

#include "base/thread.h"
#include "pg/pglisten.h"
#include "pg/pgretry.h"

static const char pid_sql[] = "select pg_backend_pid()::text";

static long open_connections(void)
{
    return strtol(admin_do("select count(*) from pg_stat_activity where datname = '%s' and pid <> "
                           "pg_backend_pid()",
                           database_name),
                  NULL, 10);
}

static void await_connections(long n)
{
    struct deadline until = deadline_in_ms(10000);

    while (open_connections() != n) {
        if (deadline_passed(until))
            fail_msg("%ld connections, not %ld", open_connections(), n);
        usleep(2000);
    }
}

static void unknown_and_malformed_options_are_refused(void **state)
{
    const struct pgkeyword unknown = {"no_such_option", "1"};
    /* clang-format off */
    const struct pgpool_options cases[] = {
        {.url = "postgresql://localhost/db?no_such_option=1"},
        {.url = "host='unterminated"},
        {.url = "", .keywords = &unknown, .nkeywords = 1},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new(0);
        struct errors errs;

        errors_init(&errs, a);
        assert_null(pgpool_new(&cases[i], &errs));
        assert_int_equal(errs.n, 1);
        assert_int_equal(errs.first->code, CONFIG_INVALID);
        arena_free(a);
    }
}

static void keywords_override_the_url(void **state)
{
    struct pgpool_options opt = rig_options(1);
    const struct pgkeyword keywords[] = {
        {"application_name", "mine"}
    };
    char url[700];
    struct rig r;
    struct probe *p;

    (void)state;
    snprintf(url, sizeof(url), "%s application_name=theirs", database_info);
    opt.url = url;
    opt.keywords = keywords;
    opt.nkeywords = 1;
    r = rig_new(&opt);
    p = PROBE(r.arena, "select current_setting('application_name')");
    rig_run(&r, p);
    assert_string_equal(probe_value(p, 0), "mine");
    rig_free(&r);
}

static void min_connections_are_kept_and_the_others_closed_when_idle(void **state)
{
    struct pgpool_options opt = rig_options(6);
    struct rig r;
    struct pgpool_stats stats;

    (void)state;
    opt.min = 2;
    opt.idle_timeout_ms = 100;
    r = rig_new(&opt);
    await_connections(2);
    for (int i = 0; i < 5; i++) {
        struct probe *p = PROBE(r.arena, "select pg_sleep(0.1)");

        p->session.tenant = (uint64_t)i;
        rig_submit(&r, &p->batch);
    }
    rig_wait(&r);
    assert_true(open_connections() > 2);
    rig_pass(&r, 1500);
    await_connections(2);
    pgpool_stats(r.pool, &stats);
    assert_int_equal(stats.open, 2);
    assert_int_equal(stats.idle, 2);
    rig_free(&r);
    await_connections(0);
}

static void a_recycle_and_the_end_of_a_lifetime_replace_connections(void **state)
{
    struct pgpool_options opt = rig_options(1);

    (void)state;
    for (int lifetime = 0; lifetime < 2; lifetime++) {
        struct rig r;
        struct probe *before;
        struct probe *same;
        struct probe *after;

        opt.max_lifetime_ms = lifetime ? 200 : 0;
        r = rig_new(&opt);
        before = PROBE(r.arena, pid_sql);
        same = PROBE(r.arena, pid_sql);
        after = PROBE(r.arena, pid_sql);
        rig_run(&r, before);
        rig_run(&r, same);
        assert_string_equal(probe_value(before, 0), probe_value(same, 0));
        if (lifetime)
            rig_pass(&r, 300);
        else
            pgpool_recycle(r.pool);
        rig_run(&r, after);
        assert_outcome(after, PGBATCH_OK);
        assert_string_not_equal(probe_value(before, 0), probe_value(after, 0));
        rig_free(&r);
    }
}

/* A recycle reaches connections in the hands of an idle client, without any batch. */
static void a_recycle_closes_idle_connections_at_once(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "select 1");

    (void)state;
    rig_run(&r, p);
    await_connections(1);
    pgpool_recycle(r.pool);
    rig_pass(&r, 50);
    await_connections(0);
    rig_free(&r);
}

static void run_blocks_until_done_and_reports_errors(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *good = PROBE(r.arena, "select 'yes'");
    struct probe *bad = PROBE(r.arena, "select 1/0");
    struct probe *late =
        PROBE(r.arena, "select pg_sleep(0.25)", "select pg_sleep(0.25)", "select pg_sleep(0.25)",
              "select pg_sleep(0.25)", "select pg_sleep(0.25)", "select pg_sleep(0.25)",
              "select pg_sleep(0.25)", "select pg_sleep(0.25)");
    struct probe *after = PROBE(r.arena, "select 'fine'");

    (void)state;
    assert_true(pgpool_run(r.pool, &good->batch, &r.errs));
    assert_string_equal(probe_value(good, 0), "yes");
    assert_false(pgpool_run(r.pool, &bad->batch, &r.errs));
    assert_int_equal(r.errs.n, 1);
    assert_int_equal(r.errs.first->code, BAD_USER_INPUT);
    assert_string_equal(r.errs.first->sqlstate, "22012");
    late->batch.until = deadline_in_ms(300);
    assert_false(pgpool_run(r.pool, &late->batch, &r.errs));
    assert_string_equal(late->batch.sqlstate, "57014");
    assert_true(pgpool_run(r.pool, &after->batch, &r.errs));
    rig_free(&r);
}

/* The only connection is leased to the client, but idle there: run() gets it. */
static void run_gets_a_connection_an_idle_client_holds(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "select 1");
    struct probe *mine = PROBE(r.arena, "select 'mine'");

    (void)state;
    opt.acquire_timeout_ms = 200;
    rig_run(&r, p);
    /* This thread is the client's loop as well: let it give its connection back first. */
    rig_pass(&r, 1100);
    assert_true(pgpool_run(r.pool, &mine->batch, &r.errs));
    rig_free(&r);
}

struct runner {
    struct pgpool *pool;
    struct arena *arena;
    struct probe *probe;
    bool ok;
};

static void runner_main(void *arg)
{
    struct runner *run = arg;
    struct errors errs;

    errors_init(&errs, run->arena);
    run->ok = pgpool_run(run->pool, &run->probe->batch, &errs);
}

static void free_cancels_what_runs(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct arena *a = arena_new(0);
    struct errors errs;
    struct runner run = {.arena = a, .probe = PROBE(a, "select pg_sleep(20)")};
    struct thread *t;
    uint64_t start;

    (void)state;
    errors_init(&errs, a);
    run.pool = pgpool_new(&opt, &errs);
    t = thread_start(THREAD_JOBS, "run", runner_main, &run);
    await_connections(1);
    usleep(100000);
    start = monotonic_ns();
    pgpool_free(run.pool);
    thread_join(t);
    assert_false(run.ok);
    assert_true(monotonic_ns() - start < UINT64_C(3000000000));
    arena_free(a);
}

/* --- a server that comes and goes ------------------------------------------------------------- */

/* The server is ours only when no other was given. */
static void restart(const char *what, const char *mode)
{
    char command[512];
    char out[1024];

    snprintf(
        command, sizeof(command),
        "b=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1); cd /; "
        "as=; [ $(id -u) != 0 ] || as=\"setpriv --reuid $(stat -c %%u %s/data) --clear-groups\"; "
        "$as $b/pg_ctl %s -D %s/data -w %s >/dev/null 2>&1 </dev/null",
        server_dir, what, server_dir, mode);
    run_command(command, out, sizeof(out));
}

static void server_down(void)
{
    PQfinish(admin);
    admin = NULL;
    restart("stop", "-m immediate");
}

static void server_up(void)
{
    const char *port = strstr(server_info, "port=") + 5;
    char options[128];

    snprintf(options, sizeof(options), "-l %s/log -o '-p %d'", server_dir,
             (int)strtol(port, NULL, 10));
    restart("start", options);
    admin = connect_to(database_info);
}

static void batches_wait_for_a_database_that_is_down(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r;
    struct probe *hasty;
    struct probe *patient;
    struct pgpool_stats stats;

    (void)state;
    if (server_dir[0] == '\0')
        skip();
    server_down();
    opt.acquire_timeout_ms = 300;
    r = rig_new(&opt);
    hasty = PROBE(r.arena, "select 1");
    rig_run(&r, hasty);
    assert_outcome(hasty, PGBATCH_UNAVAILABLE);
    assert_true(hasty->batch.message.len > 0);
    pgpool_stats(r.pool, &stats);
    assert_false(stats.up);
    assert_true(stats.down_since_ns > 0);
    assert_int_equal(stats.open, 0);
    assert_false(pgpool_run(r.pool, &PROBE(r.arena, "select 1")->batch, &r.errs));
    assert_int_equal(r.errs.first->code, SERVICE_UNAVAILABLE);
    rig_free(&r);

    opt.acquire_timeout_ms = 20000;
    r = rig_new(&opt);
    patient = PROBE(r.arena, "select 'up'");
    rig_submit(&r, &patient->batch);
    rig_pass(&r, 200);
    assert_int_equal(patient->batch.state, PGBATCH_QUEUED);
    server_up();
    rig_wait(&r);
    assert_outcome(patient, PGBATCH_OK);
    pgpool_stats(r.pool, &stats);
    assert_true(stats.up);
    rig_free(&r);
}

static void the_pool_recovers_from_a_crash_of_the_server(void **state)
{
    struct pgpool_options opt = rig_options(4);
    struct rig r;
    struct probe *query;
    struct probe *change;
    struct pgpool_stats stats;
    struct deadline until;

    (void)state;
    if (server_dir[0] == '\0')
        skip();
    r = rig_new(&opt);
    query = PROBE(r.arena, "select 'q' from pg_sleep(1)");
    change = PROBE(r.arena, "select 'c' from pg_sleep(1)");
    change->batch.repeatable = false;
    rig_submit(&r, &query->batch);
    rig_submit(&r, &change->batch);
    rig_pass(&r, 150);
    server_down();
    until = deadline_in_ms(5000);
    do {
        rig_pass(&r, 10);
        pgpool_stats(r.pool, &stats);
    } while (stats.up && !deadline_passed(until));
    assert_false(stats.up);
    /* It probes by itself: nobody but the query waits. */
    server_up();
    rig_wait(&r);
    assert_outcome(query, PGBATCH_OK);
    assert_outcome(change, PGBATCH_LOST);
    rig_free(&r);
}

/* --- PgBouncer ----------------------------------------------------------------------------------
 */

static int bouncer_port;
static char bouncer_dir[80];

static bool bouncer_start(void)
{
    char command[2048];
    char out[256];

    if (server_dir[0] == '\0' || access("/usr/sbin/pgbouncer", X_OK) != 0)
        return false;
    bouncer_port = 32100 + (int)getpid() % 500;
    snprintf(bouncer_dir, sizeof(bouncer_dir), "%s/bouncer", server_dir);
    snprintf(
        command, sizeof(command),
        "mkdir -p %s && cd %s && { echo '[databases]'; echo '* = %s'; echo '[pgbouncer]'; "
        "echo 'listen_addr = 127.0.0.1'; echo 'listen_port = %d'; echo 'unix_socket_dir ='; "
        "echo 'auth_type = any'; echo 'pool_mode = transaction'; echo 'default_pool_size = 3'; "
        "echo 'pidfile = %s/pid'; echo 'logfile = %s/log'; } > ini; as=; "
        "[ $(id -u) != 0 ] || { chown -R nobody . && as='setpriv --reuid nobody --clear-groups'; "
        "}; "
        "$as /usr/sbin/pgbouncer -d -q %s/ini",
        bouncer_dir, bouncer_dir, server_info, bouncer_port, bouncer_dir, bouncer_dir, bouncer_dir);
    run_command(command, out, sizeof(out));
    return true;
}

static void bouncer_stop(void)
{
    char command[256];
    char out[16];

    snprintf(command, sizeof(command), "kill $(cat %s/pid); rm -rf %s", bouncer_dir, bouncer_dir);
    run_command(command, out, sizeof(out));
}

static void behind_a_transaction_pooler_batches_are_right(void **state)
{
    struct pgpool_options opt = rig_options(6);
    const char *path[] = {"pg_catalog", "public"};
    char url[256];
    struct rig r;
    struct pgsetting settings[10];
    struct probe *probes[300];
    struct pglisten *listen;

    (void)state;
    if (!bouncer_start())
        skip();
    snprintf(url, sizeof(url), "host=127.0.0.1 port=%d user=postgres dbname=%s", bouncer_port,
             database_name);
    opt.url = url;
    opt.search_path = path;
    opt.nsearch_path = 2;
    r = rig_new(&opt);
    for (int i = 0; i < 10; i++)
        settings[i] = (struct pgsetting){"app.tenant", arena_printf(r.arena, "t%d", i).data};
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        probes[i] = PROBE(r.arena, "select current_setting('app.tenant') || ' ' || "
                                   "current_setting('search_path') || ' ' || "
                                   "current_setting('intervalstyle')");
        probes[i]->session.settings = &settings[i % 10];
        probes[i]->session.nsettings = 1;
        probes[i]->session.tenant = i % 10;
        probes[i]->batch.lane = i % 4 == 0 ? PGLANE_SLOW : PGLANE_FAST;
        /* A change does not see that its statement was unknown either. */
        probes[i]->batch.repeatable = i % 8 != 0;
        rig_submit(&r, &probes[i]->batch);
        if (i % 30 == 29)
            rig_wait(&r);
    }
    rig_wait(&r);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        assert_outcome(probes[i], PGBATCH_OK);
        assert_string_equal(
            probe_value(probes[i], 0),
            arena_printf(r.arena, "t%zu \"pg_catalog\",\"public\" iso_8601", i % 10).data);
    }
    /* No notification would come: it does not even ask. */
    listen = pglisten_new(r.pool, "fraiseqld");
    assert_false(pglisten_step(listen, STR("schema")));
    assert_int_equal(pglisten_fd(listen), -1);
    assert_int_equal(pglisten_due(listen).at_ns, UINT64_MAX);
    pglisten_free(listen);
    rig_free(&r);
    bouncer_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_and_malformed_options_are_refused),
        cmocka_unit_test(keywords_override_the_url),
        cmocka_unit_test(min_connections_are_kept_and_the_others_closed_when_idle),
        cmocka_unit_test(a_recycle_and_the_end_of_a_lifetime_replace_connections),
        cmocka_unit_test(a_recycle_closes_idle_connections_at_once),
        cmocka_unit_test(run_blocks_until_done_and_reports_errors),
        cmocka_unit_test(run_gets_a_connection_an_idle_client_holds),
        cmocka_unit_test(free_cancels_what_runs),
        cmocka_unit_test(behind_a_transaction_pooler_batches_are_right),
        cmocka_unit_test(batches_wait_for_a_database_that_is_down),
        cmocka_unit_test(the_pool_recovers_from_a_crash_of_the_server),
    };

    return cmocka_run_group_tests_name("pgpool", tests, database_setup, database_teardown);
}
