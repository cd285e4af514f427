/*
 * supervisor.h - tells the service manager (systemd) how the daemon is.
 *
 * Thread:   the main loop's.
 * Memory:   what the options point to must outlive it.
 * Not here: the datagrams (base/sdnotify.h); sockets that systemd hands over (http/handed.h).
 */
#ifndef SERVER_SUPERVISOR_H
#define SERVER_SUPERVISOR_H

#include "server/endpoints.h"

struct supervisor;

struct supervisor_options {
    struct loop *loop;
    const struct health *health;
    /* Called once: the schema is loaded, or it is time to go on without. */
    void (*started)(void *ctx);
    /* Is the reload of that number over, well or badly? */
    bool (*reloaded)(void *ctx, uint64_t number);
    void *ctx;
};

/*
 * Speaks to $NOTIFY_SOCKET, if that is set; a watchdog that $WATCHDOG_USEC asks for
 * is fed as long as every worker comes round. Without any of these it only calls
 * started().
 */
struct supervisor *supervisor_start(const struct supervisor_options *opt);
void supervisor_reloading(struct supervisor *s, uint64_t number);
/* It takes at most so long. */
void supervisor_stopping(struct supervisor *s, uint64_t longest_ms);
/* NULL is allowed. */
void supervisor_free(struct supervisor *s);

#endif
