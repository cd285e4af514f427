/*
 * changes.c - what differs between two configurations, and what a running daemon cannot take over.
 *
 * Thread:   the one that loads.
 * Memory:   the new config's arena; nothing of the old one is kept.
 * Not here: taking it over (server/reload.c).
 */
#include "config/settings.h"

struct keys {
    struct str *items;
    size_t n, cap;
};

static bool same_value(const struct setting *a, const struct setting *b)
{
    if (a == NULL || b == NULL || a->n != b->n)
        return a == b;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

/* Of keys that only the second may have, too. */
static struct keys differences(const struct settings *before, const struct settings *after,
                               bool only_restart, struct arena *a)
{
    struct keys keys = {0};

    for (size_t i = 0; i < after->by_key.n; i++) {
        const struct setting *s = after->by_key.entries[i].value;

        if (!(only_restart && s->option->live) && !same_value(settings_get(before, s->key), s))
            VEC_PUSH(a, &keys, arena_dup(a, s->key));
    }
    for (size_t i = 0; i < before->by_key.n; i++) {
        const struct setting *s = before->by_key.entries[i].value;

        if (!(only_restart && s->option->live) && settings_get(after, s->key) == NULL)
            VEC_PUSH(a, &keys, arena_dup(a, s->key));
    }
    return keys;
}

struct config_strings config_changes(const struct config *before, const struct config *after,
                                     struct arena *a)
{
    struct keys keys = differences(before->settings, after->settings, false, a);

    return (struct config_strings){keys.items, keys.n};
}

/* Its place is in a file of then; the origin still tells. */
static struct setting *copy_setting(struct loader *l, const struct setting *s)
{
    struct setting *to = arena_copy(l->arena, s, sizeof(*s));
    struct str *items = ARENA_ARRAY(l->arena, s->n ? s->n : 1, struct str);

    for (size_t i = 0; i < s->n; i++)
        items[i] = arena_dup(l->arena, s->items[i]);
    to->key = arena_dup(l->arena, s->key);
    to->items = items;
    to->origin = arena_dup(l->arena, s->origin);
    to->file = NULL;
    return to;
}

/* In the order of the running one, which decides about lists; what is new behind them. */
struct config_strings settings_keep(struct loader *l, const struct config *running)
{
    struct keys waiting = differences(running->settings, l->settings, true, l->arena);
    struct settings *kept = ARENA_NEW(l->arena, struct settings);

    map_init(&kept->by_key, l->arena);
    for (size_t i = 0; i < running->settings->by_key.n; i++) {
        const struct setting *s = running->settings->by_key.entries[i].value;

        if (!s->option->live) {
            struct setting *copy = copy_setting(l, s);

            map_put(&kept->by_key, copy->key, copy);
        }
    }
    for (size_t i = 0; i < l->settings->by_key.n; i++) {
        const struct map_entry *e = &l->settings->by_key.entries[i];

        if (((const struct setting *)e->value)->option->live)
            map_put(&kept->by_key, e->key, e->value);
    }
    l->settings = kept;
    return (struct config_strings){waiting.items, waiting.n};
}
