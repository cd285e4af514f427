/*
 * reload.h - reads the configuration again, at a signal or when its files change.
 *
 * Thread:   the main loop's.
 * Memory:   the sources must outlive it; it retains the configuration in use.
 * Not here: what a new configuration becomes (daemon.c), reading one (config/).
 */
#ifndef SERVER_RELOAD_H
#define SERVER_RELOAD_H

#include "base/loop.h"
#include "config/config.h"

struct reload_options {
    struct loop *loop;
    const struct config_sources *from;
    const struct config *config; /* that was read from there */
    /* Does a configuration make sense, also where it would need a restart? False with errors. */
    bool (*check)(void *ctx, const struct config *next, struct errors *errs);
    /* Take a configuration over whole, which differs in these keys; false with errors, and
     * everything stays as it was. */
    bool (*apply)(void *ctx, const struct config *next, struct config_strings changed,
                  struct errors *errs);
    /* Files have changed: reload_now() is wanted. */
    void (*changed)(void *ctx);
    void *ctx;
};

struct reload;

struct reload *reload_start(const struct reload_options *opt);
/* Read, check and take over; what comes of it is said in the log and in metrics. */
void reload_now(struct reload *r);
void reload_free(struct reload *r); /* NULL is allowed */

#endif
