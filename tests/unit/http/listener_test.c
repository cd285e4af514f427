/*
 * listener_test.c - what the server sees of listeners and exchanges. What clients see is tested
 * over sockets in tests/e2e/http_*.test.mjs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "http/listener.h"
#include "http/timeouts.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static struct listener_options options(const char *address)
{
    return (struct listener_options){
        .address = str_of(address),
        .keepalive_timeout_ms = 10000,
        .header_timeout_ms = 10000,
        .body_timeout_ms = 10000,
        .request_timeout_ms = 5000,
        .write_timeout_ms = 10000,
        .max_connections = 10,
        .max_header_bytes = 4096,
        .max_headers = 20,
        .max_uri_bytes = 1000,
        .max_body_bytes = 1000,
        .request_id_header = STR("X-Request-Id"),
    };
}

/* A listener, its loop on a thread of its own, and what its handler saw. */
struct fixture {
    struct loop *loop;
    struct listener *ln;
    struct thread *thread;
    struct thread *worker;
    struct exchange *handed; /* to the worker */
    struct exchange *last;
    struct exchange *gone;
    atomic_int handled;
    atomic_int abandoned;
};

static void reply_ok(struct exchange *x, const char *text)
{
    struct http_reply r = {.status = 200};

    buf_init(&r.body, 0);
    buf_append_str(&r.body, str_of(text));
    exchange_reply(x, &r);
    CHECK(r.body.data == NULL); /* moved */
}

static void run_loop(void *arg)
{
    loop_run(arg);
}

static void begin(struct fixture *f, exchange_handler *fn)
{
    struct listener_options o = options("127.0.0.1:0");
    struct arena *a = arena_new(0);
    struct errors errs;

    memset(f, 0, sizeof(*f));
    errors_init(&errs, a);
    f->loop = loop_new("loop");
    f->ln = listener_open(f->loop, &o, fn, f, &errs);
    assert_non_null(f->ln);
    f->thread = thread_start(THREAD_LOOP, "loop", run_loop, f->loop);
    arena_free(a);
}

static void end_loop(struct fixture *f)
{
    loop_stop(f->loop);
    thread_join(f->thread);
}

static void end(struct fixture *f)
{
    end_loop(f);
    listener_free(f->ln);
    loop_free(f->loop);
}

static int connect_to(const struct fixture *f)
{
    struct str address = listener_address(f->ln), host, port;
    struct sockaddr_in sin = {.sin_family = AF_INET};
    struct timeval limit = {.tv_sec = 10};
    uint64_t number = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(str_cut(address, ':', &host, &port) && str_to_u64(port, &number));
    sin.sin_port = htons((uint16_t)number);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    return fd;
}

static void send_all(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Read until the text is there; the bytes so far are kept in `got`, NUL-terminated. */
static void expect(int fd, char got[4096], const char *text)
{
    size_t len = strlen(got);

    while (strstr(got, text) == NULL) {
        ssize_t n = recv(fd, got + len, 4095 - len, 0);

        if (n <= 0)
            fail_msg("no \"%s\" in \"%s\"", text, got);
        len += (size_t)n;
        got[len] = '\0';
    }
}

static void wait_for(atomic_int *what, int value)
{
    struct deadline until = deadline_in_ms(10000);

    while (atomic_load(what) < value) {
        assert_false(deadline_passed(until));
        poll(NULL, 0, 1);
    }
}

/* --- opening ------------------------------------------------------------------------- */

static void expect_refusal(const char *address, const char *proxy, enum error_code code)
{
    struct listener_options o = options(address);
    struct str proxies[1] = {str_of(proxy)};
    struct loop *l = loop_new("loop");
    struct arena *a = arena_new(0);
    struct errors errs;

    errors_init(&errs, a);
    o.trusted_proxies = proxies;
    o.ntrusted_proxies = proxy != NULL ? 1 : 0;
    if (listener_open(l, &o, NULL, NULL, &errs) != NULL)
        fail_msg("listens on %s", address);
    assert_int_equal(errs.n, 1);
    assert_int_equal(errs.first->code, code);
    arena_free(a);
    loop_free(l);
}

static void test_refuses_what_it_cannot_listen_on(void **state)
{
    static const char *const bad[] = {
        "",          "127.0.0.1", ":8080",   "127.0.0.1:",  "127.0.0.1:65536", "127.0.0.1:-1",
        "::1:80",    "[::1]",     "[::1:80", "999.0.0.1:0", "unix:",           "127.0.0.1:http",
        "fd:999999", "fd:0x1",    "fd:-1",
    };
    char file[] = "/tmp/http-XXXXXX", address[64];
    int fd = mkstemp(file);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(bad); i++)
        expect_refusal(bad[i], NULL, CONFIG_INVALID);
    expect_refusal("unix:/nonexistent/socket", NULL, INTERNAL_SERVER_ERROR);
    expect_refusal("127.0.0.1:0", "10.0.0.1/8", CONFIG_INVALID);
    /* A file that is no socket is not removed. */
    snprintf(address, sizeof(address), "unix:%s", file);
    expect_refusal(address, NULL, INTERNAL_SERVER_ERROR);
    assert_int_equal(access(file, F_OK), 0);
    /* A descriptor that does not listen. */
    snprintf(address, sizeof(address), "fd:%d", fd);
    expect_refusal(address, NULL, CONFIG_INVALID);
    close(fd);
    unlink(file);
}

static void test_refuses_an_address_in_use(void **state)
{
    struct fixture f;
    char address[64];

    (void)state;
    begin(&f, NULL);
    snprintf(address, sizeof(address), "%.*s", STR_ARG(listener_address(f.ln)));
    expect_refusal(address, NULL, INTERNAL_SERVER_ERROR);
    end(&f);
}

static void answer_on_loop(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;

    f->last = x;
    atomic_fetch_add(&f->handled, 1);
    reply_ok(x, "hello");
}

static void test_takes_over_a_socket(void **state)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct listener_options o;
    struct fixture f = {0};
    struct arena *a = arena_new(0);
    struct errors errs;
    char address[32], got[4096] = "";
    int c;

    (void)state;
    assert_int_equal(listen(fd, 5), 0);
    snprintf(address, sizeof(address), "fd:%d", fd);
    o = options(address);
    errors_init(&errs, a);
    f.loop = loop_new("loop");
    f.ln = listener_open(f.loop, &o, answer_on_loop, &f, &errs);
    assert_non_null(f.ln);
    assert_true(str_starts(listener_address(f.ln), STR("0.0.0.0:")));
    f.thread = thread_start(THREAD_LOOP, "loop", run_loop, f.loop);
    c = connect_to(&f);
    send_all(c, GET("/"));
    expect(c, got, "hello");
    close(c);
    end(&f);
    arena_free(a);
}

/* --- exchanges --------------------------------------------------------------------------- */

static void test_reuses_exchanges(void **state)
{
    struct exchange *first;
    struct fixture f;
    int c, i;

    (void)state;
    begin(&f, answer_on_loop);
    c = connect_to(&f);
    for (i = 0; i < 20; i++) {
        char got[4096] = "";

        send_all(c, GET("/"));
        expect(c, got, "hello");
        if (i == 0)
            first = f.last;
        assert_ptr_equal(f.last, first);
    }
    close(c);
    end(&f);
}

/* On the loop's thread, where cmocka cannot be told. */
static void check_exchange(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;
    uint64_t received = exchange_received_ns(x);

    CHECK(received <= monotonic_ns());
    CHECK(exchange_deadline(x).at_ns == received + UINT64_C(5000000000));
    CHECK(exchange_id(x).len == 36);
    CHECK(!exchange_abandoned(x));
    CHECK(exchange_of_task(exchange_task(x)) == x);
    exchange_set_user(x, f);
    CHECK(exchange_user(x) == f);
    CHECK(arena_used(exchange_arena(x)) > 0);
    CHECK(listener_in_flight(f->ln) == 1);
    CHECK(listener_connections(f->ln) == 1);
    CHECK(str_is(exchange_request(x)->body, "hi"));
    answer_on_loop(x, ctx);
}

static void test_hands_out_a_complete_exchange(void **state)
{
    char got[4096] = "";
    struct fixture f;
    int c;

    (void)state;
    begin(&f, check_exchange);
    c = connect_to(&f);
    send_all(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    expect(c, got, "hello");
    close(c);
    end_loop(&f);
    assert_int_equal(listener_in_flight(f.ln), 0);
    listener_free(f.ln);
    loop_free(f.loop);
}

/* "X-Injected" must not become a header, whatever a handler passes on. */
static void answer_with_headers(struct exchange *x, void *ctx)
{
    static const struct http_header headers[] = {
        {STR_INIT("X-Good"),                 STR_INIT("yes")               },
        {STR_INIT("X-Bad"),                  STR_INIT("a\r\nX-Injected: 1")},
        {STR_INIT("X-Bad: 1\r\nX-Injected"), STR_INIT("a")                 },
        {STR_INIT(""),                       STR_INIT("a")                 },
    };
    struct http_reply r = {.status = 299, .content_type = STR("text/plain\r\nX-Injected: 1")};

    (void)ctx;
    r.headers = headers;
    r.nheaders = COUNT_OF(headers);
    exchange_reply(x, &r);
}

static void test_replies_cannot_be_split(void **state)
{
    char got[4096] = "";
    struct fixture f;
    int c;

    (void)state;
    begin(&f, answer_with_headers);
    c = connect_to(&f);
    send_all(c, GET("/"));
    expect(c, got, "\r\n\r\n");
    assert_non_null(strstr(got, "HTTP/1.1 299 \r\n"));
    assert_non_null(strstr(got, "X-Good: yes\r\n"));
    assert_null(strstr(got, "X-Injected"));
    assert_null(strstr(got, "Content-Type"));
    close(c);
    end(&f);
}

static void answer_too_much(struct exchange *x, void *ctx)
{
    struct http_reply r = {.status = 200};

    (void)ctx;
    buf_init(&r.body, 4);
    buf_append_str(&r.body, STR("longer than that"));
    exchange_reply(x, &r);
}

static void test_a_body_that_failed_becomes_500(void **state)
{
    char got[4096] = "";
    struct fixture f;
    int c;

    (void)state;
    begin(&f, answer_too_much);
    c = connect_to(&f);
    send_all(c, GET("/"));
    expect(c, got, "}}]}");
    assert_non_null(strstr(got, "HTTP/1.1 500 "));
    assert_non_null(strstr(got, "INTERNAL_SERVER_ERROR"));
    close(c);
    end(&f);
}

/* --- from another thread, and without the client -------------------------------------------- */

static void on_gone(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;

    f->gone = x;
    atomic_fetch_add(&f->abandoned, 1);
}

static void hold(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;

    exchange_on_abandon(x, on_gone, f);
    f->handed = x;
    atomic_fetch_add(&f->handled, 1);
}

static void test_answers_from_another_thread(void **state)
{
    struct fixture f;
    int c, i;

    (void)state;
    begin(&f, hold);
    c = connect_to(&f);
    for (i = 1; i <= 50; i++) {
        char got[4096] = "";

        send_all(c, GET("/"));
        wait_for(&f.handled, i);
        reply_ok(f.handed, "from here");
        expect(c, got, "from here");
    }
    close(c);
    end(&f);
    assert_int_equal(atomic_load(&f.abandoned), 0);
}

static void test_tells_of_a_lost_client_once(void **state)
{
    struct fixture f;
    int c;

    (void)state;
    begin(&f, hold);
    c = connect_to(&f);
    send_all(c, GET("/"));
    wait_for(&f.handled, 1);
    assert_false(exchange_abandoned(f.handed));
    close(c);
    wait_for(&f.abandoned, 1);
    assert_ptr_equal(f.gone, f.handed);
    assert_true(exchange_abandoned(f.handed));
    /* Still ours: the request can be read until it is replied to. */
    assert_true(str_is(exchange_request(f.handed)->path, "/"));
    reply_ok(f.handed, "nobody reads this");
    end(&f);
    assert_int_equal(atomic_load(&f.abandoned), 1);
}

static void test_delivers_replies_posted_after_the_loop_ended(void **state)
{
    char got[4096] = "";
    struct fixture f;
    int here, gone;

    (void)state;
    begin(&f, hold);
    gone = connect_to(&f);
    send_all(gone, GET("/"));
    wait_for(&f.handled, 1);
    close(gone);
    wait_for(&f.abandoned, 1);
    here = connect_to(&f);
    send_all(here, GET("/"));
    wait_for(&f.handled, 2);
    end_loop(&f);
    assert_int_equal(listener_in_flight(f.ln), 2);
    reply_ok(f.gone, "nobody reads this");
    reply_ok(f.handed, "late");
    listener_free(f.ln);
    loop_free(f.loop);
    expect(here, got, "late");
    close(here);
}

/* --- timeouts ----------------------------------------------------------------------------------
 */

struct clock {
    struct loop *loop;
    struct timeouts timeouts;
    struct timeout_link links[6];
    size_t order[6];
    size_t n;
    size_t wanted;
};

static void on_late(struct timeout_link *l, enum timeout_kind kind, void *ctx)
{
    struct clock *k = ctx;

    assert_int_equal(l->kind, TIMEOUT_NONE);
    assert_in_range(kind, TIMEOUT_IDLE, TIMEOUT_HEAD);
    k->order[k->n++] = (size_t)(l - k->links);
    if (k->n == k->wanted)
        loop_stop(k->loop);
}

static void test_sweeps_in_order_of_deadlines(void **state)
{
    static const uint64_t ms[TIMEOUT_KINDS] = {[TIMEOUT_IDLE] = 60, [TIMEOUT_HEAD] = 20};
    struct clock k = {.wanted = 4};
    uint64_t begin_ns = monotonic_ns();
    size_t i;

    (void)state;
    k.loop = loop_new("loop");
    timeouts_init(&k.timeouts, k.loop, ms, on_late, &k);
    for (i = 0; i < COUNT_OF(k.links); i++)
        timeout_link_init(&k.links[i]);
    timeouts_start(&k.timeouts, &k.links[0], TIMEOUT_IDLE);
    timeouts_start(&k.timeouts, &k.links[1], TIMEOUT_IDLE);
    timeouts_start(&k.timeouts, &k.links[2], TIMEOUT_HEAD);
    timeouts_start(&k.timeouts, &k.links[3], TIMEOUT_HEAD);
    timeouts_start(&k.timeouts, &k.links[4], TIMEOUT_HEAD);
    timeouts_start(&k.timeouts, &k.links[5], TIMEOUT_BODY); /* no duration: never */
    timeouts_stop(&k.links[3]);
    timeouts_stop(&k.links[3]);
    timeouts_start(&k.timeouts, &k.links[2], TIMEOUT_HEAD); /* begins again, behind the fourth */
    loop_run(k.loop);
    assert_true(monotonic_ns() - begin_ns >= UINT64_C(60000000));
    assert_int_equal(k.order[0], 4);
    assert_int_equal(k.order[1], 2);
    assert_int_equal(k.order[2], 0);
    assert_int_equal(k.order[3], 1);
    timeouts_fini(&k.timeouts);
    loop_free(k.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refuses_what_it_cannot_listen_on),
        cmocka_unit_test(test_refuses_an_address_in_use),
        cmocka_unit_test(test_takes_over_a_socket),
        cmocka_unit_test(test_reuses_exchanges),
        cmocka_unit_test(test_hands_out_a_complete_exchange),
        cmocka_unit_test(test_replies_cannot_be_split),
        cmocka_unit_test(test_a_body_that_failed_becomes_500),
        cmocka_unit_test(test_answers_from_another_thread),
        cmocka_unit_test(test_tells_of_a_lost_client_once),
        cmocka_unit_test(test_delivers_replies_posted_after_the_loop_ended),
        cmocka_unit_test(test_sweeps_in_order_of_deadlines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
