/*
 * observers.c - what keeps traces, metrics and errors: made from the configuration, ended together.
 *
 * Thread:   the main thread.
 * Memory:   texts are in the daemon's arena.
 */
#include "server/observers.h"

#include "base/jwriter.h"
#include "version.h"

#include <unistd.h>

#define TRACES_PATH "/v1/traces"
/* Of errors that wait to be written. */
#define MAX_ERROR_BYTES (32 * 1024 * 1024)

static bool has_exporter(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->tracing_exporters.n; i++)
        if (str_is(c->tracing_exporters.items[i], name))
            return true;
    return false;
}

static bool check_pairs(const char *key, struct str pairs, struct errors *errs)
{
    struct str rest = pairs, pair, name, value;

    while (rest.len > 0) {
        str_cut(rest, ',', &pair, &rest);
        if (str_cut(pair, '=', &name, &value) && str_trim(name).len > 0 && str_is_utf8(pair) &&
            str_find(pair, '\n') == pair.len && str_find(pair, '\r') == pair.len)
            continue;
        errors_add(errs, CONFIG_INVALID, "%s is not name=value,name=value", key);
        return false;
    }
    return true;
}

bool observers_check(const struct config *c, struct errors *errs)
{
    struct str url = c->otlp_endpoint;

    for (size_t i = 0; i < c->tracing_exporters.n; i++)
        if (!str_is(c->tracing_exporters.items[i], "postgres") &&
            !str_is(c->tracing_exporters.items[i], "otlp")) {
            errors_add(errs, CONFIG_INVALID,
                       "observability.tracing.exporters: \"%.*s\" is not postgres or otlp",
                       STR_ARG(c->tracing_exporters.items[i]));
            return false;
        }
    if (has_exporter(c, "otlp") && !str_starts(url, STR("https://")) &&
        !(c->otlp_allow_http && str_starts(url, STR("http://")))) {
        errors_add(errs, CONFIG_INVALID,
                   "observability.tracing.otlp.endpoint is not https (see "
                   "observability.tracing.otlp.allow_http)");
        return false;
    }
    return check_pairs("observability.tracing.otlp.headers", c->otlp_headers, errs) &&
           check_pairs("observability.resource_attributes", c->resource_attributes, errs) &&
           error_reports_check(c, errs);
}

/* --- resource --------------------------------------------------------------------------------- */

static void add_attribute(struct buf *out, struct str name, struct str value)
{
    buf_append_str(out, out->len > 1 ? STR(",") : STR(""));
    jwriter_key(out, name);
    jwriter_string(out, value);
}

/* What the configuration gives stands in place of ours. */
static void add_own(struct buf *out, const struct config *c, const char *name, struct str value)
{
    struct str rest = c->resource_attributes, pair, key, ignored;

    while (rest.len > 0) {
        str_cut(rest, ',', &pair, &rest);
        str_cut(pair, '=', &key, &ignored);
        if (str_is(str_trim(key), name))
            return;
    }
    add_attribute(out, str_of(name), value);
}

static struct str resource_object(const struct config *c, struct arena *a)
{
    struct str rest = c->resource_attributes, pair, name, value, text;
    char host[256] = "";
    struct buf out;

    (void)gethostname(host, sizeof(host) - 1);
    buf_init(&out, 0);
    buf_append_char(&out, '{');
    add_own(&out, c, "service.name", c->service_name);
    add_own(&out, c, "service.version", STR(FRAISEQLD_VERSION));
    add_own(&out, c, "service.instance.id", arena_printf(a, "%s:%ld", host, (long)getpid()));
    add_own(&out, c, "deployment.environment.name", c->environment);
    while (rest.len > 0) {
        str_cut(rest, ',', &pair, &rest);
        str_cut(pair, '=', &name, &value);
        add_attribute(&out, str_trim(name), str_trim(value));
    }
    buf_append_char(&out, '}');
    text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

/* --- start and stop -----------------------------------------------------------------------------
 */

/* "name=value,name=value" as headers, behind the one that says what the body is. */
static const char *const *otlp_headers(struct str pairs, struct arena *a, size_t *n)
{
    struct {
        const char **items;
        size_t n, cap;
    } headers = {0};
    struct str rest = pairs, pair, name, value;

    VEC_PUSH(a, &headers, "Content-Type: application/json");
    while (rest.len > 0) {
        str_cut(rest, ',', &pair, &rest);
        str_cut(pair, '=', &name, &value);
        name = str_trim(name);
        value = str_trim(value);
        VEC_PUSH(a, &headers, arena_printf(a, "%.*s: %.*s", STR_ARG(name), STR_ARG(value)).data);
    }
    *n = headers.n;
    return headers.items;
}

static struct otlp *start_otlp(const struct config *c, struct str resource, struct arena *a)
{
    struct str base = c->otlp_endpoint;
    struct otlp_options opt = {
        .url = arena_printf(a, "%.*s%s",
                            (int)(base.len - (base.len > 0 && base.data[base.len - 1] == '/')),
                            base.data, str_ends(base, STR(TRACES_PATH)) ? "" : TRACES_PATH)
                   .data,
        .ca_file = c->otlp_ca_file.len > 0 ? arena_dup(a, c->otlp_ca_file).data : NULL,
        .allow_http = c->otlp_allow_http,
        .timeout_ms = c->otlp_timeout_ms,
        .queue = c->tracing_queue,
        .resource = resource,
    };

    opt.headers = otlp_headers(c->otlp_headers, a, &opt.nheaders);
    return otlp_start(&opt);
}

static void refresh_gauges(void *ctx)
{
    ops_update_gauges(ctx);
}

static bool start_recorder(struct observers *o, const struct config *c, struct pgpool *pool,
                           struct arena *a, struct errors *errs)
{
    struct error_recorder_options opt = {
        .pool = pool,
        .interval_ms = c->error_flush_interval_ms,
        .batch = c->error_batch,
    };

    if (c->error_spool.len > 0) {
        opt.spool = spool_open(c->error_spool, c->error_spool_max, errs);
        if (opt.spool == NULL)
            return false;
    }
    o->errors = error_reports_of(c, a);
    o->errors.pending = opt.pending = pending_new(&(struct pending_options){
        .max = c->error_queue,
        .max_bytes = MAX_ERROR_BYTES,
        .burst = c->error_burst,
        .sample = c->error_sample,
        .batch = c->error_batch,
    });
    o->recorder = error_recorder_start(&opt);
    return true;
}

bool observers_start(struct observers *o, const struct config *c, struct pgpool *pool,
                     struct arena *a, struct errors *errs)
{
    o->resource = resource_object(c, a);
    if (c->errors_enabled && !start_recorder(o, c, pool, a, errs))
        return false;
    if (c->tracing_enabled && has_exporter(c, "postgres"))
        o->spans = spans_start(
            &(struct spans_options){pool, c->tracing_queue, c->service_name, o->resource});
    if (c->tracing_enabled && has_exporter(c, "otlp"))
        o->otlp = start_otlp(c, o->resource, a);
    return true;
}

const struct error_reports *observers_errors(const struct observers *o)
{
    return o->recorder != NULL ? &o->errors : NULL;
}

void observers_start_snapshots(struct observers *o, const struct config *c, struct health *health)
{
    if (c->otel_metrics_enabled)
        o->snapshots = metric_snapshots_start(&(struct metric_snapshots_options){
            health->pool, c->otel_metrics_interval_ms, o->resource, refresh_gauges, health});
}

void observers_stop_snapshots(struct observers *o)
{
    if (o->snapshots != NULL)
        metric_snapshots_stop(o->snapshots);
    o->snapshots = NULL;
}

struct tracing observers_tracing(struct observers *o, const struct config *c)
{
    return (struct tracing){
        .accept_all = c->tracing_accept_all,
        .follow_caller = !c->tracing_ignores_caller,
        .threshold =
            c->tracing_enabled ? (uint64_t)(c->tracing_ratio * (double)(UINT64_C(1) << 56)) : 0,
        .errors = c->tracing_errors_always,
        .slow_ns = c->tracing_slow_ms * UINT64_C(1000000),
        .route = c->graphql_path,
        .spans = o->spans,
        .otlp = o->otlp,
        .unsampled = &o->unsampled,
    };
}

void observers_stop(struct observers *o)
{
    if (o->spans != NULL)
        spans_stop(o->spans);
    if (o->otlp != NULL)
        otlp_stop(o->otlp);
    if (o->recorder != NULL)
        error_recorder_stop(o->recorder);
    pending_free(o->errors.pending);
}
