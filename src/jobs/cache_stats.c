/*
 * cache_stats.c - adds how the result cache served operations to the table of its statistics.
 *
 * Thread:   the job's own (turbo_sync.c).
 */
#include "jobs/cache_stats.h"

#include "base/jwriter.h"
#include "cache/resultcache.h"

static const struct str log_sql =
    STR_INIT("insert into fraiseql.cache_access_log "
             "(at, key, operation, tenant, outcome, age_ms, duration_us, trace_id) "
             "select pg_catalog.to_timestamp(r.at_us / 1e6), r.key, r.operation, r.tenant, "
             "r.outcome, r.age_ms, r.duration_us, nullif(r.trace_id, '') "
             "from pg_catalog.jsonb_to_recordset($1::jsonb) r (at_us bigint, key text, "
             "operation text, tenant text, outcome text, age_ms bigint, duration_us bigint, "
             "trace_id text)");
/* In one statement. */
#define LOG_ROWS 5000

static const struct str add_sql = STR_INIT("select fraiseql.cache_stats_add($1::jsonb)");

static void add_number(struct buf *out, const char *name, uint64_t n)
{
    if (n == 0)
        return;
    buf_append_char(out, ',');
    jwriter_key(out, str_of(name));
    buf_append_u64(out, n);
}

static void add_usage(struct buf *out, const struct turbo_usage *u, struct arena *a)
{
    const struct cache_usage *c = &u->used.cache;

    buf_append_str(out, out->len > 1 ? STR(",{") : STR("{"));
    jwriter_key(out, STR("key"));
    jwriter_string(out, resultcache_label(u->operation, &u->hash, a));
    buf_append_char(out, ',');
    jwriter_key(out, STR("operation"));
    jwriter_string(out, u->operation);
    add_number(out, "hit_count", c->hits);
    add_number(out, "miss_count", c->misses);
    add_number(out, "stale_count", c->stale);
    add_number(out, "bypass_count", c->bypasses);
    add_number(out, "store_count", c->stores);
    add_number(out, "bytes", c->bytes);
    add_number(out, "hit_us", c->hit_ns / 1000);
    add_number(out, "miss_us", c->miss_ns / 1000);
    add_number(out, "ttl_s", c->ttl_s);
    buf_append_char(out, '}');
}

/* Operations that were not worth a look tell nothing by themselves. */
static bool has_to_do(const struct cache_usage *c)
{
    return c->hits + c->misses + c->stores > 0;
}

void cache_stats_write(struct tablewriter *w, const struct turbo_usage *used, size_t n,
                       struct arena *a)
{
    struct buf deltas;

    buf_init(&deltas, 0);
    buf_append_char(&deltas, '[');
    for (size_t i = 0; i < n; i++)
        if (has_to_do(&used[i].used.cache))
            add_usage(&deltas, &used[i], a);
    buf_append_char(&deltas, ']');
    if (deltas.len > 2)
        (void)tablewriter_run(w, add_sql, (const char *[]){buf_cstr(&deltas)}, 1, a);
    buf_fini(&deltas);
}

static void add_text(struct buf *out, const char *name, const char *text)
{
    if (out->data[out->len - 1] != '{')
        buf_append_char(out, ',');
    jwriter_key(out, str_of(name));
    jwriter_string(out, str_of(text));
}

static void add_row(struct buf *out, const struct cachelog_entry *e)
{
    buf_append_str(out, out->len > 1 ? STR(",{") : STR("{"));
    add_text(out, "key", e->key);
    add_text(out, "operation", e->operation);
    add_text(out, "tenant", e->tenant);
    add_text(out, "outcome", e->outcome);
    add_text(out, "trace_id", e->trace_id);
    add_number(out, "at_us", (uint64_t)e->at_us);
    add_number(out, "age_ms", e->age_ms);
    add_number(out, "duration_us", e->duration_us);
    buf_append_char(out, '}');
}

void cache_log_write(struct tablewriter *w, struct cachelog *l, struct arena *a)
{
    struct cachelog_entry *entries;
    size_t n = cachelog_take(l, a, &entries);
    struct buf rows;

    for (size_t from = 0; from < n; from += LOG_ROWS) {
        buf_init(&rows, 0);
        buf_append_char(&rows, '[');
        for (size_t i = from; i < size_min(n, from + LOG_ROWS); i++)
            add_row(&rows, &entries[i]);
        buf_append_char(&rows, ']');
        (void)tablewriter_run(w, log_sql, (const char *[]){buf_cstr(&rows)}, 1, a);
        buf_fini(&rows);
    }
}
