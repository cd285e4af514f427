/*
 * load.c - sends the benchmark's GraphQL requests over HTTP and measures the answers.
 *
 * Closed loop: every connection always has one request on its way; latency counts from its send.
 * Open loop (-r): requests become due at a constant rate whatever the server does; latency counts
 * from when a request was due, so that waiting for a free connection is part of it and a stall is
 * felt by every request that came due during it.
 *
 * Usage:    load -H HOST:PORT -O OPERATIONDIR -p POOLFILE -s SECRETFILE [-m mix] [-c connections]
 *                [-t seconds] [-w warmup seconds] [-r rate] [-S server pid] [-D postmaster pid]
 *                [-P path] [-j] [-n requests] [-R rows] [-F first row] [-Q document] [-A] [-N
 * header] load -H HOST:PORT -W PATH [-t seconds]      waits until GET PATH gives 200 -n: so many
 * requests, however long it takes, and always the same; -R: parameters and tokens are those of the
 * first rows only; -Q: sends this document in place of the mix; -A: sends no token; -N: in a header
 * of this name. Result:   one line of key=value on stdout; with -j the same as a JSON object.
 * Thread:   one.
 * Memory:   until exit.
 * Not here: TLS, HTTP/2, chunked answers.
 */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 4096,
    DOCUMENT_ROOM = 2048,
    REQUEST_ROOM = 8192,
    MAX_EVENTS = 256
};
enum {
    DRAIN_SECONDS = 5,
    TAIL = 1024
};

struct connection {
    int fd;
    bool busy;
    int operation;
    uint64_t since; /* sent (closed loop) or due (open loop) */
    char *in;
    size_t in_len, in_room;
    size_t head_len, body_len; /* of the answer, once its head is there */
    int status;
};

struct settings {
    struct sockaddr_in address;
    char host[64];
    const char *path;
    const char *mix;
    int connections;
    double seconds, warm_seconds, rate;
    uint64_t requests; /* 0: as many as there is time for */
    size_t rows;       /* 0: all */
    size_t first;      /* row of the first request, where their number is told */
    const char *document;
    const char *token_header;
    int server_pid, postmaster_pid;
    bool json, anonymous;
};

static struct settings settings = {.path = "/graphql",
                                   .mix = "mix",
                                   .token_header = "Authorization",
                                   .connections = 64,
                                   .seconds = 4,
                                   .warm_seconds = 0.5};
static char documents[OPERATION_COUNT][DOCUMENT_ROOM]; /* escaped for JSON */
static struct pool pool;
static char (*tokens)[TOKEN_ROOM]; /* one for each pool row */
static int weights[OPERATION_COUNT];
static struct connection *connections;
static struct connection **idle;
static int idle_count;
static uint64_t random_state = 88172645463325252, sent_count;
static int epoll_fd, timer_fd = -1;

/* what is measured */
static uint64_t measure_from, measure_to;
static uint64_t *latencies;
static size_t latency_count, latency_room;
static uint64_t done_count, error_count, byte_count;

/* requests that are due but have no connection yet (open loop): a ring */
static uint64_t *due;
static size_t due_first, due_count, due_room;

static void connection_open(struct connection *c)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 ||
        connect(c->fd, (struct sockaddr *)&settings.address, sizeof settings.address) != 0)
        fail("could not connect", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e) != 0)
        fail("could not watch a connection", strerror(errno));
    c->in_len = c->head_len = 0;
    c->busy = false;
}

static int write_variables(char *out, size_t room, const struct operation *op,
                           const struct pool_row *row)
{
    static const char *const statuses[] = {"TODO", "DOING", "REVIEW", "DONE"};
    size_t n = (size_t)snprintf(out, room, op->mutation ? "{\"input\":{" : "{");

    for (const char *p = op->parameters; *p; p++) {
        const char *name = "id", *value = NULL;
        char title[48];

        switch (*p) {
        case 'u':
            name = op->mutation ? "assigneeId" : "id";
            value = row->value[POOL_USER];
            break;
        case 'p':
            name = op->mutation ? "projectId" : "id";
            value = row->value[POOL_PROJECT];
            break;
        case 'd':
            name = "description";
            value = created_description;
            break;
        case 'k':
            value = row->value[POOL_TASK];
            break;
        case 't':
            name = "title";
            snprintf(title, sizeof title, "Benchmark task %u",
                     (unsigned)(random_next(&random_state) % 1000000));
            value = title;
            break;
        default:
            name = "status";
            value = *p == 'a'   ? "ACTIVE"
                    : *p == 'o' ? "TODO"
                                : statuses[random_next(&random_state) % 4];
            break;
        }
        n += (size_t)snprintf(out + n, room - n, "%s\"%s\":\"%s\"", p == op->parameters ? "" : ",",
                              name, value);
    }
    return (int)n + snprintf(out + n, room - n, op->mutation ? "}}" : "}");
}

/* The request's body for -Q: without variables or a name. */
static int write_document(char *out, size_t room)
{
    return snprintf(out, room, "{\"query\":\"%s\"}", settings.document);
}

static void connection_send(struct connection *c, uint64_t since)
{
    size_t row =
        (size_t)((settings.requests ? settings.first + sent_count : random_next(&random_state)) %
                 pool.count);
    int operation = weights_draw(weights, &random_state);
    const struct operation *op = &operations[operation];
    char body[REQUEST_ROOM / 2], variables[1024], token[TOKEN_ROOM + 32] = "",
                                                                     request[REQUEST_ROOM];
    int body_len, len;

    write_variables(variables, sizeof variables, op, &pool.rows[row]);
    body_len = settings.document
                   ? write_document(body, sizeof body)
                   : snprintf(body, sizeof body,
                              "{\"query\":\"%s\",\"operationName\":\"%s\",\"variables\":%s}",
                              documents[operation], op->name, variables);
    if (!settings.anonymous)
        snprintf(token, sizeof token, "%s: Bearer %s\r\n", settings.token_header, tokens[row]);
    len = snprintf(request, sizeof request,
                   "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: fraiseqld-bench\r\n"
                   "Accept: application/json\r\nContent-Type: application/json\r\n"
                   "%sContent-Length: %d\r\n\r\n%s",
                   settings.path, settings.host, token, body_len, body);
    if (body_len >= (int)sizeof body || len >= (int)sizeof request)
        fail("document is too long", op->name);
    sent_count++;
    c->busy = true;
    c->operation = operation;
    c->since = since;
    if (send(c->fd, request, (size_t)len, MSG_NOSIGNAL) != len) {
        /* The server closed it meanwhile; the request counts as failed when the end is read. */
        shutdown(c->fd, SHUT_RDWR);
    }
}

static void record(const struct connection *c, bool good, uint64_t now)
{
    bool counted = settings.rate > 0 ? c->since >= measure_from && c->since < measure_to
                                     : now >= measure_from && now < measure_to;

    if (!counted)
        return;
    done_count++;
    byte_count += c->body_len;
    if (!good) {
        if (error_count++ == 0)
            fprintf(stderr, "load: %s: status %d: %.*s\n", operations[c->operation].name, c->status,
                    (int)(c->body_len < 400 ? c->body_len : 400),
                    c->head_len ? c->in + c->head_len : "");
        return;
    }
    if (latency_count == latency_room) {
        latency_room = latency_room ? latency_room * 2 : 1 << 16;
        latencies = xgrow(latencies, latency_room * sizeof *latencies);
    }
    latencies[latency_count++] = now - c->since;
}

/* A right answer begins as the operation says and has no errors, which stand before or after it. */
static bool answer_good(const struct connection *c)
{
    const char *prefix = settings.document ? "{\"data\":{" : operations[c->operation].answer_prefix;
    const char *body = c->in + c->head_len;
    size_t tail = c->body_len < TAIL ? c->body_len : TAIL;

    return c->status == 200 && c->body_len >= strlen(prefix) &&
           memcmp(body, prefix, strlen(prefix)) == 0 &&
           !memmem(body + c->body_len - tail, tail, "\"errors\":", 9);
}

/* Reads status and length out of the head, if it is complete. */
static void parse_head(struct connection *c)
{
    char *end, *length = NULL;

    c->in[c->in_len] = '\0';
    end = strstr(c->in, "\r\n\r\n");
    if (!end)
        return;
    *end = '\0';
    for (char *line = strstr(c->in, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = line + 15;
    }
    if (strncmp(c->in, "HTTP/1.1 ", 9) != 0 || !length)
        fail("no HTTP/1.1 answer with a Content-Length", c->in);
    c->status = atoi(c->in + 9);
    c->head_len = (size_t)(end - c->in) + 4;
    c->body_len = strtoul(length, NULL, 10);
}

static void send_next(struct connection *c, uint64_t now)
{
    if (settings.rate <= 0) {
        if (settings.requests ? sent_count < settings.requests : now < measure_to)
            connection_send(c, now);
    } else if (due_count > 0) {
        connection_send(c, due[due_first]);
        due_first = (due_first + 1) % due_room;
        due_count--;
    } else {
        idle[idle_count++] = c;
    }
}

static void connection_ready(struct connection *c)
{
    uint64_t now;
    ssize_t n;

    if (c->in_room - c->in_len < 65536) {
        c->in_room = c->in_room ? c->in_room * 2 : 131072;
        c->in = xgrow(c->in, c->in_room + 1);
    }
    n = recv(c->fd, c->in + c->in_len, c->in_room - c->in_len, 0);
    now = now_ns();
    if (n <= 0) {
        bool was_busy = c->busy;

        c->status = 0;
        c->body_len = c->head_len = 0;
        if (was_busy)
            record(c, false, now);
        close(c->fd);
        connection_open(c);
        if (was_busy)
            send_next(c, now);
        return;
    }
    c->in_len += (size_t)n;
    if (c->head_len == 0)
        parse_head(c);
    if (c->head_len == 0 || c->in_len < c->head_len + c->body_len)
        return;
    record(c, answer_good(c), now);
    c->busy = false;
    c->in_len = c->head_len = 0;
    send_next(c, now);
}

static void timer_set(uint64_t at)
{
    struct itimerspec t = {
        .it_value = {.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)}
    };

    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

/* Sends or queues what has come due; returns how many requests have come due in all. */
static uint64_t release_due(uint64_t start, uint64_t sent, uint64_t now)
{
    for (;;) {
        uint64_t at = start + (uint64_t)((double)sent * 1e9 / settings.rate);

        if (at >= measure_to)
            return sent;
        if (at > now) {
            timer_set(at);
            return sent;
        }
        sent++;
        if (idle_count > 0) {
            connection_send(idle[--idle_count], at);
            continue;
        }
        if (due_count == due_room) {
            uint64_t *larger = xalloc((due_room ? due_room * 2 : 1024) * sizeof *larger);

            for (size_t i = 0; i < due_count; i++)
                larger[i] = due[(due_first + i) % due_room];
            free(due);
            due = larger;
            due_room = due_room ? due_room * 2 : 1024;
            due_first = 0;
        }
        due[(due_first + due_count++) % due_room] = at;
    }
}

static bool any_busy(void)
{
    if (due_count > 0)
        return true;
    for (int i = 0; i < settings.connections; i++)
        if (connections[i].busy)
            return true;
    return false;
}

struct cpu {
    uint64_t server, database, client;
};

static struct cpu cpu_now(void)
{
    return (struct cpu){.server = settings.server_pid ? process_cpu_ns(settings.server_pid) : 0,
                        .database =
                            settings.postmaster_pid ? children_cpu_ns(settings.postmaster_pid) : 0,
                        .client = own_cpu_ns()};
}

static int compare_latency(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static double percentile_us(double p)
{
    size_t i = (size_t)((double)latency_count * p / 100);

    if (latency_count == 0)
        return 0;
    return (double)latencies[i < latency_count ? i : latency_count - 1] / 1e3;
}

static void report(struct cpu before, struct cpu after, double seconds)
{
    double n = done_count ? (double)done_count : 1;
    const char *format =
        settings.json
            ? "{\"mix\": \"%s\", \"loop\": \"%s\", \"connections\": %d, \"seconds\": %.2f, "
              "\"requests\": %llu, \"rps\": %.1f, \"errors\": %llu, \"bytes\": %.0f, "
              "\"p50_us\": %.0f, \"p95_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f, "
              "\"max_us\": %.0f, \"server_us\": %.1f, \"database_us\": %.1f, "
              "\"client_us\": %.1f}\n"
            : "mix=%s loop=%s connections=%d seconds=%.2f requests=%llu rps=%.1f errors=%llu "
              "bytes=%.0f p50_us=%.0f p95_us=%.0f p99_us=%.0f p999_us=%.0f max_us=%.0f "
              "server_us=%.1f database_us=%.1f client_us=%.1f\n";

    qsort(latencies, latency_count, sizeof *latencies, compare_latency);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(format, settings.mix, settings.rate > 0 ? "open" : "closed", settings.connections,
           seconds, (unsigned long long)done_count, (double)done_count / seconds,
           (unsigned long long)error_count, (double)byte_count / n, percentile_us(50),
           percentile_us(95), percentile_us(99), percentile_us(99.9), percentile_us(100),
           (double)(after.server - before.server) / 1e3 / n,
           (double)(after.database - before.database) / 1e3 / n,
           (double)(after.client - before.client) / 1e3 / n);
#pragma GCC diagnostic pop
}

static void run(void)
{
    struct epoll_event events[MAX_EVENTS];
    struct cpu before = {0}, after = {0};
    uint64_t start = now_ns(), now = start, sent = 0;
    bool measuring = false, over = false;

    measure_from = start + (uint64_t)(settings.warm_seconds * 1e9);
    measure_to = measure_from + (uint64_t)(settings.seconds * 1e9);
    if (settings.requests)
        measure_to = UINT64_MAX;
    for (int i = 0; i < settings.connections; i++)
        send_next(&connections[i], now);
    if (settings.rate > 0)
        sent = release_due(start, sent, now);
    while ((now < measure_to && !settings.requests) || any_busy()) {
        int n = epoll_wait(epoll_fd, events, MAX_EVENTS, 10);

        for (int i = 0; i < n; i++) {
            uint64_t expirations;

            if (events[i].data.ptr)
                connection_ready(events[i].data.ptr);
            else if (read(timer_fd, &expirations, sizeof expirations) < 0)
                fail("could not read the timer", strerror(errno));
        }
        now = now_ns();
        if (settings.rate > 0)
            sent = release_due(start, sent, now);
        if (!measuring && now >= measure_from) {
            before = cpu_now();
            measuring = true;
        }
        if (!over && now >= measure_to) {
            after = cpu_now();
            over = true;
        }
        if (now - start >
            (uint64_t)((settings.seconds + settings.warm_seconds + DRAIN_SECONDS) * 1e9))
            break;
    }
    if (settings.requests)
        after = cpu_now();
    for (int i = 0; i < settings.connections; i++)
        if (connections[i].busy) {
            /* Never answered. */
            connections[i].body_len = connections[i].head_len = 0;
            connections[i].status = 0;
            record(&connections[i], false, measure_to - 1);
        }
    /* What never found a connection failed as well. */
    error_count += due_count;
    done_count += due_count;
    report(before, after, settings.requests ? (double)(now - start) / 1e9 : settings.seconds);
}

static void read_document(const char *directory, int op)
{
    char path[512];
    size_t n = 0;
    FILE *f;
    int ch;

    snprintf(path, sizeof path, "%s/%s.graphql", directory, operations[op].name);
    f = fopen(path, "r");
    if (!f)
        fail("could not open", path);
    while ((ch = getc(f)) != EOF) {
        if (n + 3 > DOCUMENT_ROOM)
            fail("document is too long", path);
        if (ch == '\n' || ch == '"' || ch == '\\')
            documents[op][n++] = '\\';
        documents[op][n++] = (char)(ch == '\n' ? 'n' : ch);
    }
    documents[op][n] = '\0';
    fclose(f);
}

static void make_tokens(const char *path)
{
    char secret[256];
    FILE *f = fopen(path, "r");

    if (!f || !fgets(secret, sizeof secret, f))
        fail("could not read", path);
    fclose(f);
    secret[strcspn(secret, "\n")] = '\0';
    tokens = xalloc(pool.count * sizeof *tokens);
    for (size_t i = 0; i < pool.count; i++)
        token_make(secret, pool.rows[i].value[POOL_TENANT], pool.rows[i].value[POOL_USER],
                   tokens[i]);
}

/* Prints the wall-clock time of the first 200, as seconds since 1970. */
static int wait_until_ready(const char *path)
{
    uint64_t deadline = now_ns() + (uint64_t)(settings.seconds * 1e9);

    while (now_ns() < deadline) {
        struct timespec pause = {.tv_nsec = 500000}, wall;
        struct timeval patience = {.tv_sec = 1};
        char text[512];
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), len;
        ssize_t n = 0;

        len =
            snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                     path, settings.host);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(fd, (struct sockaddr *)&settings.address, sizeof settings.address) == 0 &&
            send(fd, text, (size_t)len, MSG_NOSIGNAL) == len)
            n = recv(fd, text, sizeof text - 1, 0);
        close(fd);
        if (n > 12 && memcmp(text, "HTTP/1.1 200", 12) == 0) {
            clock_gettime(CLOCK_REALTIME, &wall);
            printf("%lld.%06ld\n", (long long)wall.tv_sec, wall.tv_nsec / 1000);
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    fprintf(stderr, "load: not ready after %.0f s: %s%s\n", settings.seconds, settings.host, path);
    return 1;
}

static void set_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    char host[64];

    snprintf(settings.host, sizeof settings.host, "%s", text);
    snprintf(host, sizeof host, "%.*s", colon ? (int)(colon - text) : 0, text);
    settings.address.sin_family = AF_INET;
    if (!colon || inet_pton(AF_INET, host, &settings.address.sin_addr) != 1)
        fail("not ADDRESS:PORT", text);
    settings.address.sin_port = htons((uint16_t)atoi(colon + 1));
}

static void start_connections(void)
{
    struct epoll_event timer = {.events = EPOLLIN, .data.ptr = NULL};

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &timer) != 0)
        fail("could not watch the timer", strerror(errno));
    connections = calloc((size_t)settings.connections, sizeof *connections);
    idle = xalloc((size_t)settings.connections * sizeof(struct connection *));
    if (!connections)
        fail("out of memory", "connections");
    for (int i = 0; i < settings.connections; i++)
        connection_open(&connections[i]);
}

int main(int argc, char **argv)
{
    const char *directory = NULL, *pool_path = NULL, *secret_path = NULL, *ready_path = NULL;
    int option;

    while ((option = getopt(argc, argv, "H:O:p:s:m:c:t:w:r:S:D:P:W:jn:R:F:Q:AN:")) != -1) {
        switch (option) {
            /* clang-format off */
        case 'H': set_address(optarg); break;
        case 'O': directory = optarg; break;
        case 'p': pool_path = optarg; break;
        case 's': secret_path = optarg; break;
        case 'm': settings.mix = optarg; break;
        case 'c': settings.connections = atoi(optarg); break;
        case 't': settings.seconds = atof(optarg); break;
        case 'w': settings.warm_seconds = atof(optarg); break;
        case 'r': settings.rate = atof(optarg); break;
        case 'S': settings.server_pid = atoi(optarg); break;
        case 'D': settings.postmaster_pid = atoi(optarg); break;
        case 'P': settings.path = optarg; break;
        case 'W': ready_path = optarg; break;
        case 'j': settings.json = true; break;
        case 'n': settings.requests = strtoull(optarg, NULL, 10); break;
        case 'R': settings.rows = strtoul(optarg, NULL, 10); break;
        case 'F': settings.first = strtoul(optarg, NULL, 10); break;
        case 'Q': settings.document = optarg; break;
        case 'N': settings.token_header = optarg; break;
        case 'A': settings.anonymous = true; break;
        default: return 2;
            /* clang-format on */
        }
    }
    if (settings.host[0] && ready_path)
        return wait_until_ready(ready_path);
    if (!settings.host[0] || !directory || !pool_path || !secret_path || settings.connections < 1 ||
        settings.connections > MAX_CONNECTIONS) {
        fprintf(stderr, "usage: load -H ADDRESS:PORT -O OPERATIONDIR -p POOLFILE -s SECRETFILE "
                        "[options]\n       load -H ADDRESS:PORT -W PATH [-t seconds]\n");
        return 2;
    }
    weights_parse(settings.mix, weights);
    pool = pool_read(pool_path);
    if (settings.rows && settings.rows < pool.count)
        pool.count = settings.rows;
    for (int i = 0; i < OPERATION_COUNT; i++)
        read_document(directory, i);
    make_tokens(secret_path);
    start_connections();
    run();
    return error_count > 0 ? 3 : 0;
}
