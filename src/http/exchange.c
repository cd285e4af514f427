/*
 * exchange.c - one request and its one reply: giving it away and getting it back.
 *
 * Thread:   see exchange.h; what touches a connection runs on the loop.
 * Memory:   exchanges are reused with their arena and buffers, so that a
 *           request allocates nothing in the steady state.
 * Not here: bytes (connection.c), what a reply's head says (reply.c).
 */
#include "http/state.h"
#include "metrics/metrics.h"

/* Spare exchanges kept per listener, each with an arena block and a buffer or two. */
#define MAX_SPARE 256
/* A larger body buffer is not kept. */
#define MAX_KEPT_BUFFER 65536

static void deliver(struct loop_task *t)
{
    struct exchange *x = CONTAINER_OF(t, struct exchange, reply_task);

    CHECK(x->magic == EXCHANGE_MAGIC);
    x->ln->given--;
    if (x->conn != NULL)
        connection_reply(x->conn);
    else
        exchange_recycle(x);
}

struct exchange *exchange_new(struct listener *ln)
{
    struct exchange *x = ln->spare;

    if (x != NULL) {
        ln->spare = x->next_spare;
        ln->nspare--;
        return x;
    }
    x = xcalloc(1, sizeof(*x));
    x->magic = EXCHANGE_MAGIC;
    x->ln = ln;
    x->arena = arena_new(ln->opt.arena_soft_limit);
    x->reply_task.fn = deliver;
    buf_init(&x->received, ln->body_limits.max_body);
    buf_init(&x->head, 0);
    return x;
}

void exchange_free(struct exchange *x)
{
    buf_fini(&x->reply.body);
    buf_fini(&x->received);
    buf_fini(&x->head);
    arena_free(x->arena);
    x->magic = 0;
    xfree(x);
}

static void empty(struct buf *b)
{
    size_t max = b->max;

    if (b->cap <= MAX_KEPT_BUFFER) {
        buf_clear(b);
        return;
    }
    buf_fini(b);
    buf_init(b, max);
}

void exchange_recycle(struct exchange *x)
{
    struct listener *ln = x->ln;

    if (x->in_flight)
        ln->in_flight--;
    if (ln->nspare == MAX_SPARE) {
        exchange_free(x);
        return;
    }
    arena_reset(x->arena);
    buf_fini(&x->reply.body);
    empty(&x->received);
    empty(&x->head);
    memset(&x->reply, 0, sizeof(x->reply));
    memset(&x->request, 0, sizeof(x->request));
    x->conn = NULL;
    x->head_method = x->body_left_out = x->keep_alive = x->closing = false;
    x->in_handler = x->replied_in_handler = x->in_flight = false;
    x->on_abandon = NULL;
    x->user = NULL;
    x->id = str_make(NULL, 0);
    atomic_store_explicit(&x->abandoned, false, memory_order_relaxed);
    atomic_store_explicit(&x->replied, false, memory_order_relaxed);
    x->next_spare = ln->spare;
    ln->spare = x;
    ln->nspare++;
}

bool exchange_give(struct exchange *x)
{
    struct listener *ln = x->ln;

    x->received_ns = monotonic_ns();
    x->deadline = DEADLINE_NEVER;
    if (ln->opt.request_timeout_ms > 0)
        x->deadline.at_ns = x->received_ns + ln->opt.request_timeout_ms * UINT64_C(1000000);
    x->request.body = buf_str(&x->received);
    x->in_flight = true;
    ln->in_flight++;
    ln->given++;
    x->in_handler = true;
    ln->on_exchange(x, ln->ctx);
    x->in_handler = false;
    if (x->replied_in_handler)
        ln->given--;
    return x->replied_in_handler;
}

void exchange_abandon(struct exchange *x)
{
    x->conn = NULL;
    metric_add(METRIC_HTTP_REQUESTS_499, 1);
    /* Relaxed: a hint to stop early, which publishes nothing. */
    atomic_store_explicit(&x->abandoned, true, memory_order_relaxed);
    if (x->on_abandon != NULL && !atomic_load_explicit(&x->replied, memory_order_relaxed))
        x->on_abandon(x, x->abandon_ctx);
}

struct str http_request_header(const struct http_request *r, struct str name)
{
    size_t i;

    for (i = 0; i < r->nheaders; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return str_make(NULL, 0);
}

const struct http_request *exchange_request(const struct exchange *x)
{
    return &x->request;
}

struct arena *exchange_arena(struct exchange *x)
{
    return x->arena;
}

struct deadline exchange_deadline(const struct exchange *x)
{
    return x->deadline;
}

uint64_t exchange_received_ns(const struct exchange *x)
{
    return x->received_ns;
}

struct str exchange_id(const struct exchange *x)
{
    return x->id;
}

void exchange_reply(struct exchange *x, struct http_reply *r)
{
    CHECK(x->magic == EXCHANGE_MAGIC);
    /* Relaxed: it guards against a programming mistake; loop_post() publishes the reply. */
    CHECK(!atomic_exchange_explicit(&x->replied, true, memory_order_relaxed));
    x->reply = *r;
    x->reply.body = buf_move(&r->body);
    /* Inside the handler the connection is waiting for us further up the stack. */
    if (loop_is_current(x->ln->loop) && x->in_handler)
        x->replied_in_handler = true;
    else
        loop_post(x->ln->loop, &x->reply_task);
}

bool exchange_abandoned(const struct exchange *x)
{
    return atomic_load_explicit(&x->abandoned, memory_order_relaxed);
}

void exchange_on_abandon(struct exchange *x, void (*fn)(struct exchange *x, void *ctx), void *ctx)
{
    CHECK(loop_is_current(x->ln->loop));
    x->on_abandon = fn;
    x->abandon_ctx = ctx;
}

struct loop_task *exchange_task(struct exchange *x)
{
    return &x->task;
}

struct exchange *exchange_of_task(struct loop_task *t)
{
    struct exchange *x = CONTAINER_OF(t, struct exchange, task);

    CHECK(x->magic == EXCHANGE_MAGIC);
    return x;
}

void exchange_set_user(struct exchange *x, void *user)
{
    x->user = user;
}

void *exchange_user(const struct exchange *x)
{
    return x->user;
}
