/*
 * pglimit.c - how many of the benchmark's operations PostgreSQL answers when nothing stands before
 * it.
 *
 * N pipelined connections, each with always one batch on its way: settings, statement, Sync, all
 * prepared. Answers are received and thrown away. The SQL is the yardstick's (-f json) or typed
 * columns in binary (-f columns), as the daemon asks for them.
 *
 * Usage:    pglimit -p POOLFILE [-f columns|json] [-m mix] [-c connections] [-t seconds]
 *                   [-D postmaster pid] CONNINFO
 * Result:   one line of key=value on stdout.
 * Thread:   one.
 * Memory:   until exit.
 * Not here: HTTP, tokens, JSON encoding.
 */
#include "common.h"

#include <getopt.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_CONNECTIONS = 64
};

struct connection {
    PGconn *pg;
    bool context_prepared, prepared[OPERATION_COUNT];
};

static struct connection connections[MAX_CONNECTIONS];
static int connection_count = 8;
static int weights[OPERATION_COUNT];
static struct pool pool;
static bool columns = true;
static uint64_t random_state = 88172645463325252;

static void send_batch(struct connection *c)
{
    static const char *const statuses[] = {"TODO", "DOING", "REVIEW", "DONE"};
    const struct pool_row *row = &pool.rows[random_next(&random_state) % pool.count];
    int n = weights_draw(weights, &random_state);
    const struct operation *op = &operations[n];
    const char *context_values[] = {row->value[POOL_TENANT], "25000"};
    const char *values[MAX_PARAMETERS];
    bool ok = true;

    for (int i = 0; op->parameters[i]; i++) {
        char letter = op->parameters[i];

        values[i] = letter == 'u'   ? row->value[POOL_USER]
                    : letter == 'p' ? row->value[POOL_PROJECT]
                    : letter == 'k' ? row->value[POOL_TASK]
                    : letter == 'a' ? "ACTIVE"
                    : letter == 'o' ? "TODO"
                    : letter == 'd' ? created_description
                    : letter == 't' ? "Benchmark task"
                                    : statuses[random_next(&random_state) % 4];
    }
    if (!c->context_prepared)
        ok = PQsendPrepare(c->pg, "context", context_sql, 0, NULL);
    ok = ok && PQsendQueryPrepared(c->pg, "context", 2, context_values, NULL, NULL, 0);
    if (!c->prepared[n])
        ok = ok && PQsendPrepare(c->pg, op->name, columns ? op->column_sql : op->json_sql, 0, NULL);
    ok = ok && PQsendQueryPrepared(c->pg, op->name, (int)strlen(op->parameters), values, NULL, NULL,
                                   columns);
    if (!ok || !PQpipelineSync(c->pg) || PQflush(c->pg) < 0)
        fail("could not send", PQerrorMessage(c->pg));
    c->context_prepared = c->prepared[n] = true;
}

/* Reads what has arrived; true when the batch is complete. */
static bool read_batch(struct connection *c)
{
    if (!PQconsumeInput(c->pg))
        fail("lost the connection", PQerrorMessage(c->pg));
    while (!PQisBusy(c->pg)) {
        PGresult *r = PQgetResult(c->pg);
        ExecStatusType status = PQresultStatus(r);

        if (!r)
            continue;
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK &&
            status != PGRES_PIPELINE_SYNC)
            fail("a statement failed", PQresultErrorMessage(r));
        PQclear(r);
        if (status == PGRES_PIPELINE_SYNC)
            return true;
    }
    return false;
}

/* Keeps every connection busy for a while; returns how many batches were answered. */
static uint64_t run(double seconds)
{
    uint64_t end = now_ns() + (uint64_t)(seconds * 1e9), done = 0;
    struct pollfd fds[MAX_CONNECTIONS];
    int active = connection_count;

    for (int i = 0; i < connection_count; i++) {
        send_batch(&connections[i]);
        fds[i] = (struct pollfd){.fd = PQsocket(connections[i].pg), .events = POLLIN};
    }
    while (active > 0) {
        bool over = now_ns() >= end;

        poll(fds, (nfds_t)connection_count, -1);
        for (int i = 0; i < connection_count; i++) {
            if (!fds[i].revents || !read_batch(&connections[i]))
                continue;
            done++;
            if (over) {
                fds[i].fd = -1;
                fds[i].revents = 0;
                active--;
            } else {
                send_batch(&connections[i]);
            }
        }
    }
    return done;
}

int main(int argc, char **argv)
{
    const char *mix = "mix", *pool_path = NULL;
    uint64_t client, database, start, done;
    int option, postmaster = 0;
    double seconds = 2;

    while ((option = getopt(argc, argv, "p:f:m:c:t:D:")) != -1) {
        if (option == 'p')
            pool_path = optarg;
        else if (option == 'f')
            columns = strcmp(optarg, "json") != 0;
        else if (option == 'm')
            mix = optarg;
        else if (option == 'c')
            connection_count = atoi(optarg);
        else if (option == 't')
            seconds = atof(optarg);
        else if (option == 'D')
            postmaster = atoi(optarg);
    }
    if (argc - optind != 1 || !pool_path || connection_count < 1 ||
        connection_count > MAX_CONNECTIONS) {
        fprintf(stderr, "usage: pglimit -p POOLFILE [-f columns|json] [-m mix] [-c connections] "
                        "[-t seconds] [-D postmaster pid] CONNINFO\n");
        return 2;
    }
    weights_parse(mix, weights);
    pool = pool_read(pool_path);
    for (int i = 0; i < connection_count; i++) {
        connections[i].pg = PQconnectdb(argv[optind]);
        if (PQstatus(connections[i].pg) != CONNECTION_OK ||
            PQsetnonblocking(connections[i].pg, 1) != 0 || !PQenterPipelineMode(connections[i].pg))
            fail("could not connect", PQerrorMessage(connections[i].pg));
    }
    run(0.3);
    database = postmaster ? children_cpu_ns(postmaster) : 0;
    client = own_cpu_ns();
    start = now_ns();
    done = run(seconds);
    seconds = (double)(now_ns() - start) / 1e9;
    client = own_cpu_ns() - client;
    database = (postmaster ? children_cpu_ns(postmaster) : 0) - database;
    printf("mix=%s form=%s connections=%d seconds=%.2f requests=%llu rps=%.1f database_us=%.1f "
           "client_us=%.1f\n",
           mix, columns ? "columns" : "json", connection_count, seconds, (unsigned long long)done,
           (double)done / seconds, (double)database / 1e3 / (double)done,
           (double)client / 1e3 / (double)done);
    for (int i = 0; i < connection_count; i++)
        PQfinish(connections[i].pg);
    return 0;
}
