/*
 * schema_watch.c - keeps the published schema true to the database's catalog.
 *
 * Thread:   jobs; the mutex guards the two flags only.
 * Memory:   each load has an arena of its own; the schema has another.
 * Not here: what a catalog document means (schema/catalog.c).
 */
#include "jobs/schema_watch.h"

#include "base/log.h"
#include "base/thread.h"
#include "metrics/metrics.h"
#include "sql/catalog.h"

#include <pthread.h>

#define LOAD_TIMEOUT_MS 60000

struct schema_watch {
    struct schema_watch_options opt;
    struct thread *thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool kicked;
    bool stopping;
};

/* --- one load -------------------------------------------------------------------- */

/* The text of a text[]: every element quoted. */
static const char *text_array(const struct str *items, size_t n, struct arena *a)
{
    struct buf b;
    struct str s;

    buf_init(&b, 0);
    buf_append_char(&b, '{');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_append_char(&b, ',');
        buf_append_char(&b, '"');
        for (size_t j = 0; j < items[i].len; j++) {
            if (items[i].data[j] == '"' || items[i].data[j] == '\\')
                buf_append_char(&b, '\\');
            buf_append_char(&b, items[i].data[j]);
        }
        buf_append_char(&b, '"');
    }
    buf_append_char(&b, '}');
    s = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return s.data;
}

/* The catalog document, in the arena. */
static bool read_catalog(const struct schema_watch_options *opt, struct arena *a, struct str *out,
                         struct errors *errs)
{
    const char *params[] = {
        text_array(opt->schemas, opt->nschemas, a),
        text_array(opt->views, opt->nviews, a),
        text_array(opt->tables, opt->ntables, a),
        text_array(opt->views, opt->materialized_views ? opt->nviews : 0, a),
        text_array(opt->exclude, opt->nexclude, a),
        arena_dup(a, opt->role).data,
        text_array(opt->functions, opt->nfunctions, a),
    };
    struct pgsession session = {.role = "", .timeout_ms = LOAD_TIMEOUT_MS, .read_only = true};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement, .params = params};
    struct pgbatch batch;
    struct pgvalue value;

    pgstatement_init(&statement, str_of(sql_catalog), COUNT_OF(params));
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.repeatable = true;
    batch.until = deadline_in_ms(LOAD_TIMEOUT_MS);
    if (!pgpool_run(opt->pool, &batch, errs))
        return false;
    CHECK(pgrows_count(call.rows) == 1 && pgrows_columns(call.rows) == 1);
    pgrows_row(call.rows, 0, &value);
    CHECK(value.len >= 0);
    *out = str_make(value.data, (size_t)value.len);
    return true;
}

const struct schema *schema_load(const struct schema_watch_options *opt, struct errors *errs)
{
    struct arena *a = arena_new(0);
    struct str json;
    const struct schema *s = NULL;

    if (read_catalog(opt, a, &json, errs))
        s = schema_from_catalog(json, &opt->schema, errs);
    arena_free(a);
    return s;
}

/* A function that was meant to be served, but is not, is no error: it may be one of another use. */
static void log_skipped(const struct schema *s)
{
    for (size_t i = 0; i < s->nskipped; i++)
        LOG(LOG_WARN, "function not exposed", LOG_STR("function", s->skipped[i].name),
            LOG_STR("reason", s->skipped[i].reason));
}

/* Do they keep the schema from being served? */
static bool log_findings(const struct schema *s, bool refuse)
{
    for (size_t i = 0; i < s->nfindings; i++)
        LOG(refuse ? LOG_ERROR : LOG_WARN, "tenants may not be isolated",
            LOG_CSTR("finding", finding_code_name(s->findings[i].code)),
            LOG_STR("object", s->findings[i].object), LOG_STR("problem", s->findings[i].problem),
            LOG_STR("fix", s->findings[i].fix));
    if (!refuse || s->nfindings == 0)
        return false;
    LOG(LOG_ERROR, "refused to serve the schema", LOG_INT("findings", s->nfindings),
        LOG_CSTR("hint", "see fraiseqld check --connect, or tenancy.enforce_rls_check"));
    return true;
}

/* --- the thread ------------------------------------------------------------------------ */

static void log_errors(const struct errors *errs)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next)
        LOG(LOG_ERROR, "could not load the schema",
            LOG_CSTR("code", error_code_info(e->code)->name), LOG_STR("error", e->message),
            LOG_STR("detail", e->detail), LOG_STR("hint", e->hint));
}

static bool load_and_publish(struct schema_watch *w)
{
    struct arena *a = arena_new(0);
    uint64_t started = monotonic_ns();
    struct errors errs;
    const struct schema *s;

    errors_init(&errs, a);
    s = schema_load(&w->opt, &errs);
    if (s != NULL && log_findings(s, w->opt.refuse_findings)) {
        metric_add(METRIC_SCHEMA_LOADS_ERROR, 1);
        schema_unref(s);
        arena_free(a);
        return false;
    }
    metric_add(s ? METRIC_SCHEMA_LOADS_OK : METRIC_SCHEMA_LOADS_ERROR, 1);
    if (s == NULL) {
        log_errors(&errs);
    } else {
        LOG(LOG_INFO, "schema loaded", LOG_INT("version", s->version),
            LOG_INT("relations", s->nrelations), LOG_INT("functions", s->nfunctions),
            LOG_INT("types", s->ntypes), LOG_NS("duration_ms", monotonic_ns() - started));
        log_skipped(s);
        schema_publish(w->opt.slot, s);
    }
    arena_free(a);
    xmalloc_trim();
    return s != NULL;
}

/* Sleep until kicked, or for pause_ms when that is not 0. False: stopping. */
static bool wait_for_work(struct schema_watch *w, uint64_t pause_ms)
{
    struct timespec until;
    bool go;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(pause_ms / 1000);
    until.tv_nsec += (long)(pause_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&w->mutex);
    while (!w->kicked && !w->stopping) {
        if (pause_ms == 0)
            pthread_cond_wait(&w->changed, &w->mutex);
        else if (pthread_cond_timedwait(&w->changed, &w->mutex, &until) != 0)
            break;
    }
    w->kicked = false;
    go = !w->stopping;
    pthread_mutex_unlock(&w->mutex);
    return go;
}

static void run(void *arg)
{
    struct schema_watch *w = arg;
    uint64_t pause_ms = 0;
    bool loaded = false;

    do {
        bool ok = load_and_publish(w);

        loaded = loaded || ok;
        if (loaded)
            pause_ms = 0; /* the next load is asked for */
        else if (pause_ms == 0)
            pause_ms = size_max(w->opt.backoff_min_ms, 1);
        else
            pause_ms = size_min(pause_ms * 2, size_max(w->opt.backoff_max_ms, 1));
    } while (wait_for_work(w, pause_ms));
}

struct schema_watch *schema_watch_start(const struct schema_watch_options *opt)
{
    struct schema_watch *w = xcalloc(1, sizeof(*w));
    pthread_condattr_t attr;

    w->opt = *opt;
    CHECK(pthread_mutex_init(&w->mutex, NULL) == 0);
    CHECK(pthread_condattr_init(&attr) == 0);
    CHECK(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    CHECK(pthread_cond_init(&w->changed, &attr) == 0);
    pthread_condattr_destroy(&attr);
    w->thread = thread_start(THREAD_JOBS, "jobs", run, w);
    return w;
}

static void set_flag(struct schema_watch *w, bool *flag)
{
    pthread_mutex_lock(&w->mutex);
    *flag = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

void schema_watch_kick(struct schema_watch *w)
{
    set_flag(w, &w->kicked);
}

void schema_watch_stop(struct schema_watch *w)
{
    set_flag(w, &w->stopping);
    thread_join(w->thread);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->mutex);
    xfree(w);
}
