/*
 * daemon.c - builds everything from a configuration, serves, drains, stops.
 *
 * Thread:   the main thread, which becomes the loop.
 * Memory:   the daemon owns its parts; they end in the reverse order of their start.
 * Not here: what the parts do.
 *
 *   running --SIGTERM--> leaving --delay--> closing --all answered, or drain_timeout--> stopped
 *
 * Leaving: not ready, but still accepting, because load balancers learn late.
 * Closing: no new connections, idle ones closed. A second signal skips to stopped.
 */
#include "server/daemon.h"

#include "base/thread.h"
#include "http/handed.h"
#include "http/listener.h"
#include "jobs/persisted_sync.h"
#include "jobs/scheduler.h"
#include "jobs/schema_watch.h"
#include "jobs/timezone.h"
#include "jobs/turbo_sync.h"
#include "server/cachewarm.h"
#include "server/certificate.h"
#include "server/descriptors.h"
#include "server/endpoints.h"
#include "server/front_watch.h"
#include "server/notification_options.h"
#include "server/observers.h"
#include "server/options.h"
#include "server/reload.h"
#include "server/revocation_watch.h"
#include "server/setup.h"
#include "server/supervisor.h"
#include "server/warmup.h"
#include "version.h"

#include <pthread.h>
#include <signal.h>

#define MAX_LISTENERS  8
#define DRAIN_CHECK_MS 20
/* How often is looked whether a configuration that was replaced is still used. */
#define RETIRE_CHECK_MS 1000
/* Requests that wait to be written to the result cache's log, 300 bytes each. */
#define CACHE_LOG_MAX 50000
/* What clients had begun to send when the listeners closed may arrive for so long. */
#define ARRIVAL_MS 1000
/* For what comes behind the drain: statements that are cancelled, what is written at the end. */
#define END_MS 15000
/* Fields of an operation with its fragments written out: as many as the planner takes. */
#define MAX_FIELDS 20000

enum phase {
    RUNNING,
    LEAVING,
    CLOSING,
    STOPPED,
};

struct daemon {
    const struct config *config;
    struct arena *arena; /* owned; option structures */
    struct loop *loop;
    struct pgpool *pool;
    struct pgfleet *fleet;       /* NULL: off */
    struct pgreplicas *replicas; /* NULL: there are none */
    struct schema_slot *slot;
    struct schema_watch *watch;
    struct turbo *turbo;
    struct resultcache *results; /* NULL: off, as the next */
    struct cachelog *cachelog;
    struct front_watch *front_watch; /* NULL: nothing is kept in memory, or nobody tells */
    struct warmup *warmup;
    struct turbo_sync *turbo_sync; /* NULL: off */
    struct persisted *persisted;
    struct persisted_sync *persisted_sync; /* NULL: in memory only */
    struct job_list jobs;
    struct scheduler *scheduler; /* NULL: off */
    struct trusted *trusted;
    struct labels *labels;
    struct auth *auth;
    struct jwks_watch **jwks; /* of each issuer; NULL: no key set */
    size_t njwks;
    struct revocation_watch *revocation; /* NULL: off */
    struct observers observers;
    struct notifications notifications;
    struct workers *workers;
    pthread_mutex_t setup_lock;
    struct setup *setup; /* owned, with the older ones; written by the main loop, under the lock */
    struct setup_parts parts;
    struct timer *retiring; /* while there are older ones */
    struct reload *reload;
    struct health health;
    struct endpoints endpoints;
    struct listener *listeners[MAX_LISTENERS];
    size_t nlisteners;
    size_t napi; /* the first of them are those of the API */
    struct certificate *certificate;
    struct handed handed; /* by the service manager */
    struct supervisor *supervisor;
    struct timer *timer; /* of the phases */
    enum phase phase;
    struct deadline drain_until;
    struct deadline arrival_until;
};

/* --- stopping ------------------------------------------------------------------ */

/* Also those whose client has gone: they end when their worker has replied. */
static size_t in_flight(const struct daemon *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->nlisteners; i++)
        n += listener_in_flight(d->listeners[i]);
    return n;
}

/* May one still arrive that its client does not know to be late? */
static bool awaits_requests(const struct daemon *d)
{
    if (deadline_passed(d->arrival_until))
        return false;
    for (size_t i = 0; i < d->nlisteners; i++)
        if (listener_awaited(d->listeners[i]) > 0)
            return true;
    return false;
}

static void stop_now(struct daemon *d)
{
    d->phase = STOPPED;
    loop_stop(d->loop);
}

static void close_listeners(struct daemon *d)
{
    d->phase = CLOSING;
    d->drain_until = deadline_in_ms(d->config->shutdown_drain_timeout_ms);
    d->arrival_until = deadline_earlier(d->drain_until, deadline_in_ms(ARRIVAL_MS));
    for (size_t i = 0; i < d->nlisteners; i++) {
        listener_stop_accepting(d->listeners[i]);
        listener_drain(d->listeners[i], true);
    }
}

static void on_timer(void *ctx)
{
    struct daemon *d = ctx;

    if (d->phase == LEAVING)
        close_listeners(d);
    if (d->phase != CLOSING)
        return;
    if (in_flight(d) == 0 && !awaits_requests(d)) {
        stop_now(d);
        return;
    }
    if (deadline_passed(d->drain_until)) {
        LOG(LOG_WARN, "requests were still running when the drain timeout ended",
            LOG_INT("requests", in_flight(d)));
        stop_now(d);
        return;
    }
    timer_set(d->timer, deadline_in_ms(DRAIN_CHECK_MS));
}

static void on_stop_signal(int signo, void *ctx)
{
    struct daemon *d = ctx;
    uint64_t delay_ms = signo == SIGTERM ? d->config->shutdown_delay_ms : 0;

    if (d->phase != RUNNING) {
        LOG(LOG_INFO, "stopping at once");
        stop_now(d);
        return;
    }
    LOG(LOG_INFO, "shutting down", LOG_CSTR("signal", signo == SIGTERM ? "SIGTERM" : "SIGINT"),
        LOG_INT("delay_ms", delay_ms), LOG_INT("requests", in_flight(d)));
    d->phase = LEAVING;
    d->health.draining = true;
    for (size_t i = 0; i < d->nlisteners; i++)
        listener_drain(d->listeners[i], false);
    supervisor_stopping(d->supervisor, delay_ms + d->config->shutdown_drain_timeout_ms + END_MS);
    timer_set(d->timer, deadline_in_ms(delay_ms));
}

static void on_reload_signal(int signo, void *ctx)
{
    struct daemon *d = ctx;

    (void)signo;
    LOG(LOG_INFO, "reloading the configuration and the schema");
    reload_now(d->reload);
    certificate_look(d->certificate);
    supervisor_reloading(d->supervisor, schema_watch_kick(d->watch));
}

static bool is_reloaded(void *ctx, uint64_t number)
{
    const struct daemon *d = ctx;

    return schema_watch_answered(d->watch, number);
}

/* Until now the kernel kept what came to sockets that were handed over. */
static void on_started(void *ctx)
{
    struct daemon *d = ctx;

    for (size_t i = 0; i < d->nlisteners; i++)
        listener_accept(d->listeners[i]);
}

static uint64_t on_doubt(void *ctx)
{
    const struct daemon *d = ctx;

    return schema_watch_doubt(d->watch);
}

static bool doubt_checked(void *ctx, uint64_t number, bool *certain)
{
    const struct daemon *d = ctx;

    return schema_watch_checked(d->watch, number, certain);
}

/* Any thread. */
static struct setup *hold_setup(struct daemon *d)
{
    struct setup *s;

    pthread_mutex_lock(&d->setup_lock);
    s = d->setup;
    atomic_fetch_add_explicit(&s->users, 1, memory_order_relaxed);
    pthread_mutex_unlock(&d->setup_lock);
    return s;
}

static void release_setup(struct setup *s)
{
    atomic_fetch_sub_explicit(&s->users, 1, memory_order_release);
}

static void before_publication(void *ctx, const struct schema *const *next, size_t n)
{
    struct daemon *d = ctx;
    struct setup *s = hold_setup(d);

    warm_plans(&s->engine, next, n);
    warmup_run(d->warmup, &s->engine, next, n);
    release_setup(s);
}

static bool on_warm(void *ctx, const struct scheduled_job *j, struct deadline until,
                    const atomic_bool *stopping, struct arena *a, struct str *detail)
{
    struct daemon *d = ctx;
    struct setup *s = hold_setup(d);
    struct cachewarm w = {&s->engine, d->auth, d->pool, until, stopping};
    bool ok = cachewarm_job(&w, j, a, detail);

    release_setup(s);
    return ok;
}

static void after_publication(void *ctx, const uint64_t *versions, size_t n)
{
    const struct daemon *d = ctx;

    if (d->turbo != NULL)
        turbo_forget(d->turbo, versions, n);
}

/* --- building ------------------------------------------------------------------- */

static void use_tls(void *ctx, const struct tls *t)
{
    struct daemon *d = ctx;

    for (size_t i = 0; i < d->napi; i++)
        listener_set_tls(d->listeners[i], t);
}

static void make_caches(struct daemon *d, struct setup_parts *parts)
{
    const struct config *c = d->config;

    d->turbo = c->turbo_enabled ? turbo_new(c->turbo_max_entries, c->turbo_max_bytes) : NULL;
    d->results = options_results(c, d->arena);
    if (d->results != NULL && c->cache_log_sample > 0)
        d->cachelog = cachelog_new(c->cache_log_sample, CACHE_LOG_MAX);
    parts->turbo = d->turbo;
    parts->results = d->results;
    parts->cachelog = d->cachelog;
}

/* What requests that come from now on are answered by. Main loop. */
static void use_setup(struct daemon *d, struct setup *s)
{
    const struct config *c = s->config;

    pthread_mutex_lock(&d->setup_lock);
    s->older = d->setup;
    d->setup = s;
    pthread_mutex_unlock(&d->setup_lock);
    d->endpoints = (struct endpoints){
        .workers = d->workers,
        .graphql = &s->graphql,
        .users = &s->users,
        .health = &d->health,
        .graphiql = s->graphiql,
        .graphql_path = c->graphql_path,
        .metrics_path = c->metrics_enabled ? c->metrics_path : STR(""),
        .openmetrics = c->metrics_openmetrics,
    };
}

static bool open_listener(struct daemon *d, struct str address, bool later,
                          exchange_handler *handler, struct errors *errs)
{
    struct listener_options opt = options_listener(d->config, address);
    struct listener *ln;

    if (d->nlisteners == MAX_LISTENERS) {
        errors_add(errs, CONFIG_INVALID, "server.listen: at most %d addresses", MAX_LISTENERS - 1);
        return false;
    }
    opt.accept_later = later;
    ln = listener_open(d->loop, &opt, handler, &d->endpoints, errs);
    if (ln == NULL)
        return false;
    d->listeners[d->nlisteners++] = ln;
    return true;
}

/*
 * "systemd:http" is every socket of that name that was handed over. They outlive the process, so
 * clients that come while it starts anew need not be refused: they wait for the schema.
 */
static bool listen_on(struct daemon *d, struct str address, exchange_handler *handler,
                      struct errors *errs)
{
    const struct str prefix = STR("systemd:");
    size_t before = d->nlisteners;
    struct str name = str_sub(address, prefix.len, SIZE_MAX);
    char text[32];
    int fd;

    if (!str_starts(address, prefix))
        return open_listener(d, address, false, handler, errs);
    while ((fd = handed_take(&d->handed, name)) >= 0) {
        snprintf(text, sizeof(text), "fd:%d", fd);
        if (!open_listener(d, str_of(text), handler == endpoints_api, handler, errs))
            return false;
    }
    if (d->nlisteners == before)
        errors_add(errs, CONFIG_INVALID,
                   "could not listen on \"%.*s\": no socket of that name was handed over",
                   STR_ARG(address))
            ->hint = STR("it is the FileDescriptorName= of a socket unit; see $LISTEN_FDNAMES");
    return d->nlisteners > before;
}

/* Clients that connect to them would wait forever. */
static void warn_of_untaken(const struct daemon *d)
{
    for (size_t i = 0; i < d->handed.n; i++)
        if (!d->handed.items[i].taken)
            LOG(LOG_WARN, "a socket was handed over that server.listen does not name",
                LOG_STR("name", d->handed.items[i].name));
}

static bool open_listeners(struct daemon *d, struct errors *errs)
{
    const struct config *c = d->config;

    for (size_t i = 0; i < c->listen.n; i++)
        if (!listen_on(d, c->listen.items[i], endpoints_api, errs))
            return false;
    d->napi = d->nlisteners;
    use_tls(d, certificate_tls(d->certificate));
    if (c->admin_listen.len > 0 && !listen_on(d, c->admin_listen, endpoints_admin, errs))
        return false;
    warn_of_untaken(d);
    return true;
}

static void on_unknown_key(void *ctx)
{
    jwks_watch_kick(ctx);
}

static void start_jwks(struct daemon *d)
{
    size_t n = options_issuers(d->config);

    d->jwks = ARENA_ARRAY(d->arena, n, struct jwks_watch *);
    for (d->njwks = 0; d->njwks < n; d->njwks++) {
        size_t i = d->njwks;
        struct jwks_watch_options opt = options_jwks_watch(d->config, i, d->arena);

        if (opt.url == NULL && opt.file == NULL)
            continue;
        opt.auth = d->auth;
        d->jwks[i] = jwks_watch_start(&opt);
        auth_on_unknown_key(d->auth, i, on_unknown_key, d->jwks[i]);
    }
}

static void start_services(struct daemon *d)
{
    const struct config *c = d->config;
    struct workers_options workers = {
        .count = options_workers(c),
        .max_queue = c->max_queue,
        .pool = d->pool,
        .replicas = d->replicas,
        .compression_level = (int)c->compression_level,
    };
    struct schema_watch_options watch = options_schema_watch(c, d->arena);

    if (c->pool_fleet_max > 0)
        d->fleet = pgfleet_start(d->pool, c->pool_fleet_max);
    watch.pool = d->pool;
    watch.slot = d->slot;
    watch.before = before_publication;
    watch.after = after_publication;
    watch.ctx = d;
    d->warmup =
        warmup_new(&(struct warmup_options){d->pool, c->turbo_warm_from_table, c->turbo_warm_file});
    d->watch = schema_watch_start(&watch);
    if (d->persisted != NULL && persisted_is_shared(d->persisted))
        d->persisted_sync = persisted_sync_start(&(struct persisted_sync_options){
            d->pool, d->persisted, c->apq_ttl_ms, c->apq_max_rows});
    if (d->turbo != NULL && (c->turbo_stats || d->results != NULL))
        d->turbo_sync = turbo_sync_start(&(struct turbo_sync_options){
            d->pool, d->turbo, c->turbo_stats, d->results != NULL, d->cachelog});
    if (c->jobs_enabled)
        d->scheduler = scheduler_start(&(struct scheduler_options){
            &d->jobs, d->pool, c->jobs_jitter_ms, d->results != NULL ? on_warm : NULL, d});
    notifications_start(&d->notifications, d->pool, d->arena);
    if (d->results != NULL && d->results->front != NULL && c->notify_listen)
        d->front_watch = front_watch_start(d->pool, arena_dup(d->arena, c->notify_channel).data,
                                           d->results->front);
    start_jwks(d);
    if (c->revocation_enabled)
        d->revocation = revocation_watch_start(&(struct revocation_watch_options){
            d->auth, d->pool, c->notify_listen ? arena_dup(d->arena, c->notify_channel).data : NULL,
            c->revocation_poll_ms});
    d->workers = workers_start(&workers);
    d->health = (struct health){.workers = d->workers,
                                .pool = d->pool,
                                .fleet = d->fleet,
                                .replicas = d->replicas,
                                .schema = d->slot,
                                .turbo = d->turbo,
                                .persisted = d->persisted};
    observers_start_snapshots(&d->observers, c, &d->health);
    d->endpoints.workers = d->workers;
}

/*
 * From the beginning: what comes before the loop runs waits for it. Else a signal would kill a
 * daemon that starts, and pass the first process of a container unnoticed.
 */
static void catch_signals(struct daemon *d)
{
    loop_signal(d->loop, SIGTERM, on_stop_signal, d);
    loop_signal(d->loop, SIGINT, on_stop_signal, d);
    loop_signal(d->loop, SIGHUP, on_reload_signal, d);
}

/* All that may be refused; nothing of it serves yet. */
static bool prepare(struct daemon *d, struct errors *errs)
{
    const struct config *c = d->config;
    struct setup *s;

    d->auth = options_auth(c, d->arena, errs);
    d->pool = options_pool(c, d->arena, errs);
    d->certificate = certificate_start(d->loop, c, use_tls, d, errs);
    if (d->auth == NULL || d->pool == NULL || d->certificate == NULL || !observers_check(c, errs) ||
        !options_replicas(c, d->pool, d->arena, &d->replicas, errs) ||
        !options_recall(c, &d->persisted, &d->trusted, &d->parts.recall, errs) ||
        !options_jobs(c, d->arena, &d->jobs, errs) ||
        !notifications_new(c, d->arena, &d->notifications, errs) ||
        !observers_start(&d->observers, c, d->pool, d->arena, errs))
        return false;
    d->labels = options_labels(c, d->trusted);
    d->parts.labels = d->labels;
    d->parts.slot = d->slot;
    d->parts.replicas = d->replicas;
    d->parts.observers = &d->observers;
    d->parts.auth = d->auth;
    d->parts.doubt = on_doubt;
    d->parts.doubt_checked = doubt_checked;
    d->parts.doubt_ctx = d;
    make_caches(d, &d->parts);
    s = setup_new(&d->parts, c, NULL, errs);
    if (s == NULL)
        return false;
    use_setup(d, s);
    return true;
}

struct daemon *daemon_start(const struct config *c, struct errors *errs)
{
    struct daemon *d = xcalloc(1, sizeof(*d));

    xmalloc_setup();
    descriptors_raise(c);
    unsetenv("PGTZ"); /* libpq would send them, over the styles that the planner relies on */
    unsetenv("PGDATESTYLE");
    /* Before there are threads, which read the environment and the zone. */
    if (c->jobs_enabled)
        timezone_set(c->jobs_timezone);
    d->config = c;
    d->arena = arena_new(0);
    handed_read(&d->handed, getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getenv("LISTEN_FDNAMES"));
    signal(SIGPIPE, SIG_IGN);
    thread_become(THREAD_LOOP, "loop");
    CHECK(pthread_mutex_init(&d->setup_lock, NULL) == 0);
    d->loop = loop_new("loop");
    catch_signals(d);
    d->slot = schema_slot_new(options_nroles(c));
    if (prepare(d, errs)) {
        start_services(d);
        if (open_listeners(d, errs))
            return d;
        pgpool_hurry(d->pool); /* a database that is away is not waited for */
    }
    daemon_free(d);
    return NULL;
}

/* --- another configuration ---------------------------------------------------------------------
 */

/* Requests that came before may still use the older ones. */
static void on_retired(struct loop_task *t)
{
    struct setup *s = CONTAINER_OF(t, struct setup, retire);
    struct daemon *d = s->retired_ctx;

    /* They may have compiled by its limits meanwhile. */
    if (d->turbo != NULL && !setup_compiles_alike(s, d->setup))
        turbo_forget(d->turbo, NULL, 0);
    setup_free(s);
}

/* Behind what the last request has posted: its reply may point into it. */
static void on_retire(void *ctx)
{
    struct daemon *d = ctx;
    struct setup **at = &d->setup->older;

    while (*at != NULL) {
        struct setup *s = *at;

        if (atomic_load_explicit(&s->users, memory_order_acquire) > 0) {
            at = &s->older;
            continue;
        }
        *at = s->older;
        s->retire.fn = on_retired;
        s->retired_ctx = d;
        loop_post(d->loop, &s->retire);
    }
    if (d->setup->older != NULL)
        timer_set(d->retiring, deadline_in_ms(RETIRE_CHECK_MS));
}

/* What only a start would meet. */
static bool check_rest(void *ctx, const struct config *c, struct errors *errs)
{
    struct arena *a = arena_new(0);
    struct auth *auth = options_auth(c, a, errs);
    struct listener_options listener = options_listener(c, STR(""));
    struct notifications notifications;
    struct job_list jobs;
    bool ok = auth != NULL && observers_check(c, errs) && options_jobs(c, a, &jobs, errs) &&
              notifications_new(c, a, &notifications, errs) && listener_check(&listener, errs) &&
              certificate_check(c, errs);

    (void)ctx;
    auth_free(auth);
    arena_free(a);
    return ok;
}

static bool has_changed(struct config_strings changed, const char *key)
{
    for (size_t i = 0; i < changed.n; i++)
        if (str_starts(changed.items[i], str_of(key)))
            return true;
    return false;
}

/* By which statements on open connections would not be the same. A password is not. */
static bool reaches_elsewhere(struct config_strings changed)
{
    static const char *const keys[] = {
        "database.url",  "database.host",    "database.port",        "database.name",
        "database.user", "database.sslmode", "database.search_path", "database.options."};

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (has_changed(changed, keys[i]))
            return true;
    return false;
}

static void release_config(const void *held)
{
    config_free(held);
}

/* Nothing of it can fail any more. */
static void take_over(struct daemon *d, struct setup *s, struct config_strings changed,
                      struct tls *tls, struct arena *a)
{
    const struct config *c = s->config;
    struct schema_watch_options watch = options_schema_watch(c, c->arena);
    struct errors errs;

    errors_init(&errs, a);
    for (size_t i = 0; i < d->nlisteners; i++) {
        struct listener_options opt = options_listener(c, STR(""));

        CHECK(listener_configure(d->listeners[i], &opt, &errs));
    }
    if (has_changed(changed, "server.tls."))
        certificate_take(d->certificate, c, tls);
    else
        tls_free(tls);
    if (has_changed(changed, "auth.jwt.keys"))
        CHECK(options_set_keys(c, d->auth, a, &errs));
    workers_set_max_queue(d->workers, c->max_queue);
    log_set_level(c->log_level);
    if (has_changed(changed, "schema.") || has_changed(changed, "tenancy.enforce_rls_check"))
        schema_watch_configure(d->watch, &watch, release_config, config_ref(c));
    d->config = c;
    use_setup(d, s);
    if (d->turbo != NULL && !setup_compiles_alike(s, s->older))
        turbo_forget(d->turbo, NULL, 0);
    if (reaches_elsewhere(changed))
        pgpool_recycle(d->pool);
    timer_set(d->retiring, deadline_in_ms(0));
}

static bool apply(void *ctx, const struct config *next, struct config_strings changed,
                  struct errors *errs)
{
    struct daemon *d = ctx;
    struct arena *a = arena_new(0);
    struct pgpool_options pool = options_pgpool(next, a);
    struct tls *tls;
    struct setup *s = NULL;

    if (certificate_prepare(next, &tls, errs) && check_rest(d, next, errs))
        s = setup_new(&d->parts, next, d->setup, errs);
    if (s != NULL &&
        !(pgpool_reconnect_by(d->pool, &pool, errs) &&
          (d->replicas == NULL ||
           pgreplicas_reconnect_by(d->replicas, options_replica_pools(next, a), errs)))) {
        setup_free(s);
        s = NULL;
    }
    if (s != NULL)
        take_over(d, s, changed, tls, a);
    else
        tls_free(tls);
    arena_free(a);
    return s != NULL;
}

static void announce(const struct daemon *d)
{
    LOG(LOG_INFO, "started", LOG_CSTR("version", FRAISEQLD_VERSION),
        LOG_CSTR("revision", FRAISEQLD_REVISION), LOG_INT("workers", options_workers(d->config)),
        LOG_INT("pool_max", d->config->pool_max), LOG_STR("environment", d->config->environment));
    for (size_t i = 0; i < d->nlisteners; i++)
        LOG(LOG_INFO, "listening", LOG_STR("address", listener_address(d->listeners[i])));
}

/* What ends now cannot be asked to end: the loop's handlers go with it, and the default kills. */
static void ignore_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void on_changed_files(void *ctx)
{
    on_reload_signal(SIGHUP, ctx);
}

void daemon_run(struct daemon *d, const struct config_sources *from)
{
    d->retiring = loop_timer(d->loop, on_retire, d);
    d->reload = reload_start(
        &(struct reload_options){d->loop, from, d->config, check_rest, apply, on_changed_files, d});
    d->timer = loop_timer(d->loop, on_timer, d);
    announce(d);
    d->supervisor = supervisor_start(
        &(struct supervisor_options){d->loop, &d->health, on_started, is_reloaded, d});
    loop_run(d->loop);
    ignore_signals();
    pgpool_hurry(d->pool);
    supervisor_free(d->supervisor);
    timer_free(d->timer);
    timer_free(d->retiring);
    reload_free(d->reload);
    LOG(LOG_INFO, "stopped");
}

void daemon_free(struct daemon *d)
{
    struct setup *s;

    observers_stop_snapshots(&d->observers);
    if (d->workers != NULL)
        workers_stop(d->workers);
    for (size_t i = 0; i < d->njwks; i++)
        if (d->jwks[i] != NULL)
            jwks_watch_stop(d->jwks[i]);
    if (d->revocation != NULL)
        revocation_watch_stop(d->revocation);
    if (d->front_watch != NULL)
        front_watch_stop(d->front_watch);
    if (d->watch != NULL)
        schema_watch_stop(d->watch);
    warmup_free(d->warmup);
    if (d->persisted_sync != NULL)
        persisted_sync_stop(d->persisted_sync);
    if (d->turbo_sync != NULL)
        turbo_sync_stop(d->turbo_sync);
    notifications_stop(&d->notifications);
    observers_stop(&d->observers);
    if (d->scheduler != NULL)
        scheduler_stop(d->scheduler);
    for (size_t i = 0; i < d->nlisteners; i++)
        listener_free(d->listeners[i]);
    certificate_free(d->certificate);
    pgreplicas_free(d->replicas);
    pgfleet_stop(d->fleet);
    if (d->pool != NULL)
        pgpool_free(d->pool);
    turbo_free(d->turbo);
    resultcache_free(d->results);
    cachelog_free(d->cachelog);
    while ((s = d->setup) != NULL) {
        d->setup = s->older;
        setup_free(s);
    }
    pthread_mutex_destroy(&d->setup_lock);
    persisted_free(d->persisted);
    labels_free(d->labels);
    trusted_free(d->trusted);
    schema_slot_free(d->slot);
    auth_free(d->auth);
    loop_free(d->loop);
    arena_free(d->arena);
    xfree(d);
}
