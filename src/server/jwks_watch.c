/*
 * jwks_watch.c - keeps the keys of tokens those of a key set, in a file or behind a URL.
 *
 * Thread:   a helper of its own.
 */
#include "server/jwks_watch.h"

#include "base/condition.h"
#include "base/log.h"
#include "base/readfile.h"
#include "base/thread.h"
#include "metrics/metrics.h"
#include "server/fetch.h"

#include <errno.h>
#include <pthread.h>

#define MAX_BYTES   ((size_t)1024 * 1024)
#define FIRST_PAUSE UINT64_C(500)
#define LAST_PAUSE  UINT64_C(30000)
/* Without any keys nobody is let in. */
#define LAST_PAUSE_WITHOUT UINT64_C(1000)

struct jwks_watch {
    struct jwks_watch_options opt;
    struct thread *thread;
    atomic_bool stopping;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool kicked; /* under the mutex */
    /* the thread's own */
    struct deadline next;
    struct deadline next_kick; /* not before */
    struct deadline stale;     /* the keys hold until then */
    uint64_t pause_ms;         /* after failures */
    bool failing;              /* the log knows */
};

static bool read_source(struct jwks_watch *w, struct buf *out, struct buf *why)
{
    const struct jwks_watch_options *opt = &w->opt;
    const struct fetch fetch = {.url = opt->url,
                                .ca_file = opt->ca_file,
                                .timeout_ms = opt->timeout_ms,
                                .max_bytes = MAX_BYTES,
                                .allow_http = opt->allow_http,
                                .stop = &w->stopping};
    struct arena *a;
    struct str text;
    bool ok;

    if (opt->url != NULL)
        return fetch_get(&fetch, out, why);
    a = arena_new(0);
    ok = readfile(opt->file, MAX_BYTES, a, &text);
    if (!ok)
        buf_printf(why, "%s", strerror(errno));
    else if (text.len > MAX_BYTES)
        buf_printf(why, "more than %zu bytes", MAX_BYTES);
    else
        buf_append_str(out, text);
    ok = ok && text.len <= MAX_BYTES;
    arena_free(a);
    return ok;
}

static const char *source_of(const struct jwks_watch *w)
{
    return w->opt.url != NULL ? w->opt.url : w->opt.file;
}

static bool take(struct jwks_watch *w, struct str json, struct buf *why)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    size_t usable = 0, skipped = 0;
    bool ok;

    errors_init(&errs, a);
    ok = auth_set_jwks(w->opt.auth, w->opt.issuer, json, &usable, &skipped, &errs);
    if (!ok)
        buf_append_str(why, errs.first->message);
    else if (w->failing || w->stale.at_ns == 0)
        LOG(LOG_INFO, "keys of tokens loaded", LOG_CSTR("from", source_of(w)),
            LOG_INT("keys", usable), LOG_INT("skipped", skipped));
    arena_free(a);
    return ok;
}

/* Those of before, for as long as they may be used. */
static bool holds_keys(const struct jwks_watch *w)
{
    return w->stale.at_ns != 0 && w->stale.at_ns != UINT64_MAX && !deadline_passed(w->stale);
}

/* Sets when to look next. */
static void note(struct jwks_watch *w, bool ok, struct str why)
{
    metric_add(ok ? METRIC_JWKS_OK : METRIC_JWKS_ERROR, 1);
    if (ok) {
        metric_gauge_set(GAUGE_JWKS_LAST_SUCCESS, (double)(wall_clock_us() / 1000000));
        w->pause_ms = 0;
        w->failing = false;
        w->stale = deadline_in_ms(w->opt.refresh_ms + w->opt.stale_ok_ms);
        w->next = deadline_in_ms(w->opt.refresh_ms);
        return;
    }
    if (!w->failing)
        LOG(LOG_ERROR, "could not load the keys of tokens", LOG_CSTR("from", source_of(w)),
            LOG_STR("reason", why));
    w->failing = true;
    w->pause_ms = w->pause_ms == 0 ? FIRST_PAUSE : 2 * w->pause_ms;
    w->pause_ms = size_min(w->pause_ms, holds_keys(w) ? LAST_PAUSE : LAST_PAUSE_WITHOUT);
    w->next = deadline_in_ms(size_min(w->pause_ms, w->opt.refresh_ms));
    if (holds_keys(w))
        w->next = deadline_earlier(w->next, w->stale);
}

static void look(struct jwks_watch *w)
{
    struct buf json, why;
    bool ok;

    buf_init(&json, MAX_BYTES);
    buf_init(&why, 1024);
    ok = read_source(w, &json, &why) && take(w, buf_str(&json), &why);
    if (!atomic_load(&w->stopping))
        note(w, ok, buf_str(&why));
    if (!ok && w->stale.at_ns != 0 && deadline_passed(w->stale)) {
        LOG(LOG_ERROR, "the keys of tokens are too old: dropped", LOG_CSTR("from", source_of(w)));
        auth_drop_jwks(w->opt.auth, w->opt.issuer);
        w->stale = DEADLINE_NEVER;
    }
    w->next_kick = deadline_in_ms(w->opt.min_refetch_ms);
    buf_fini(&json);
    buf_fini(&why);
}

/* False: stopping. A kick within the pause is kept for its end. */
static bool wait_for_look(struct jwks_watch *w)
{
    bool due = false;

    pthread_mutex_lock(&w->mutex);
    while (!atomic_load(&w->stopping) && !due) {
        struct deadline until = w->kicked ? deadline_earlier(w->next, w->next_kick) : w->next;

        due = deadline_passed(until);
        if (!due)
            (void)condition_wait(&w->wake, &w->mutex, until);
    }
    w->kicked = false;
    pthread_mutex_unlock(&w->mutex);
    return !atomic_load(&w->stopping);
}

static void run(void *arg)
{
    struct jwks_watch *w = arg;

    do {
        look(w);
    } while (wait_for_look(w));
}

struct jwks_watch *jwks_watch_start(const struct jwks_watch_options *opt)
{
    struct jwks_watch *w = xcalloc(1, sizeof(*w));

    w->opt = *opt;
    CHECK(pthread_mutex_init(&w->mutex, NULL) == 0);
    condition_init(&w->wake);
    w->thread = thread_start(THREAD_HELPER, "jwks", run, w);
    return w;
}

void jwks_watch_kick(struct jwks_watch *w)
{
    pthread_mutex_lock(&w->mutex);
    w->kicked = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
}

void jwks_watch_stop(struct jwks_watch *w)
{
    pthread_mutex_lock(&w->mutex);
    atomic_store(&w->stopping, true);
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->mutex);
    thread_join(w->thread);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    xfree(w);
}
