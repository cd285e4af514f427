/*
 * metric_snapshots.c - writes the daemon's metrics to fraiseql.otel_metrics, at intervals.
 *
 * Thread:   jobs, one of its own.
 * Memory:   an arena for each round.
 *
 * A snapshot is one statement. Counters and histograms that have not counted anything yet are left
 * out: most error codes never occur.
 */
#include "jobs/metric_snapshots.h"

#include "base/jwriter.h"
#include "base/rounds.h"
#include "base/thread.h"
#include "jobs/tablewriter.h"
#include "metrics/metrics.h"
#include "metrics/prometheus.h"
#include "pg/pgarray.h"

#define TIMEOUT_MS 5000
/* Rows of one snapshot, beyond which the table of metrics has not grown. */
#define MAX_ROWS 1000

struct metric_snapshots {
    struct metric_snapshots_options opt;
    struct thread *thread;
    struct rounds rounds;
    struct tablewriter writer;
};

enum column {
    NAME,
    TYPE,
    VALUE,
    LABELS,
    BUCKETS,
    QUANTILES,
    COLUMNS
};

static const struct str insert_sql = STR_INIT(
    "insert into fraiseql.otel_metrics (metric_name, metric_type, value, labels, bucket_bounds, "
    "quantiles, resource_attributes) "
    "select u.name, u.type, u.value, u.labels, nullif(u.buckets, '{}'), nullif(u.quantiles, '{}'), "
    "$7::jsonb from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), "
    "pg_catalog.unnest($3::float8[]), pg_catalog.unnest($4::jsonb[]), "
    "pg_catalog.unnest($5::jsonb[]), pg_catalog.unnest($6::jsonb[])) "
    "u(name, type, value, labels, buckets, quantiles)");

struct snapshot {
    struct arena *arena;
    struct str *columns[COLUMNS];
    size_t n;
};

/* code="200",type="query" as an object: our own texts, in which nothing is escaped. */
static struct str labels_object(const char *labels, struct arena *a)
{
    struct str rest = str_of(labels), label, name, value;
    struct buf out;
    struct str text;

    buf_init(&out, 0);
    buf_append_char(&out, '{');
    while (rest.len > 0) {
        str_cut(rest, ',', &label, &rest);
        str_cut(label, '=', &name, &value);
        buf_printf(&out, "%s\"%.*s\":%.*s", out.len > 1 ? "," : "", STR_ARG(name), STR_ARG(value));
    }
    buf_append_char(&out, '}');
    text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static uint64_t count_of(const struct histogram_total *h)
{
    uint64_t n = 0;

    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++)
        n += h->counts[i];
    return n;
}

static struct str buckets_object(const struct metric_sample *m, struct arena *a)
{
    struct buf out;
    struct str text;

    buf_init(&out, 0);
    buf_append_lit(&out, "{\"sum\":");
    jwriter_double(&out, (double)m->histogram->sum_ns / 1e9);
    buf_append_lit(&out, ",\"bounds\":[");
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        buf_append_str(&out, i > 0 ? STR(",") : STR(""));
        jwriter_double(&out, (double)m->bounds[i] / 1e9);
    }
    buf_append_lit(&out, "],\"counts\":[");
    for (size_t i = 0; i <= HISTOGRAM_BUCKETS; i++) {
        buf_append_str(&out, i > 0 ? STR(",") : STR(""));
        buf_append_u64(&out, m->histogram->counts[i]);
    }
    buf_append_lit(&out, "]}");
    text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

/* Linear within its bucket, as Prometheus estimates; the last bound for what is beyond. Seconds. */
static double quantile(const struct metric_sample *m, double q)
{
    double rank = q * (double)count_of(m->histogram), below = 0, from = 0;

    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        double n = (double)m->histogram->counts[i], to = (double)m->bounds[i] / 1e9;

        if (n > 0 && below + n >= rank)
            return from + (to - from) * (rank - below) / n;
        below += n;
        from = to;
    }
    return from;
}

static struct str quantiles_object(const struct metric_sample *m, struct arena *a)
{
    return arena_printf(a, "{\"0.5\":%.9f,\"0.95\":%.9f,\"0.99\":%.9f}", quantile(m, 0.5),
                        quantile(m, 0.95), quantile(m, 0.99));
}

static void add_sample(const struct metric_sample *m, void *ctx)
{
    struct snapshot *s = ctx;
    bool is_histogram = m->histogram != NULL;
    double value = is_histogram ? (double)count_of(m->histogram) : m->value;

    if (s->n == MAX_ROWS || (value == 0 && strcmp(m->type, "gauge") != 0))
        return;
    s->columns[NAME][s->n] = str_of(m->name);
    s->columns[TYPE][s->n] = str_of(m->type);
    s->columns[VALUE][s->n] = arena_printf(s->arena, "%.17g", value);
    s->columns[LABELS][s->n] = labels_object(m->labels, s->arena);
    s->columns[BUCKETS][s->n] = is_histogram ? buckets_object(m, s->arena) : STR("{}");
    s->columns[QUANTILES][s->n] = is_histogram ? quantiles_object(m, s->arena) : STR("{}");
    s->n++;
}

static void write_snapshot(struct metric_snapshots *w)
{
    struct snapshot s = {.arena = arena_new(0)};
    const char *params[COLUMNS + 1];

    for (size_t i = 0; i < COLUMNS; i++)
        s.columns[i] = ARENA_ARRAY(s.arena, MAX_ROWS, struct str);
    w->opt.refresh(w->opt.ctx);
    prometheus_visit(add_sample, &s);
    for (size_t i = 0; i < COLUMNS; i++)
        params[i] = pgarray_text(s.columns[i], s.n, s.arena).data;
    params[COLUMNS] = arena_dup(s.arena, w->opt.resource).data;
    metric_add(tablewriter_run(&w->writer, insert_sql, params, COUNT_OF(params), s.arena)
                   ? METRIC_OTEL_METRICS_OK
                   : METRIC_OTEL_METRICS_ERROR,
               s.n);
    arena_free(s.arena);
}

static void run(void *arg)
{
    struct metric_snapshots *w = arg;
    bool stopping;

    do {
        stopping = !rounds_wait(&w->rounds, w->opt.interval_ms);
        write_snapshot(w);
    } while (!stopping);
}

struct metric_snapshots *metric_snapshots_start(const struct metric_snapshots_options *opt)
{
    struct metric_snapshots *w = xcalloc(1, sizeof(*w));

    w->opt = *opt;
    w->writer = (struct tablewriter){.pool = opt->pool,
                                     .complaint = "metrics are not kept",
                                     .timeout_ms = TIMEOUT_MS,
                                     .may_be_lost = true};
    rounds_init(&w->rounds);
    w->thread = thread_start(THREAD_JOBS, "metrics", run, w);
    return w;
}

void metric_snapshots_stop(struct metric_snapshots *w)
{
    rounds_stop(&w->rounds);
    thread_join(w->thread);
    rounds_fini(&w->rounds);
    xfree(w);
}
