/*
 * jobs.c - runs a job: claims the run, does it, notes what became of it.
 *
 * Thread:   jobs, and commands.
 * Memory:   the caller's arena.
 *
 * A run is claimed by a row of fraiseql.job_runs, not by a lock of the session: behind a pooler
 * there may be another session for each statement, and the row stays as history.
 */
#include <unistd.h>

#include "jobs/jobs.h"

#include "base/log.h"
#include "metrics/metrics.h"

#define CLAIM_TIMEOUT_MS 10000
#define FINISH_ATTEMPTS  3

struct run {
    const struct scheduled_job *job;
    struct job_runner *runner;
    struct arena *arena;
    struct deadline until;
    struct str detail;
    enum job_outcome failure; /* of the last statement that failed */
};

/* --- statements ------------------------------------------------------------------------ */

/* No such schema, table or function. */
static bool is_missing(const char *sqlstate)
{
    return strcmp(sqlstate, "3F000") == 0 || strcmp(sqlstate, "42P01") == 0 ||
           strcmp(sqlstate, "42883") == 0;
}

static enum job_outcome outcome_of(const struct pgbatch *b, const struct job_runner *r)
{
    switch (b->outcome) {
    case PGBATCH_UNAVAILABLE:
    case PGBATCH_TIMEOUT:
    case PGBATCH_FULL:
        return JOB_UNAVAILABLE;
    case PGBATCH_FAILED:
        if (is_missing(b->sqlstate))
            return JOB_MISSING;
        return strcmp(b->sqlstate, "57014") == 0 && !atomic_load(&r->stopping) ? JOB_TIMEOUT
                                                                               : JOB_FAILED;
    case PGBATCH_OK:
    case PGBATCH_CANCELLED:
    case PGBATCH_LOST:
        break;
    }
    return JOB_FAILED;
}

static void note_failure(struct run *r, const struct pgbatch *b)
{
    r->failure = outcome_of(b, r->runner);
    if (b->outcome == PGBATCH_FAILED)
        r->detail = arena_printf(r->arena, "%s: %.*s%s%.*s", b->sqlstate, STR_ARG(b->message),
                                 b->detail.len > 0 ? "; " : "", STR_ARG(b->detail));
    else
        r->detail = b->message.len > 0 ? arena_dup(r->arena, b->message)
                                       : STR("the connection to the database was lost");
}

/* The rows, in the arena; NULL: it failed, which was noted. */
static const struct pgrows *query_until(struct run *r, struct str sql, const char *const *params,
                                        size_t nparams, struct deadline until)
{
    struct pgsession session = {.role = "", .timeout_ms = (uint32_t)deadline_left_ms(until)};
    struct pgstatement statement;
    struct pgcall *call = ARENA_NEW(r->arena, struct pgcall);
    struct pgbatch batch;
    struct errors ignored;

    errors_init(&ignored, r->arena);
    pgstatement_init(&statement, sql, nparams);
    *call = (struct pgcall){.statement = &statement, .params = params};
    pgbatch_init(&batch, &session, call, 1, r->arena);
    batch.until = until;
    if (pgpool_run(r->runner->pool, &batch, &ignored))
        return call->rows;
    note_failure(r, &batch);
    return NULL;
}

/* A statement of the job itself: within its time, and not when the daemon stops. */
static const struct pgrows *query(struct run *r, struct str sql, const char *const *params,
                                  size_t nparams)
{
    const struct pgrows *rows = NULL;

    atomic_store(&r->runner->busy, true);
    if (atomic_load(&r->runner->stopping)) {
        r->failure = JOB_FAILED;
        r->detail = STR("the daemon stops");
    } else if (deadline_left_ms(r->until) == 0) {
        r->failure = JOB_TIMEOUT;
        r->detail = STR("there was no time left");
    } else {
        rows = query_until(r, sql, params, nparams, r->until);
    }
    atomic_store(&r->runner->busy, false);
    return rows;
}

static struct str value(const struct pgrows *rows, size_t row, size_t column)
{
    struct pgvalue v[8];

    CHECK(pgrows_columns(rows) <= COUNT_OF(v));
    pgrows_row(rows, row, v);
    return str_make(v[column].data, v[column].len > 0 ? (size_t)v[column].len : 0);
}

static uint64_t number(const struct pgrows *rows, size_t row, size_t column)
{
    uint64_t n = 0;

    (void)str_to_u64(value(rows, row, column), &n);
    return n;
}

/* --- what jobs do ---------------------------------------------------------------------- */

static const char *text_of(struct run *r, uint64_t n)
{
    return arena_printf(r->arena, "%llu", (unsigned long long)n).data;
}

/* In batches, so that no transaction is long. */
static bool clean_cache(struct run *r)
{
    uint64_t entries = 0, changes = 0, n;

    const struct pgrows *rows;

    do {
        rows =
            query(r, STR("select entries::text, changes::text from fraiseql.clean_cache($1::int)"),
                  (const char *[]){text_of(r, r->job->batch)}, 1);
        if (rows == NULL)
            return false;
        n = number(rows, 0, 0);
        entries += n;
        changes += number(rows, 0, 1);
    } while (n >= r->job->batch);
    rows = query(r, STR("select fraiseql.trim_cache($1::bigint)::text"),
                 (const char *[]){text_of(r, r->job->max_bytes)}, 1);
    if (rows == NULL)
        return false;
    r->detail =
        arena_printf(r->arena, "%llu entries and %llu changes deleted, %llu entries for their size",
                     (unsigned long long)entries, (unsigned long long)changes,
                     (unsigned long long)number(rows, 0, 0));
    return true;
}

/* Each table for itself: one that is locked does not keep others from theirs. */
static bool keep_partitions(struct run *r)
{
    static const struct str steps[] = {
        STR_INIT("select fraiseql.ensure_partitions($1::regclass)::text"),
        STR_INIT("select fraiseql.drop_old_partitions($1::regclass)::text"),
    };
    uint64_t counts[COUNT_OF(steps)] = {0};
    struct str failed = STR("");
    const struct pgrows *tables =
        query(r,
              STR("select pg_catalog.format('%I.%I', n.nspname, c.relname) "
                  "from fraiseql.partitioned_tables t join pg_catalog.pg_class c on c.oid = "
                  "t.parent join pg_catalog.pg_namespace n on n.oid = c.relnamespace order by 1"),
              NULL, 0);

    if (tables == NULL)
        return false;
    for (size_t i = 0; i < pgrows_count(tables); i++)
        for (size_t s = 0; s < COUNT_OF(steps); s++) {
            struct str table = value(tables, i, 0);
            const struct pgrows *rows =
                query(r, steps[s], (const char *[]){arena_dup(r->arena, table).data}, 1);

            if (rows != NULL)
                counts[s] += number(rows, 0, 0);
            else
                failed =
                    arena_printf(r->arena, "%.*s%s%.*s: %.*s", STR_ARG(failed),
                                 failed.len > 0 ? "; " : "", STR_ARG(table), STR_ARG(r->detail));
        }
    r->detail = failed.len > 0
                    ? failed
                    : arena_printf(r->arena, "%llu partitions made, %llu dropped",
                                   (unsigned long long)counts[0], (unsigned long long)counts[1]);
    return failed.len == 0;
}

static bool forget(struct run *r)
{
    bool ok = keep_partitions(r);
    struct str partitions = r->detail;
    const struct pgrows *rows = query(r, STR("select fraiseql.forget_expired()::text"), NULL, 0);

    if (rows == NULL)
        return false;
    r->detail = arena_printf(r->arena, "%.*s, %llu rows deleted", STR_ARG(partitions),
                             (unsigned long long)number(rows, 0, 0));
    return ok;
}

/* Without reading it: 2 million entries are nothing to count every few minutes. */
static bool measure_cache(struct run *r)
{
    const struct pgrows *rows =
        query(r,
              STR("select coalesce(pg_catalog.pg_stat_get_live_tuples(c.oid), 0)::text, "
                  "coalesce(pg_catalog.pg_total_relation_size(c.oid), 0)::text from (select "
                  "pg_catalog.to_regclass('fraiseql.cache_entries')::oid) c (oid)"),
              NULL, 0);

    if (rows == NULL)
        return false;
    metric_gauge_set(GAUGE_CACHE_ENTRIES, (double)number(rows, 0, 0));
    metric_gauge_set(GAUGE_CACHE_BYTES, (double)number(rows, 0, 1));
    return true;
}

static bool measure(struct run *r)
{
    const struct pgrows *rows =
        query(r,
              STR("select coalesce(pg_catalog.sum(s.default_rows), 0)::bigint::text, "
                  "pg_catalog.count(*) filter (where s.ahead > 0 and s.ahead_now = 0)::text "
                  "from fraiseql.partition_status s"),
              NULL, 0);

    if (rows == NULL)
        return false;
    metric_gauge_set(GAUGE_PARTITION_DEFAULT_ROWS, (double)number(rows, 0, 0));
    metric_gauge_set(GAUGE_PARTITIONS_MISSING, (double)number(rows, 0, 1));
    r->detail = arena_printf(
        r->arena, "%llu rows in default partitions, %llu tables without a partition ahead",
        (unsigned long long)number(rows, 0, 0), (unsigned long long)number(rows, 0, 1));
    return measure_cache(r);
}

/* CONCURRENTLY wants rows there already, and a unique index of all of them by plain columns. */
static const struct str view_sql = STR_INIT(
    "select pg_catalog.format('%I.%I', n.nspname, c.relname), c.relispopulated::text, "
    "exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisunique "
    "and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null)::text "
    "from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "where c.oid = pg_catalog.to_regclass($1::text) and c.relkind = 'm'");

static bool refresh(struct run *r)
{
    const struct pgrows *rows = query(r, view_sql, (const char *[]){r->job->argument.data}, 1);
    bool concurrently;
    struct str name;

    if (rows == NULL)
        return false;
    if (pgrows_count(rows) == 0) {
        r->failure = JOB_FAILED;
        r->detail = arena_printf(r->arena, "there is no materialized view \"%.*s\"",
                                 STR_ARG(r->job->argument));
        return false;
    }
    name = value(rows, 0, 0);
    concurrently = !r->job->plainly && str_is(value(rows, 0, 1), "true");
    if (concurrently && !str_is(value(rows, 0, 2), "true")) {
        LOG(LOG_WARN, "a materialized view is refreshed while its readers wait",
            LOG_STR("view", name), LOG_CSTR("hint", "make a unique index of its columns"));
        concurrently = false;
    }
    if (query(r,
              arena_printf(r->arena, "refresh materialized view %s%.*s",
                           concurrently ? "concurrently " : "", STR_ARG(name)),
              NULL, 0) == NULL)
        return false;
    r->detail = arena_printf(r->arena, "%.*s refreshed%s", STR_ARG(name),
                             concurrently ? " concurrently" : " while readers wait");
    return true;
}

static bool run_sql(struct run *r)
{
    const struct pgrows *rows = query(r, r->job->argument, NULL, 0);

    if (rows == NULL)
        return false;
    r->detail = pgrows_columns(rows) > 0 ? arena_printf(r->arena, "%zu rows", pgrows_count(rows))
                                         : arena_printf(r->arena, "%llu rows affected",
                                                        (unsigned long long)pgrows_affected(rows));
    return true;
}

/* Its statements are not ours: it looks itself whether the daemon stops. */
static bool warm_cache(struct run *r)
{
    r->failure = JOB_FAILED;
    if (r->runner->warm == NULL) {
        r->detail = STR("there is no result cache: cache.enabled or turborouter.enabled is false");
        return false;
    }
    if (r->runner->warm(r->runner->warm_ctx, r->job, r->until, &r->runner->stopping, r->arena,
                        &r->detail))
        return true;
    if (deadline_passed(r->until))
        r->failure = JOB_TIMEOUT;
    return false;
}

static bool (*const bodies[JOB_KINDS])(struct run *r) = {
    [JOB_CACHE_CLEANUP] = clean_cache,
    [JOB_PARTITIONS] = keep_partitions,
    [JOB_RETENTION] = forget,
    [JOB_STATISTICS] = measure,
    [JOB_CACHE_WARM] = warm_cache,
    [JOB_REFRESH] = refresh,
    [JOB_SQL] = run_sql,
};

/* --- a run --------------------------------------------------------------------------------- */

static const char *daemon_name(char out[static 300])
{
    char host[256] = "";

    (void)gethostname(host, sizeof(host) - 1);
    snprintf(out, 300, "%s/%ld", host, (long)getpid());
    return out;
}

/* JOB_DONE: it is ours, and *run its number. */
static enum job_outcome claim(struct run *r, int64_t due_us, struct str *run)
{
    char daemon[300];
    const char *params[] = {
        arena_dup(r->arena, r->job->name).data,
        arena_printf(r->arena, "%lld microseconds", (long long)due_us).data,
        daemon_name(daemon),
        arena_printf(r->arena, "%llu milliseconds", (unsigned long long)r->job->timeout_ms).data,
    };
    const struct pgrows *rows =
        query_until(r,
                    STR("select c.outcome, c.run::text from fraiseql.claim_job_run($1::text, "
                        "timestamptz '1970-01-01 00:00:00+00' + $2::interval, $3::text, "
                        "$4::interval) c"),
                    params, COUNT_OF(params), deadline_in_ms(CLAIM_TIMEOUT_MS));

    if (rows == NULL)
        return r->failure == JOB_TIMEOUT ? JOB_UNAVAILABLE : r->failure;
    if (str_is(value(rows, 0, 0), "claimed")) {
        *run = value(rows, 0, 1);
        return JOB_DONE;
    }
    return str_is(value(rows, 0, 0), "skipped") ? JOB_SKIPPED : JOB_TAKEN;
}

static void finish(struct run *r, struct str run, enum job_outcome outcome)
{
    struct str said = r->detail;
    const char *params[] = {arena_dup(r->arena, run).data, job_outcome_name(outcome),
                            arena_dup(r->arena, said).data};

    for (int i = 0; i < FINISH_ATTEMPTS; i++)
        if (query_until(r,
                        STR("select fraiseql.finish_job_run($1::bigint, $2::text, $3::text)::text"),
                        params, COUNT_OF(params), deadline_in_ms(CLAIM_TIMEOUT_MS)) != NULL)
            break;
    r->detail = said;
}

/* In the order of the counters of a kind. */
static void count(const struct scheduled_job *j, enum job_outcome o, uint64_t started_ns)
{
    static const unsigned results[] = {
        [JOB_DONE] = 0, [JOB_FAILED] = 1, [JOB_TIMEOUT] = 2, [JOB_SKIPPED] = 3};

    if (o > JOB_SKIPPED)
        return;
    metric_add((enum metric)(METRIC_JOBS_CACHE_CLEANUP_OK + 4 * (unsigned)j->kind + results[o]), 1);
    if (o == JOB_SKIPPED)
        return;
    metric_observe((enum histogram)(HISTOGRAM_JOB_CACHE_CLEANUP + (unsigned)j->kind),
                   monotonic_ns() - started_ns);
    if (o == JOB_DONE)
        metric_gauge_set((enum gauge)(GAUGE_JOB_SUCCESS_CACHE_CLEANUP + (unsigned)j->kind),
                         (double)(wall_clock_us() / 1000000));
}

/* Is there what it calls? Not knowing is being there: it says so itself. */
static bool is_installed(struct run *r)
{
    const struct pgrows *rows;

    if (r->job->kind != JOB_CACHE_CLEANUP)
        return true;
    rows = query(r,
                 STR("select (pg_catalog.to_regprocedure('fraiseql.clean_cache(integer)') "
                     "is not null)::text"),
                 NULL, 0);
    return rows == NULL || str_is(value(rows, 0, 0), "true");
}

const char *job_outcome_name(enum job_outcome o)
{
    static const char *const names[] = {"done",  "failed",  "timeout",    "skipped",
                                        "taken", "missing", "unavailable"};

    return names[o];
}

enum job_outcome job_run(const struct scheduled_job *j, struct job_runner *runner, int64_t due_us,
                         struct arena *a, struct str *detail)
{
    struct run r = {.job = j, .runner = runner, .arena = a, .detail = STR("")};
    uint64_t started = monotonic_ns();
    enum job_outcome outcome = JOB_DONE;
    struct str run = STR("");

    r.until = deadline_in_ms(CLAIM_TIMEOUT_MS);
    if (!is_installed(&r)) {
        *detail = STR("fraiseql.clean_cache() is not installed");
        return JOB_MISSING;
    }
    if (!j->everywhere)
        outcome = claim(&r, due_us, &run);
    if (outcome == JOB_DONE) {
        r.until = deadline_in_ms(j->timeout_ms);
        if (!bodies[j->kind](&r))
            outcome = !j->everywhere && r.failure > JOB_TIMEOUT ? JOB_FAILED : r.failure;
        if (!j->everywhere)
            finish(&r, run, outcome);
    }
    count(j, outcome, started);
    *detail = r.detail;
    return outcome;
}
