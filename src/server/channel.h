/*
 * channel.h - where notifications of errors go: webhook, Slack, mail, NOTIFY.
 *
 * Thread:   constant once made; sending blocks.
 * Memory:   in the arena given.
 * Not here: when (jobs/notifier.h), what (notice.h).
 */
#ifndef SERVER_CHANNEL_H
#define SERVER_CHANNEL_H

#include "config/config.h"
#include "pg/pgpool.h"
#include "server/fetch.h"
#include "server/notice.h"

/* What all channels share. */
struct outbox {
    const struct egress *egress;
    const char *ca_file; /* NULL: the system's */
    uint64_t timeout_ms; /* for one attempt */
    bool allow_http;
    const char *smtp_url;  /* NULL: there is no mail */
    const char *smtp_user; /* NULL: without logging in */
    const char *smtp_password;
    const char *smtp_from;
    bool smtp_starttls;
    struct pgpool *pool; /* for NOTIFY */
};

struct channel;

/* NULL, with the reason, for one that could not send. Texts of the specification must outlive it.
 */
const struct channel *channel_new(const struct config_channel *spec, const struct outbox *o,
                                  struct arena *a, struct str *why);
/*
 * A row of tb_error_notification_config as a specification: the type, an object, and a text that
 * may be empty. False with the reason.
 */
bool channel_read_row(struct str type, struct str config, struct str template, struct arena *a,
                      struct config_channel *out, struct str *why);
/* One attempt. Of the outcome as of fetch_deliver(). */
enum fetch_outcome channel_send(const struct channel *ch, const struct outbox *o,
                                const struct notice *n, const atomic_bool *stop, uint64_t *after_ms,
                                struct buf *why);
/* Where to, without what is secret in it: for the log. */
struct str channel_recipient(const struct channel *ch, struct arena *a);
/* The value of X-Fraiseql-Signature: "t=seconds,v1=hex", of "seconds.body". */
struct str channel_signature(struct str secret, int64_t at_s, struct str body, struct arena *a);

#endif
