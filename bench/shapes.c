/*
 * shapes.c - which form of SQL costs PostgreSQL least for the same answer?
 *
 * Runs each variant of the table below on N pipelined connections, in turn and
 * several times over, and prints per variant the best rate and the least CPU a
 * query cost the backends and this client. A batch is what the daemon sends:
 * one select of set_config()s, the statement(s), one Sync.
 *
 * Usage:    shapes CONNINFO POOLFILE [-c connections] [-t ms] [-r rounds] [-g group]
 * Thread:   one.
 * Memory:   until exit.
 * Not here: JSON encoding of what arrived; libpq's own work is all the client CPU there is.
 */
#include "common.h"

#include <getopt.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CONNECTIONS = 64,
    MAX_STATEMENTS = 4
};

#define CONTEXT                                                                                    \
    "select set_config('app.current_tenant_id', $1, true), set_config('role', 'app_user', true), " \
    "set_config('statement_timeout', $2, true)"
#define TASK_COLUMNS "t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id, u.name"
#define TASKS_OF_PROJECT                                                                   \
    " from v_task t left join v_user u on u.id = t.assignee_id where t.project_id = p.id " \
    "order by t.created_at desc, t.id limit "
/* The same with the limit below the join: the assignees of ten tasks are read, not of all. */
#define TASKS_LIMITED                                                                           \
    " from (select * from v_task t where t.project_id = p.id order by t.created_at desc, t.id " \
    "limit 10) t left join v_user u on u.id = t.assignee_id"
#define TASKS_LIMITED_ORDERED TASKS_LIMITED " order by t.created_at desc, t.id"
#define PROJECT_COLUMNS       "p.id, p.name, p.status, p.updated_at, o.id, o.name, o.email"
#define PROJECTS              " from v_project p left join v_user o on o.id = p.owner_id "
#define PROJECT_ORDER         " order by p.updated_at desc, p.id limit "
#define TASK_JSON                                                                            \
    "(select json_agg(row_to_json(x)) from (select t.id, t.title, t.status, t.priority, "    \
    "t.due_on, t.created_at, case when u.id is not null then json_build_object('id', u.id, " \
    "'name', u.name) end as assignee" TASKS_OF_PROJECT "10) x)"
#define TASK_JSON_BUILD                                                                            \
    "(select json_agg(x.j) from (select json_build_object('id', t.id, 'title', t.title, "          \
    "'status', t.status, 'priority', t.priority, 'due_on', t.due_on, 'created_at', t.created_at, " \
    "'assignee', case when u.id is not null then json_build_object('id', u.id, 'name', u.name) "   \
    "end) as j" TASKS_OF_PROJECT "10) x)"
#define CONTEXT_NO_ROLE                                      \
    "select set_config('app.current_tenant_id', $1, true), " \
    "set_config('statement_timeout', $2, true)"
#define CONTEXT_NO_TIMEOUT                                                                         \
    "select set_config('app.current_tenant_id', $1, true), set_config('role', 'app_user', true), " \
    "$2"
#define CONTEXT_TENANT "select set_config('app.current_tenant_id', $1, true), $2"
#define CONTEXT_SIX                                                                         \
    CONTEXT                                                                                 \
    ", set_config('app.current_user_id', $1, true), set_config('app.roles', 'a,b', true), " \
    "set_config('lock_timeout', '5s', true)"
#define Q1                                                                                        \
    "select id, email, name, role, active, created_at, last_login_at, id from v_user where id = " \
    "$1"
#define Q2                                                                      \
    "select id, name, status, budget::text, due_on, updated_at from v_project " \
    "where status = 'ACTIVE' order by updated_at desc, id limit "
#define Q5                                                                            \
    "select id, project_id, assignee_id, title, description, status, priority, "      \
    "estimate_hours::text, due_on, created_at, updated_at, completed_at from v_task " \
    "where status = 'TODO' order by updated_at desc, id limit "

struct statement {
    const char *sql;
    const char *parameters; /* a letter each: u user, p project, 2 = 20, H = 200, T = 10 */
};

struct variant {
    const char *group;
    const char *name;
    int binary;
    bool transaction;    /* BEGIN and COMMIT around the batch */
    const char *context; /* instead of CONTEXT, when not NULL */
    struct statement statements[MAX_STATEMENTS];
};

/* clang-format off */
static const struct variant variants[] = {
    /* group, name, binary, transaction, context, statements */
    {"q1", "columns text", 0, false, NULL, {{Q1, "u"}}},
    {"q1", "columns binary", 1, false, NULL, {{Q1, "u"}}},
    {"q1", "columns text, context without role", 0, false, CONTEXT_NO_ROLE, {{Q1, "u"}}},
    {"q1", "columns text, context without timeout", 0, false, CONTEXT_NO_TIMEOUT, {{Q1, "u"}}},
    {"q1", "columns text, tenant only", 0, false, CONTEXT_TENANT, {{Q1, "u"}}},
    {"q1", "columns text, six settings", 0, false, CONTEXT_SIX, {{Q1, "u"}}},
    {"q2", "columns text, limit 20", 0, false, NULL, {{Q2 "20", ""}}},
    {"q2", "columns binary, limit 20", 1, false, NULL, {{Q2 "20", ""}}},
    {"q2", "columns text, limit $1", 0, false, NULL, {{Q2 "$1", "2"}}},
    {"q2", "columns text, limit $1, status $2", 0, false, NULL, {{"select id, name, status, budget::text, due_on, updated_at from v_project where status = $2 order by updated_at desc, id limit $1", "2A"}}},
    {"q2", "columns text, status $1", 0, false, NULL, {{"select id, name, status, budget::text, due_on, updated_at from v_project where status = $1 order by updated_at desc, id limit 20", "A"}}},
    {"q5", "columns text, limit 200", 0, false, NULL, {{Q5 "200", ""}}},
    {"q5", "columns binary, limit 200", 1, false, NULL, {{Q5 "200", ""}}},
    {"q5", "columns text, limit $1", 0, false, NULL, {{Q5 "$1", "H"}}},
    {"q5", "columns binary, limit $1", 1, false, NULL, {{Q5 "$1", "H"}}},
    {"q5", "json rows", 0, false, NULL, {{"select row_to_json(x) from (" Q5 "200) x", ""}}},
    {"q3", "a  array(select row()) binary", 1, false, NULL, {{"select " PROJECT_COLUMNS ", array(select row(" TASK_COLUMNS ")" TASKS_OF_PROJECT "10)" PROJECTS PROJECT_ORDER "20", ""}}},
    {"q3", "a2 array(select row()) binary, limits $n", 1, false, NULL, {{"select " PROJECT_COLUMNS ", array(select row(" TASK_COLUMNS ")" TASKS_OF_PROJECT "$2)" PROJECTS PROJECT_ORDER "$1", "2T"}}},
    {"q3", "a3 array(select row()) text", 0, false, NULL, {{"select " PROJECT_COLUMNS ", array(select row(" TASK_COLUMNS ")" TASKS_OF_PROJECT "10)" PROJECTS PROJECT_ORDER "20", ""}}},
    {"q3", "a4 lateral array_agg(row()) binary", 1, false, NULL, {{"select " PROJECT_COLUMNS ", l.a" PROJECTS "left join lateral (select array_agg(x) as a from (select " "t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id as uid, u.name" TASKS_OF_PROJECT "10) x) l on true" PROJECT_ORDER "20", ""}}},
    {"q3", "a5 parents first, then array(row())", 1, false, NULL, {{"select p.*, array(select row(" TASK_COLUMNS ")" TASKS_OF_PROJECT "10) from (select p.id, p.name, p.status, p.updated_at, o.id as oid, o.name as oname, o.email" PROJECTS PROJECT_ORDER "20) p", ""}}},
    {"q3", "a6 a5 and limit below the join", 1, false, NULL, {{"select p.*, array(select row(" TASK_COLUMNS ")" TASKS_LIMITED ") from (select p.id, p.name, p.status, p.updated_at, o.id as oid, o.name as oname, o.email" PROJECTS PROJECT_ORDER "20) p", ""}}},
    {"q3", "a7 a6 and ordered again", 1, false, NULL, {{"select p.*, array(select row(" TASK_COLUMNS ")" TASKS_LIMITED_ORDERED ") from (select p.id, p.name, p.status, p.updated_at, o.id as oid, o.name as oname, o.email" PROJECTS PROJECT_ORDER "20) p", ""}}},
    {"q3", "a8 a7, parents limited below the join too", 1, false, NULL, {{"select p.id, p.name, p.status, p.updated_at, o.id, o.name, o.email, array(select row(" TASK_COLUMNS ")" TASKS_LIMITED_ORDERED ") from (select * from v_project p" PROJECT_ORDER "20) p left join v_user o on o.id = p.owner_id order by p.updated_at desc, p.id", ""}}},
    {"q3", "a9 as a8, limits $n", 1, false, NULL, {{"select p.id, p.name, p.status, p.updated_at, o.id, o.name, o.email, array(select row(" TASK_COLUMNS ") from (select * from v_task t where t.project_id = p.id order by t.created_at desc, t.id limit $2) t left join v_user u on u.id = t.assignee_id order by t.created_at desc, t.id) from (select * from v_project p" PROJECT_ORDER "$1) p left join v_user o on o.id = p.owner_id order by p.updated_at desc, p.id", "2T"}}},
    {"q3", "b  json_agg(row_to_json), flat parent", 0, false, NULL, {{"select " PROJECT_COLUMNS ", " TASK_JSON PROJECTS PROJECT_ORDER "20", ""}}},
    {"q3", "b2 json_agg(json_build_object), flat parent", 0, false, NULL, {{"select " PROJECT_COLUMNS ", " TASK_JSON_BUILD PROJECTS PROJECT_ORDER "20", ""}}},
    {"q3", "b4 b and limit below the join", 0, false, NULL, {{"select " PROJECT_COLUMNS ", (select json_agg(row_to_json(x)) from (select t.id, t.title, t.status, t.priority, t.due_on, t.created_at, case when u.id is not null then json_build_object('id', u.id, 'name', u.name) end as assignee" TASKS_LIMITED_ORDERED ") x)" PROJECTS PROJECT_ORDER "20", ""}}},
    {"q3", "b3 one json value", 0, false, NULL, {{"select json_agg(row_to_json(y)) from (select p.id, p.name, p.status, p.updated_at, json_build_object('id', o.id, 'name', o.name, 'email', o.email) as owner, " TASK_JSON " as tasks" PROJECTS PROJECT_ORDER "20) y", ""}}},
    {"q3", "c  2 statements, BEGIN..COMMIT, binary", 1, true, NULL, {{"select " PROJECT_COLUMNS PROJECTS PROJECT_ORDER "20", ""}, {"select p.id, c.* from (select p.id, p.updated_at from v_project p" PROJECT_ORDER "20) p cross join lateral (select " "t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id as uid, u.name" TASKS_OF_PROJECT "10) c order by p.updated_at desc, p.id, c.created_at desc, c.id", ""}}},
    {"q3", "c2 2 statements, no BEGIN, binary", 1, false, NULL, {{"select " PROJECT_COLUMNS PROJECTS PROJECT_ORDER "20", ""}, {"select p.id, c.* from (select p.id, p.updated_at from v_project p" PROJECT_ORDER "20) p cross join lateral (select " "t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id as uid, u.name" TASKS_OF_PROJECT "10) c order by p.updated_at desc, p.id, c.created_at desc, c.id", ""}}},
    {"q3", "c3 2 statements, BEGIN, no final sort", 1, true, NULL, {{"select " PROJECT_COLUMNS PROJECTS PROJECT_ORDER "20", ""}, {"select p.id, c.* from (select p.id, p.updated_at from v_project p" PROJECT_ORDER "20) p cross join lateral (select " "t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id as uid, u.name" TASKS_OF_PROJECT "10) c", ""}}},
    {"q3", "d  parallel array_agg columns, binary", 1, false, NULL, {{"select " PROJECT_COLUMNS ", l.*" PROJECTS "left join lateral (select array_agg(x.id), array_agg(title), array_agg(status), array_agg(priority), array_agg(due_on), array_agg(created_at), array_agg(uid), array_agg(name) from (select t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id as uid, u.name" TASKS_OF_PROJECT "10) x) l on true" PROJECT_ORDER "20", ""}}},
    {"q3", "c4 c3 and limit below the join", 1, true, NULL, {{"select " PROJECT_COLUMNS PROJECTS PROJECT_ORDER "20", ""}, {"select p.id, t.id, t.title, t.status, t.priority, t.due_on, t.created_at, u.id as uid, u.name from (select p.id, p.updated_at from v_project p" PROJECT_ORDER "20) p cross join lateral (select * from v_task t where t.project_id = p.id order by t.created_at desc, t.id limit 10) t left join v_user u on u.id = t.assignee_id", ""}}},
    {"q3", "d2 d and limit below the join", 1, false, NULL, {{"select " PROJECT_COLUMNS ", l.*" PROJECTS "left join lateral (select array_agg(t.id), array_agg(title), array_agg(status), array_agg(priority), array_agg(due_on), array_agg(t.created_at), array_agg(u.id), array_agg(name)" TASKS_LIMITED ") l on true" PROJECT_ORDER "20", ""}}},
    {"q3", "e  parents only (no list)", 1, false, NULL, {{"select " PROJECT_COLUMNS PROJECTS PROJECT_ORDER "20", ""}}},
    {"q3", "f  array(select row()) without assignee", 1, false, NULL, {{"select " PROJECT_COLUMNS ", array(select row(t.id, t.title, t.status, t.priority, t.due_on, t.created_at) from v_task t where t.project_id = p.id order by t.created_at desc, t.id limit 10)" PROJECTS PROJECT_ORDER "20", ""}}},
};
/* clang-format on */

enum {
    VARIANTS = sizeof variants / sizeof variants[0]
};

struct measure {
    double best_rate, least_backend_us, least_client_us, bytes;
    long rows;
};

struct connection {
    PGconn *pg;
    int pid;
    bool prepared[VARIANTS];
    bool begin_prepared;
};

static struct connection connections[MAX_CONNECTIONS];
static int connection_count = 4;
static struct pool pool;
static size_t pool_next;
static uint64_t bytes_seen, rows_seen;

/* Of our own backends only. */
static double backends_ns(void)
{
    double sum = 0;

    for (int i = 0; i < connection_count; i++)
        sum += (double)process_cpu_ns(connections[i].pid);
    return sum;
}

static void send_statement(struct connection *c, bool prepare, const char *name, const char *sql,
                           int count, const char *const *values, int binary)
{
    if (prepare && !PQsendPrepare(c->pg, name, sql, 0, NULL))
        fail("could not prepare", PQerrorMessage(c->pg));
    if (!PQsendQueryPrepared(c->pg, name, count, values, NULL, NULL, binary))
        fail("could not send", PQerrorMessage(c->pg));
}

static void send_batch(struct connection *c, int v)
{
    const struct variant *x = &variants[v];
    const struct pool_row *row;
    char context[32] = "context";
    bool prepare = !c->prepared[v];
    bool first = !c->begin_prepared;

    pool_next = (pool_next + 1) % pool.count;
    row = &pool.rows[pool_next];
    if (x->transaction)
        send_statement(c, first, "begin", "begin isolation level repeatable read read only", 0,
                       NULL, 0);
    if (x->context)
        snprintf(context, sizeof context, "context%d", v);
    send_statement(c, x->context ? prepare : first, context, x->context ? x->context : CONTEXT, 2,
                   (const char *[]){row->value[POOL_TENANT], "25000"}, 0);
    for (int s = 0; s < MAX_STATEMENTS && x->statements[s].sql; s++) {
        const char *values[4];
        int n = 0;
        char name[32];

        for (const char *p = x->statements[s].parameters; *p; p++)
            values[n++] = *p == 'u'   ? row->value[POOL_USER]
                          : *p == 'p' ? row->value[POOL_PROJECT]
                          : *p == '2' ? "20"
                          : *p == 'H' ? "200"
                          : *p == 'T' ? "10"
                                      : "ACTIVE";
        snprintf(name, sizeof name, "v%d_%d", v, s);
        send_statement(c, prepare, name, x->statements[s].sql, n, values, x->binary);
    }
    if (x->transaction)
        send_statement(c, first, "commit", "commit", 0, NULL, 0);
    if (!PQpipelineSync(c->pg) || PQflush(c->pg) < 0)
        fail("could not flush", PQerrorMessage(c->pg));
    c->prepared[v] = true;
    /* All three are prepared by one warm-up batch that has a transaction. */
    if (x->transaction)
        c->begin_prepared = true;
}

/* Reads what has arrived; true when the batch is complete. */
static bool read_batch(struct connection *c)
{
    if (!PQconsumeInput(c->pg))
        fail("lost the connection", PQerrorMessage(c->pg));
    while (!PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);

        if (!r)
            continue;
        switch (PQresultStatus(r)) {
        case PGRES_PIPELINE_SYNC:
            PQclear(r);
            return true;
        case PGRES_TUPLES_OK:
            rows_seen += (uint64_t)PQntuples(r);
            for (int i = 0; i < PQntuples(r); i++)
                for (int f = 0; f < PQnfields(r); f++)
                    bytes_seen += (uint64_t)PQgetlength(r, i, f);
            break;
        case PGRES_COMMAND_OK:
            break;
        default:
            fail("query failed", PQresultErrorMessage(r));
        }
        PQclear(r);
    }
    return false;
}

static void wait_batch(struct connection *c)
{
    while (!read_batch(c)) {
        struct pollfd p = {.fd = PQsocket(c->pg), .events = POLLIN};

        poll(&p, 1, -1);
    }
}

/* One run: every connection always has one batch in flight. */
static void run(int v, double ms, struct measure *m)
{
    struct pollfd fds[MAX_CONNECTIONS];
    double start, end, client, backend;
    uint64_t done = 0;

    for (int i = 0; i < connection_count; i++)
        for (int warm = 0; warm < 8; warm++) {
            send_batch(&connections[i], v);
            wait_batch(&connections[i]);
        }
    bytes_seen = rows_seen = 0;
    backend = backends_ns();
    client = (double)own_cpu_ns();
    start = (double)now_ns();
    end = start + ms * 1e6;
    for (int i = 0; i < connection_count; i++) {
        send_batch(&connections[i], v);
        fds[i] = (struct pollfd){.fd = PQsocket(connections[i].pg), .events = POLLIN};
    }
    for (int active = connection_count; active > 0;) {
        bool over = (double)now_ns() > end;

        poll(fds, (nfds_t)connection_count, -1);
        for (int i = 0; i < connection_count; i++) {
            if (!fds[i].revents || !read_batch(&connections[i]))
                continue;
            done++;
            if (over) {
                fds[i].fd = -1;
                active--;
            } else {
                send_batch(&connections[i], v);
            }
        }
    }
    double rate = (double)done / ((double)now_ns() - start) * 1e9;
    double client_us = ((double)own_cpu_ns() - client) / 1e3 / (double)done;
    double backend_us = (backends_ns() - backend) / 1e3 / (double)done;

    if (rate > m->best_rate)
        m->best_rate = rate;
    if (m->least_backend_us == 0 || backend_us < m->least_backend_us)
        m->least_backend_us = backend_us;
    if (m->least_client_us == 0 || client_us < m->least_client_us)
        m->least_client_us = client_us;
    m->bytes = (double)bytes_seen / (double)done;
    m->rows = (long)(rows_seen / done);
}

static void connect_all(const char *conninfo)
{
    int any_transaction = -1;

    for (int v = 0; v < VARIANTS; v++)
        if (variants[v].transaction)
            any_transaction = v;
    for (int i = 0; i < connection_count; i++) {
        struct connection *c = &connections[i];

        c->pg = PQconnectdb(conninfo);
        if (PQstatus(c->pg) != CONNECTION_OK)
            fail("could not connect", PQerrorMessage(c->pg));
        c->pid = PQbackendPID(c->pg);
        PQsetnonblocking(c->pg, 1);
        PQenterPipelineMode(c->pg);
        send_batch(c, any_transaction);
        wait_batch(c);
    }
}

int main(int argc, char **argv)
{
    static struct measure results[VARIANTS];
    const char *group = NULL;
    double ms = 500;
    int rounds = 3, option;

    while ((option = getopt(argc, argv, "c:t:r:g:")) != -1) {
        if (option == 'c')
            connection_count = atoi(optarg);
        else if (option == 't')
            ms = atof(optarg);
        else if (option == 'r')
            rounds = atoi(optarg);
        else if (option == 'g')
            group = optarg;
        else
            return 2;
    }
    if (argc - optind != 2 || connection_count < 1 || connection_count > MAX_CONNECTIONS) {
        fprintf(stderr, "usage: shapes CONNINFO POOLFILE [-c connections] [-t ms] [-r rounds] "
                        "[-g group]\n");
        return 2;
    }
    pool = pool_read(argv[optind + 1]);
    connect_all(argv[optind]);
    for (int round = 0; round < rounds; round++)
        for (int v = 0; v < VARIANTS; v++)
            if (!group || strcmp(group, variants[v].group) == 0)
                run(v, ms, &results[v]);
    printf("| op | shape | backend us | client us | tps | bytes | rows |\n"
           "| --- | --- | --- | --- | --- | --- | --- |\n");
    for (int v = 0; v < VARIANTS; v++)
        if (!group || strcmp(group, variants[v].group) == 0)
            printf("| %s | %s | %.1f | %.1f | %.0f | %.0f | %ld |\n", variants[v].group,
                   variants[v].name, results[v].least_backend_us, results[v].least_client_us,
                   results[v].best_rate, results[v].bytes, results[v].rows);
    for (int i = 0; i < connection_count; i++)
        PQfinish(connections[i].pg);
    free(pool.rows);
    return 0;
}
