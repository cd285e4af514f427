/*
 * spans.c - writes traces to fraiseql.otel_traces.
 *
 * Thread:   jobs, one of its own; offering is any thread's and never waits for it.
 * Memory:   a bounded ring of records, and an arena for each statement.
 *
 * Spans of several requests are one statement, at most one a second while there are few. What finds
 * the ring full is dropped and counted. The statements go by no request's way, so they are never
 * traced themselves.
 */
#include "jobs/spans.h"

#include "base/queue.h"
#include "base/thread.h"
#include "jobs/tablewriter.h"
#include "metrics/metrics.h"
#include "pg/pgarray.h"

#define ROUND_MS   1000
#define TIMEOUT_MS 5000
#define MAX_SPANS  1000 /* of one statement, but for the last record's */

struct spans {
    struct spans_options opt;
    struct queue *queue; /* owned */
    struct thread *thread;
    struct tablewriter writer;
};

/* --- records ----------------------------------------------------------------------------- */

struct trace_record *trace_record_new(const struct tracecontext *t)
{
    struct arena *a = arena_new(0);
    struct trace_record *r = ARENA_NEW(a, struct trace_record);

    r->arena = a;
    atomic_init(&r->holders, 1);
    memcpy(r->trace_id, t->trace_id, sizeof(r->trace_id));
    if (t->state.data != NULL)
        r->state = arena_dup(a, t->state);
    return r;
}

void trace_record_ref(struct trace_record *r)
{
    /* Relaxed: who refs holds it already. */
    atomic_fetch_add_explicit(&r->holders, 1, memory_order_relaxed);
}

void trace_record_unref(struct trace_record *r)
{
    /* Acquire and release: whoever frees it sees what the others did with it. */
    if (atomic_fetch_sub_explicit(&r->holders, 1, memory_order_acq_rel) == 1)
        arena_free(r->arena);
}

struct span *trace_record_add(struct trace_record *r, const struct span *s)
{
    VEC_PUSH(r->arena, &r->spans, *s);
    return &r->spans.items[r->spans.n - 1];
}

/* --- the statement ------------------------------------------------------------------------ */

enum column {
    TRACE_ID,
    SPAN_ID,
    PARENT,
    NAME,
    KIND,
    START,
    DURATION,
    ERROR_TEXT,
    ATTRIBUTES,
    COLUMNS
};

static const struct str insert_sql = STR_INIT(
    "insert into fraiseql.otel_traces (trace_id, span_id, parent_span_id, operation_name, "
    "service_name, span_kind, start_time, end_time, duration_ms, status_code, status_message, "
    "attributes, resource_attributes) "
    "select s.trace_id, s.span_id, nullif(s.parent, ''), s.name, $10, s.kind, s.start, "
    "s.start + s.ms * interval '1 millisecond', s.ms, "
    "case s.error when '' then 'OK' else 'ERROR' end, nullif(s.error, ''), s.attributes, "
    "$11::jsonb "
    "from (select u.trace_id, u.span_id, u.parent, u.name, u.kind, "
    "timestamptz 'epoch' + u.us * interval '1 microsecond' as start, u.ms, u.error, u.attributes "
    "from rows from (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), "
    "pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[]), "
    "pg_catalog.unnest($6::bigint[]), pg_catalog.unnest($7::float8[]), "
    "pg_catalog.unnest($8::text[]), pg_catalog.unnest($9::jsonb[])) "
    "u(trace_id, span_id, parent, name, kind, us, ms, error, attributes)) s");

/* The records of one statement. */
struct batch {
    struct arena *arena;
    struct str *columns[COLUMNS];
    size_t n; /* spans */
};

static struct str id_text(struct span_id id, struct arena *a)
{
    char text[SPAN_ID_TEXT + 1];

    if (span_id_is_zero(id))
        return STR("");
    span_id_text(id, text);
    return arena_dup(a, str_of(text));
}

static void add_span(struct batch *b, struct str trace_id, const struct span *s)
{
    static const struct str kinds[] = {
        [SPAN_INTERNAL] = STR_INIT("INTERNAL"),
        [SPAN_SERVER] = STR_INIT("SERVER"),
        [SPAN_CLIENT] = STR_INIT("CLIENT"),
    };
    const struct str row[] = {
        [TRACE_ID] = trace_id,
        [SPAN_ID] = id_text(s->id, b->arena),
        [PARENT] = id_text(s->parent, b->arena),
        [NAME] = s->name,
        [KIND] = kinds[s->kind],
        [START] = arena_printf(b->arena, "%lld", (long long)s->start_us),
        [DURATION] = arena_printf(b->arena, "%.6f", (double)s->duration_ns / 1e6),
        [ERROR_TEXT] = s->error,
        [ATTRIBUTES] = s->attributes,
    };

    for (size_t i = 0; i < COLUMNS; i++)
        b->columns[i][b->n] = row[i];
    b->n++;
}

static void write_records(struct spans *s, struct trace_record *const *records, size_t nrecords,
                          size_t nspans)
{
    struct batch b = {.arena = arena_new(0)};
    const char *params[COLUMNS + 2];

    for (size_t i = 0; i < COLUMNS; i++)
        b.columns[i] = ARENA_ARRAY(b.arena, nspans, struct str);
    for (size_t i = 0; i < nrecords; i++)
        for (size_t j = 0; j < records[i]->spans.n; j++)
            add_span(&b, str_of(records[i]->trace_id), &records[i]->spans.items[j]);
    for (size_t i = 0; i < COLUMNS; i++)
        params[i] = pgarray_text(b.columns[i], b.n, b.arena).data;
    params[COLUMNS] = arena_dup(b.arena, s->opt.service).data;
    params[COLUMNS + 1] = arena_dup(b.arena, s->opt.resource).data;
    if (tablewriter_run(&s->writer, insert_sql, params, COUNT_OF(params), b.arena))
        metric_add(METRIC_TRACES_EXPORTED_POSTGRES, nrecords);
    else
        metric_add(METRIC_TRACES_DROPPED_FAILED, nrecords);
    arena_free(b.arena);
}

/* The first, and what comes within a round, or fills a statement. */
static void write_round(struct spans *s, struct trace_record *first)
{
    struct deadline until = deadline_in_ms(ROUND_MS);
    struct trace_record *records[MAX_SPANS];
    size_t n = 0, nspans = 0;

    for (struct trace_record *r = first; r != NULL; r = queue_pop(s->queue, until)) {
        records[n++] = r;
        nspans += r->spans.n;
        if (n == MAX_SPANS || nspans >= MAX_SPANS)
            break;
    }
    write_records(s, records, n, nspans);
    for (size_t i = 0; i < n; i++)
        trace_record_unref(records[i]);
}

static void run(void *arg)
{
    struct spans *s = arg;
    struct trace_record *r;

    while ((r = queue_pop(s->queue, DEADLINE_NEVER)) != NULL)
        write_round(s, r);
}

struct spans *spans_start(const struct spans_options *opt)
{
    struct spans *s = xcalloc(1, sizeof(*s));

    s->opt = *opt;
    s->queue = queue_new(opt->queue);
    s->writer = (struct tablewriter){.pool = opt->pool,
                                     .complaint = "traces are not kept",
                                     .timeout_ms = TIMEOUT_MS,
                                     .may_be_lost = true};
    s->thread = thread_start(THREAD_JOBS, "spans", run, s);
    return s;
}

void spans_offer(struct spans *s, struct trace_record *r)
{
    trace_record_ref(r);
    if (queue_push(s->queue, r))
        return;
    trace_record_unref(r);
    metric_add(METRIC_TRACES_DROPPED_FULL, 1);
}

void spans_stop(struct spans *s)
{
    queue_close(s->queue);
    thread_join(s->thread);
    queue_free(s->queue);
    xfree(s);
}
