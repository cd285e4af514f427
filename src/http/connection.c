/*
 * connection.c - one connection: read, frame, give out, write, and again.
 *
 * Thread:   the loop's only.
 * Memory:   a few hundred bytes while idle: bytes are read into the listener's
 *           scratch buffer and used there; only what cannot be used yet (half a
 *           head, pipelined requests) is kept, at most in_limit bytes.
 * Not here: accepting (listener.c), what the bytes mean (reqparse.c, bodyparse.c).
 *
 *  (HANDSHAKE)
 *        |
 *      HEAD --head--> BODY --body--> RUNNING --reply--> WRITE --sent--> HEAD
 *        |              |                                  `--close--> LINGER
 *        `---refused----'---------- error reply -----> WRITE
 *
 * Requests are strictly one after the other: the next head is not looked at
 * before the last byte of the reply was sent. While a request runs the
 * connection keeps reading, so as to see the client leave, until in_limit bytes
 * of further requests are waiting.
 *
 * End of input means the client has gone, although TCP would let it close one
 * direction and wait for its answer: HTTP has no use for that, load balancers do
 * not do it, and it is the only sign a vanished client gives while its statement
 * runs. (nginx decides the same way.) A request that is answered at once, before the
 * end of input was read, still gets its answer.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "http/state.h"
#include "metrics/metrics.h"

/* Bytes that a client may still send while we wait for it to read our last reply. */
#define MAX_LINGER 1048576
/* A body up to this size is copied behind its head: cheaper than a second piece for the kernel. */
#define MAX_JOINED 2048

static bool is_idle(const struct connection *c)
{
    return c->state == CONNECTION_HEAD && c->in.len - c->in_used <= c->scan.start;
}

/* --- ends ----------------------------------------------------------------------------- */

void connection_close(struct connection *c)
{
    struct listener *ln = c->ln;
    struct exchange *x = c->x;

    c->x = NULL;
    if (x != NULL && c->state == CONNECTION_RUNNING)
        exchange_abandon(x);
    else if (x != NULL)
        exchange_recycle(x);
    timeouts_stop(&c->timeout);
    watch_free(c->watch);
    if (c->tls != NULL)
        tls_close(c->tls);
    close(c->fd);
    buf_fini(&c->in);
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        ln->connections = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    if (ln->peers != NULL && !c->on_unix)
        peers_remove(ln->peers, &c->peer);
    ln->nconnections--;
    metric_gauge_add(GAUGE_HTTP_CONNECTIONS, -1);
    xfree(c);
}

/* Close so that the kernel drops what it still has to send, too. */
static void reset(struct connection *c)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    connection_close(c);
}

/*
 * Closing with unread input would make the kernel send a reset, which can
 * destroy the reply on its way (RFC 9112 section 9.6): end our direction only,
 * and throw away what comes until the client closes.
 */
static void linger(struct connection *c)
{
    c->state = CONNECTION_LINGER;
    buf_fini(&c->in);
    c->in_used = 0;
    /* What comes is thrown away as it is. */
    if (c->tls != NULL)
        tls_close(c->tls);
    c->tls = NULL;
    shutdown(c->fd, SHUT_WR);
    timeouts_start(&c->ln->timeouts, &c->timeout, TIMEOUT_LINGER);
}

/* --- replies: these return false when the connection was closed -------------------------- */

static void end_reply(struct connection *c)
{
    bool closing = c->x->closing;

    exchange_recycle(c->x);
    c->x = NULL;
    if (closing) {
        linger(c);
        return;
    }
    c->state = CONNECTION_HEAD;
    memset(&c->scan, 0, sizeof(c->scan));
    timeouts_start(&c->ln->timeouts, &c->timeout, TIMEOUT_IDLE);
}

/* What is left of the reply, in at most two pieces: the head with a small body, a large body. */
static ssize_t send_rest(struct connection *c, size_t body)
{
    struct exchange *x = c->x;
    struct iovec iov[2];
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

    if (c->tls != NULL) {
        size_t behind = c->sent - size_min(c->sent, x->head.len);

        return tls_send(c->tls, str_sub(buf_str(&x->head), c->sent, SIZE_MAX),
                        str_sub(str_make(x->reply.body.data, body), behind, SIZE_MAX));
    }
    if (c->sent >= x->head.len)
        return send(c->fd, x->reply.body.data + (c->sent - x->head.len),
                    body - (c->sent - x->head.len), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (body == 0)
        return send(c->fd, x->head.data + c->sent, x->head.len - c->sent,
                    MSG_NOSIGNAL | MSG_DONTWAIT);
    iov[0] = (struct iovec){x->head.data + c->sent, x->head.len - c->sent};
    iov[1] = (struct iovec){x->reply.body.data, body};
    return sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Send; what does not fit waits for the descriptor. */
static bool flush(struct connection *c)
{
    size_t body = c->x->body_left_out ? 0 : c->x->reply.body.len;
    ssize_t n = send_rest(c, body);

    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        connection_close(c);
        return false;
    }
    if (n > 0)
        c->sent += (size_t)n;
    if (c->sent == c->x->head.len + body)
        end_reply(c);
    else if (c->timeout.kind != TIMEOUT_WRITE)
        timeouts_start(&c->ln->timeouts, &c->timeout, TIMEOUT_WRITE);
    return true;
}

static bool send_reply(struct connection *c)
{
    struct exchange *x = c->x;

    if (!buf_ok(&x->reply.body)) {
        LOG(LOG_ERROR, "reply is larger than its limit", LOG_STR("request_id", x->id));
        reply_fault(x, &(struct http_fault){500, "response is too large"});
    }
    metric_add(metric_of_status(x->reply.status), 1);
    reply_head(x);
    /* RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5: no content, whatever the handler gave. */
    x->body_left_out = x->head_method || x->reply.status == 204 || x->reply.status == 304;
    if (!x->body_left_out && x->reply.body.len <= MAX_JOINED) {
        buf_append_str(&x->head, buf_str(&x->reply.body));
        x->body_left_out = true;
    }
    c->state = CONNECTION_WRITE;
    c->sent = 0;
    return flush(c);
}

/* Answer with an error of ours and end the connection. */
static bool refuse(struct connection *c, const struct http_fault *fault)
{
    if (c->x == NULL) {
        c->x = exchange_new(c->ln);
        c->x->conn = c;
    }
    timeouts_stop(&c->timeout);
    reply_fault(c->x, fault);
    return send_reply(c);
}

/* --- requests ---------------------------------------------------------------------------- */

static void set_client(struct connection *c, struct exchange *x)
{
    struct http_request *r = &x->request;
    struct str client = {0};

    if (c->trusted) {
        client = forwarded_client(c->ln->forwarded, r, x->arena);
        r->secure = forwarded_secure(r);
    }
    r->secure = r->secure || c->tls != NULL;
    r->client = client.data != NULL ? client : arena_dup(x->arena, c->client);
}

/* The request is complete. */
static bool give(struct connection *c)
{
    struct exchange *x = c->x;

    timeouts_stop(&c->timeout);
    set_client(c, x);
    x->request.trusted = c->trusted;
    request_id_set(x, c->trusted);
    c->state = CONNECTION_RUNNING;
    return exchange_give(x) ? send_reply(c) : true;
}

/* Only the socket buffer of a connection with nothing in flight gets this; it always fits. */
static bool send_continue(struct connection *c)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

    ssize_t n = c->tls != NULL
                    ? tls_send(c->tls, str_make(line, sizeof(line) - 1), str_make(NULL, 0))
                    : send(c->fd, line, sizeof(line) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n == (ssize_t)sizeof(line) - 1)
        return true;
    connection_close(c);
    return false;
}

/* A complete head; `more`: bytes behind it are there already. */
static bool begin_request(struct connection *c, struct str head, bool more)
{
    struct listener *ln = c->ln;
    struct exchange *x = exchange_new(ln);
    struct http_request *r = &x->request;
    struct http_fault fault;
    struct reqhead h;
    bool ok;

    c->x = x;
    x->conn = c;
    head.data = arena_copy(x->arena, head.data, head.len);
    ok = reqparse_head(head, &ln->head_limits, x->arena, &h, &fault);
    x->head_method = str_is(h.method, "HEAD");
    x->keep_alive = h.keep_alive;
    r->method = h.method;
    r->target = h.target;
    r->path = h.path;
    r->query = h.query;
    r->headers = h.headers;
    r->nheaders = h.nheaders;
    r->http_1_0 = h.http_1_0;
    if (ok && h.chunked)
        bodyparse_begin_chunked(&x->body, &ln->body_limits);
    else if (ok)
        ok = bodyparse_begin_length(&x->body, h.content_length, &ln->body_limits, &fault);
    if (!ok)
        return refuse(c, &fault);
    c->state = CONNECTION_BODY;
    if (x->body.state == BODY_END)
        return give(c);
    timeouts_start(&ln->timeouts, &c->timeout, TIMEOUT_BODY);
    /* A client that did not wait needs no answer (RFC 9110 section 10.1.1). */
    return !h.expect_continue || more || send_continue(c);
}

static bool read_head(struct connection *c, struct str in, size_t *used, bool *more)
{
    struct http_fault fault;
    size_t end;

    switch (headscan_feed(&c->scan, in, &c->ln->head_limits, &end, &fault)) {
    case PARSE_MORE:
        *more = true;
        /* The accept began it for the first request; an empty line begins nothing. */
        if (in.len > c->scan.start && c->timeout.kind != TIMEOUT_HEAD)
            timeouts_start(&c->ln->timeouts, &c->timeout, TIMEOUT_HEAD);
        return true;
    case PARSE_DONE:
        *used = end;
        return begin_request(c, str_make(in.data + c->scan.start, end - c->scan.start),
                             end < in.len);
    case PARSE_BAD:
        *used = in.len;
        return refuse(c, &fault);
    }
    return false;
}

static bool read_body(struct connection *c, struct str in, size_t *used, bool *more)
{
    struct exchange *x = c->x;
    struct http_fault fault;

    switch (bodyparse_feed(&x->body, in, used, &x->received, &fault)) {
    case PARSE_MORE:
        *more = true;
        return true;
    case PARSE_DONE:
        return give(c);
    case PARSE_BAD:
        return refuse(c, &fault);
    }
    return false;
}

/* Use bytes as far as the state allows. */
static bool use(struct connection *c, struct str in, size_t *total)
{
    bool more = false;

    *total = 0;
    while (*total < in.len && !more) {
        struct str rest = str_make(in.data + *total, in.len - *total);
        size_t used = 0;

        if (c->state == CONNECTION_HEAD) {
            if (!read_head(c, rest, &used, &more))
                return false;
        } else if (c->state == CONNECTION_BODY) {
            if (!read_body(c, rest, &used, &more))
                return false;
        } else {
            break;
        }
        *total += used;
    }
    return true;
}

/* Use the bytes that were kept. */
static bool use_kept(struct connection *c)
{
    size_t used;

    if (c->in.len == c->in_used)
        return true;
    if (!use(c, str_make(c->in.data + c->in_used, c->in.len - c->in_used), &used))
        return false;
    c->in_used += used;
    if (c->in.len <= c->in_used) {
        buf_fini(&c->in);
        c->in_used = 0;
    }
    return true;
}

static void keep(struct connection *c, struct str bytes)
{
    if (c->in_used > 0) {
        memmove(c->in.data, c->in.data + c->in_used, c->in.len - c->in_used);
        c->in.len -= c->in_used;
        c->in_used = 0;
    }
    buf_append_str(&c->in, bytes);
}

/* Bytes were received into the listener's scratch buffer. */
static bool take(struct connection *c, struct str bytes)
{
    size_t used;

    if (c->in.len > c->in_used) {
        keep(c, bytes);
        return use_kept(c);
    }
    if (!use(c, bytes, &used))
        return false;
    if (used < bytes.len && c->state != CONNECTION_LINGER)
        keep(c, str_make(bytes.data + used, bytes.len - used));
    return true;
}

/* --- events -------------------------------------------------------------------------------- */

/* How much may be read now. Never behind the end of a body whose length is known. */
static size_t room(const struct connection *c)
{
    size_t kept = c->in.len - c->in_used;

    if (c->state == CONNECTION_LINGER)
        return c->ln->scratch_size;
    if (c->state == CONNECTION_BODY && c->x->body.state == BODY_LENGTH)
        return c->x->body.left < c->ln->scratch_size ? (size_t)c->x->body.left
                                                     : c->ln->scratch_size;
    return kept < c->ln->in_limit ? c->ln->in_limit - kept : 0;
}

static void wait_for(struct connection *c, unsigned wanted)
{
    if (wanted == c->interest)
        return;
    c->interest = wanted;
    watch_set(c->watch, wanted);
}

/* False: the connection was closed. */
static bool on_readable(struct connection *c)
{
    char *scratch = c->ln->scratch;
    ssize_t n = c->tls != NULL ? tls_recv(c->tls, scratch, room(c))
                               : recv(c->fd, scratch, room(c), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return true;
    if (n <= 0) {
        connection_close(c);
        return false;
    }
    if (c->state == CONNECTION_LINGER) {
        c->lingered += (size_t)n;
        if (c->lingered <= MAX_LINGER)
            return true;
        connection_close(c);
        return false;
    }
    return take(c, str_make(scratch, (size_t)n));
}

/* Wait for what comes next. What TLS has decrypted already would wake nobody. */
static void go_on(struct connection *c)
{
    while (c->tls != NULL && c->state != CONNECTION_WRITE && room(c) > 0 && tls_pending(c->tls) > 0)
        if (!on_readable(c))
            return;
    wait_for(c, c->state == CONNECTION_WRITE ? LOOP_WRITE : room(c) > 0 ? LOOP_READ : 0);
}

/* Who speaks plain HTTP is told so in it; others have been told by OpenSSL. */
static void shake_hands(struct connection *c)
{
    static const char plain[] = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                                "Content-Length: 26\r\nConnection: close\r\n\r\n"
                                "this port speaks TLS only\n";
    enum tls_step step = tls_handshake(c->tls);

    switch (step) {
    case TLS_DONE:
        c->state = CONNECTION_HEAD;
        go_on(c);
        return;
    case TLS_WANT_READ:
    case TLS_WANT_WRITE:
        wait_for(c, step == TLS_WANT_WRITE ? LOOP_WRITE : LOOP_READ);
        return;
    case TLS_NOT_TLS:
        /* It fits, or nobody misses it. */
        if (send(c->fd, plain, sizeof(plain) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
            metric_add(metric_of_status(400), 1);
        break;
    case TLS_FAILED:
        break;
    }
    /* A reset would overtake the alert. */
    linger(c);
    wait_for(c, LOOP_READ);
}

static void on_event(int fd, unsigned events, void *ctx)
{
    struct connection *c = ctx;

    (void)fd;
    (void)events;
    if (c->state == CONNECTION_HANDSHAKE) {
        shake_hands(c);
        return;
    }
    /* An error or hang-up arrives as whatever was waited for; recv and send tell which. */
    if (c->state == CONNECTION_WRITE) {
        if (!flush(c) || !use_kept(c))
            return;
    } else if (room(c) > 0 && !on_readable(c)) {
        return;
    }
    go_on(c);
}

void connection_open(struct listener *ln, int fd, const struct ip_address *peer)
{
    struct connection *c = xcalloc(1, sizeof(*c));

    c->ln = ln;
    c->fd = fd;
    c->on_unix = peer == NULL;
    c->trusted = forwarded_trusts(ln->forwarded, peer);
    if (peer != NULL) {
        c->peer = *peer;
        c->client = str_make(c->client_text, ip_format(peer, c->client_text));
    } else {
        c->client = STR("unix:");
    }
    timeout_link_init(&c->timeout);
    buf_init(&c->in, 0);
    c->next = ln->connections;
    if (c->next != NULL)
        c->next->prev = c;
    ln->connections = c;
    ln->nconnections++;
    metric_gauge_add(GAUGE_HTTP_CONNECTIONS, 1);
    c->state = CONNECTION_HEAD;
    if (ln->tls != NULL && peer != NULL) {
        c->tls = tls_accept(ln->tls, fd);
        c->state = CONNECTION_HANDSHAKE;
    }
    c->interest = LOOP_READ;
    c->watch = loop_watch(ln->loop, fd, LOOP_READ, on_event, c);
    timeouts_start(&ln->timeouts, &c->timeout, TIMEOUT_HEAD);
}

void connection_reply(struct connection *c)
{
    if (send_reply(c) && use_kept(c))
        go_on(c);
}

void connection_close_if_idle(struct connection *c)
{
    char byte;

    if (c->state == CONNECTION_HANDSHAKE) {
        timeouts_start(&c->ln->timeouts, &c->timeout, TIMEOUT_FIRST);
        return;
    }
    /* A request that is in the socket's buffer is answered first. */
    if (!is_idle(c) || recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
        return;
    /* Only one that is new waits for a head while it is idle. */
    if (c->timeout.kind == TIMEOUT_HEAD)
        timeouts_start(&c->ln->timeouts, &c->timeout, TIMEOUT_FIRST);
    else
        connection_close(c);
}

void connection_timeout(struct connection *c, enum timeout_kind kind)
{
    static const struct http_fault late_head = {408, "request head took too long"};
    static const struct http_fault late_body = {408, "request body took too long"};

    switch (kind) {
    case TIMEOUT_HEAD:
        if (c->state != CONNECTION_HANDSHAKE && !is_idle(c)) {
            if (refuse(c, &late_head))
                go_on(c);
            return;
        }
        break;
    case TIMEOUT_BODY:
        if (refuse(c, &late_body))
            go_on(c);
        return;
    case TIMEOUT_WRITE:
        reset(c);
        return;
    case TIMEOUT_IDLE:
    case TIMEOUT_FIRST:
    case TIMEOUT_LINGER:
        break;
    case TIMEOUT_ACCEPT:
    case TIMEOUT_KINDS:
        CHECK(!"a timeout of connections");
    }
    connection_close(c);
}
