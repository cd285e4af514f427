/*
 * notifications.c - errors.notifications: the channels, and what counts for all of them.
 *
 * Thread:   the one that loads.
 * Memory:   the config's arena.
 * Not here: what a channel of a type needs, and templates (server/channel.c).
 */
#include "config/settings.h"

#define MAX_CHANNELS   100
#define MAX_THRESHOLDS 100

/* Below "errors.notifications.channels[0].": what is one text. */
static const struct part {
    struct str name;
    size_t offset; /* in struct config_channel */
} parts[] = {
    {STR_INIT("name"),        offsetof(struct config_channel, name)       },
    {STR_INIT("url"),         offsetof(struct config_channel, url)        },
    {STR_INIT("hmac_secret"), offsetof(struct config_channel, hmac_secret)},
    {STR_INIT("template"),    offsetof(struct config_channel, template)   },
    {STR_INIT("subject"),     offsetof(struct config_channel, subject)    },
    {STR_INIT("channel"),     offsetof(struct config_channel, channel)    },
    {STR_INIT("username"),    offsetof(struct config_channel, username)   },
};

static const struct setting *setting_of(const struct loader *l, const char *key)
{
    return settings_get(l->settings, str_of(key));
}

/* Ascending, from 1. */
static void check_schedule(struct loader *l)
{
    const struct config_strings *all = &l->config->notify_schedule;
    uint64_t last = 0, n;

    for (size_t i = 0; i < all->n; i++) {
        if (str_to_u64(all->items[i], &n) && n > last && n <= INT64_MAX &&
            all->n <= MAX_THRESHOLDS) {
            last = n;
            continue;
        }
        loader_refuse(l, setting_of(l, "errors.notifications.schedule"),
                      "errors.notifications.schedule must be of numbers from 1, ascending, at most "
                      "%d",
                      MAX_THRESHOLDS);
        return;
    }
}

static void check_severities(struct loader *l, const struct setting *s,
                             const struct config_strings *all)
{
    unsigned ignored;

    for (size_t i = 0; i < all->n; i++)
        if (!option_choice("debug|info|warning|error|critical", all->items[i], &ignored))
            loader_refuse(l, s, "%.*s: \"%.*s\" is not debug, info, warning, error or critical",
                          STR_ARG(s->key), STR_ARG(all->items[i]));
}

static void check_smtp(struct loader *l)
{
    const struct config *c = l->config;

    if (c->smtp_user.len > 0 && c->smtp_tls == CONFIG_SMTP_NONE)
        loader_refuse(l, setting_of(l, "errors.notifications.smtp.user"),
                      "errors.notifications.smtp.user: its password would be sent for everybody to "
                      "read; see errors.notifications.smtp.tls");
    if (c->smtp_host.len > 0 && c->smtp_from.len == 0)
        loader_refuse(l, setting_of(l, "errors.notifications.smtp.host"),
                      "errors.notifications.smtp.host needs errors.notifications.smtp.from");
}

struct headers {
    struct config_pair *items;
    size_t n, cap;
};

static void set_part(struct loader *l, struct config_channel *to, struct headers *headers,
                     struct str name, const struct setting *s)
{
    unsigned type;

    if (str_is(name, "type") && option_choice(s->option->choices, s->items[0], &type))
        to->type = (enum config_channel_type)type;
    if (str_is(name, "to"))
        to->to = (struct config_strings){s->items, s->n};
    if (str_is(name, "severities")) {
        to->severities = (struct config_strings){s->items, s->n};
        check_severities(l, s, &to->severities);
    }
    if (str_starts(name, STR("headers.")))
        VEC_PUSH(l->arena, headers,
                 (struct config_pair){str_sub(name, strlen("headers."), SIZE_MAX), s->items[0]});
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (str_eq(parts[i].name, name))
            *(struct str *)(void *)((char *)to + parts[i].offset) = s->items[0];
}

/* False: nothing is said of it. */
static bool read_channel(struct loader *l, size_t n, struct config_channel *to)
{
    struct str prefix = arena_printf(l->arena, "errors.notifications.channels[%zu].", n);
    const struct setting *last = NULL, *type = NULL;
    struct headers headers = {0};

    *to = (struct config_channel){.severities = l->config->notify_severities};
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct setting *s = l->settings->by_key.entries[i].value;
        struct str name;

        if (!str_starts(s->key, prefix))
            continue;
        last = s;
        name = str_sub(s->key, prefix.len, SIZE_MAX);
        if (str_is(name, "type"))
            type = s;
        set_part(l, to, &headers, name, s);
    }
    if (last == NULL)
        return false;
    if (type == NULL)
        loader_refuse(l, last, "errors.notifications.channels[%zu] has no type", n);
    else if (to->name.len == 0)
        to->name = type->items[0];
    to->headers = (struct config_pairs){headers.items, headers.n};
    return true;
}

/* By its name a channel is known to all daemons. */
static void check_names(struct loader *l, const struct config_channel *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (str_eq(all[i].name, all[j].name))
                errors_add(l->errs, CONFIG_INVALID,
                           "errors.notifications.channels[%zu]: there is another channel \"%.*s\"",
                           i, STR_ARG(all[i].name));
}

void notifications_apply(struct loader *l)
{
    struct {
        struct config_channel *items;
        size_t n, cap;
    } all = {0};
    struct config_channel one;

    check_schedule(l);
    check_severities(l, setting_of(l, "errors.notifications.severities"),
                     &l->config->notify_severities);
    check_smtp(l);
    while (read_channel(l, all.n, &one))
        VEC_PUSH(l->arena, &all, one);
    sections_refuse_gaps(l, STR("errors.notifications.channels"), all.n, "channels");
    if (all.n > MAX_CHANNELS)
        errors_add(l->errs, CONFIG_INVALID, "errors.notifications.channels: at most %d channels",
                   MAX_CHANNELS);
    check_names(l, all.items, all.n);
    l->config->channels = all.items;
    l->config->nchannels = all.n;
}
