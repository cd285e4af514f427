/*
 * yardstick.c - the least a server between HTTP and PostgreSQL has to do, to judge the daemon by.
 *
 * One thread, epoll, a parser that knows only the requests of load.c, a signature check on every
 * request, one pipelined batch of prepared statements for each, and the whole answer made by
 * PostgreSQL as JSON (operations.c). It knows no GraphQL: "operationName" chooses the statement.
 *
 * Usage:    yardstick -l PORT -s SECRETFILE [-c connections] [-d depth] CONNINFO
 *           "depth" is how many batches a connection may have in flight.
 * Thread:   one.
 * Memory:   a client lives from accept until it is closed and its request was answered.
 * Not here: limits, timeouts, TLS, pipelined requests, reconnecting: it serves one benchmark, then
 *           dies.
 */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_ROOM = 16384,
    PARAMETER_ROOM = 256
};
enum {
    MAX_DATABASES = 64,
    MAX_DEPTH = 16,
    MAX_EVENTS = 128
};

enum source_kind {
    SOURCE_LISTENER,
    SOURCE_CLIENT,
    SOURCE_DATABASE
};

/* First member of everything epoll knows. */
struct source {
    enum source_kind kind;
};

struct client {
    struct source source;
    int fd; /* -1: closed while its request was running */
    bool busy;
    /* the request that is running */
    int operation;
    char tenant[UUID_ROOM];
    char parameters[MAX_PARAMETERS][PARAMETER_ROOM];
    struct client *next_waiting;
    /* bytes not yet parsed, NUL-terminated */
    size_t in_len;
    char in[REQUEST_ROOM + 1];
    /* bytes the socket did not take at once */
    char *out;
    size_t out_len, out_sent;
};

struct database {
    struct source source;
    PGconn *pg;
    bool context_prepared, prepared[OPERATION_COUNT];
    struct client *clients[MAX_DEPTH]; /* oldest first */
    int in_flight;
    int statement; /* results seen of the oldest batch */
    PGresult *rows;
};

static struct source listener_source = {SOURCE_LISTENER};
static struct database databases[MAX_DATABASES];
static int database_count = 16, depth = 1;
static struct client *waiting_first, *waiting_last;
static char secret[256];
static int epoll_fd, listener_fd;

static void watch(int fd, struct source *source, uint32_t events, int how)
{
    struct epoll_event e = {.events = events, .data.ptr = source};

    if (epoll_ctl(epoll_fd, how, fd, &e) != 0)
        fail("could not watch a descriptor", strerror(errno));
}

static void client_close(struct client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    if (c->busy)
        return;
    free(c->out);
    free(c);
}

/* Sends what is left of an answer; false when the client is gone. */
static bool client_send_rest(struct client *c)
{
    ssize_t n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        return false;
    c->out_sent += n > 0 ? (size_t)n : 0;
    if (c->out_sent < c->out_len)
        return true;
    free(c->out);
    c->out = NULL;
    watch(c->fd, &c->source, EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

static void client_answer(struct client *c, int status, const char *prefix, size_t prefix_len,
                          const char *value, size_t value_len, const char *suffix)
{
    char head[128];
    size_t suffix_len = strlen(suffix), total, sent;
    int head_len =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 status, status == 200 ? "OK" : "Error", prefix_len + value_len + suffix_len);
    const char *parts[] = {head, prefix, value, suffix};
    size_t lengths[] = {(size_t)head_len, prefix_len, value_len, suffix_len};
    struct iovec v[4];
    ssize_t n;

    total = 0;
    for (int i = 0; i < 4; i++) {
        /* writev() does not write through it. */
        memcpy(&v[i].iov_base, &parts[i], sizeof v[i].iov_base);
        v[i].iov_len = lengths[i];
        total += lengths[i];
    }
    n = writev(c->fd, v, 4);
    sent = n > 0 ? (size_t)n : 0;
    if (sent == total || (n < 0 && errno != EAGAIN))
        return;
    c->out = xalloc(total - sent);
    c->out_len = c->out_sent = 0;
    for (int i = 0; i < 4; i++) {
        size_t skip = sent < lengths[i] ? sent : lengths[i];

        memcpy(c->out + c->out_len, parts[i] + skip, lengths[i] - skip);
        c->out_len += lengths[i] - skip;
        sent -= skip;
    }
    watch(c->fd, &c->source, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void client_refuse(struct client *c, int status, const char *message)
{
    static const char prefix[] = "{\"errors\":[{\"message\":\"";

    client_answer(c, status, prefix, strlen(prefix), message, strlen(message), "\"}]}");
}

static void database_send(struct database *d, struct client *c)
{
    const struct operation *op = &operations[c->operation];
    const char *context_values[] = {c->tenant, "25000"};
    const char *values[MAX_PARAMETERS];
    bool ok = true;
    int flushed;

    for (int i = 0; i < MAX_PARAMETERS; i++)
        values[i] = c->parameters[i];
    if (!d->context_prepared)
        ok = PQsendPrepare(d->pg, "context", context_sql, 0, NULL);
    ok = ok && PQsendQueryPrepared(d->pg, "context", 2, context_values, NULL, NULL, 0);
    if (!d->prepared[c->operation])
        ok = ok && PQsendPrepare(d->pg, op->name, op->json_sql, 0, NULL);
    ok = ok &&
         PQsendQueryPrepared(d->pg, op->name, (int)strlen(op->parameters), values, NULL, NULL, 0);
    if (!ok || !PQpipelineSync(d->pg))
        fail("could not send", PQerrorMessage(d->pg));
    /* Batches are some hundred bytes: the socket all but always takes them. */
    while ((flushed = PQflush(d->pg)) == 1) {
        struct pollfd p = {.fd = PQsocket(d->pg), .events = POLLOUT};

        poll(&p, 1, -1);
    }
    if (flushed < 0)
        fail("could not send", PQerrorMessage(d->pg));
    d->context_prepared = d->prepared[c->operation] = true;
    d->clients[d->in_flight++] = c;
}

/* Gives the request to the connection with the least to do, or lets it wait. */
static void dispatch(struct client *c)
{
    struct database *best = NULL;

    for (int i = 0; i < database_count; i++)
        if (databases[i].in_flight < depth && (!best || databases[i].in_flight < best->in_flight))
            best = &databases[i];
    if (best) {
        database_send(best, c);
        return;
    }
    c->next_waiting = NULL;
    if (waiting_first)
        waiting_last->next_waiting = c;
    else
        waiting_first = c;
    waiting_last = c;
}

/* The value of a string member; only for JSON as load.c writes it, without escapes. */
static bool read_member(const char *json, const char *name, char *out, size_t room)
{
    char key[32];
    int n = snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(json, key);
    size_t len;

    if (!at)
        return false;
    at += n;
    len = strcspn(at, "\"");
    if (len >= room)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

static const char *find_header(const char *head, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':')
            return line + len + 1 + strspn(line + len + 1, " ");
    }
    return NULL;
}

/* Reads operation and parameters out of the body; false when it is none of ours. */
static bool read_operation(struct client *c, const char *body)
{
    const char *variables = strstr(body, "\"variables\":");
    char name[16];

    if (!variables || !read_member(body, "operationName", name, sizeof name))
        return false;
    c->operation = operation_find(name, strlen(name));
    if (c->operation < 0)
        return false;
    for (int i = 0; operations[c->operation].parameters[i]; i++) {
        const char *member = NULL;

        switch (operations[c->operation].parameters[i]) {
        case 'a':
        case 'o':
        case 's':
            member = "status";
            break;
        case 't':
            member = "title";
            break;
        case 'd':
            member = "description";
            break;
        case 'u':
            member = operations[c->operation].mutation ? "assigneeId" : "id";
            break;
        case 'p':
            member = operations[c->operation].mutation ? "projectId" : "id";
            break;
        default:
            member = "id";
            break;
        }
        if (!read_member(variables, member, c->parameters[i], sizeof c->parameters[i]))
            return false;
    }
    return true;
}

/* Starts the request that is complete in the buffer, if there is one; false: close. */
static bool client_parse(struct client *c)
{
    char *head_end = strstr(c->in, "\r\n\r\n");
    const char *length, *token;
    size_t head_len, body_len = 0, total;
    char rest;

    if (!head_end)
        return c->in_len < REQUEST_ROOM;
    head_len = (size_t)(head_end - c->in) + 4;
    *head_end = '\0';
    length = find_header(c->in, "Content-Length");
    token = find_header(c->in, "Authorization");
    if (length)
        body_len = strtoul(length, NULL, 10);
    total = head_len + body_len;
    if (total > REQUEST_ROOM)
        return false;
    if (c->in_len < total) {
        *head_end = '\r';
        return true;
    }
    rest = c->in[total];
    c->in[total] = '\0';
    if (strncmp(c->in, "GET ", 4) == 0)
        client_answer(c, 200, "ok", 2, "", 0, "");
    else if (!token || strncmp(token, "Bearer ", 7) != 0 ||
             !token_check(secret, token + 7, strcspn(token + 7, "\r"), (long)time(NULL), c->tenant))
        client_refuse(c, 401, "no valid token");
    else if (!read_operation(c, c->in + head_len))
        client_refuse(c, 400, "unknown operation");
    else
        c->busy = true;
    c->in[total] = rest;
    c->in_len -= total;
    memmove(c->in, c->in + total, c->in_len + 1);
    if (c->busy)
        dispatch(c);
    return true;
}

static void client_ready(struct client *c, uint32_t events)
{
    ssize_t n;

    if ((events & EPOLLOUT) && c->out && !client_send_rest(c)) {
        client_close(c);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        return;
    n = recv(c->fd, c->in + c->in_len, REQUEST_ROOM - c->in_len, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        client_close(c);
        return;
    }
    c->in_len += (size_t)n;
    c->in[c->in_len] = '\0';
    if (!c->busy && !client_parse(c))
        client_close(c);
}

/* Answers the oldest batch of a connection and gives the connection new work. */
static void batch_done(struct database *d)
{
    struct client *c = d->clients[0];
    const char *prefix = operations[c->operation].answer_prefix;

    d->in_flight--;
    memmove(d->clients, d->clients + 1, (size_t)d->in_flight * sizeof *d->clients);
    if (waiting_first) {
        struct client *next = waiting_first;

        waiting_first = next->next_waiting;
        database_send(d, next);
    }
    c->busy = false;
    if (c->fd < 0) {
        client_close(c);
    } else if (!d->rows) {
        client_refuse(c, 500, "the statement failed");
    } else {
        size_t prefix_len = (size_t)(strrchr(prefix, ':') + 1 - prefix);

        if (PQntuples(d->rows) == 1)
            client_answer(c, 200, prefix, prefix_len, PQgetvalue(d->rows, 0, 0),
                          (size_t)PQgetlength(d->rows, 0, 0), "}}");
        else
            client_answer(c, 200, prefix, prefix_len, "null", 4, "}}");
        /* Not closed here: the client may have an event in the turn that is running. */
        if (c->in_len > 0 && !client_parse(c))
            shutdown(c->fd, SHUT_RDWR);
    }
    PQclear(d->rows);
    d->rows = NULL;
    d->statement = 0;
}

static void database_ready(struct database *d)
{
    if (!PQconsumeInput(d->pg))
        fail("lost the database", PQerrorMessage(d->pg));
    while (d->in_flight > 0 && !PQisBusy(d->pg)) {
        PGresult *r = PQgetResult(d->pg);

        if (!r)
            continue;
        switch (PQresultStatus(r)) {
        case PGRES_TUPLES_OK:
            /* The first rows are the context's. */
            if (d->statement++ == 1) {
                d->rows = r;
                continue;
            }
            break;
        case PGRES_PIPELINE_SYNC:
            PQclear(r);
            batch_done(d);
            continue;
        case PGRES_COMMAND_OK:
        case PGRES_PIPELINE_ABORTED:
            break;
        default:
            fprintf(stderr, "yardstick: %s", PQresultErrorMessage(r));
            break;
        }
        PQclear(r);
    }
}

static void accept_clients(void)
{
    int fd, on = 1;

    while ((fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *c = xalloc(sizeof *c);

        memset(c, 0, offsetof(struct client, in));
        c->out = NULL;
        c->out_len = c->out_sent = 0;
        c->in[0] = '\0';
        c->source.kind = SOURCE_CLIENT;
        c->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(fd, &c->source, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener_fd, 1024) != 0)
        fail("could not listen", strerror(errno));
    watch(listener_fd, &listener_source, EPOLLIN, EPOLL_CTL_ADD);
}

static void connect_databases(const char *conninfo)
{
    for (int i = 0; i < database_count; i++) {
        struct database *d = &databases[i];

        d->source.kind = SOURCE_DATABASE;
        d->pg = PQconnectdb(conninfo);
        if (PQstatus(d->pg) != CONNECTION_OK || PQsetnonblocking(d->pg, 1) != 0 ||
            !PQenterPipelineMode(d->pg))
            fail("could not connect", PQerrorMessage(d->pg));
        watch(PQsocket(d->pg), &d->source, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void read_secret(const char *path)
{
    FILE *f = fopen(path, "r");

    if (!f || !fgets(secret, sizeof secret, f))
        fail("could not read", path);
    fclose(f);
    secret[strcspn(secret, "\n")] = '\0';
}

static _Noreturn void serve(void)
{
    struct epoll_event events[MAX_EVENTS];

    for (;;) {
        int n = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);

        for (int i = 0; i < n; i++) {
            struct source *source = events[i].data.ptr;

            switch (source->kind) {
            case SOURCE_LISTENER:
                accept_clients();
                break;
            case SOURCE_CLIENT:
                client_ready((struct client *)source, events[i].events);
                break;
            case SOURCE_DATABASE:
                database_ready((struct database *)source);
                break;
            }
        }
    }
}

int main(int argc, char **argv)
{
    int port = 0, option;

    while ((option = getopt(argc, argv, "l:s:c:d:")) != -1) {
        if (option == 'l')
            port = atoi(optarg);
        else if (option == 's')
            read_secret(optarg);
        else if (option == 'c')
            database_count = atoi(optarg);
        else if (option == 'd')
            depth = atoi(optarg);
    }
    if (argc - optind != 1 || port <= 0 || !secret[0] || database_count < 1 ||
        database_count > MAX_DATABASES || depth < 1 || depth > MAX_DEPTH) {
        fprintf(stderr, "usage: yardstick -l PORT -s SECRETFILE [-c connections] [-d depth] "
                        "CONNINFO\n");
        return 2;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    connect_databases(argv[optind]);
    listen_on(port);
    serve();
}
