/*
 * offline.h - what answers requests, in a command instead of a daemon.
 *
 * Thread:   main.
 * Memory:   owned, until offline_close().
 */
#ifndef COMMANDS_OFFLINE_H
#define COMMANDS_OFFLINE_H

#include "commands/commands.h"
#include "server/cachewarm.h"

struct offline {
    struct auth *auth;
    struct schema_slot *slot;
    struct turbo *turbo;
    struct resultcache *results;
    struct engine engine;
    struct pgpool *pool; /* the command's */
};

/* With the schemas of all roles, and the result cache. False with errors. */
NODISCARD bool offline_open(struct offline *o, const struct config *c, struct pgpool *pool,
                            struct arena *a, struct errors *errs);
void offline_close(struct offline *o);
/* The ctx of offline_run_warm(), which is for a job_runner. */
struct offline_warm {
    const struct config *config;
    struct pgpool *pool;
};
bool offline_run_warm(void *ctx, const struct scheduled_job *j, struct deadline until,
                      const atomic_bool *stopping, struct arena *a, struct str *detail);

#endif
