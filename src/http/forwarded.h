/*
 * forwarded.h - who the client is when proxies stand in between.
 *
 * Thread:   built once, then read by the loop.
 * Memory:   process lifetime; answers are in the caller's arena.
 * Not here: the Forwarded header of RFC 7239, which no load balancer we know sends.
 *
 * A header of this kind is believed only as far as trusted peers vouch for it:
 * the last entry of X-Forwarded-For was written by our peer, the one before it
 * by the proxy before that.
 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include "base/arena.h"
#include "base/error.h"
#include "base/network.h"
#include "http/exchange.h"

struct forwarded;

/*
 * Each entry is a network ("10.0.0.0/8", "fd00::/8"), an address, or "unix:" for
 * peers on Unix sockets. NULL: an entry is malformed, and errs says which.
 */
struct forwarded *forwarded_new(const struct str *cidrs, size_t n, struct errors *errs);
void forwarded_free(struct forwarded *f); /* NULL is allowed */
/* peer NULL: on a Unix socket. */
bool forwarded_trusts(const struct forwarded *f, const struct ip_address *peer);
/*
 * For a request from a trusted peer: the rightmost address of X-Forwarded-For
 * that is not itself trusted, or the leftmost when all are; data NULL when the
 * header is absent or its last entry is no address.
 */
struct str forwarded_client(const struct forwarded *f, const struct http_request *r,
                            struct arena *a);
/* For a request from a trusted peer: did it say the client used https? */
bool forwarded_secure(const struct http_request *r);

#endif
