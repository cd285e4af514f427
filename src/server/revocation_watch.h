/*
 * revocation_watch.h - keeps the list of revoked tokens that of the database.
 *
 * Thread:   a jobs thread of its own.
 * Memory:   copies nothing of its options: they must outlive it.
 * Not here: what is refused because of it (auth/).
 */
#ifndef SERVER_REVOCATION_WATCH_H
#define SERVER_REVOCATION_WATCH_H

#include "auth/auth.h"
#include "pg/pgpool.h"

struct revocation_watch_options {
    struct auth *auth;
    struct pgpool *pool;
    const char *channel;       /* NULL: do not listen */
    uint64_t poll_interval_ms; /* also while it listens */
};

struct revocation_watch;

struct revocation_watch *revocation_watch_start(const struct revocation_watch_options *opt);
void revocation_watch_stop(struct revocation_watch *w);

#endif
