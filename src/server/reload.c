/*
 * reload.c - reads the configuration again, at a signal or when its files change.
 *
 * Thread:   the main loop's: files are small, and local.
 * Memory:   see reload.h.
 * Not here: see reload.h.
 *
 * A change is taken when a second look, soon after, sees the same.
 */
#include "server/reload.h"

#include "base/digest.h"
#include "metrics/metrics.h"
#include "server/certificate.h"
#include "server/glance.h"

#include <time.h>

struct reload {
    struct reload_options opt;
    const struct config *config; /* retained; in use */
    struct timer *timer;
    struct digest seen;    /* of the files when they were read */
    struct digest settled; /* at the last look */
};

/* --- files ------------------------------------------------------------------------------ */

/* Also those that are only named, whose contents others read. */
static struct digest look(const struct config *c)
{
    struct buf all = {0};
    struct digest d;

    for (size_t i = 0; i < c->files.n; i++)
        glance(c->files.items[i], &all);
    glance(c->sdl_file, &all);
    certificate_glance(c, &all);
    d = digest_sha256(buf_str(&all));
    buf_fini(&all);
    return d;
}

static void look_later(struct reload *r, uint64_t ms)
{
    if (r->config->reload_watch)
        timer_set(r->timer, deadline_in_ms(ms));
    else
        timer_clear(r->timer);
}

static void on_timer(void *ctx)
{
    struct reload *r = ctx;
    struct digest now = look(r->config);
    bool settled = digest_eq(&now, &r->settled, sizeof(now));

    r->settled = now;
    if (digest_eq(&now, &r->seen, sizeof(now))) {
        look_later(r, r->config->reload_interval_ms);
    } else if (settled) {
        LOG(LOG_INFO, "files of the configuration have changed");
        r->opt.changed(r->opt.ctx); /* sets the timer */
    } else {
        look_later(r, GLANCE_SETTLE_MS);
    }
}

/* --- reloading --------------------------------------------------------------------------- */

static void tell_failure(const struct errors *errs)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next)
        LOG(LOG_ERROR, "could not reload the configuration: the one in use stays",
            LOG_STR("place", e->file), LOG_STR("error", e->message), LOG_STR("hint", e->hint));
}

static struct str join(struct config_strings keys, struct arena *a)
{
    struct buf b = {0};
    struct str s;

    for (size_t i = 0; i < keys.n; i++)
        buf_printf(&b, "%s%.*s", i > 0 ? ", " : "", STR_ARG(keys.items[i]));
    s = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return s;
}

static void tell_success(struct config_strings changed, struct config_strings waiting,
                         struct arena *a)
{
    if (changed.n > 0)
        LOG(LOG_INFO, "configuration reloaded", LOG_STR("changed", join(changed, a)));
    else
        LOG(LOG_INFO, "configuration unchanged");
    for (size_t i = 0; i < waiting.n; i++)
        LOG(LOG_WARN, "a change of the configuration needs a restart",
            LOG_STR("key", waiting.items[i]));
}

static void note(bool successful)
{
    metric_gauge_set(GAUGE_CONFIG_RELOAD_SUCCESSFUL, successful ? 1 : 0);
    if (successful)
        metric_gauge_set(GAUGE_CONFIG_RELOAD_TIME, (double)time(NULL));
}

/* A restart with it would succeed. */
static bool is_sound(struct reload *r, struct errors *errs)
{
    struct config *c;
    bool ok = config_load(r->opt.from, &c, errs) && r->opt.check(r->opt.ctx, c, errs);

    config_free(c);
    return ok;
}

void reload_now(struct reload *r)
{
    struct arena *a = arena_new(0);
    struct config_strings waiting = {0}, changed = {0};
    struct config *next = NULL;
    struct digest seen = look(r->config);
    struct errors errs;
    bool ok;

    errors_init(&errs, a);
    ok = is_sound(r, &errs) && config_reload(r->opt.from, r->config, &next, &waiting, &errs);
    if (ok)
        changed = config_changes(r->config, next, a);
    if (changed.n > 0)
        ok = r->opt.apply(r->opt.ctx, next, changed, &errs);
    note(ok);
    if (ok) {
        tell_success(changed, waiting, a);
        config_free(r->config);
        r->config = next;
        seen = look(next); /* perhaps of other files */
    } else {
        tell_failure(&errs);
        config_free(next);
    }
    r->seen = r->settled = seen;
    look_later(r, r->config->reload_interval_ms);
    arena_free(a);
}

struct reload *reload_start(const struct reload_options *opt)
{
    struct reload *r = xcalloc(1, sizeof(*r));

    r->opt = *opt;
    r->config = config_ref(opt->config);
    r->timer = loop_timer(opt->loop, on_timer, r);
    r->seen = r->settled = look(r->config);
    look_later(r, r->config->reload_interval_ms);
    note(true);
    return r;
}

void reload_free(struct reload *r)
{
    if (r == NULL)
        return;
    timer_free(r->timer);
    config_free(r->config);
    xfree(r);
}
