/*
 * jwks_watch.h - keeps the keys of tokens those of a key set, in a file or behind a URL.
 *
 * Thread:   a helper of its own, for what may block; others reach it by a flag.
 * Memory:   copies nothing of its options: they must outlive it.
 * Not here: reading a key set (auth/jwks.c), HTTP (server/fetch.c).
 */
#ifndef SERVER_JWKS_WATCH_H
#define SERVER_JWKS_WATCH_H

#include "auth/auth.h"

struct jwks_watch_options {
    struct auth *auth;
    size_t issuer;    /* whose; see auth_set_jwks() */
    const char *url;  /* NULL: see file */
    const char *file; /* NULL: see url */
    const char *ca_file;
    uint64_t refresh_ms;
    uint64_t min_refetch_ms; /* between two looks that unknown keys ask for */
    uint64_t timeout_ms;
    uint64_t stale_ok_ms; /* keys hold so long after the last look that went well */
    bool allow_http;
};

struct jwks_watch;

/* Looks at once, and again with growing pauses until it has succeeded once. */
struct jwks_watch *jwks_watch_start(const struct jwks_watch_options *opt);
/* Look again soon, but not more often than every min_refetch. Any thread. */
void jwks_watch_kick(struct jwks_watch *w);
void jwks_watch_stop(struct jwks_watch *w);

#endif
