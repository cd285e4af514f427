/*
 * error_recorder.c - writes errors that wait.
 *
 * Thread:   jobs, one of its own.
 * Memory:   an arena for each batch.
 *
 * While the database is away each round goes to the spool, and the oldest file of it is what the
 * database is tried with. Every element has an id by which the database knows it again, so one that
 * may have been written, or was read from a file that could not be deleted, is just sent again.
 */
#include "jobs/error_recorder.h"

#include "base/buf.h"
#include "base/jval.h"
#include "base/thread.h"
#include "metrics/metrics.h"

#define TIMEOUT_MS 5000
/* While the database is away: the pool goes on connecting when that has passed. */
#define AWAY_TIMEOUT_MS 500
/* Without the tables: how long nothing is tried. */
#define ABSENT_MS 5000
/* What waits in memory is tried again after so long. */
#define RETRY_MS 1000

struct error_recorder {
    struct error_recorder_options opt;
    struct thread *thread;
    struct pending_batch held; /* what neither the database nor the spool took */
    size_t held_done;          /* of these so many are written */
    bool away;                 /* the last statement did not reach the database */
    bool spooled;              /* there may be something on disk */
    struct deadline absent_until;
    bool told_absent; /* the log knows */
    bool told_refused;
};

enum verdict {
    WRITTEN,
    AWAY,    /* it may be there another time */
    ABSENT,  /* fraiseqld db install has not been run, or not for this role */
    REFUSED, /* these elements never will be */
};

/* --- the statement -------------------------------------------------------------------------- */

static enum verdict verdict_of(const struct pgbatch *b)
{
    static const char *const absent[] = {"3F000", "42P01", "42883", "42501"};
    /* Timeouts, deadlocks, standbys, and what is about the server. */
    static const char *const passing[] = {"57", "40", "55", "53", "08", "25", "58", "XX"};

    if (b->outcome != PGBATCH_FAILED)
        return AWAY;
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        if (strcmp(b->sqlstate, absent[i]) == 0)
            return ABSENT;
    for (size_t i = 0; i < COUNT_OF(passing); i++)
        if (strncmp(b->sqlstate, passing[i], 2) == 0)
            return AWAY;
    return REFUSED;
}

static void tell(struct error_recorder *r, enum verdict v, const struct pgbatch *b)
{
    if (v == ABSENT && !r->told_absent) {
        r->told_absent = true;
        LOG(LOG_INFO, "errors are not recorded", LOG_CSTR("sqlstate", b->sqlstate),
            LOG_STR("detail", b->message), LOG_CSTR("hint", "run fraiseqld db install"));
    }
    if (v == REFUSED && !r->told_refused) {
        r->told_refused = true;
        LOG(LOG_ERROR, "the database refuses errors that should be recorded",
            LOG_CSTR("sqlstate", b->sqlstate), LOG_STR("detail", b->message));
    }
}

static enum verdict run_statement(struct error_recorder *r, const char *elements, struct arena *a)
{
    static const struct str sql =
        STR_INIT("select pg_catalog.count(*) from fraiseql.record_errors($1::pg_catalog.jsonb)");
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement, .params = &elements};
    struct pgpool_stats stats;
    struct pgbatch batch;
    struct errors ignored;
    enum verdict v;

    pgpool_stats(r->opt.pool, &stats);
    errors_init(&ignored, a);
    pgstatement_init(&statement, sql, 1);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.until = deadline_in_ms(r->away || !stats.up ? AWAY_TIMEOUT_MS : TIMEOUT_MS);
    if (pgpool_run(r->opt.pool, &batch, &ignored))
        return WRITTEN;
    v = verdict_of(&batch);
    tell(r, v, &batch);
    return v;
}

/* --- elements -------------------------------------------------------------------------------- */

static void count_written(const struct pending_element *items, size_t n)
{
    static const enum metric recorded[SEVERITY_COUNT] = {
        [SEVERITY_INFO] = METRIC_ERRORS_RECORDED_INFO,
        [SEVERITY_WARNING] = METRIC_ERRORS_RECORDED_WARNING,
        [SEVERITY_ERROR] = METRIC_ERRORS_RECORDED_ERROR,
        [SEVERITY_CRITICAL] = METRIC_ERRORS_RECORDED_CRITICAL,
    };

    for (size_t i = 0; i < n; i++)
        metric_add(recorded[items[i].severity], items[i].count);
}

static uint64_t sum(const struct pending_element *items, size_t n)
{
    uint64_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += items[i].count;
    return total;
}

static enum verdict write_elements(struct error_recorder *r, const struct pending_element *items,
                                   size_t n)
{
    struct arena *a = arena_new(0);
    struct buf text;
    enum verdict v;

    buf_init(&text, 0);
    for (size_t i = 0; i < n; i++) {
        buf_append_char(&text, i == 0 ? '[' : ',');
        buf_append_str(&text, items[i].json);
    }
    buf_append_char(&text, ']');
    v = run_statement(r, buf_cstr(&text), a);
    buf_fini(&text);
    arena_free(a);
    if (v == WRITTEN)
        count_written(items, n);
    return v;
}

/* One that is refused is not to take the others with it. */
static enum verdict write_each(struct error_recorder *r, const struct pending_element *items,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum verdict v = write_elements(r, &items[i], 1);

        if (v == REFUSED)
            metric_add(METRIC_ERRORS_DROPPED_FAILED, items[i].count);
        else if (v != WRITTEN)
            return v;
    }
    return WRITTEN;
}

/* How many were dealt with is added to *done. WRITTEN: all of them. */
static enum verdict write_all(struct error_recorder *r, const struct pending_element *items,
                              size_t n, size_t *done)
{
    while (*done < n) {
        size_t some = size_min(n - *done, r->opt.batch);
        enum verdict v = write_elements(r, items + *done, some);

        if (v == REFUSED)
            v = write_each(r, items + *done, some);
        r->away = v == AWAY;
        if (v == ABSENT)
            r->absent_until = deadline_in_ms(ABSENT_MS);
        if (v != WRITTEN)
            return v;
        r->told_absent = false;
        *done += some;
    }
    return WRITTEN;
}

static bool is_absent(const struct error_recorder *r)
{
    return r->absent_until.at_ns != 0 && !deadline_passed(r->absent_until);
}

/* --- the spool ---------------------------------------------------------------------------------
 */

static bool spool_elements(struct error_recorder *r, const struct pending_element *items, size_t n)
{
    struct str *lines;
    struct arena *a;
    bool ok;

    if (r->opt.spool == NULL)
        return false;
    a = arena_new(0);
    lines = ARENA_ARRAY(a, n, struct str);
    for (size_t i = 0; i < n; i++)
        lines[i] = items[i].json;
    ok = spool_append(r->opt.spool, lines, n);
    arena_free(a);
    if (ok) {
        r->spooled = true;
        metric_add(METRIC_ERRORS_SPOOLED, sum(items, n));
    }
    return ok;
}

/* A line that is no element was damaged: what is left of it is nothing. */
static bool read_element(struct str line, struct arena *a, struct pending_element *out)
{
    static const struct jval_limits limits = {.max_depth = 64, .max_values = 100000};
    const struct jval *v, *count, *severity;
    struct errors ignored;

    errors_init(&ignored, a);
    if (!jval_parse(line, &limits, a, &v, &ignored) || v->kind != JVAL_OBJECT)
        return false;
    count = jval_get(v, STR("count"));
    severity = jval_get(v, STR("severity"));
    *out = (struct pending_element){line, 1, SEVERITY_ERROR};
    if (count != NULL && !(count->kind == JVAL_NUMBER && str_to_u64(count->text, &out->count)))
        return false;
    if (severity != NULL && severity->kind == JVAL_STRING)
        out->severity = severity_by_name(severity->text);
    return true;
}

static size_t read_elements(const struct spool_file *f, struct arena *a,
                            struct pending_element *items)
{
    size_t n = 0, damaged = f->torn;

    for (size_t i = 0; i < f->n; i++)
        if (read_element(f->lines[i], a, &items[n]))
            n++;
        else
            damaged++;
    if (damaged > 0) {
        metric_add(METRIC_ERRORS_DROPPED_DAMAGED, damaged);
        LOG(LOG_WARN, "lines of the spool of errors are damaged", LOG_STR("file", f->path),
            LOG_INT("lines", damaged));
    }
    return n;
}

/* One file. True: there may be more, and the database takes it. */
static bool replay_file(struct error_recorder *r)
{
    struct arena *a = arena_new(0);
    struct spool_file f;
    struct pending_element *items;
    size_t n, done = 0;
    enum verdict v;

    if (!spool_read(r->opt.spool, a, &f)) {
        arena_free(a);
        r->spooled = false;
        r->away = false;
        return false;
    }
    items = ARENA_ARRAY(a, f.n, struct pending_element);
    n = read_elements(&f, a, items);
    v = write_all(r, items, n, &done);
    if (v == WRITTEN) {
        spool_delete(r->opt.spool, &f);
        metric_add(METRIC_ERRORS_REPLAYED, sum(items, n));
    }
    arena_free(a);
    return v == WRITTEN;
}

static void replay(struct error_recorder *r)
{
    bool was_away = r->away;

    while (r->spooled && !is_absent(r) && replay_file(r))
        ;
    if (was_away && !r->away && !r->spooled)
        LOG(LOG_INFO, "errors of while the database was away are recorded");
}

/* --- rounds --------------------------------------------------------------------------------------
 */

static void drop(struct pending_batch *b)
{
    arena_free(b->arena);
    *b = (struct pending_batch){0};
}

/*
 * What could not be written goes to disk, else it waits in memory, and what comes meanwhile waits
 * where it is.
 */
static void keep_rest(struct error_recorder *r, size_t done)
{
    r->held_done = done;
    if (spool_elements(r, r->held.items + done, r->held.n - done))
        drop(&r->held);
}

static void write_held(struct error_recorder *r)
{
    size_t done = r->held_done;

    if (is_absent(r)) {
        drop(&r->held);
        return;
    }
    /* The spool is tried in its turn; a batch would wait for each timeout. */
    if (r->away && spool_elements(r, r->held.items + done, r->held.n - done)) {
        drop(&r->held);
        return;
    }
    switch (write_all(r, r->held.items, r->held.n, &done)) {
    case WRITTEN:
    case ABSENT:
        drop(&r->held);
        break;
    case AWAY:
        keep_rest(r, done);
        break;
    case REFUSED: /* of none that write_all() gives back */
        break;
    }
}

static void run_round(struct error_recorder *r)
{
    if (r->held.arena == NULL) {
        r->held_done = 0;
        pending_take(r->opt.pending, &r->held);
        if (r->held.n == 0)
            drop(&r->held);
    }
    if (r->held.arena != NULL)
        write_held(r);
    if (r->spooled)
        replay(r);
    metric_gauge_set(GAUGE_ERRORS_QUEUE,
                     (double)(pending_length(r->opt.pending) + r->held.n - r->held_done));
    if (r->opt.spool != NULL)
        metric_gauge_set(GAUGE_ERRORS_SPOOL_BYTES, (double)spool_bytes(r->opt.spool));
}

static void run(void *arg)
{
    struct error_recorder *r = arg;

    while (!pending_closed(r->opt.pending)) {
        run_round(r);
        /* What is held must not have the thread go round and round. */
        if (r->held.arena == NULL)
            pending_wait(r->opt.pending, deadline_in_ms(r->opt.interval_ms));
        else
            pending_pause(r->opt.pending, deadline_in_ms(RETRY_MS));
    }
    run_round(r);
    if (r->held.arena == NULL) /* what came behind that which was held */
        run_round(r);
}

struct error_recorder *error_recorder_start(const struct error_recorder_options *opt)
{
    struct error_recorder *r = xcalloc(1, sizeof(*r));

    r->opt = *opt;
    r->spooled = opt->spool != NULL;
    r->thread = thread_start(THREAD_JOBS, "errors", run, r);
    return r;
}

/* What the last rounds have left. */
static uint64_t count_lost(struct error_recorder *r)
{
    uint64_t lost = 0;
    struct pending_batch rest;

    for (size_t i = r->held_done; i < r->held.n; i++)
        lost += r->held.items[i].count;
    pending_take(r->opt.pending, &rest);
    if (rest.n > 0 && !spool_elements(r, rest.items, rest.n))
        lost += sum(rest.items, rest.n);
    arena_free(rest.arena);
    return lost;
}

void error_recorder_stop(struct error_recorder *r)
{
    uint64_t lost;

    pending_close(r->opt.pending);
    thread_join(r->thread);
    lost = count_lost(r);
    if (lost > 0)
        LOG(LOG_WARN, "errors could not be recorded before the end", LOG_INT("errors", lost),
            LOG_CSTR("hint", "errors.spool keeps them on disk"));
    arena_free(r->held.arena);
    spool_close(r->opt.spool);
    xfree(r);
}
