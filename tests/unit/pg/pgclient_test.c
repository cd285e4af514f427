/* pgclient_test.c - lanes, tenants, limits, cancelling, and what happens when connections break. */
#include "pg/pgfixture.h"

#include "base/thread.h"
#include "pg/pgretry.h"

static const char pid_sql[] = "select pg_backend_pid()::text";

/* How many connections does our database have, the admin's aside? */
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

/* Until at least as many connections are at work. */
static void await_busy(struct rig *r, size_t n)
{
    struct deadline until = deadline_in_ms(10000);
    struct pgpool_stats stats;

    do {
        rig_pass(r, 5);
        pgpool_stats(r->pool, &stats);
        if (deadline_passed(until))
            fail_msg("%zu connections are busy, not %zu", stats.busy, n);
    } while (stats.busy < n);
}

/* --- tenants --------------------------------------------------------------------------------- */

static void make_tenant_table(void)
{
    admin_do("create table rows_of (tenant text, n int);"
             "insert into rows_of select 't' || t, n from generate_series(0, 9) t, "
             "generate_series(0, t) n;"
             "alter table rows_of enable row level security;"
             "create policy own on rows_of using (tenant = current_setting('app.tenant', true));"
             "grant select on rows_of to %s",
             app_role);
}

static void no_batch_sees_the_settings_of_another(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r;
    struct probe *probes[200];
    struct pgsetting settings[10];
    size_t batches = 0;

    (void)state;
    make_tenant_table();
    opt.fast_connections = 2;
    r = rig_new(&opt);
    for (int i = 0; i < 10; i++)
        settings[i] = (struct pgsetting){"app.tenant", arena_printf(r.arena, "t%d", i).data};
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 200; i++) {
            struct probe *p = PROBE(r.arena,
                                    "select min(tenant) || max(tenant) || count(*) from "
                                    "rows_of",
                                    i % 7 == 0 ? "select 1/0" : "select 1");

            p->session = (struct pgsession){.role = app_role,
                                            .settings = &settings[i % 10],
                                            .nsettings = i % 11 == 10 ? 0 : 1,
                                            .tenant = (uint64_t)(i % 10) + 1,
                                            .timeout_ms = 5000};
            p->batch.lane = i % 13 == 0 ? PGLANE_SLOW : PGLANE_FAST;
            probes[i] = p;
            rig_submit(&r, &p->batch);
        }
        rig_wait(&r);
        for (int i = 0; i < 200; i++) {
            const char *expected =
                arena_printf(r.arena, "t%dt%d%d", i % 10, i % 10, i % 10 + 1).data;
            bool anonymous = i % 11 == 10;

            if (i % 7 == 0) {
                assert_outcome(probes[i], PGBATCH_FAILED);
            } else {
                assert_outcome(probes[i], PGBATCH_OK);
            }
            assert_string_equal(probe_value(probes[i], 0), anonymous ? "(null)" : expected);
            batches++;
        }
    }
    assert_int_equal(batches, 1000);
    assert_in_range(open_connections(), 1, 2);
    rig_free(&r);
}

static void note_order(struct pgbatch *b, void *ctx)
{
    struct buf *order = ctx;

    buf_append_char(order, (char)('a' + b->session->tenant));
}

/* Ten batches of one tenant, then one of another: it does not wait for all ten. */
static void tenants_take_turns(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct buf order;

    (void)state;
    buf_init(&order, 0);
    for (int i = 0; i < 12; i++) {
        struct probe *p = PROBE(r.arena, "select 1");

        p->session.tenant = i < 10 ? 1 : 2;
        pgclient_submit(r.client, &p->batch, note_order, &order);
    }
    while (pgclient_pending(r.client) > 0)
        rig_pass(&r, 5);
    assert_int_equal(order.len, 12);
    assert_true(strchr(buf_cstr(&order), 'c') - order.data <= 3);
    buf_fini(&order);
    rig_free(&r);
}

static void one_tenant_cannot_take_every_connection(void **state)
{
    struct pgpool_options opt = rig_options(5);
    struct rig r;
    struct probe *greedy[10];
    struct probe *modest;
    struct pgpool_stats stats;
    uint64_t start;

    (void)state;
    opt.fast_connections = 1;
    r = rig_new(&opt);
    for (size_t i = 0; i < COUNT_OF(greedy); i++) {
        greedy[i] = PROBE(r.arena, "select pg_sleep(1.5)");
        greedy[i]->session.tenant = 1;
        pgclient_submit(r.client, &greedy[i]->batch, count_done, &r);
    }
    await_busy(&r, 3);
    rig_pass(&r, 50);
    pgpool_stats(r.pool, &stats);
    assert_int_equal(stats.busy, 3);
    modest = PROBE(r.arena, "select 1");
    modest->session.tenant = 2;
    start = monotonic_ns();
    rig_run(&r, modest);
    assert_outcome(modest, PGBATCH_OK);
    assert_true(monotonic_ns() - start < UINT64_C(500000000));
    for (size_t i = 0; i < COUNT_OF(greedy); i++)
        pgclient_cancel(r.client, &greedy[i]->batch);
    r.waiting_for = COUNT_OF(greedy);
    rig_wait(&r);
    for (size_t i = 0; i < COUNT_OF(greedy); i++)
        assert_outcome(greedy[i], PGBATCH_CANCELLED);
    rig_free(&r);
}

/* --- limits ---------------------------------------------------------------------------------- */

static void the_pool_never_has_more_than_max_connections(void **state)
{
    struct pgpool_options opt = rig_options(6);
    struct rig r;
    struct pgpool_stats stats;
    long most = 0;

    (void)state;
    opt.fast_connections = 2;
    r = rig_new(&opt);
    for (int i = 0; i < 60; i++) {
        bool fast = i % 3 == 0;
        struct probe *p = PROBE(r.arena, fast ? "select pg_sleep(0.02)" : "select pg_sleep(0.1)");

        p->session.tenant = (uint64_t)i;
        p->batch.lane = fast ? PGLANE_FAST : PGLANE_SLOW;
        rig_submit(&r, &p->batch);
    }
    while (r.waiting_for > 0) {
        long open;

        rig_pass(&r, 10);
        open = open_connections();
        most = open > most ? open : most;
        pgpool_stats(r.pool, &stats);
        assert_true(stats.open + stats.connecting <= 6);
        assert_true(stats.busy <= stats.open);
        assert_true(stats.up || stats.open == 0);
    }
    assert_in_range(most, 5, 6);
    rig_free(&r);
}

static void waiters_are_bounded(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r;
    struct probe *probes[40];
    size_t full = 0;
    struct pgpool_stats stats;

    (void)state;
    opt.max_waiters = 10;
    r = rig_new(&opt);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        probes[i] = PROBE(r.arena, "select pg_sleep(0.05)");
        rig_submit(&r, &probes[i]->batch);
    }
    pgpool_stats(r.pool, &stats);
    assert_int_equal(stats.waiters, 10);
    rig_wait(&r);
    for (size_t i = 0; i < COUNT_OF(probes); i++)
        full += probes[i]->batch.outcome == PGBATCH_FULL;
    /* The first may have got its connection before the last has come. */
    assert_in_range(full, 29, 30);
    pgpool_stats(r.pool, &stats);
    assert_int_equal(stats.waiters, 0);
    rig_free(&r);
}

static void one_tenant_cannot_fill_the_queue(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r;
    struct probe *probes[30];

    (void)state;
    opt.max_waiters = 10;
    r = rig_new(&opt);
    for (size_t i = 0; i < COUNT_OF(probes); i++) {
        probes[i] = PROBE(r.arena, "select pg_sleep(0.05)");
        probes[i]->session.tenant = i < 25 ? 1 : 2;
        rig_submit(&r, &probes[i]->batch);
    }
    rig_wait(&r);
    /* As above: then there is room for one more. */
    for (size_t i = 0; i < COUNT_OF(probes); i++)
        if (i != 5)
            assert_outcome(probes[i], i < 5 || i >= 25 ? PGBATCH_OK : PGBATCH_FULL);
    rig_free(&r);
}

static void what_cannot_be_sent_does_not_use_up_connections(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "select 1");
    struct probe *next = PROBE(r.arena, "select 1");
    const char **params = ARENA_ARRAY(r.arena, 70000, const char *);

    (void)state;
    /* More than the protocol can count. */
    p->statements[0].nparams = 70000;
    p->calls[0].params = params;
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_UNAVAILABLE);
    assert_int_equal(p->batch.retried, PGRETRY_UNSENT);
    rig_run(&r, next);
    assert_outcome(next, PGBATCH_OK);
    rig_free(&r);
}

static void deadlines_and_acquire_timeout_end_the_waiting(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r;
    struct probe *busy;
    struct probe *hurried;
    struct probe *patient;

    (void)state;
    opt.acquire_timeout_ms = 300;
    r = rig_new(&opt);
    busy = PROBE(r.arena, "select pg_sleep(1)");
    hurried = PROBE(r.arena, "select 1");
    patient = PROBE(r.arena, "select 1");
    rig_submit(&r, &busy->batch);
    await_busy(&r, 1);
    hurried->batch.until = deadline_in_ms(50);
    rig_submit(&r, &hurried->batch);
    rig_submit(&r, &patient->batch);
    rig_pass(&r, 150);
    assert_outcome(hurried, PGBATCH_TIMEOUT);
    rig_wait(&r);
    assert_outcome(patient, PGBATCH_UNAVAILABLE);
    assert_outcome(busy, PGBATCH_OK);
    rig_free(&r);
}

static void a_slow_batch_gets_its_turn_among_fast_ones(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *slow = PROBE(r.arena, "select 1");
    size_t fast = 0;

    (void)state;
    /* The only connection is never without a fast batch. */
    for (; fast < 2000 && slow->batch.state != PGBATCH_FINISHED; fast++) {
        struct probe *p = PROBE(r.arena, "select 1");

        p->batch.lane = PGLANE_FAST;
        pgclient_submit(r.client, &p->batch, count_done, &r);
        r.waiting_for += 2;
        if (fast == 100) {
            pgclient_submit(r.client, &slow->batch, count_done, &r);
            r.waiting_for++;
        }
        if (fast % 4 == 3)
            rig_pass(&r, 1);
    }
    assert_true(fast < 1000);
    assert_outcome(slow, PGBATCH_OK);
    while (pgclient_pending(r.client) > 0)
        rig_pass(&r, 5);
    rig_free(&r);
}

/* --- the fast lane --------------------------------------------------------------------------- */

static void what_is_too_slow_for_the_fast_lane_runs_in_the_slow_one(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r = rig_new(&opt);
    struct probe *query = PROBE(r.arena, "select 'slow' from pg_sleep(0.12)");
    struct probe *change = PROBE(r.arena, "select 'slow' from pg_sleep(0.12)");
    struct probe *limited = PROBE(r.arena, "select 'slow' from pg_sleep(0.12)");

    (void)state;
    query->batch.lane = change->batch.lane = limited->batch.lane = PGLANE_FAST;
    change->batch.repeatable = false;
    limited->session.timeout_ms = 30;
    rig_submit(&r, &query->batch);
    rig_submit(&r, &change->batch);
    rig_submit(&r, &limited->batch);
    rig_wait(&r);
    assert_outcome(query, PGBATCH_OK);
    assert_string_equal(probe_value(query, 0), "slow");
    assert_int_equal(query->batch.lane, PGLANE_SLOW);
    assert_int_equal(query->batch.retried, PGRETRY_SLOW);
    /* It never was in the fast lane. */
    assert_outcome(change, PGBATCH_OK);
    assert_int_equal(change->batch.retried, 0);
    assert_outcome(limited, PGBATCH_FAILED);
    assert_string_equal(limited->batch.sqlstate, "57014");
    rig_free(&r);
}

/* --- cancelling ------------------------------------------------------------------------------ */

static void a_cancelled_batch_ends_within_a_second_and_its_connection_is_usable(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *before = PROBE(r.arena, pid_sql);

    (void)state;
    rig_run(&r, before);
    for (int i = 0; i < 10; i++) {
        struct probe *p = PROBE(r.arena, "select pg_sleep(20)");
        struct probe *after[5];
        uint64_t start;

        rig_submit(&r, &p->batch);
        rig_pass(&r, 20);
        start = monotonic_ns();
        pgclient_cancel(r.client, &p->batch);
        pgclient_cancel(r.client, &p->batch);
        for (size_t k = 0; k < COUNT_OF(after); k++) {
            after[k] = PROBE(r.arena, pid_sql);
            rig_submit(&r, &after[k]->batch);
        }
        rig_wait(&r);
        assert_outcome(p, PGBATCH_CANCELLED);
        assert_true(monotonic_ns() - start < UINT64_C(1000000000));
        for (size_t k = 0; k < COUNT_OF(after); k++) {
            assert_outcome(after[k], PGBATCH_OK);
            assert_string_equal(probe_value(after[k], 0), probe_value(before, 0));
        }
    }
    rig_free(&r);
}

static void a_queued_batch_is_cancelled_without_being_sent(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *busy = PROBE(r.arena, "select pg_sleep(0.2)");
    struct probe *p = PROBE(r.arena, "select 1");

    (void)state;
    rig_submit(&r, &busy->batch);
    rig_submit(&r, &p->batch);
    pgclient_cancel(r.client, &p->batch);
    assert_int_equal(pgclient_pending(r.client), 2); /* Not from within the call. */
    rig_wait(&r);
    assert_outcome(p, PGBATCH_CANCELLED);
    assert_int_equal(p->batch.sent_ns, 0);
    assert_outcome(busy, PGBATCH_OK);
    rig_free(&r);
}

static void a_batch_that_committed_before_the_cancel_is_ok(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *p = PROBE(r.arena, "select 1");

    (void)state;
    for (int i = 0; i < 30; i++) {
        struct probe *quick = PROBE(r.arena, "select 1");

        rig_submit(&r, &quick->batch);
        if (i == 0)
            rig_wait(&r);
        pgclient_cancel(r.client, &quick->batch);
        rig_wait(&r);
        assert_true(quick->batch.outcome == PGBATCH_OK ||
                    quick->batch.outcome == PGBATCH_CANCELLED);
    }
    rig_run(&r, p);
    assert_outcome(p, PGBATCH_OK);
    rig_free(&r);
}

/* A connection with a cancel request under way outlives its client. */
static void a_client_may_go_while_a_cancel_request_is_under_way(void **state)
{
    struct pgpool_options opt = rig_options(1);

    (void)state;
    for (int i = 0; i < 5; i++) {
        struct rig r = rig_new(&opt);
        struct probe *p = PROBE(r.arena, "select pg_sleep(0.01)");

        rig_submit(&r, &p->batch);
        rig_pass(&r, 12 + (uint64_t)i);
        pgclient_cancel(r.client, &p->batch);
        rig_wait(&r);
        rig_free(&r);
    }
}

/* --- broken connections ---------------------------------------------------------------------- */

static void terminate_others(void)
{
    admin_do("select pg_terminate_backend(pid) from pg_stat_activity where datname = '%s' and pid "
             "<> pg_backend_pid()",
             database_name);
}

static void a_lost_query_is_repeated_and_a_lost_change_is_not(void **state)
{
    struct pgpool_options opt = rig_options(3);
    struct rig r = rig_new(&opt);
    struct probe *query = PROBE(r.arena, "select 'done' from pg_sleep(1)");
    struct probe *change = PROBE(r.arena, "select 'done' from pg_sleep(1)");
    struct probe *next = PROBE(r.arena, "select 'fine'");

    (void)state;
    change->batch.repeatable = false;
    rig_submit(&r, &query->batch);
    rig_submit(&r, &change->batch);
    await_busy(&r, 2);
    terminate_others();
    rig_wait(&r);
    assert_outcome(query, PGBATCH_OK);
    assert_string_equal(probe_value(query, 0), "done");
    assert_int_equal(query->batch.retried, PGRETRY_LOST);
    assert_outcome(change, PGBATCH_LOST);
    assert_string_equal(change->batch.sqlstate, "57P01");
    rig_run(&r, next);
    assert_outcome(next, PGBATCH_OK);
    rig_free(&r);
}

/* A batch sent again must not go to a connection that broke at the same moment. */
static void queries_survive_when_all_connections_break_at_once(void **state)
{
    struct pgpool_options opt = rig_options(6);
    struct rig r;

    (void)state;
    opt.fast_connections = 2;
    opt.min = 6;
    r = rig_new(&opt);
    for (int round = 0; round < 8; round++) {
        struct probe *probes[8];
        struct probe *last = PROBE(r.arena, "select 'ok' from pg_sleep(0.04)");

        await_connections(6); /* None is being opened. */
        for (size_t i = 0; i < COUNT_OF(probes); i++) {
            probes[i] = PROBE(r.arena, "select pg_sleep(0.03)");
            probes[i]->session.tenant = i;
            probes[i]->batch.lane = i % 2 == 0 ? PGLANE_FAST : PGLANE_SLOW;
            rig_submit(&r, &probes[i]->batch);
        }
        rig_wait(&r);
        /* Now the client holds several idle connections, and one that is busy. */
        rig_submit(&r, &last->batch);
        rig_pass(&r, 5);
        /* All of them are dead before the client learns of the first. */
        terminate_others();
        await_connections(0);
        rig_wait(&r);
        assert_outcome(last, PGBATCH_OK);
        assert_string_equal(probe_value(last, 0), "ok");
    }
    rig_free(&r);
}

static void idle_connections_that_died_are_not_used(void **state)
{
    struct pgpool_options opt = rig_options(2);
    struct rig r = rig_new(&opt);

    (void)state;
    opt.min = 2;
    for (int i = 0; i < 4; i++) {
        struct probe *p = PROBE(r.arena, pid_sql);

        p->batch.repeatable = false;
        rig_run(&r, p);
        assert_outcome(p, PGBATCH_OK);
        /* Leased to the client at first, then given back to the pool. */
        rig_pass(&r, i % 2 == 0 ? 20 : 1300);
        terminate_others();
        await_connections(0);
        rig_pass(&r, 20);
    }
    rig_free(&r);
}

static void a_conflict_is_tried_again_once(void **state)
{
    struct pgpool_options opt = rig_options(1);
    struct rig r = rig_new(&opt);
    struct probe *query = PROBE(r.arena, "select conflict('40001')");
    struct probe *change = PROBE(r.arena, "select conflict('40P01')");
    struct probe *twice = PROBE(r.arena, "select conflict('40P01')");

    (void)state;
    admin_do("create sequence tries;"
             "create function conflict(state text) returns text language plpgsql as $$ begin "
             "if nextval('tries') %% 3 < 2 then raise exception using errcode = state; end if; "
             "return 'ok'; end $$");
    query->batch.repeatable = twice->batch.repeatable = true;
    change->batch.repeatable = false;
    admin_do("select setval('tries', 3)"); /* 4: fails, 5: works. */
    rig_run(&r, query);
    assert_outcome(query, PGBATCH_OK);
    rig_run(&r, change); /* 6: fails. */
    assert_outcome(change, PGBATCH_FAILED);
    assert_string_equal(change->batch.sqlstate, "40P01");
    rig_run(&r, twice); /* 7: fails, 8: works. */
    assert_outcome(twice, PGBATCH_OK);
    rig_free(&r);
}

/* --- many ------------------------------------------------------------------------------------- */

static void ten_thousand_batches_leak_nothing(void **state)
{
    struct pgpool_options opt = rig_options(4);
    struct rig r = rig_new(&opt);
    struct arena *arena = arena_new(0);
    size_t ok = 0;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct probe *probes[50];

        for (size_t i = 0; i < COUNT_OF(probes); i++) {
            probes[i] = PROBE(arena, "select relname from pg_class where oid = 1259",
                              i % 10 == 9 ? "select 1/0" : "select null::text");
            probes[i]->batch.lane = i % 2 == 0 ? PGLANE_FAST : PGLANE_SLOW;
            rig_submit(&r, &probes[i]->batch);
        }
        rig_wait(&r);
        for (size_t i = 0; i < COUNT_OF(probes); i++) {
            assert_outcome(probes[i], i % 10 == 9 ? PGBATCH_FAILED : PGBATCH_OK);
            ok += strcmp(probe_value(probes[i], 0), "pg_class") == 0;
        }
        arena_reset(arena);
    }
    assert_int_equal(ok, 10000);
    arena_free(arena);
    rig_free(&r);
}

struct worker {
    struct pgpool *pool;
    struct thread *thread;
    struct loop *loop;
    struct pgclient *client;
    struct arena *arena;
    size_t todo;
    size_t active;
    size_t ok;
    size_t wrong;
};

static void submit_one(struct worker *w);

static void worker_done(struct pgbatch *b, void *ctx)
{
    struct worker *w = ctx;
    struct probe *p = (struct probe *)(void *)b;

    if (b->outcome == PGBATCH_OK && strcmp(probe_value(p, 0), "ok") == 0)
        w->ok++;
    else if (b->outcome != PGBATCH_CANCELLED)
        w->wrong++;
    w->active--;
    if (w->todo > 0)
        submit_one(w);
    else if (w->active == 0)
        loop_stop(w->loop);
}

static void submit_one(struct worker *w)
{
    struct probe *p;

    w->todo--;
    w->active++;
    p = PROBE(w->arena, w->todo % 50 == 0 ? "select 'ok' from pg_sleep(0.005)" : "select 'ok'");
    p->session.tenant = w->todo % 5;
    p->batch.lane = w->todo % 3 == 0 ? PGLANE_SLOW : PGLANE_FAST;
    pgclient_submit(w->client, &p->batch, worker_done, w);
    if (w->todo % 50 == 0)
        pgclient_cancel(w->client, &p->batch);
}

static void worker_main(void *arg)
{
    struct worker *w = arg;

    w->arena = arena_new(0);
    w->loop = loop_new("worker");
    w->client = pgclient_new(w->pool, w->loop);
    for (int i = 0; i < 16; i++)
        submit_one(w);
    loop_run(w->loop);
    pgclient_free(w->client);
    loop_free(w->loop);
    arena_free(w->arena);
}

/* For TSan; and no worker goes without: there are fewer connections than both would like. */
static void two_workers_share_a_small_pool(void **state)
{
    struct pgpool_options opt = rig_options(3);
    struct arena *arena = arena_new(0);
    struct errors errs;
    struct worker workers[2] = {{0}};
    struct pgpool *pool;

    (void)state;
    errors_init(&errs, arena);
    opt.nworkers = 2;
    opt.prepared = PGPREPARED_ON;
    pool = pgpool_new(&opt, &errs);
    for (size_t i = 0; i < 2; i++) {
        workers[i] = (struct worker){.pool = pool, .todo = 1500};
        workers[i].thread = thread_start(THREAD_WORKER, "w", worker_main, &workers[i]);
    }
    for (int i = 0; i < 20; i++) {
        struct probe *p = PROBE(arena, "select 'ok'");

        assert_true(pgpool_run(pool, &p->batch, &errs));
        if (i % 5 == 0)
            pgpool_recycle(pool);
    }
    for (size_t i = 0; i < 2; i++) {
        thread_join(workers[i].thread);
        assert_int_equal(workers[i].wrong, 0);
        assert_true(workers[i].ok >= 1470);
    }
    pgpool_free(pool);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_batch_sees_the_settings_of_another),
        cmocka_unit_test(tenants_take_turns),
        cmocka_unit_test(one_tenant_cannot_take_every_connection),
        cmocka_unit_test(the_pool_never_has_more_than_max_connections),
        cmocka_unit_test(waiters_are_bounded),
        cmocka_unit_test(one_tenant_cannot_fill_the_queue),
        cmocka_unit_test(what_cannot_be_sent_does_not_use_up_connections),
        cmocka_unit_test(deadlines_and_acquire_timeout_end_the_waiting),
        cmocka_unit_test(a_slow_batch_gets_its_turn_among_fast_ones),
        cmocka_unit_test(what_is_too_slow_for_the_fast_lane_runs_in_the_slow_one),
        cmocka_unit_test(a_cancelled_batch_ends_within_a_second_and_its_connection_is_usable),
        cmocka_unit_test(a_queued_batch_is_cancelled_without_being_sent),
        cmocka_unit_test(a_batch_that_committed_before_the_cancel_is_ok),
        cmocka_unit_test(a_client_may_go_while_a_cancel_request_is_under_way),
        cmocka_unit_test(a_lost_query_is_repeated_and_a_lost_change_is_not),
        cmocka_unit_test(queries_survive_when_all_connections_break_at_once),
        cmocka_unit_test(idle_connections_that_died_are_not_used),
        cmocka_unit_test(a_conflict_is_tried_again_once),
        cmocka_unit_test(ten_thousand_batches_leak_nothing),
        cmocka_unit_test(two_workers_share_a_small_pool),
    };

    return cmocka_run_group_tests_name("pgclient", tests, database_setup, database_teardown);
}
