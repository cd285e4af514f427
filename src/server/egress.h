/*
 * egress.h - where the daemon may send what it tells by itself.
 *
 * Thread:   any; constant once made.
 * Memory:   in the arena given.
 * Not here: sending (fetch.h), which asks before it connects.
 *
 * Addresses inside (loopback, private, metadata of clouds …) are refused unless a network of theirs
 * is listed: what is configured in a table must not reach what only this host can. A name is no
 * leave for that, since whoever serves the name says which address it has.
 */
#ifndef SERVER_EGRESS_H
#define SERVER_EGRESS_H

#include "base/error.h"
#include "base/network.h"

struct egress;

/*
 * Each entry is a host name ("hooks.slack.com", "*.example.com") or a network ("10.1.0.0/16", an
 * address). With none, every public address will do; else only those hosts, and those networks.
 * NULL, with CONFIG_INVALID errors that name `key`, for what is neither.
 */
const struct egress *egress_new(const struct str *entries, size_t n, const char *key,
                                struct arena *a, struct errors *errs);
/* The host as it is written in an URL, and the address that is about to be connected to. */
bool egress_allows(const struct egress *e, struct str host, const struct ip_address *ip);

#endif
