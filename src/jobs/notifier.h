/*
 * notifier.h - has people told of errors: looks what is due, claims it, notes what became of it.
 *
 * Thread:   started and stopped from the main thread; runs on its own (jobs).
 * Memory:   an arena for each notification.
 * Not here: what is due (sql/system/075_notifications.sql), sending (server/channel.h).
 */
#ifndef JOBS_NOTIFIER_H
#define JOBS_NOTIFIER_H

#include "base/buf.h"
#include "pg/pgpool.h"

#include <stdatomic.h>

/* What was claimed; texts are in the arena of the round. */
struct notification {
    struct str id;
    struct str channel_type;
    struct str channel; /* its name in the configuration; of the table's: config_id */
    bool of_table;      /* then with … */
    bool gone;          /* … which is not there any longer */
    struct str config;
    struct str template; /* may be empty */
    struct str details;  /* a JSON object */
    uint64_t attempt;    /* from 1 */
};

enum notification_outcome {
    NOTIFICATION_SENT,
    NOTIFICATION_FAILED,  /* may go well another time */
    NOTIFICATION_REFUSED, /* will not */
};

/*
 * One attempt, waiting for it; gives up when *stop becomes true. With the reason for failure, and a
 * time before which there is no use in trying again, 0 if nothing is known of one.
 */
typedef enum notification_outcome notifier_send(void *ctx, const struct notification *n,
                                                const atomic_bool *stop, uint64_t *after_ms,
                                                struct buf *why);

struct notifier_options {
    struct pgpool *pool;
    const char *channels; /* of the configuration: [{"name", "type", "recipient", "severities"}] */
    const char *names;    /* theirs, as an array */
    const char *schedule; /* as an array */
    uint64_t then_every;
    uint64_t min_interval_ms;
    uint64_t window_ms;
    uint64_t max_per_hour;
    uint64_t interval_ms; /* between looks */
    uint64_t attempts;
    uint64_t backoff_min_ms;
    uint64_t backoff_max_ms;
    uint64_t send_ms; /* longest time of an attempt */
    notifier_send *send;
    void *ctx;
};

struct notifier;

/* All texts must outlive it. */
struct notifier *notifier_start(const struct notifier_options *opt);
/* What is being sent is given back, for another daemon. */
void notifier_stop(struct notifier *n);

/* The pause after an attempt failed: doubled each time, within the two. */
uint64_t notifier_pause_ms(uint64_t attempt, uint64_t min_ms, uint64_t max_ms);

#endif
