/*
 * ops_endpoints.c - health, readiness and metrics; answered on the loop at once.
 *
 * Thread:   loop. Nothing here waits for the database, so probes cost it nothing
 *           and are answered under overload.
 * Memory:   the reply's buf.
 */
#include "server/ops_endpoints.h"

#include "http/quality.h"
#include "metrics/metrics.h"
#include "metrics/prometheus.h"

/* Between two beats of a worker (workers.c). */
#define HEARTBEAT_NS UINT64_C(1000000000)
/* A worker that has not come round for so long is stuck. */
#define HEARTBEAT_STALE_NS (UINT64_C(10) * 1000000000)
/* Readiness outlives a database outage by so much: all pods leaving at once helps nobody. */
#define DATABASE_GRACE_NS (UINT64_C(10) * 1000000000)

static void answer(struct http_reply *r, bool ok, const char *status)
{
    r->status = ok ? 200 : 503;
    r->content_type = STR("application/json");
    buf_printf(&r->body, "{\"status\":\"%s\"}\n", status);
}

bool ops_is_live(const struct health *h)
{
    return workers_oldest_heartbeat_ns(h->workers) < HEARTBEAT_STALE_NS;
}

bool ops_has_schema(const struct health *h)
{
    const struct schema *s = schema_current(h->schema, 0);

    schema_unref(s);
    return s != NULL;
}

void ops_live(const struct health *h, struct http_reply *r)
{
    bool ok = ops_is_live(h);

    answer(r, ok, ok ? "ok" : "a worker is stuck");
}

void ops_startup(const struct health *h, struct http_reply *r)
{
    bool ok = ops_has_schema(h);

    answer(r, ok, ok ? "ok" : "the schema is not loaded yet");
}

void ops_ready(const struct health *h, struct http_reply *r)
{
    struct pgpool_stats pool;

    pgpool_stats(h->pool, &pool);
    if (h->draining)
        answer(r, false, "shutting down");
    else if (!ops_has_schema(h))
        answer(r, false, "the schema is not loaded yet");
    else if (!pool.up && monotonic_ns() - pool.down_since_ns > DATABASE_GRACE_NS)
        answer(r, false, "the database cannot be reached");
    else
        answer(r, true, "ok");
}

/* Seconds beyond the pause between two beats. */
static double loop_lag(const struct workers *w)
{
    uint64_t ns = workers_oldest_heartbeat_ns(w);

    return ns > HEARTBEAT_NS ? (double)(ns - HEARTBEAT_NS) / 1e9 : 0;
}

static void update_replicas(const struct pgreplicas *r)
{
    struct pgreplicas_stats replicas;

    pgreplicas_stats(r, &replicas);
    metric_gauge_set(GAUGE_DB_REPLICAS_USABLE, (double)replicas.usable);
    metric_gauge_set(GAUGE_DB_REPLICAS_UNUSABLE, (double)replicas.unusable);
    metric_gauge_set(GAUGE_DB_REPLICA_LAG, replicas.lag_s);
}

void ops_update_gauges(const struct health *h)
{
    struct pgpool_stats pool;
    struct turbo_stats turbo;

    pgpool_stats(h->pool, &pool);
    metric_gauge_set(GAUGE_DB_UP, pool.up);
    metric_gauge_set(GAUGE_DB_POOL_IDLE, (double)pool.idle);
    metric_gauge_set(GAUGE_DB_POOL_USED, (double)pool.busy);
    metric_gauge_set(GAUGE_DB_POOL_CONNECTING, (double)pool.connecting);
    metric_gauge_set(GAUGE_DB_POOL_MAX, (double)pool.max);
    metric_gauge_set(GAUGE_DB_POOL_UTILIZATION,
                     pool.max ? (double)pool.busy / (double)pool.max : 0);
    metric_gauge_set(GAUGE_DB_POOL_WAITERS, (double)pool.waiters);
    metric_gauge_set(GAUGE_WORKER_LOOP_LAG, loop_lag(h->workers));
    metric_gauge_set(GAUGE_HTTP_REQUESTS_IN_FLIGHT, (double)workers_in_flight(h->workers));
    if (h->fleet != NULL)
        metric_gauge_set(GAUGE_DB_FLEET, (double)pgfleet_size(h->fleet));
    if (h->replicas != NULL)
        update_replicas(h->replicas);
    if (h->persisted != NULL) {
        struct persisted_stats persisted;

        persisted_stats(h->persisted, &persisted);
        metric_gauge_set(GAUGE_APQ_ENTRIES, (double)persisted.entries);
    }
    if (h->turbo == NULL)
        return;
    turbo_stats(h->turbo, &turbo);
    metric_gauge_set(GAUGE_TURBO_ENTRIES, (double)turbo.entries);
    metric_gauge_set(GAUGE_TURBO_BYTES, (double)turbo.bytes);
}

static void write_metrics(const struct health *h, struct http_reply *r, bool openmetrics)
{
    ops_update_gauges(h);
    r->status = 200;
    r->content_type = openmetrics ? STR(OPENMETRICS_CONTENT_TYPE) : STR(PROMETHEUS_CONTENT_TYPE);
    prometheus_write(&r->body, openmetrics);
}

void ops_metrics(const struct health *h, struct http_reply *r)
{
    write_metrics(h, r, false);
}

void ops_openmetrics(const struct health *h, struct http_reply *r)
{
    write_metrics(h, r, true);
}

bool ops_wants_openmetrics(struct str accept)
{
    unsigned open = 0, text = 0, q;
    struct str type;

    while (quality_next(&accept, &type, &q)) {
        if (str_eq_nocase(type, STR("application/openmetrics-text")))
            open = (unsigned)size_max(open, q);
        else if (str_eq_nocase(type, STR("text/plain")))
            text = (unsigned)size_max(text, q);
    }
    return open > 0 && open >= text;
}
