/*
 * listener.h - sockets that accept connections of strict HTTP/1.1.
 *
 * Thread:   the loop's only, but for the functions of exchange.h.
 * Memory:   a listener owns its connections.
 * Not here: routes (server/endpoints.c).
 */
#ifndef HTTP_LISTENER_H
#define HTTP_LISTENER_H

#include "base/error.h"
#include "http/exchange.h"

struct listener_options {
    /* "host:port", "[v6]:port", "unix:/path"; port 0: any free one. "fd:3": a listening socket
     * that was handed to the process, which the listener closes. */
    struct str address;
    /* Timeouts are absolute: progress does not renew them. 0: none. */
    uint64_t keepalive_timeout_ms;
    uint64_t header_timeout_ms;  /* from the first byte of a head (or the accept) to its end */
    uint64_t body_timeout_ms;    /* from the end of the head to the end of the body */
    uint64_t request_timeout_ms; /* stamped on the exchange */
    uint64_t write_timeout_ms;   /* from the reply to its last byte */
    size_t max_connections;
    size_t max_connections_per_ip; /* IPv6: per /64; 0: no limit */
    size_t max_header_bytes;       /* 431 */
    size_t max_headers;            /* 431 */
    size_t max_uri_bytes;          /* 414 */
    size_t max_body_bytes;         /* 413 */
    size_t arena_soft_limit;       /* of each exchange */
    bool server_header;
    bool accept_later;                 /* connections wait until listener_accept() */
    struct str request_id_header;      /* empty: none accepted or sent */
    bool accept_request_id;            /* from anyone; otherwise from trusted proxies only */
    const struct str *trusted_proxies; /* CIDRs, addresses, "unix:" */
    size_t ntrusted_proxies;
};

struct listener;
struct tls;

/* NULL: CONFIG_INVALID (bad address), INTERNAL_SERVER_ERROR (the system refused: address in use).
 */
struct listener *listener_open(struct loop *l, const struct listener_options *opt,
                               exchange_handler *on_exchange, void *ctx, struct errors *errs);
/* Would listener_configure() take them? */
NODISCARD bool listener_check(const struct listener_options *opt, struct errors *errs);
/*
 * Other limits, timeouts and proxies from now on, between requests; the address stays, and whether
 * there is a limit for each address of clients. False with CONFIG_INVALID, and nothing done.
 */
NODISCARD bool listener_configure(struct listener *ln, const struct listener_options *opt,
                                  struct errors *errs);
/* Connections from now on speak TLS, but those of Unix sockets; borrowed until another is set. */
void listener_set_tls(struct listener *ln, const struct tls *tls);
/* The address bound, "127.0.0.1:8080"; owned by the listener. */
struct str listener_address(const struct listener *ln);
/* Begin to accept, where that was put off. */
void listener_accept(struct listener *ln);
/* Stop accepting; open connections go on. */
void listener_stop_accepting(struct listener *ln);
/* From now on every reply ends its connection, and idle connections are closed when `close_idle`;
 * those that never had a request are given a moment for one. */
void listener_drain(struct listener *ln, bool close_idle);
/* Connections open now; exchanges without a sent reply now. */
size_t listener_connections(const struct listener *ln);
size_t listener_in_flight(const struct listener *ln);
/* Connections from which a request, or the rest of one, may still come. */
size_t listener_awaited(const struct listener *ln);
/* Closes every connection. All exchanges must have been replied to; replies posted after loop_run()
 * returned are still delivered. NULL is allowed. */
void listener_free(struct listener *ln);

#endif
