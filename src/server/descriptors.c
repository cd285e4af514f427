/*
 * descriptors.c - how many descriptors the process may have, and how many of them clients.
 *
 * Thread:   the main thread.
 *
 * Where clients can take the last descriptor, the probes that ask whether all is well get none, nor
 * does a connection to the database that broke.
 */
#include "server/descriptors.h"

#include "base/log.h"
#include "server/options.h"

#include <sys/resource.h>

/* Probes, metrics, connections that listen, key sets, collectors, mail, files. */
#define RESERVE 64
/* A worker's loop, and what it is woken by; for each server of the database. */
#define WORKER_FDS 6

static uint64_t reserved(const struct config *c)
{
    return (c->pool_max + WORKER_FDS * options_workers(c)) * (1 + c->replica_urls.n) + RESERVE;
}

static size_t addresses(const struct config *c)
{
    return size_max(c->listen.n, 1);
}

void descriptors_raise(const struct config *c)
{
    struct rlimit limit;
    uint64_t needed = reserved(c) + c->max_connections * addresses(c);

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        LOG(LOG_WARN, "could not raise the limit of descriptors");
    if (descriptors_connections(c) < c->max_connections)
        LOG(LOG_WARN,
            "the limit of descriptors allows fewer clients than server.limits.max_connections",
            LOG_INT("descriptors", limit.rlim_cur),
            LOG_INT("connections", descriptors_connections(c)),
            LOG_CSTR("hint", "raise it (LimitNOFILE=, ulimit -n), or lower database.pool.max"));
}

size_t descriptors_connections(const struct config *c)
{
    struct rlimit limit;
    uint64_t left;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return c->max_connections;
    left = limit.rlim_cur > reserved(c) ? (limit.rlim_cur - reserved(c)) / addresses(c) : 0;
    return size_max(1, left < c->max_connections ? left : c->max_connections);
}
