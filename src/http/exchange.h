/*
 * exchange.h - one request and its one reply.
 *
 * Thread:   made on the loop; the handler may hand it to a worker, which alone
 *           touches it until exchange_reply(), which any thread may call, exactly once.
 * Memory:   the request and its arena live until the reply's last byte was sent
 *           or the client was lost; exchange_reply() gives both away.
 * Not here: framing (connection.c), what a request means (server/).
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/loop.h"
#include "base/str.h"

struct http_header {
    struct str name;  /* as sent */
    struct str value; /* without surrounding white space */
};

struct http_request {
    struct str method;
    struct str target; /* as sent, origin-form */
    struct str path;   /* target before '?', still percent-encoded */
    struct str query;  /* behind '?', without it */
    const struct http_header *headers;
    size_t nheaders;
    struct str body;
    struct str client; /* address of the peer, or of the client behind trusted proxies, as text */
    bool http_1_0;
    bool trusted; /* the peer is a trusted proxy: ids that it passes on may be believed */
    bool secure;  /* https, here or at a trusted proxy */
};

/* Value of the first header of that name (case-insensitive), or the empty slice with data NULL. */
struct str http_request_header(const struct http_request *r, struct str name);

struct http_reply {
    int status;
    struct str content_type;           /* empty: no Content-Type header */
    const struct http_header *headers; /* further ones; valid until the reply was sent: in the
                                          exchange's arena, or static */
    size_t nheaders;
    struct buf body; /* owned: moved into the exchange */
    bool close;      /* end the connection behind it */
};

struct exchange;

/* Called on the loop with a complete request. */
typedef void exchange_handler(struct exchange *x, void *ctx);

const struct http_request *exchange_request(const struct exchange *x);
/* Of the owner: the handler, then the worker. */
struct arena *exchange_arena(struct exchange *x);
/* Stamped when the request was complete: server.request_timeout from then. */
struct deadline exchange_deadline(const struct exchange *x);
uint64_t exchange_received_ns(const struct exchange *x);
/* 26..36 characters: from a trusted X-Request-Id, or made here. In the exchange's arena. */
struct str exchange_id(const struct exchange *x);
/*
 * Answer. Any thread, exactly once; x and everything in its arena are given
 * away. For HEAD the body is measured and not sent. When the client has gone
 * nothing is sent and everything is freed.
 */
void exchange_reply(struct exchange *x, struct http_reply *r);
/* The client is gone: stop working on it (and still reply, to free it). Any thread, relaxed. */
bool exchange_abandoned(const struct exchange *x);
/*
 * Ask to be told on the loop's thread when the client goes: fn(x, ctx), at most
 * once, and never after exchange_reply() was called there. Loop thread only,
 * before the exchange is handed on.
 */
void exchange_on_abandon(struct exchange *x, void (*fn)(struct exchange *x, void *ctx), void *ctx);
/* For the owner's use: embedded so that handing an exchange over allocates nothing. */
struct loop_task *exchange_task(struct exchange *x);
struct exchange *exchange_of_task(struct loop_task *t);
/* A pointer of the owner's. */
void exchange_set_user(struct exchange *x, void *user);
void *exchange_user(const struct exchange *x);

#endif
