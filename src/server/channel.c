/*
 * channel.c - where notifications of errors go.
 *
 * Thread:   see channel.h.
 * Memory:   an arena for each attempt.
 */
#include "server/channel.h"

#include "base/digest.h"
#include "base/jval.h"
#include "server/mail.h"

#define MAX_ANSWER  ((size_t)64 * 1024) /* of a receiver; nothing is done with it */
#define MAX_CHANNEL 63                  /* bytes of a name in PostgreSQL */

#define DEFAULT_SUBJECT \
    "Error Alert: {{error_type}} in {{environment}} (occurrence {{occurrence_count}})"
#define DEFAULT_TEXT                      \
    "{{severity}}: {{error_type}}\n"      \
    "{{message}}\n"                       \
    "\n"                                  \
    "Environment: {{environment}}\n"      \
    "Release:     {{release}}\n"          \
    "Operation:   {{operation}}\n"        \
    "Path:        {{path}}\n"             \
    "SQLSTATE:    {{sqlstate}}\n"         \
    "Occurrences: {{occurrence_count}}\n" \
    "First seen:  {{first_seen}}\n"       \
    "Last seen:   {{last_seen}}\n"        \
    "Trace:       {{trace_id}}\n"         \
    "Error:       {{error_id}}\n"         \
    "Fingerprint: {{fingerprint}}\n"

struct channel {
    enum config_channel_type type;
    const char *url;
    struct str host;
    const char *const *headers; /* besides those that depend on the body */
    size_t nheaders;
    struct str secret;
    const struct template *text;    /* NULL: what there is without one */
    const struct template *subject; /* of mails */
    const char *const *to;
    const struct str *addresses; /* the same */
    size_t nto;
    struct str channel;
    struct str username;
};

static const char *const type_names[] = {
    [CONFIG_CHANNEL_WEBHOOK] = "webhook",
    [CONFIG_CHANNEL_SLACK] = "slack",
    [CONFIG_CHANNEL_EMAIL] = "email",
    [CONFIG_CHANNEL_NOTIFY] = "notify",
};

/* --- checks -------------------------------------------------------------------------------------
 */

/* What a type has no use for would have no effect. */
static bool refuse_unused(const struct config_channel *s, struct arena *a, struct str *why)
{
    const unsigned webhook = 1 << CONFIG_CHANNEL_WEBHOOK, slack = 1 << CONFIG_CHANNEL_SLACK,
                   email = 1 << CONFIG_CHANNEL_EMAIL, notify = 1 << CONFIG_CHANNEL_NOTIFY;
    const struct {
        const char *name;
        bool given;
        unsigned types;
    } parts[] = {
        {"url",         s->url.len > 0,         webhook | slack        },
        {"headers",     s->headers.n > 0,       webhook                },
        {"hmac_secret", s->hmac_secret.len > 0, webhook                },
        {"template",    s->template.len > 0,    webhook | slack | email},
        {"subject",     s->subject.len > 0,     email                  },
        {"to",          s->to.n > 0,            email                  },
        {"channel",     s->channel.len > 0,     slack | notify         },
        {"username",    s->username.len > 0,    slack                  },
    };

    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (parts[i].given && (parts[i].types & (1U << s->type)) == 0) {
            *why = arena_printf(a, "a channel of type %s has no %s", type_names[s->type],
                                parts[i].name);
            return false;
        }
    return true;
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
            return true;
    return false;
}

/* RFC 9110 section 5.6.2 */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) &&
            (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.len > 0;
}

/* What says how long the body is, or whose it is, is ours. */
static bool is_ours(struct str name)
{
    static const char *const ours[] = {"content-length",       "transfer-encoding",
                                       "connection",           "expect",
                                       "x-fraiseql-signature", "x-fraiseql-notification"};

    for (size_t i = 0; i < COUNT_OF(ours); i++)
        if (str_eq_nocase(name, str_of(ours[i])))
            return true;
    return false;
}

static bool take_headers(struct channel *ch, const struct config_channel *s, struct arena *a,
                         struct str *why)
{
    const char **headers = ARENA_ARRAY(a, s->headers.n + 1, const char *);
    bool typed = false;

    for (size_t i = 0; i < s->headers.n; i++) {
        const struct config_pair *h = &s->headers.items[i];

        if (!is_token(h->name) || is_ours(h->name) || has_control(h->value)) {
            *why = arena_printf(a, "cannot send the header \"%.*s\"", STR_ARG(h->name));
            return false;
        }
        typed = typed || str_eq_nocase(h->name, STR("content-type"));
        /* With nothing behind the colon, libcurl would leave it out. */
        headers[ch->nheaders++] =
            h->value.len > 0
                ? arena_printf(a, "%.*s: %.*s", STR_ARG(h->name), STR_ARG(h->value)).data
                : arena_printf(a, "%.*s;", STR_ARG(h->name)).data;
    }
    if (!typed)
        headers[ch->nheaders++] = "Content-Type: application/json";
    ch->headers = headers;
    return true;
}

static bool take_url(struct channel *ch, const struct config_channel *s, const struct outbox *o,
                     struct arena *a, struct str *why)
{
    bool http = str_starts(s->url, STR("http://"));

    if (!http && !str_starts(s->url, STR("https://"))) {
        *why = STR("url must begin with https://");
        return false;
    }
    if (http && !o->allow_http) {
        *why = STR("url is not https (see errors.notifications.allow_http)");
        return false;
    }
    ch->url = arena_dup(a, s->url).data;
    ch->host = has_control(s->url) ? STR("") : fetch_host(s->url, a);
    if (ch->host.len == 0)
        *why = STR("url is none");
    return ch->host.len > 0;
}

static bool take_addresses(struct channel *ch, const struct config_channel *s,
                           const struct outbox *o, struct arena *a, struct str *why)
{
    const char **to = ARENA_ARRAY(a, s->to.n + 1, const char *);

    if (o->smtp_url == NULL) {
        *why = STR("there is no errors.notifications.smtp.host");
        return false;
    }
    if (s->to.n == 0) {
        *why = STR("a channel of type email needs to");
        return false;
    }
    for (size_t i = 0; i < s->to.n; i++) {
        if (!mail_is_address(s->to.items[i])) {
            *why = STR("to must be of addresses, such as oncall@example.com");
            return false;
        }
        to[i] = arena_dup(a, s->to.items[i]).data;
    }
    ch->to = to;
    ch->addresses = s->to.items;
    ch->nto = s->to.n;
    return true;
}

/* Is it JSON whatever the values are? They stand between quotes, but for numbers. */
static bool makes_json(const struct template *t)
{
    static const struct jval_limits limits = {32, 10000};
    struct arena *a = arena_new(0);
    const struct jval *ignored;
    struct notice sample;
    struct buf out = {0};
    struct errors errs;
    bool ok;

    errors_init(&errs, a);
    notice_sample(&sample);
    template_render(t, sample.values, notice_escape_json, &out);
    ok = jval_parse(buf_str(&out), &limits, a, &ignored, &errs);
    buf_fini(&out);
    arena_free(a);
    return ok;
}

static const struct template *parse(struct str text, const char *part, struct arena *a,
                                    struct str *why)
{
    const struct template *t = template_parse(text, notice_names, NOTICE_NAMES, a, why);

    if (t == NULL)
        *why = arena_printf(a, "%s: %.*s", part, STR_ARG(*why));
    return t;
}

static bool take_templates(struct channel *ch, const struct config_channel *s, struct arena *a,
                           struct str *why)
{
    bool mail = s->type == CONFIG_CHANNEL_EMAIL;
    struct str text = s->template.len == 0 && mail ? STR(DEFAULT_TEXT) : s->template;
    struct str subject = s->subject.len == 0 ? STR(DEFAULT_SUBJECT) : s->subject;

    if (text.len > 0 && (ch->text = parse(text, "template", a, why)) == NULL)
        return false;
    if (ch->text != NULL && s->type == CONFIG_CHANNEL_WEBHOOK && !makes_json(ch->text)) {
        *why = STR("template: it does not make JSON: names of texts stand between quotes");
        return false;
    }
    if (mail && has_control(subject)) {
        *why = STR("subject must be one line");
        return false;
    }
    return !mail || (ch->subject = parse(subject, "subject", a, why)) != NULL;
}

static bool take_channel(struct channel *ch, const struct config_channel *s, struct str *why)
{
    if (s->type == CONFIG_CHANNEL_NOTIFY && (s->channel.len == 0 || s->channel.len > MAX_CHANNEL)) {
        *why = STR("a channel of type notify needs channel, of at most 63 bytes");
        return false;
    }
    ch->channel = s->channel;
    ch->username = s->username;
    return true;
}

const struct channel *channel_new(const struct config_channel *s, const struct outbox *o,
                                  struct arena *a, struct str *why)
{
    struct channel *ch = ARENA_NEW(a, struct channel);
    bool web = s->type == CONFIG_CHANNEL_WEBHOOK || s->type == CONFIG_CHANNEL_SLACK;
    bool ok = refuse_unused(s, a, why) && take_channel(ch, s, why) &&
              take_templates(ch, s, a, why) && (!web || take_url(ch, s, o, a, why)) &&
              (!web || take_headers(ch, s, a, why)) &&
              (s->type != CONFIG_CHANNEL_EMAIL || take_addresses(ch, s, o, a, why));

    ch->type = s->type;
    ch->secret = s->hmac_secret;
    return ok ? ch : NULL;
}

/* --- a row of the table
 * --------------------------------------------------------------------------- */

static bool is_type(struct str s, enum config_channel_type *out)
{
    for (size_t i = 0; i < COUNT_OF(type_names); i++)
        if (str_is(s, type_names[i])) {
            *out = (enum config_channel_type)i;
            return true;
        }
    return false;
}

/* One text, or a list of them, which is given as such. */
static bool read_texts(const struct jval *v, struct arena *a, struct config_strings *out)
{
    struct str *items = ARENA_ARRAY(a, v->n + 1, struct str);

    *out = (struct config_strings){items, 0};
    if (v->kind == JVAL_STRING)
        items[out->n++] = v->text;
    for (size_t i = 0; v->kind == JVAL_ARRAY && i < v->n; i++) {
        if (v->items[i]->kind != JVAL_STRING)
            return false;
        items[out->n++] = v->items[i]->text;
    }
    return out->n > 0;
}

static bool read_headers(const struct jval *v, struct arena *a, struct config_pairs *out)
{
    struct config_pair *items = ARENA_ARRAY(a, v->n + 1, struct config_pair);

    for (size_t i = 0; v->kind == JVAL_OBJECT && i < v->n; i++) {
        if (v->members[i].value->kind != JVAL_STRING)
            return false;
        items[i] = (struct config_pair){v->members[i].name, v->members[i].value->text};
    }
    *out = (struct config_pairs){items, v->n};
    return v->kind == JVAL_OBJECT;
}

static bool read_member(struct config_channel *to, struct str name, const struct jval *v,
                        struct arena *a)
{
    const struct {
        const char *name;
        struct str *text;
    } texts[] = {
        {"url",              &to->url        },
        {"webhook_url",      &to->url        },
        {"hmac_secret",      &to->hmac_secret},
        {"payload_template", &to->template   },
        {"template",         &to->template   },
        {"subject",          &to->subject    },
        {"channel",          &to->channel    },
        {"username",         &to->username   },
    };

    if (v->kind == JVAL_NULL)
        return true;
    if (str_is(name, "to"))
        return read_texts(v, a, &to->to);
    if (str_is(name, "headers"))
        return read_headers(v, a, &to->headers);
    /* There is no other. */
    if (str_is(name, "method"))
        return v->kind == JVAL_STRING && str_is(v->text, "POST");
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (str_is(name, texts[i].name) && v->kind == JVAL_STRING) {
            *texts[i].text = v->text;
            return true;
        }
    return false;
}

bool channel_read_row(struct str type, struct str config, struct str template, struct arena *a,
                      struct config_channel *out, struct str *why)
{
    static const struct jval_limits limits = {8, 1000};
    const struct jval *v;
    struct errors ignored;

    errors_init(&ignored, a);
    *out = (struct config_channel){0};
    if (!is_type(type, &out->type)) {
        *why = STR("channel_type is not webhook, slack, email or notify");
        return false;
    }
    if (!jval_parse(config, &limits, a, &v, &ignored) || v->kind != JVAL_OBJECT) {
        *why = STR("channel_config is not an object");
        return false;
    }
    for (size_t i = 0; i < v->n; i++)
        if (!read_member(out, v->members[i].name, v->members[i].value, a)) {
            *why = arena_printf(a, "channel_config has an unknown or unfit \"%.*s\"",
                                STR_ARG(v->members[i].name));
            return false;
        }
    if (template.len > 0)
        out->template = template;
    return true;
}

/* --- sending ------------------------------------------------------------------------------------
 */

static struct fetch request_of(const struct channel *ch, const struct outbox *o,
                               const atomic_bool *stop)
{
    return (struct fetch){
        .url = ch->url,
        .ca_file = o->ca_file,
        .timeout_ms = o->timeout_ms,
        .max_bytes = MAX_ANSWER,
        .allow_http = o->allow_http,
        .stop = stop,
        .headers = ch->headers,
        .nheaders = ch->nheaders,
        .egress = o->egress,
    };
}

struct str channel_signature(struct str secret, int64_t at_s, struct str body, struct arena *a)
{
    char hex[2 * DIGEST_SIZE + 1];
    struct digest d =
        digest_hmac(secret, arena_printf(a, "%lld.%.*s", (long long)at_s, STR_ARG(body)));

    digest_hex(&d, hex);
    return arena_printf(a, "t=%lld,v1=%s", (long long)at_s, hex);
}

static enum fetch_outcome send_webhook(const struct channel *ch, const struct notice *n,
                                       struct fetch *f, struct arena *a, uint64_t *after_ms,
                                       struct buf *why)
{
    const char **headers = ARENA_ARRAY(a, ch->nheaders + 2, const char *);
    int64_t now_s = wall_clock_us() / 1000000;
    enum fetch_outcome outcome;
    struct buf body = {0};

    if (ch->text != NULL)
        template_render(ch->text, n->values, notice_escape_json, &body);
    else
        buf_append_str(&body, n->json);
    for (size_t i = 0; i < ch->nheaders; i++)
        headers[i] = ch->headers[i];
    headers[f->nheaders++] =
        arena_printf(a, "X-Fraiseql-Notification: %.*s", STR_ARG(n->values[NOTICE_NOTIFICATION_ID]))
            .data;
    if (ch->secret.len > 0) {
        struct str signature = channel_signature(ch->secret, now_s, buf_str(&body), a);

        headers[f->nheaders++] =
            arena_printf(a, "X-Fraiseql-Signature: %.*s", STR_ARG(signature)).data;
    }
    f->headers = headers;
    outcome = fetch_deliver(f, buf_str(&body), after_ms, why);
    buf_fini(&body);
    return outcome;
}

static enum fetch_outcome send_slack(const struct channel *ch, const struct notice *n,
                                     const struct fetch *f, uint64_t *after_ms, struct buf *why)
{
    enum fetch_outcome outcome;
    struct buf body = {0};

    notice_slack_body(n, ch->text, ch->channel, ch->username, &body);
    outcome = fetch_deliver(f, buf_str(&body), after_ms, why);
    buf_fini(&body);
    return outcome;
}

static enum fetch_outcome send_mail(const struct channel *ch, const struct outbox *o,
                                    const struct notice *n, struct fetch *f, struct buf *why)
{
    struct buf subject = {0}, body = {0}, message = {0};
    struct fetch_mail mail = {.user = o->smtp_user,
                              .password = o->smtp_password,
                              .from = o->smtp_from,
                              .to = ch->to,
                              .nto = ch->nto,
                              .starttls = o->smtp_starttls};
    enum fetch_outcome outcome;

    template_render(ch->subject, n->values, notice_escape_line, &subject);
    template_render(ch->text, n->values, notice_escape_text, &body);
    mail_compose(&(struct mail){.from = str_of(o->smtp_from),
                                .to = ch->addresses,
                                .nto = ch->nto,
                                .subject = buf_str(&subject),
                                .body = buf_str(&body),
                                .id = n->values[NOTICE_NOTIFICATION_ID],
                                .thread = n->values[NOTICE_ERROR_ID],
                                .at_us = wall_clock_us()},
                 &message);
    mail.message = buf_str(&message);
    f->url = o->smtp_url;
    f->headers = NULL;
    f->nheaders = 0;
    outcome = fetch_mail(f, &mail, why);
    buf_fini(&subject);
    buf_fini(&body);
    buf_fini(&message);
    return outcome;
}

static enum fetch_outcome send_notify(const struct channel *ch, const struct outbox *o,
                                      const struct notice *n, struct arena *a, struct buf *why)
{
    struct pgsession session = {.role = "", .timeout_ms = (uint32_t)o->timeout_ms};
    struct pgstatement statement;
    struct buf payload = {0};
    const char *params[2];
    struct pgcall call = {.statement = &statement, .params = params};
    struct pgbatch batch;
    struct errors ignored;
    bool ok;

    notice_payload(n, &payload);
    params[0] = arena_dup(a, ch->channel).data;
    params[1] = buf_cstr(&payload);
    errors_init(&ignored, a);
    pgstatement_init(&statement, STR("select pg_catalog.pg_notify($1, $2)"), 2);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.until = deadline_in_ms(o->timeout_ms);
    ok = pgpool_run(o->pool, &batch, &ignored);
    if (!ok)
        buf_append_str(why, batch.message.len > 0 ? batch.message
                                                  : STR("the connection to the database was lost"));
    buf_fini(&payload);
    return ok ? FETCH_DONE : FETCH_TRY_AGAIN;
}

enum fetch_outcome channel_send(const struct channel *ch, const struct outbox *o,
                                const struct notice *n, const atomic_bool *stop, uint64_t *after_ms,
                                struct buf *why)
{
    struct fetch f = request_of(ch, o, stop);
    enum fetch_outcome outcome = FETCH_REFUSED;
    struct arena *a = arena_new(0);

    *after_ms = 0;
    switch (ch->type) {
    case CONFIG_CHANNEL_WEBHOOK:
        outcome = send_webhook(ch, n, &f, a, after_ms, why);
        break;
    case CONFIG_CHANNEL_SLACK:
        outcome = send_slack(ch, n, &f, after_ms, why);
        break;
    case CONFIG_CHANNEL_EMAIL:
        outcome = send_mail(ch, o, n, &f, why);
        break;
    case CONFIG_CHANNEL_NOTIFY:
        outcome = send_notify(ch, o, n, a, why);
        break;
    }
    arena_free(a);
    return outcome;
}

struct str channel_recipient(const struct channel *ch, struct arena *a)
{
    struct str all = STR("");

    switch (ch->type) {
    case CONFIG_CHANNEL_WEBHOOK:
    case CONFIG_CHANNEL_SLACK:
        return ch->host;
    case CONFIG_CHANNEL_NOTIFY:
        return ch->channel;
    case CONFIG_CHANNEL_EMAIL:
        break;
    }
    for (size_t i = 0; i < ch->nto; i++)
        all = arena_printf(a, "%.*s%s%s", STR_ARG(all), i > 0 ? ", " : "", ch->to[i]);
    return all;
}
