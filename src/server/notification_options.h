/*
 * notification_options.h - from the configuration to channels, and to who sends on them.
 *
 * Thread:   made, started and ended on the main thread.
 * Memory:   in the arena given, which must live as long.
 */
#ifndef SERVER_NOTIFICATION_OPTIONS_H
#define SERVER_NOTIFICATION_OPTIONS_H

#include "jobs/notifier.h"
#include "server/channel.h"

struct notifications {
    const struct config *config;
    struct outbox outbox;
    const struct channel **channels; /* by the positions of the configuration's */
    struct notifier *notifier;       /* NULL: off */
};

/* False with CONFIG_INVALID errors: of channels, templates, and what may be sent to. */
NODISCARD bool notifications_new(const struct config *c, struct arena *a, struct notifications *out,
                                 struct errors *errs);
void notifications_start(struct notifications *n, struct pgpool *pool, struct arena *a);
void notifications_stop(struct notifications *n);

#endif
