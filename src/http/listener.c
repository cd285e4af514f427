/*
 * listener.c - sockets that accept connections of strict HTTP/1.1.
 *
 * Thread:   the loop's only.
 * Memory:   see listener.h.
 * Not here: what happens on a connection (connection.c), addresses (socket.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/state.h"
#include "metrics/metrics.h"

/* Accepted in one round of the loop, so that a flood does not starve open connections. */
#define ACCEPT_BATCH 32
/* Without descriptors accepting would fail again at once, forever. */
#define ACCEPT_PAUSE_MS 100
#define LINGER_MS       2000
/* Who connected just before the listener closed is about to send a request. */
#define FIRST_MS 500
/* Read from a socket at once; large bodies arrive in pieces of this size. */
#define SCRATCH_SIZE 65536
/* What may wait behind a request beyond one head of the largest size. */
#define READ_AHEAD 4096

/* Tell a client in excess why, as well as that goes without waiting for its request. */
static void turn_away(const struct listener *ln, int fd, enum metric why)
{
    static const struct http_fault full = {503, "too many connections"};
    struct buf body, reply;
    char discard[16384];

    metric_add(why, 1);
    /* A handshake is what there is too much of already. */
    if (ln->tls != NULL) {
        close(fd);
        return;
    }
    buf_init(&body, 0);
    buf_init(&reply, 0);
    reply_fault_body(&full, &body);
    buf_printf(&reply,
               "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
               "Content-Length: %zu\r\nRetry-After: 1\r\nConnection: close\r\n\r\n",
               body.len);
    buf_append_str(&reply, buf_str(&body));
    /* Unread input would turn the close into a reset, which can overtake the reply. */
    if (recv(fd, discard, sizeof(discard), MSG_DONTWAIT) == 0)
        LOG(LOG_DEBUG, "client left before it was turned away");
    if (send(fd, reply.data, reply.len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        shutdown(fd, SHUT_WR);
    close(fd);
    buf_fini(&reply);
    buf_fini(&body);
}

static void admit(struct listener *ln, int fd, const struct sockaddr_storage *ss)
{
    struct ip_address peer;
    bool is_inet = ip_of((const struct sockaddr *)ss, &peer);
    int on = 1;

    if (ln->nconnections >= ln->opt.max_connections) {
        turn_away(ln, fd, METRIC_HTTP_REJECTED_CONNECTIONS);
        return;
    }
    if (is_inet && ln->peers != NULL &&
        !peers_add(ln->peers, &peer, ln->opt.max_connections_per_ip)) {
        turn_away(ln, fd, METRIC_HTTP_REJECTED_CONNECTIONS_PER_IP);
        return;
    }
    if (is_inet)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    connection_open(ln, fd, is_inet ? &peer : NULL);
}

static void pause_accepting(struct listener *ln)
{
    uint64_t now = loop_now_ns(ln->loop);
    int why = errno;
    char text[128];

    if (ln->complained_ns == 0 || now - ln->complained_ns > UINT64_C(60000000000)) {
        ln->complained_ns = now;
        LOG(LOG_WARN, "could not accept connections, trying again in 100 ms",
            LOG_CSTR("address", ln->address), LOG_INT("connections", ln->nconnections),
            LOG_CSTR("error", strerror_r(why, text, sizeof(text))));
    }
    watch_set(ln->watch, 0);
    timeouts_start(&ln->timeouts, &ln->pause, TIMEOUT_ACCEPT);
}

static void on_acceptable(int fd, unsigned events, void *ctx)
{
    struct listener *ln = ctx;
    int i;

    (void)events;
    for (i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage ss = {0};
        socklen_t len = sizeof(ss);
        int got = accept4(fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (got >= 0) {
            admit(ln, got, &ss);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_accepting(ln);
            return;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        }
        /* Others concern a connection that died before it was accepted (accept(2)). */
    }
}

static void on_timeout(struct timeout_link *l, enum timeout_kind kind, void *ctx)
{
    struct listener *ln = ctx;

    if (kind != TIMEOUT_ACCEPT)
        connection_timeout(CONTAINER_OF(l, struct connection, timeout), kind);
    else if (ln->watch != NULL)
        watch_set(ln->watch, LOOP_READ);
}

static void set_limits(struct listener *ln)
{
    const struct listener_options *opt = &ln->opt;

    ln->head_limits.max_header_bytes = opt->max_header_bytes;
    ln->head_limits.max_headers = opt->max_headers;
    ln->head_limits.max_uri_bytes = opt->max_uri_bytes;
    ln->body_limits.max_body = opt->max_body_bytes;
    ln->body_limits.max_trailer = opt->max_header_bytes;
    ln->body_limits.max_trailers = opt->max_headers;
    ln->in_limit = opt->max_header_bytes + READ_AHEAD;
    ln->scratch_size = size_max(SCRATCH_SIZE, ln->in_limit);
    xfree(ln->scratch);
    ln->scratch = xmalloc(ln->scratch_size);
}

static void init_timeouts(struct listener *ln)
{
    uint64_t ms[TIMEOUT_KINDS] = {
        [TIMEOUT_IDLE] = ln->opt.keepalive_timeout_ms,
        [TIMEOUT_HEAD] = ln->opt.header_timeout_ms,
        [TIMEOUT_BODY] = ln->opt.body_timeout_ms,
        [TIMEOUT_WRITE] = ln->opt.write_timeout_ms,
        [TIMEOUT_LINGER] = LINGER_MS,
        [TIMEOUT_FIRST] = FIRST_MS,
        [TIMEOUT_ACCEPT] = ACCEPT_PAUSE_MS,
    };

    timeouts_init(&ln->timeouts, ln->loop, ms, on_timeout, ln);
    timeout_link_init(&ln->pause);
}

/* All but what the listener was opened with; takes f over. */
static void take_options(struct listener *ln, const struct listener_options *opt,
                         struct forwarded *f)
{
    ln->opt = *opt;
    ln->opt.address = ln->opt.request_id_header = str_make(NULL, 0);
    ln->opt.trusted_proxies = NULL;
    forwarded_free(ln->forwarded);
    ln->forwarded = f;
    xfree(ln->id_header);
    ln->id_header = NULL;
    if (opt->request_id_header.len > 0) {
        ln->id_header = xcalloc(1, opt->request_id_header.len + 1);
        memcpy(ln->id_header, opt->request_id_header.data, opt->request_id_header.len);
    }
    set_limits(ln);
}

bool listener_check(const struct listener_options *opt, struct errors *errs)
{
    struct forwarded *f = forwarded_new(opt->trusted_proxies, opt->ntrusted_proxies, errs);

    forwarded_free(f);
    return f != NULL;
}

bool listener_configure(struct listener *ln, const struct listener_options *opt,
                        struct errors *errs)
{
    struct forwarded *f = forwarded_new(opt->trusted_proxies, opt->ntrusted_proxies, errs);

    if (f == NULL)
        return false;
    take_options(ln, opt, f);
    timeouts_set(&ln->timeouts, TIMEOUT_IDLE, opt->keepalive_timeout_ms);
    timeouts_set(&ln->timeouts, TIMEOUT_HEAD, opt->header_timeout_ms);
    timeouts_set(&ln->timeouts, TIMEOUT_BODY, opt->body_timeout_ms);
    timeouts_set(&ln->timeouts, TIMEOUT_WRITE, opt->write_timeout_ms);
    return true;
}

struct listener *listener_open(struct loop *l, const struct listener_options *opt,
                               exchange_handler *on_exchange, void *ctx, struct errors *errs)
{
    struct forwarded *f;
    struct socket_address sock;
    struct listener *ln;

    CHECK(opt->max_connections > 0 && opt->max_header_bytes > 0 && opt->max_headers > 0 &&
          opt->max_uri_bytes > 0);
    f = forwarded_new(opt->trusted_proxies, opt->ntrusted_proxies, errs);
    if (f == NULL)
        return NULL;
    if (!socket_listen(opt->address, &sock, errs)) {
        forwarded_free(f);
        return NULL;
    }
    ln = xcalloc(1, sizeof(*ln));
    ln->loop = l;
    ln->on_exchange = on_exchange;
    ln->ctx = ctx;
    ln->fd = sock.fd;
    ln->address = sock.text;
    ln->unix_path = sock.unix_path;
    take_options(ln, opt, f);
    if (opt->max_connections_per_ip > 0)
        ln->peers = peers_new();
    init_timeouts(ln);
    ln->watch = loop_watch(l, ln->fd, opt->accept_later ? 0 : LOOP_READ, on_acceptable, ln);
    return ln;
}

void listener_set_tls(struct listener *ln, const struct tls *tls)
{
    ln->tls = tls;
}

struct str listener_address(const struct listener *ln)
{
    return str_of(ln->address);
}

void listener_accept(struct listener *ln)
{
    if (ln->watch != NULL)
        watch_set(ln->watch, LOOP_READ);
}

void listener_stop_accepting(struct listener *ln)
{
    if (ln->fd < 0)
        return;
    timeouts_stop(&ln->pause);
    watch_free(ln->watch);
    ln->watch = NULL;
    close(ln->fd);
    ln->fd = -1;
    if (ln->unix_path != NULL)
        unlink(ln->unix_path);
}

void listener_drain(struct listener *ln, bool close_idle)
{
    struct connection *c, *next;

    ln->draining = true;
    if (!close_idle)
        return;
    for (c = ln->connections; c != NULL; c = next) {
        next = c->next;
        connection_close_if_idle(c);
    }
}

size_t listener_connections(const struct listener *ln)
{
    return ln->nconnections;
}

size_t listener_in_flight(const struct listener *ln)
{
    return ln->in_flight;
}

size_t listener_awaited(const struct listener *ln)
{
    size_t n = 0;

    for (const struct connection *c = ln->connections; c != NULL; c = c->next)
        n += c->state == CONNECTION_HANDSHAKE || c->state == CONNECTION_HEAD ||
             c->state == CONNECTION_BODY;
    return n;
}

void listener_free(struct listener *ln)
{
    struct exchange *x;

    if (ln == NULL)
        return;
    listener_stop_accepting(ln);
    /* Replies may have been posted since the loop ended: let it deliver them. */
    if (ln->given > 0 && !loop_is_current(ln->loop)) {
        loop_stop(ln->loop);
        loop_run(ln->loop);
    }
    CHECK(ln->given == 0);
    while (ln->connections != NULL)
        connection_close(ln->connections);
    while ((x = ln->spare) != NULL) {
        ln->spare = x->next_spare;
        exchange_free(x);
    }
    timeouts_fini(&ln->timeouts);
    peers_free(ln->peers);
    forwarded_free(ln->forwarded);
    xfree(ln->scratch);
    xfree(ln->unix_path);
    xfree(ln->id_header);
    xfree(ln->address);
    xfree(ln);
}
