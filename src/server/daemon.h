/*
 * daemon.h - builds everything from a configuration, serves, drains, stops.
 *
 * Thread:   the main thread, which becomes the loop.
 * Not here: the command line (commands/serve.c).
 */
#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

#include "config/config.h"

struct daemon;

/*
 * Build everything and listen; does not wait for the database. NULL with errors
 * added: CONFIG_INVALID (an option that makes no sense), INTERNAL_SERVER_ERROR
 * (the system refused: address in use). config must outlive the daemon.
 */
struct daemon *daemon_start(const struct config *c, struct errors *errs);
/* Serve until a signal ends it: SIGTERM drains, SIGINT drains without the delay, a second one is
 * quick. SIGHUP reads the configuration again, from where it was read. */
void daemon_run(struct daemon *d, const struct config_sources *from);
void daemon_free(struct daemon *d);

#endif
