/*
 * http_echo.c - a small server around http/listener.h, for tests and measurements.
 *
 *   http_echo [KEY=VALUE]...
 *
 * KEY is `address`, `control` (both 127.0.0.1:0), `trusted` (networks, separated by
 * commas), or a number of struct listener_options by its name. Once it listens it
 * prints one line: "ADDRESS CONTROL-ADDRESS". SIGTERM: answers what runs, then ends.
 *
 * Paths of the tested listener:
 *   /static?N       N bytes (500)
 *   /later?MS       answers "later" from another thread
 *   /forever        answers once the client has gone
 *   /status?CODE    an empty answer with that status
 *   /close          an answer that ends the connection
 *   any other       what was understood of the request, as JSON
 * Paths of the control listener, which has generous limits:
 *   /stats /drain /drain-idle /stop
 *
 * Thread:   main is the loop; one more answers /later.
 */
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/jwriter.h"
#include "base/thread.h"
#include "http/listener.h"

struct server {
    struct loop *loop;
    struct loop *later;
    struct listener *tested;
    struct listener *control;
    struct timer *poll; /* while ending */
    size_t gone;        /* calls of on_abandon */
    atomic_size_t seen; /* late answers that found their client gone */
};

/* Of a request to /later, in its arena. */
struct delay {
    struct exchange *x;
    struct server *server;
    struct timer *timer;
};

static uint64_t number_of(struct str s, uint64_t otherwise)
{
    uint64_t v;

    return s.len > 0 && str_to_u64(s, &v) ? v : otherwise;
}

static void reply_text(struct exchange *x, int status, struct str text)
{
    struct http_reply r = {.status = status, .content_type = STR("text/plain")};

    buf_init(&r.body, 0);
    buf_append_str(&r.body, text);
    exchange_reply(x, &r);
}

/* --- the tested listener ------------------------------------------------------------- */

static void reply_static(struct exchange *x, size_t bytes)
{
    struct http_reply r = {.status = 200, .content_type = STR("text/plain")};
    char *to;

    buf_init(&r.body, 0);
    to = buf_reserve(&r.body, bytes);
    memset(to, 'x', bytes);
    r.body.len = bytes;
    exchange_reply(x, &r);
}

static void write_member(struct buf *b, const char *name, struct str value)
{
    jwriter_key(b, str_of(name));
    jwriter_string(b, value);
    buf_append_char(b, ',');
}

static void reply_echo(struct exchange *x)
{
    const struct http_request *q = exchange_request(x);
    struct http_reply r = {.status = 200, .content_type = STR("application/json")};
    struct buf *b = &r.body;
    size_t i;

    buf_init(b, 0);
    buf_append_char(b, '{');
    write_member(b, "method", q->method);
    write_member(b, "target", q->target);
    write_member(b, "path", q->path);
    write_member(b, "query", q->query);
    write_member(b, "client", q->client);
    write_member(b, "id", exchange_id(x));
    write_member(b, "body", q->body);
    jwriter_key(b, STR("http10"));
    jwriter_bool(b, q->http_1_0);
    buf_append_char(b, ',');
    jwriter_key(b, STR("secure"));
    jwriter_bool(b, q->secure);
    buf_append_char(b, ',');
    jwriter_key(b, STR("headers"));
    buf_append_char(b, '[');
    for (i = 0; i < q->nheaders; i++) {
        buf_append_str(b, i > 0 ? STR(",[") : STR("["));
        jwriter_string(b, q->headers[i].name);
        buf_append_char(b, ',');
        jwriter_string(b, q->headers[i].value);
        buf_append_char(b, ']');
    }
    buf_append_lit(b, "]}");
    exchange_reply(x, &r);
}

static void on_delay(void *ctx)
{
    struct delay *d = ctx;

    timer_free(d->timer);
    if (exchange_abandoned(d->x))
        atomic_fetch_add(&d->server->seen, 1);
    reply_text(d->x, 200, STR("later"));
}

/* On the other thread. */
static void begin_delay(struct loop_task *t)
{
    struct delay *d = exchange_user(exchange_of_task(t));

    d->timer = loop_timer(d->server->later, on_delay, d);
    timer_set(d->timer, deadline_in_ms(number_of(exchange_request(d->x)->query, 100)));
}

static void reply_later(struct server *s, struct exchange *x)
{
    struct delay *d = ARENA_NEW(exchange_arena(x), struct delay);

    d->x = x;
    d->server = s;
    exchange_set_user(x, d);
    exchange_task(x)->fn = begin_delay;
    loop_post(s->later, exchange_task(x));
}

static void on_gone(struct exchange *x, void *ctx)
{
    struct server *s = ctx;

    s->gone++;
    reply_text(x, 200, STR("nobody reads this"));
}

static void on_tested(struct exchange *x, void *ctx)
{
    struct server *s = ctx;
    const struct http_request *q = exchange_request(x);
    struct http_reply r = {.status = 200};

    if (str_is(q->path, "/static")) {
        reply_static(x, number_of(q->query, 500));
    } else if (str_is(q->path, "/later")) {
        reply_later(s, x);
    } else if (str_is(q->path, "/forever")) {
        exchange_on_abandon(x, on_gone, s);
    } else if (str_is(q->path, "/status")) {
        r.status = (int)number_of(q->query, 200);
        exchange_reply(x, &r);
    } else if (str_is(q->path, "/close")) {
        r.close = true;
        exchange_reply(x, &r);
    } else {
        reply_echo(x);
    }
}

/* --- the control listener -------------------------------------------------------------- */

static void reply_stats(struct server *s, struct exchange *x)
{
    reply_text(x, 200,
               arena_printf(exchange_arena(x),
                            "{\"connections\":%zu,\"inFlight\":%zu,\"gone\":%zu,\"seen\":%zu}",
                            listener_connections(s->tested), listener_in_flight(s->tested), s->gone,
                            atomic_load(&s->seen)));
}

static void on_control(struct exchange *x, void *ctx)
{
    struct server *s = ctx;
    const struct http_request *q = exchange_request(x);

    if (str_is(q->path, "/drain"))
        listener_drain(s->tested, false);
    else if (str_is(q->path, "/drain-idle"))
        listener_drain(s->tested, true);
    else if (str_is(q->path, "/stop"))
        listener_stop_accepting(s->tested);
    reply_stats(s, x);
}

/* --- start and end ---------------------------------------------------------------------- */

static void end_when_done(void *ctx)
{
    struct server *s = ctx;

    if (listener_in_flight(s->tested) == 0)
        loop_stop(s->loop);
    else
        timer_set(s->poll, deadline_in_ms(10));
}

static void on_term(int signo, void *ctx)
{
    struct server *s = ctx;

    (void)signo;
    listener_stop_accepting(s->tested);
    listener_drain(s->tested, true);
    end_when_done(s);
}

static void run_later(void *arg)
{
    loop_run(arg);
}

struct option {
    const char *name;
    uint64_t *wide;
    size_t *narrow;
    bool *flag;
};

static void set_option(struct listener_options *o, struct str key, struct str value)
{
    const struct option options[] = {
        {"keepalive_timeout_ms",   &o->keepalive_timeout_ms, NULL,                       NULL                 },
        {"header_timeout_ms",      &o->header_timeout_ms,    NULL,                       NULL                 },
        {"body_timeout_ms",        &o->body_timeout_ms,      NULL,                       NULL                 },
        {"request_timeout_ms",     &o->request_timeout_ms,   NULL,                       NULL                 },
        {"write_timeout_ms",       &o->write_timeout_ms,     NULL,                       NULL                 },
        {"max_connections",        NULL,                     &o->max_connections,        NULL                 },
        {"max_connections_per_ip", NULL,                     &o->max_connections_per_ip, NULL                 },
        {"max_header_bytes",       NULL,                     &o->max_header_bytes,       NULL                 },
        {"max_headers",            NULL,                     &o->max_headers,            NULL                 },
        {"max_uri_bytes",          NULL,                     &o->max_uri_bytes,          NULL                 },
        {"max_body_bytes",         NULL,                     &o->max_body_bytes,         NULL                 },
        {"server_header",          NULL,                     NULL,                       &o->server_header    },
        {"accept_request_id",      NULL,                     NULL,                       &o->accept_request_id},
    };
    uint64_t n = number_of(value, 0);
    size_t i;

    for (i = 0; i < COUNT_OF(options); i++) {
        if (!str_is(key, options[i].name))
            continue;
        if (options[i].wide != NULL)
            *options[i].wide = n;
        else if (options[i].narrow != NULL)
            *options[i].narrow = (size_t)n;
        else
            *options[i].flag = n != 0;
        return;
    }
    fprintf(stderr, "http_echo: no option \"%.*s\"\n", STR_ARG(key));
    exit(2);
}

static void read_arguments(int argc, char **argv, struct listener_options *o, struct str *control,
                           struct str trusted[16])
{
    struct str key, value, item;
    int i;

    for (i = 1; i < argc; i++) {
        str_cut(str_of(argv[i]), '=', &key, &value);
        if (str_is(key, "address")) {
            o->address = value;
        } else if (str_is(key, "control")) {
            *control = value;
        } else if (str_is(key, "trusted")) {
            o->ntrusted_proxies = 0;
            while (value.len > 0 && o->ntrusted_proxies < 16) {
                str_cut(value, ',', &item, &value);
                trusted[o->ntrusted_proxies++] = item;
            }
        } else {
            set_option(o, key, value);
        }
    }
}

static struct listener *open_or_exit(struct server *s, const struct listener_options *o,
                                     exchange_handler *fn)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    struct listener *ln;
    const struct error *e;

    errors_init(&errs, a);
    ln = listener_open(s->loop, o, fn, s, &errs);
    if (ln == NULL) {
        for (e = errs.first; e != NULL; e = e->next)
            fprintf(stderr, "http_echo: %.*s\n", STR_ARG(e->message));
        exit(1);
    }
    arena_free(a);
    return ln;
}

int main(int argc, char **argv)
{
    struct str trusted[16];
    struct str control = STR("127.0.0.1:0");
    struct listener_options o = {
        .address = STR("127.0.0.1:0"),
        .keepalive_timeout_ms = 75000,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 30000,
        .request_timeout_ms = 30000,
        .write_timeout_ms = 30000,
        .max_connections = 20000,
        .max_header_bytes = 16384,
        .max_headers = 100,
        .max_uri_bytes = 8192,
        .max_body_bytes = 1048576,
        .request_id_header = STR("X-Request-Id"),
        .trusted_proxies = trusted,
    };
    struct listener_options c = o;
    struct server s = {0};
    struct thread *thread;

    read_arguments(argc, argv, &o, &control, trusted);
    c.address = control;
    s.loop = loop_new("loop");
    s.later = loop_new("later");
    s.poll = loop_timer(s.loop, end_when_done, &s);
    thread_become(THREAD_LOOP, "loop");
    s.tested = open_or_exit(&s, &o, on_tested);
    s.control = open_or_exit(&s, &c, on_control);
    loop_signal(s.loop, SIGTERM, on_term, &s);
    thread = thread_start(THREAD_WORKER, "later", run_later, s.later);
    printf("%.*s %.*s\n", STR_ARG(listener_address(s.tested)),
           STR_ARG(listener_address(s.control)));
    fflush(stdout);
    loop_run(s.loop);
    loop_stop(s.later);
    thread_join(thread);
    listener_free(s.tested);
    listener_free(s.control);
    timer_free(s.poll);
    loop_free(s.later);
    loop_free(s.loop);
    return 0;
}
