/*
 * notification_options.c - from the configuration to channels, and to who sends on them.
 *
 * Thread:   main; sending on the notifier's.
 * Memory:   in the arena given; an arena for each attempt.
 */
#include "server/notification_options.h"

#include "base/jwriter.h"
#include "server/mail.h"

static const char *text_or_null(struct str s, struct arena *a)
{
    return s.len > 0 ? arena_dup(a, s).data : NULL;
}

static bool make_outbox(const struct config *c, struct arena *a, struct outbox *out,
                        struct errors *errs)
{
    bool tls = c->smtp_tls == CONFIG_SMTP_TLS;

    *out = (struct outbox){
        .egress = egress_new(c->notify_allow.items, c->notify_allow.n, "errors.notifications.allow",
                             a, errs),
        .ca_file = text_or_null(c->notify_ca_file, a),
        .timeout_ms = c->notify_timeout_ms,
        .allow_http = c->notify_allow_http,
        .smtp_user = text_or_null(c->smtp_user, a),
        .smtp_password = arena_dup(a, c->smtp_password).data,
        .smtp_from = arena_dup(a, c->smtp_from).data,
        .smtp_starttls = c->smtp_tls == CONFIG_SMTP_STARTTLS,
    };
    if (out->egress == NULL || c->smtp_host.len == 0)
        return out->egress != NULL;
    out->smtp_url = arena_printf(a, "%s://%.*s:%zu", tls ? "smtps" : "smtp", STR_ARG(c->smtp_host),
                                 c->smtp_port)
                        .data;
    if (str_eq_nocase(fetch_host(str_of(out->smtp_url), a), c->smtp_host) &&
        mail_is_address(c->smtp_from))
        return true;
    errors_add(errs, CONFIG_INVALID,
               "errors.notifications.smtp: host must be a host, and from an address");
    return false;
}

bool notifications_new(const struct config *c, struct arena *a, struct notifications *out,
                       struct errors *errs)
{
    size_t before = errs->n;

    *out = (struct notifications){.config = c,
                                  .channels = ARENA_ARRAY(a, c->nchannels, const struct channel *)};
    if (!make_outbox(c, a, &out->outbox, errs))
        return false;
    for (size_t i = 0; i < c->nchannels; i++) {
        struct str why;

        out->channels[i] = channel_new(&c->channels[i], &out->outbox, a, &why);
        if (out->channels[i] == NULL)
            errors_add(errs, CONFIG_INVALID, "errors.notifications.channels[%zu]: %.*s", i,
                       STR_ARG(why));
    }
    return errs->n == before;
}

/* --- for PostgreSQL -----------------------------------------------------------------------------
 */

static const char *take(struct buf *b, struct arena *a)
{
    const char *text = arena_dup(a, buf_str(b)).data;

    buf_fini(b);
    return text;
}

static void write_strings(struct buf *out, struct config_strings list)
{
    buf_append_char(out, '[');
    for (size_t i = 0; i < list.n; i++) {
        buf_append_str(out, i > 0 ? STR(",") : STR(""));
        jwriter_string(out, list.items[i]);
    }
    buf_append_char(out, ']');
}

static const char *channels_json(const struct notifications *n, struct arena *a)
{
    static const char *const types[] = {
        [CONFIG_CHANNEL_WEBHOOK] = "webhook",
        [CONFIG_CHANNEL_SLACK] = "slack",
        [CONFIG_CHANNEL_EMAIL] = "email",
        [CONFIG_CHANNEL_NOTIFY] = "notify",
    };
    struct buf b = {0};

    buf_append_char(&b, '[');
    for (size_t i = 0; i < n->config->nchannels; i++) {
        const struct config_channel *c = &n->config->channels[i];

        buf_append_str(&b, i > 0 ? STR(",{\"name\":") : STR("{\"name\":"));
        jwriter_string(&b, c->name);
        buf_printf(&b, ",\"type\":\"%s\",\"recipient\":", types[c->type]);
        jwriter_string(&b, channel_recipient(n->channels[i], a));
        buf_append_lit(&b, ",\"severities\":");
        write_strings(&b, c->severities);
        buf_append_char(&b, '}');
    }
    buf_append_char(&b, ']');
    return take(&b, a);
}

/* As PostgreSQL writes arrays; names are quoted. */
static const char *names_array(const struct config *c, struct arena *a)
{
    struct buf b = {0};

    buf_append_char(&b, '{');
    for (size_t i = 0; i < c->nchannels; i++) {
        struct str name = c->channels[i].name;

        buf_append_str(&b, i > 0 ? STR(",\"") : STR("\""));
        for (size_t j = 0; j < name.len; j++) {
            if (name.data[j] == '"' || name.data[j] == '\\')
                buf_append_char(&b, '\\');
            buf_append_char(&b, name.data[j]);
        }
        buf_append_char(&b, '"');
    }
    buf_append_char(&b, '}');
    return take(&b, a);
}

static const char *schedule_array(const struct config *c, struct arena *a)
{
    struct buf b = {0};

    buf_append_char(&b, '{');
    for (size_t i = 0; i < c->notify_schedule.n; i++)
        buf_printf(&b, "%s%.*s", i > 0 ? "," : "", STR_ARG(c->notify_schedule.items[i]));
    buf_append_char(&b, '}');
    return take(&b, a);
}

/* --- sending ------------------------------------------------------------------------------------
 */

/* NULL, with the reason. */
static const struct channel *find_channel(const struct notifications *all,
                                          const struct notification *n, struct arena *a,
                                          struct str *why)
{
    struct config_channel spec;

    if (n->gone) {
        *why = STR("its row of tb_error_notification_config is gone");
        return NULL;
    }
    if (n->of_table)
        return channel_read_row(n->channel_type, n->config, n->template, a, &spec, why)
                   ? channel_new(arena_copy(a, &spec, sizeof(spec)), &all->outbox, a, why)
                   : NULL;
    for (size_t i = 0; i < all->config->nchannels; i++)
        if (str_eq(all->config->channels[i].name, n->channel))
            return all->channels[i];
    *why = STR("there is no such channel");
    return NULL;
}

static enum notification_outcome send_one(void *ctx, const struct notification *n,
                                          const atomic_bool *stop, uint64_t *after_ms,
                                          struct buf *why)
{
    static const enum notification_outcome outcomes[] = {
        [FETCH_DONE] = NOTIFICATION_SENT,
        [FETCH_TRY_AGAIN] = NOTIFICATION_FAILED,
        [FETCH_REFUSED] = NOTIFICATION_REFUSED,
    };
    const struct notifications *all = ctx;
    struct arena *a = arena_new(0);
    enum fetch_outcome outcome = FETCH_REFUSED;
    const struct channel *ch;
    struct notice notice;
    struct str reason = STR("");

    ch = find_channel(all, n, a, &reason);
    buf_append_str(why, reason);
    if (ch != NULL && notice_parse(n->details, a, &notice))
        outcome = channel_send(ch, &all->outbox, &notice, stop, after_ms, why);
    arena_free(a);
    return outcomes[outcome];
}

void notifications_start(struct notifications *n, struct pgpool *pool, struct arena *a)
{
    const struct config *c = n->config;

    if (!c->notifications_enabled)
        return;
    n->outbox.pool = pool;
    n->notifier = notifier_start(&(struct notifier_options){
        .pool = pool,
        .channels = channels_json(n, a),
        .names = names_array(c, a),
        .schedule = schedule_array(c, a),
        .then_every = c->notify_then_every,
        .min_interval_ms = c->notify_min_interval_ms,
        .window_ms = c->notify_window_ms,
        .max_per_hour = c->notify_max_per_hour,
        .interval_ms = c->notify_interval_ms,
        .attempts = c->notify_attempts,
        .backoff_min_ms = c->notify_backoff_min_ms,
        .backoff_max_ms = c->notify_backoff_max_ms,
        .send_ms = c->notify_timeout_ms,
        .send = send_one,
        .ctx = n,
    });
}

void notifications_stop(struct notifications *n)
{
    if (n->notifier != NULL)
        notifier_stop(n->notifier);
    n->notifier = NULL;
}
