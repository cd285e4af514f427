/*
 * turbo_sync.c - adds how operations were used to the table of their statistics.
 *
 * Thread:   jobs, one of its own: its statements may wait without holding up a reload.
 * Memory:   an arena for each round.
 *
 * No request waits for a write: what was counted in memory is added every ten seconds, in one
 * statement, and daemons add to the same rows. What cannot be written is lost, once it was taken:
 * they are statistics.
 */
#include "jobs/turbo_sync.h"

#include "base/rounds.h"
#include "base/thread.h"
#include "jobs/cache_stats.h"
#include "jobs/tablewriter.h"
#include "pg/pgarray.h"

#include <unistd.h>

#define ROUND_MS   10000
#define TIMEOUT_MS 5000
#define MAX_USED   2000 /* in one round; the others are in the next */

struct turbo_sync {
    struct turbo_sync_options opt;
    struct thread *thread;
    struct rounds rounds;
    /* the thread's own */
    struct tablewriter writer;
    struct tablewriter results_writer;
    struct tablewriter log_writer;
    char daemon[256];
};

/* In the order of the key, so that no two daemons wait for each other. The mean moves by an eighth
 * for each use. */
static const struct str add_sql = STR_INIT(
    "insert into fraiseql.turbo_stats as t "
    "(hash, operation_name, hits, misses, mean_cost_us, daemon) "
    "select u.hash, u.name, pg_catalog.sum(u.hits)::bigint, pg_catalog.sum(u.misses)::bigint, "
    "pg_catalog.sum(u.ns)::float8 / nullif(pg_catalog.sum(u.runs), 0)::float8 / 1000, $7 "
    "from rows from (pg_catalog.unnest($1::bytea[]), pg_catalog.unnest($2::text[]), "
    "pg_catalog.unnest($3::bigint[]), pg_catalog.unnest($4::bigint[]), "
    "pg_catalog.unnest($5::bigint[]), pg_catalog.unnest($6::bigint[])) "
    "u(hash, name, hits, misses, runs, ns) group by 1, 2 order by 1, 2 "
    "on conflict (hash, operation_name) do update set hits = t.hits + excluded.hits, "
    "misses = t.misses + excluded.misses, "
    "mean_cost_us = coalesce(t.mean_cost_us + (excluded.mean_cost_us - t.mean_cost_us) * "
    "(1 - pg_catalog.power(0.875::float8, least(excluded.hits + excluded.misses, 200)::float8)), "
    "excluded.mean_cost_us, t.mean_cost_us), "
    "last_used_at = excluded.last_used_at, daemon = excluded.daemon");

/* More than that many rows are those used longest ago. */
static const struct str limit_sql =
    STR_INIT("delete from fraiseql.turbo_stats t using "
             "(select o.hash, o.operation_name from fraiseql.turbo_stats o "
             "order by o.last_used_at desc, o.hash, o.operation_name offset 10000) o "
             "where t.hash = o.hash and t.operation_name = o.operation_name");

/* A column of them all, as an array. */
static struct str numbers(const struct turbo_usage *u, size_t n, size_t offset, struct arena *a)
{
    struct str *texts = ARENA_ARRAY(a, n, struct str);

    for (size_t i = 0; i < n; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&u[i].used + offset, sizeof(value));
        texts[i] = arena_printf(a, "%llu", (unsigned long long)value);
    }
    return pgarray_text(texts, n, a);
}

static void add(struct turbo_sync *s)
{
    struct arena *a = arena_new(0);
    struct turbo_usage *u;
    size_t n = turbo_take_usage(s->opt.turbo, MAX_USED, a, &u);
    struct str *hashes = ARENA_ARRAY(a, size_max(n, 1), struct str);
    struct str *names = ARENA_ARRAY(a, size_max(n, 1), struct str);

    for (size_t i = 0; i < n; i++) {
        char hex[2 * DIGEST_SIZE + 1];

        digest_hex(&u[i].hash, hex);
        hashes[i] = arena_printf(a, "\\x%s", hex);
        names[i] = u[i].operation;
    }
    if (s->opt.cachelog != NULL)
        cache_log_write(&s->log_writer, s->opt.cachelog, a);
    if (n > 0 && s->opt.results)
        cache_stats_write(&s->results_writer, u, n, a);
    if (n > 0 && s->opt.operations &&
        tablewriter_run(&s->writer, add_sql,
                        (const char *[]){
                            pgarray_text(hashes, n, a).data,
                            pgarray_text(names, n, a).data,
                            numbers(u, n, offsetof(struct operation_usage, hits), a).data,
                            numbers(u, n, offsetof(struct operation_usage, misses), a).data,
                            numbers(u, n, offsetof(struct operation_usage, runs), a).data,
                            numbers(u, n, offsetof(struct operation_usage, ns), a).data,
                            s->daemon,
                        },
                        7, a))
        (void)tablewriter_run(&s->writer, limit_sql, NULL, 0, a);
    arena_free(a);
}

static void run(void *arg)
{
    struct turbo_sync *s = arg;
    bool stopping;

    do {
        stopping = !rounds_wait(&s->rounds, ROUND_MS);
        add(s);
    } while (!stopping);
}

struct turbo_sync *turbo_sync_start(const struct turbo_sync_options *opt)
{
    struct turbo_sync *s = xcalloc(1, sizeof(*s));

    s->writer = (struct tablewriter){.pool = opt->pool,
                                     .complaint = "statistics of operations are not kept",
                                     .timeout_ms = TIMEOUT_MS};
    s->results_writer =
        (struct tablewriter){.pool = opt->pool,
                             .complaint = "statistics of the result cache are not kept",
                             .timeout_ms = TIMEOUT_MS};
    s->log_writer = (struct tablewriter){.pool = opt->pool,
                                         .complaint = "the log of the result cache is not kept",
                                         .timeout_ms = TIMEOUT_MS,
                                         .may_be_lost = true};
    s->opt = *opt;
    if (gethostname(s->daemon, sizeof(s->daemon) - 1) != 0)
        s->daemon[0] = '\0';
    rounds_init(&s->rounds);
    s->thread = thread_start(THREAD_JOBS, "turbo", run, s);
    return s;
}

void turbo_sync_stop(struct turbo_sync *s)
{
    rounds_stop(&s->rounds);
    thread_join(s->thread);
    rounds_fini(&s->rounds);
    xfree(s);
}
