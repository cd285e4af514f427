/*
 * persisted_sync.c - brings persisted queries into the table that all daemons share.
 *
 * Thread:   jobs, one of its own: its statements may wait without holding up a reload.
 * Memory:   an arena for each round.
 *
 * No request waits for a write: what is new is stored once a second, in one statement.
 */
#include "jobs/persisted_sync.h"

#include "base/log.h"
#include "base/rounds.h"
#include "base/thread.h"
#include "pg/pgarray.h"

#include <pthread.h>

#define ROUND_MS   1000
#define MAX_ROWS   500
#define TIMEOUT_MS 5000
/* What is used is noted, and what is not is deleted, that often at least; more often where
 * documents last less than a day, so that none is deleted that another daemon uses. */
#define UPKEEP_MS       (UINT64_C(6) * 60 * 60 * 1000)
#define UPKEEPS_PER_TTL 4
/* While rows are added the table is held to its bound that often. */
#define LIMIT_MS UINT64_C(10000)
/* A table that was not there may have been made. */
#define MISSING_MS UINT64_C(60000)

struct persisted_sync {
    struct persisted_sync_options opt;
    struct thread *thread;
    struct rounds rounds;
    /* the thread's own */
    struct deadline upkeep;
    struct deadline limit;
    struct deadline retry; /* of a table that is missing */
    bool grown;            /* rows were added since the table was held to its bound */
    bool missing;
    bool failing; /* the log knows */
};

enum {
    INSERT,
    USED,
    FORGET,
    LIMIT,
};

static const struct {
    struct str sql;
    size_t nparams;
} statements[] = {
    [INSERT] = {STR_INIT("insert into fraiseql.persisted_queries (hash, query) "
                         "select u.hash, u.query from rows from (pg_catalog.unnest($1::bytea[]), "
                         "pg_catalog.unnest($2::text[])) u(hash, query) "
                         "on conflict (hash) do nothing"),
                2                                                                    },
    [USED] = {STR_INIT("update fraiseql.persisted_queries set last_used_at = pg_catalog.now() "
                       "where hash = any ($1::bytea[])"),
                1                                                                    },
    [FORGET] = {STR_INIT("select fraiseql.forget_persisted_queries($1::interval)"), 1},
    [LIMIT] = {STR_INIT("delete from fraiseql.persisted_queries q using "
                        "(select o.hash from fraiseql.persisted_queries o "
                        "order by o.last_used_at desc, o.hash offset $1::bigint limit 10000) o "
                        "where q.hash = o.hash"),
                1                                                                    },
};

/* No such schema, table or function, or no privilege on them. */
static bool is_missing(const char *sqlstate)
{
    static const char *const states[] = {"3F000", "42P01", "42883", "42501"};

    for (size_t i = 0; i < COUNT_OF(states); i++)
        if (strcmp(sqlstate, states[i]) == 0)
            return true;
    return false;
}

/* What is wrong with the values: class 22 (data), 23 (a constraint), 54 (a limit). */
static bool is_of_values(const char *sqlstate)
{
    static const char *const classes[] = {"22", "23", "54"};

    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (strncmp(sqlstate, classes[i], 2) == 0)
            return true;
    return false;
}

static void note_failure(struct persisted_sync *s, const struct pgbatch *b)
{
    bool missing = is_missing(b->sqlstate);

    if (missing) {
        s->retry = deadline_in_ms(MISSING_MS);
        persisted_set_shared(s->opt.store, false);
    }
    /* That the database is away the pool says; it is tried again. */
    if (b->outcome == PGBATCH_FAILED && !s->failing)
        LOG(LOG_WARN, "persisted queries are kept in memory only",
            LOG_CSTR("sqlstate", b->sqlstate), LOG_STR("detail", b->message),
            LOG_CSTR("hint", missing ? "run fraiseqld db install" : ""));
    s->failing = true;
    s->missing = missing;
}

enum outcome {
    DONE,
    FAILED,  /* it may go well another time */
    REFUSED, /* it cannot go well with these values */
};

static enum outcome run_statement(struct persisted_sync *s, size_t which, const char *const *params,
                                  struct arena *a)
{
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement, .params = params};
    struct pgbatch batch;
    struct errors ignored;
    bool refused;

    errors_init(&ignored, a);
    pgstatement_init(&statement, statements[which].sql, statements[which].nparams);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.until = deadline_in_ms(TIMEOUT_MS);
    if (pgpool_run(s->opt.pool, &batch, &ignored)) {
        s->missing = s->failing = false;
        persisted_set_shared(s->opt.store, true);
        return DONE;
    }
    refused = batch.outcome == PGBATCH_FAILED && is_of_values(batch.sqlstate);
    if (!refused)
        note_failure(s, &batch);
    return refused ? REFUSED : FAILED;
}

static struct str hash_text(const struct digest *d, struct arena *a)
{
    char hex[2 * DIGEST_SIZE + 1];

    digest_hex(d, hex);
    return arena_printf(a, "\\x%s", hex);
}

static enum outcome insert(struct persisted_sync *s, const struct persisted_row *rows, size_t n)
{
    struct arena *a = arena_new(0);
    struct str *hashes = ARENA_ARRAY(a, n, struct str);
    struct str *texts = ARENA_ARRAY(a, n, struct str);
    enum outcome outcome;

    for (size_t i = 0; i < n; i++) {
        hashes[i] = hash_text(&rows[i].hash, a);
        texts[i] = persisted_str(rows[i].text);
    }
    outcome = run_statement(
        s, INSERT,
        (const char *[]){pgarray_text(hashes, n, a).data, pgarray_text(texts, n, a).data}, a);
    arena_free(a);
    return outcome;
}

/* One that the database cannot hold (its encoding has not all characters) keeps out no other: it
 * stays in memory. */
static enum outcome insert_each(struct persisted_sync *s, const struct persisted_row *rows,
                                size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char hex[2 * DIGEST_SIZE + 1];

        digest_hex(&rows[i].hash, hex);
        switch (insert(s, &rows[i], 1)) {
        case DONE:
            break;
        case REFUSED:
            LOG(LOG_INFO, "the database cannot hold a persisted query", LOG_CSTR("hash", hex));
            break;
        case FAILED:
            return FAILED;
        }
    }
    return DONE;
}

/* What is new, in statements of so many. False: it could not be stored now. */
static bool store_new(struct persisted_sync *s)
{
    struct persisted_row rows[MAX_ROWS];
    enum outcome outcome = DONE;
    size_t n;

    while (outcome == DONE && (n = persisted_take_new(s->opt.store, MAX_ROWS, rows)) > 0) {
        outcome = insert(s, rows, n);
        if (outcome == REFUSED)
            outcome = insert_each(s, rows, n);
        s->grown = true;
        if (outcome == FAILED)
            persisted_give_back(s->opt.store, rows, n);
        for (size_t i = 0; i < n; i++)
            persisted_unref(rows[i].text);
    }
    return outcome == DONE;
}

static void keep_up(struct persisted_sync *s)
{
    struct arena *a = arena_new(0);
    struct digest *used;
    size_t n = persisted_take_used(s->opt.store, a, &used);
    struct str *hashes = ARENA_ARRAY(a, size_max(n, 1), struct str);
    bool ok = true;

    for (size_t i = 0; i < n; i++)
        hashes[i] = hash_text(&used[i], a);
    if (n > 0)
        ok = run_statement(s, USED, (const char *[]){pgarray_text(hashes, n, a).data}, a) == DONE;
    if (ok)
        (void)run_statement(
            s, FORGET,
            (const char *[]){
                arena_printf(a, "%llu milliseconds", (unsigned long long)s->opt.ttl_ms).data},
            a);
    s->upkeep = deadline_in_ms(size_min(UPKEEP_MS, s->opt.ttl_ms / UPKEEPS_PER_TTL));
    arena_free(a);
}

static void hold_to_bound(struct persisted_sync *s)
{
    struct arena *a = arena_new(0);

    if (run_statement(s, LIMIT, (const char *[]){arena_printf(a, "%zu", s->opt.max_rows).data},
                      a) == DONE)
        s->grown = false;
    s->limit = deadline_in_ms(LIMIT_MS);
    arena_free(a);
}

static void run(void *arg)
{
    struct persisted_sync *s = arg;
    bool stopping;

    do {
        stopping = !rounds_wait(&s->rounds, ROUND_MS);
        if (!stopping && s->missing && !deadline_passed(s->retry))
            continue;
        if (!store_new(s) || stopping)
            continue;
        if (deadline_passed(s->upkeep))
            keep_up(s);
        if (s->grown && s->opt.max_rows > 0 && deadline_passed(s->limit))
            hold_to_bound(s);
    } while (!stopping);
}

struct persisted_sync *persisted_sync_start(const struct persisted_sync_options *opt)
{
    struct persisted_sync *s = xcalloc(1, sizeof(*s));

    s->opt = *opt;
    s->upkeep = s->limit = deadline_in_ms(0);
    s->grown = true;
    rounds_init(&s->rounds);
    s->thread = thread_start(THREAD_JOBS, "persisted", run, s);
    return s;
}

void persisted_sync_stop(struct persisted_sync *s)
{
    rounds_stop(&s->rounds);
    thread_join(s->thread);
    rounds_fini(&s->rounds);
    xfree(s);
}
