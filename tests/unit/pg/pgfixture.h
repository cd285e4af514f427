/*
 * pgfixture.h - a real PostgreSQL for the tests of pg/, and short ways to run batches on it.
 *
 * FRAISEQLD_TEST_PG names a running server (libpq conninfo, superuser); else
 * tests/support/private-postgres starts one for the program. Either way the
 * program has a database of its own.
 */
#ifndef TESTS_PGFIXTURE_H
#define TESTS_PGFIXTURE_H

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <libpq-fe.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "base/loop.h"
#include "pg/pgbatch.h"
#include "pg/pgpool.h"

#define UNUSED __attribute__((unused))

static char server_dir[64];     /* "" when the server is not ours */
static char server_info[512];   /* without dbname */
static char database_info[600]; /* of our own database */
static char database_name[64];
static char app_role[64]; /* may not bypass row security */
static PGconn *admin;

static void UNUSED run_command(const char *command, char *out, size_t size)
{
    FILE *f = popen(command, "r");
    size_t n;

    assert_non_null(f);
    n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    assert_int_equal(pclose(f), 0);
}

static void UNUSED server_start(void)
{
    const char *given = getenv("FRAISEQLD_TEST_PG");
    char command[256];
    char out[1024];
    char host[256];
    int port;

    if (given != NULL) {
        snprintf(server_info, sizeof(server_info), "%s", given);
        return;
    }
    snprintf(server_dir, sizeof(server_dir), "/tmp/fq-pg-%d", (int)getpid());
    snprintf(command, sizeof(command),
             "tests/support/private-postgres start %s -o max_connections=60", server_dir);
    run_command(command, out, sizeof(out));
    assert_int_equal(sscanf(out, "PGHOST=%255s PGPORT=%d", host, &port), 2);
    snprintf(server_info, sizeof(server_info), "host=%s port=%d user=postgres", host, port);
}

static void UNUSED server_stop(void)
{
    char command[256];
    char out[1024];

    if (server_dir[0] == '\0')
        return;
    snprintf(command, sizeof(command), "tests/support/private-postgres stop %s", server_dir);
    run_command(command, out, sizeof(out));
    server_dir[0] = '\0';
}

static PGconn *connect_to(const char *info)
{
    PGconn *pg = PQconnectdb(info);

    if (PQstatus(pg) != CONNECTION_OK)
        fail_msg("%s", PQerrorMessage(pg));
    return pg;
}

/* One statement of the superuser; its first value, valid until the next call. */
static UNUSED const char *admin_do(const char *fmt, ...) PRINTF_LIKE(1, 2);
static UNUSED const char *admin_do(const char *fmt, ...)
{
    static char value[256];
    char sql[4096];
    PGresult *res;
    va_list args;

    va_start(args, fmt);
    vsnprintf(sql, sizeof(sql), fmt, args);
    va_end(args);
    res = PQexec(admin, sql);
    if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(admin));
    snprintf(value, sizeof(value), "%s", PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");
    PQclear(res);
    return value;
}

static int UNUSED database_setup(void **state)
{
    (void)state;
    server_start();
    admin = connect_to(server_info);
    snprintf(database_name, sizeof(database_name), "fq_%d", (int)getpid());
    snprintf(app_role, sizeof(app_role), "fq_app_%d", (int)getpid());
    admin_do("create database %s", database_name);
    admin_do("create role %s", app_role);
    PQfinish(admin);
    snprintf(database_info, sizeof(database_info), "%s dbname=%s", server_info, database_name);
    admin = connect_to(database_info);
    return 0;
}

static int UNUSED database_teardown(void **state)
{
    (void)state;
    PQfinish(admin);
    if (server_dir[0] == '\0') {
        admin = connect_to(server_info);
        admin_do("drop database %s with (force)", database_name);
        admin_do("drop role %s", app_role);
        PQfinish(admin);
    }
    server_stop();
    return 0;
}

/* --- one worker and its batches ------------------------------------------------------------- */

struct rig {
    struct loop *loop;
    struct pgpool *pool;
    struct pgclient *client;
    struct arena *arena;
    struct errors errs;
    struct timer *watchdog;
    size_t waiting_for;
};

static void out_of_time(void *ctx)
{
    (void)ctx;
    fail_msg("no answer within 30 seconds");
}

static struct pgpool_options UNUSED rig_options(size_t max)
{
    return (struct pgpool_options){.url = database_info,
                                   .max = max,
                                   .backoff_min_ms = 20,
                                   .backoff_max_ms = 100,
                                   .connect_timeout_ms = 5000,
                                   .acquire_timeout_ms = 10000};
}

static struct rig UNUSED rig_new(const struct pgpool_options *opt)
{
    struct rig r = {.loop = loop_new("test"), .arena = arena_new(0)};

    errors_init(&r.errs, r.arena);
    r.pool = pgpool_new(opt, &r.errs);
    assert_non_null(r.pool);
    r.client = pgclient_new(r.pool, r.loop);
    return r;
}

static void UNUSED rig_free(struct rig *r)
{
    pgclient_free(r->client);
    pgpool_free(r->pool);
    loop_free(r->loop);
    arena_free(r->arena);
}

static void UNUSED count_done(struct pgbatch *b, void *ctx)
{
    struct rig *r = ctx;

    (void)b;
    assert_true(r->waiting_for > 0);
    if (--r->waiting_for == 0)
        loop_stop(r->loop);
}

/* Until all that was submitted is done. */
static void UNUSED rig_wait(struct rig *r)
{
    if (r->waiting_for == 0)
        return;
    r->watchdog = loop_timer(r->loop, out_of_time, r);
    timer_set(r->watchdog, deadline_in_ms(30000));
    loop_run(r->loop);
    timer_free(r->watchdog);
    assert_int_equal(r->waiting_for, 0);
}

static void rig_wake(void *ctx)
{
    loop_stop(ctx);
}

/* Let the loop run for a while. */
static void UNUSED rig_pass(struct rig *r, uint64_t ms)
{
    struct timer *t = loop_timer(r->loop, rig_wake, r->loop);

    timer_set(t, deadline_in_ms(ms));
    loop_run(r->loop);
    timer_free(t);
}

static void UNUSED rig_submit(struct rig *r, struct pgbatch *b)
{
    r->waiting_for++;
    pgclient_submit(r->client, b, count_done, r);
}

/* A batch of one or more statements, all in the rig's arena. */
struct probe {
    struct pgbatch batch;
    struct pgsession session;
    struct pgstatement statements[64];
    struct pgcall calls[64];
};

/* sql is NULL-terminated; without parameters. */
static UNUSED struct probe *probe_new(struct arena *a, const char *const *sql)
{
    struct probe *p = ARENA_NEW(a, struct probe);
    size_t n = 0;

    for (; sql[n] != NULL; n++) {
        pgstatement_init(&p->statements[n], str_of(sql[n]), 0);
        p->calls[n].statement = &p->statements[n];
    }
    p->session.role = "";
    p->session.timeout_ms = 20000;
    pgbatch_init(&p->batch, &p->session, p->calls, n, a);
    p->batch.repeatable = true;
    p->batch.until = deadline_in_ms(20000);
    return p;
}

#define PROBE(a, ...) probe_new((a), (const char *const[]){__VA_ARGS__, NULL})

/* The first value of a call's first row as text; "(null)"; "(none)". */
static UNUSED const char *probe_value(struct probe *p, size_t call)
{
    struct pgvalue values[16];
    const struct pgrows *rows = p->calls[call].rows;

    if (rows == NULL || pgrows_count(rows) == 0)
        return "(none)";
    assert_in_range(pgrows_columns(rows), 1, 16);
    pgrows_row(rows, 0, values);
    if (values[0].len < 0)
        return "(null)";
    return arena_dup(p->batch.arena, str_make(values[0].data, (size_t)values[0].len)).data;
}

static void UNUSED rig_run(struct rig *r, struct probe *p)
{
    rig_submit(r, &p->batch);
    rig_wait(r);
}

#define assert_outcome(p, expected)                                                      \
    do {                                                                                 \
        if ((p)->batch.outcome != (expected))                                            \
            fail_msg("outcome %d, not %d: %s %.*s", (int)(p)->batch.outcome, (expected), \
                     (p)->batch.sqlstate, STR_ARG((p)->batch.message));                  \
    } while (0)

#endif
