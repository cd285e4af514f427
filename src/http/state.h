/*
 * state.h - the structures that listener.c, connection.c, exchange.c and reply.c share.
 *
 * Thread:   the loop's only, but for what struct exchange says.
 * Memory:   a listener owns its connections and its spare exchanges; a connection
 *           owns its exchange until it is given to the handler, and again once replied.
 * Not here: the contract with the server (exchange.h, listener.h).
 */
#ifndef HTTP_STATE_H
#define HTTP_STATE_H

#include <stdatomic.h>

#include "http/bodyparse.h"
#include "http/exchange.h"
#include "http/forwarded.h"
#include "http/listener.h"
#include "http/peers.h"
#include "http/reqparse.h"
#include "http/timeouts.h"
#include "http/tls.h"

#define EXCHANGE_MAGIC UINT32_C(0x45584348)
/* Random bytes fetched at once; a request id takes ten. */
#define RANDOM_POOL 4080

enum connection_state {
    CONNECTION_HANDSHAKE, /* of TLS */
    CONNECTION_HEAD,      /* between requests, or inside a head */
    CONNECTION_BODY,      /* inside a body */
    CONNECTION_RUNNING,   /* the exchange was given to the handler */
    CONNECTION_WRITE,     /* part of a reply could not be sent yet */
    CONNECTION_LINGER,    /* everything was sent; the client may still be sending */
};

struct connection {
    struct timeout_link timeout;
    struct listener *ln;
    struct connection *prev; /* in the listener's list */
    struct connection *next;
    struct watch *watch; /* owned */
    struct exchange *x;  /* from the end of a head to the end of the reply */
    int fd;              /* owned */
    struct ssl_st *tls;  /* owned; NULL: plain, or said goodbye */
    enum connection_state state;
    unsigned interest; /* what the watch waits for */
    bool on_unix;
    bool trusted; /* the peer is a trusted proxy */
    struct ip_address peer;
    struct str client; /* in client_text, or a constant */
    char client_text[IP_TEXT_SIZE];
    struct headscan scan;
    struct buf in; /* received and not used yet; without memory most of the time */
    size_t in_used;
    size_t sent;     /* bytes of the reply */
    size_t lingered; /* bytes thrown away */
};

struct exchange {
    uint32_t magic;
    /* loop only */
    struct listener *ln;
    struct connection *conn; /* NULL: the client has gone */
    struct exchange *next_spare;
    struct bodyparse body;
    struct buf received; /* owned: the request's body */
    struct buf head;     /* owned: the reply's head */
    bool head_method;
    bool body_left_out; /* the reply's body is not sent, or is behind x->head already */
    bool keep_alive;    /* the client's wish */
    bool closing;       /* what the reply says */
    bool in_handler;
    bool replied_in_handler;
    bool in_flight; /* counted as such */
    void (*on_abandon)(struct exchange *x, void *ctx);
    void *abandon_ctx;
    /* set on the loop before the handler is called, constant afterwards */
    struct http_request request;
    struct arena *arena; /* owned */
    struct deadline deadline;
    uint64_t received_ns;
    struct str id;
    /* of the owner, from the handler to exchange_reply() */
    struct loop_task task;
    void *user;
    struct http_reply reply; /* then the loop's */
    struct loop_task reply_task;
    /* any thread */
    atomic_bool abandoned;
    atomic_bool replied;
};

struct listener {
    struct loop *loop;
    struct listener_options opt; /* without its borrowed strings, but for the header's name */
    exchange_handler *on_exchange;
    void *ctx;
    int fd;              /* owned; -1 once no longer accepting */
    struct watch *watch; /* owned */
    char *address;       /* owned: the one bound */
    char *unix_path;     /* owned: removed at the end; NULL: none */
    char *id_header;     /* owned; NULL: none */
    struct forwarded *forwarded;
    struct peers *peers;   /* NULL: no limit per address */
    const struct tls *tls; /* of connections from now on; NULL: plain */
    struct timeouts timeouts;
    struct timeout_link pause; /* running while accepting is suspended */
    uint64_t complained_ns;    /* when running out of descriptors was last logged */
    struct connection *connections;
    size_t nconnections;
    size_t in_flight;
    struct exchange *spare;
    size_t nspare;
    size_t given; /* exchanges whose reply has not arrived */
    bool draining;
    struct head_limits head_limits;
    struct body_limits body_limits;
    size_t in_limit;     /* bytes kept of what a client sends ahead */
    char *scratch;       /* owned: where every read goes first */
    size_t scratch_size; /* at least in_limit */
    int64_t date_second;
    char date[32];
    size_t random_left;
    unsigned char random[RANDOM_POOL];
};

/* connection.c */

/* Take over an accepted descriptor. peer NULL: on a Unix socket. */
void connection_open(struct listener *ln, int fd, const struct ip_address *peer);
/* Close it; a running exchange is told that its client has gone. */
void connection_close(struct connection *c);
/* The exchange's reply has arrived. */
void connection_reply(struct connection *c);
/* Close it if nothing of a request has arrived. */
void connection_close_if_idle(struct connection *c);
void connection_timeout(struct connection *c, enum timeout_kind kind);

/* exchange.c */

struct exchange *exchange_new(struct listener *ln);
/* Back to the spare ones. */
void exchange_recycle(struct exchange *x);
void exchange_free(struct exchange *x);
/* Call the handler. True: it has replied already. */
bool exchange_give(struct exchange *x);
/* The client has gone while the exchange was given away. */
void exchange_abandon(struct exchange *x);

/* reply.c */

/* Make x->reply say what is wrong. */
void reply_fault(struct exchange *x, const struct http_fault *fault);
/* Write the head of x->reply to x->head, and set x->closing. */
void reply_head(struct exchange *x);
/* The JSON body of an error of this layer. */
void reply_fault_body(const struct http_fault *fault, struct buf *out);

/* request_id.c */

/* Give x its id, taken from the request when that can be trusted. */
void request_id_set(struct exchange *x, bool trusted);

/* socket.c */

struct socket_address {
    int fd;          /* listening, non-blocking */
    char *text;      /* owned: "127.0.0.1:8080", "unix:/path" */
    char *unix_path; /* owned: the file to remove; NULL: none */
};

/* Bind and listen at "host:port", "[v6]:port", "unix:/path", or take over "fd:3". */
bool socket_listen(struct str address, struct socket_address *out, struct errors *errs);

#endif
