/*
 * notifier.c - has people told of errors.
 *
 * Thread:   jobs, one of its own.
 * Memory:   an arena for each round.
 *
 * All daemons do the same, and PostgreSQL says who does it: one looks at a time, and a notification
 * is claimed by one. It is claimed for longer than an attempt takes: if its daemon is gone by then,
 * another one sends it. A channel that failed has to wait for the next round, so that one receiver
 * that is away does not cost a time-out for each of its notifications.
 */
#include <unistd.h>

#include "jobs/notifier.h"

#include "base/log.h"
#include "base/rounds.h"
#include "base/thread.h"
#include "metrics/metrics.h"

#define STATEMENT_MS 10000
#define MISSING_MS   UINT64_C(60000) /* until it is looked again whether it was installed */
#define LEASE_MS     UINT64_C(60000) /* beyond the time of an attempt */
#define MAX_BUSY     100

struct notifier {
    struct notifier_options opt;
    char daemon[300];
    struct thread *thread;
    struct rounds rounds;
    atomic_bool stopping; /* besides, for what is being sent */
    /* the thread's own */
    bool failing;      /* the log knows */
    bool holding_back; /* so */
};

/* Names are quoted for an array as PostgreSQL writes it. */
struct busy {
    struct buf list;
    size_t n;
};

/* --- statements ---------------------------------------------------------------------------------
 */

/* The rows, in the arena; NULL: it failed, which is told once. */
static const struct pgrows *query(struct notifier *n, struct str sql, const char *const *params,
                                  size_t nparams, struct arena *a)
{
    struct pgsession session = {.role = "", .timeout_ms = STATEMENT_MS};
    struct pgstatement statement;
    struct pgcall *call = ARENA_NEW(a, struct pgcall);
    struct pgbatch batch;
    struct errors ignored;

    errors_init(&ignored, a);
    pgstatement_init(&statement, sql, nparams);
    *call = (struct pgcall){.statement = &statement, .params = params};
    pgbatch_init(&batch, &session, call, 1, a);
    batch.until = deadline_in_ms(STATEMENT_MS);
    if (pgpool_run(n->opt.pool, &batch, &ignored)) {
        n->failing = false;
        return call->rows;
    }
    /* That the database is away the pool says. */
    if (batch.outcome == PGBATCH_FAILED && !n->failing) {
        n->failing = true;
        LOG(LOG_INFO, "nobody is told of errors", LOG_CSTR("sqlstate", batch.sqlstate),
            LOG_STR("detail", batch.message), LOG_CSTR("hint", "run fraiseqld db install"));
    }
    return NULL;
}

static struct str value(const struct pgrows *rows, size_t column)
{
    struct pgvalue v[12];

    CHECK(pgrows_columns(rows) <= COUNT_OF(v));
    pgrows_row(rows, 0, v);
    return str_make(v[column].data, v[column].len > 0 ? (size_t)v[column].len : 0);
}

static uint64_t number(const struct pgrows *rows, size_t column)
{
    uint64_t n = 0;

    (void)str_to_u64(value(rows, column), &n);
    return n;
}

static const char *interval(uint64_t ms, struct arena *a)
{
    return arena_printf(a, "%llu milliseconds", (unsigned long long)ms).data;
}

/* --- what is due --------------------------------------------------------------------------------
 */

static void note_look(struct notifier *n, uint64_t planned, uint64_t held_back, uint64_t expired)
{
    metric_gauge_set(GAUGE_NOTIFICATIONS_HELD_BACK, (double)held_back);
    if (held_back > 0 && !n->holding_back)
        LOG(LOG_WARN, "notifications are held back", LOG_INT("notifications", held_back),
            LOG_CSTR("hint", "there are more than errors.notifications.max_per_hour"));
    n->holding_back = held_back > 0;
    if (expired > 0)
        LOG(LOG_ERROR, "notifications were given up that nobody sent",
            LOG_INT("notifications", expired));
    if (planned > 0)
        LOG(LOG_DEBUG, "notifications are due", LOG_INT("notifications", planned));
}

static bool look(struct notifier *n)
{
    const struct notifier_options *o = &n->opt;
    struct arena *a = arena_new(0);
    const char *params[] = {
        o->channels,
        o->schedule,
        arena_printf(a, "%llu", (unsigned long long)o->then_every).data,
        interval(o->min_interval_ms, a),
        interval(o->window_ms, a),
        arena_printf(a, "%llu", (unsigned long long)o->max_per_hour).data,
        interval(o->interval_ms, a),
    };
    const struct pgrows *rows =
        query(n,
              STR("select p.planned::text, p.held_back::text, p.expired::text "
                  "from fraiseql.plan_notifications($1::jsonb, $2::bigint[], $3::bigint, "
                  "$4::interval, $5::interval, $6::integer, $7::interval) p"),
              params, COUNT_OF(params), a);

    if (rows != NULL)
        note_look(n, number(rows, 0), number(rows, 1), number(rows, 2));
    arena_free(a);
    return rows != NULL;
}

/* --- sending ------------------------------------------------------------------------------------
 */

/* In the order of the counters of a channel. */
enum result {
    SENT,
    RETRIED,
    GIVEN_UP,
    RESULTS
};

static void count(struct str channel_type, enum result result)
{
    static const struct {
        const char *type;
        enum metric first;
    } types[] = {
        {"webhook", METRIC_NOTIFICATIONS_WEBHOOK_SENT},
        {"slack",   METRIC_NOTIFICATIONS_SLACK_SENT  },
        {"email",   METRIC_NOTIFICATIONS_EMAIL_SENT  },
        {"notify",  METRIC_NOTIFICATIONS_NOTIFY_SENT },
    };

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_is(channel_type, types[i].type))
            metric_add((enum metric)(types[i].first + result), 1);
}

static void report(const struct notification *n, enum result result, uint64_t pause_ms,
                   struct str why)
{
    switch (result) {
    case SENT:
        LOG(LOG_INFO, "notification sent", LOG_STR("notification_id", n->id),
            LOG_STR("channel", n->channel), LOG_INT("attempt", n->attempt));
        break;
    case RETRIED:
        LOG(LOG_WARN, "could not send a notification", LOG_STR("notification_id", n->id),
            LOG_STR("channel", n->channel), LOG_INT("attempt", n->attempt),
            LOG_INT("again_in_s", (pause_ms + 999) / 1000), LOG_STR("reason", why));
        break;
    case GIVEN_UP:
    case RESULTS:
        LOG(LOG_ERROR, "notification given up", LOG_STR("notification_id", n->id),
            LOG_STR("channel", n->channel), LOG_INT("attempt", n->attempt), LOG_STR("reason", why));
        break;
    }
}

uint64_t notifier_pause_ms(uint64_t attempt, uint64_t min_ms, uint64_t max_ms)
{
    uint64_t pause = min_ms;

    while (attempt > 1 && pause < max_ms) {
        pause *= 2;
        attempt--;
    }
    return size_min(pause, max_ms);
}

/* What was sent and is not noted is sent again: hence more attempts than one. */
static void finish(struct notifier *n, const struct notification *what, const char *sent_at,
                   enum result result, uint64_t pause_ms, struct str why, struct arena *a)
{
    static const char *const statuses[RESULTS] = {
        [SENT] = "sent", [RETRIED] = "pending", [GIVEN_UP] = "failed"};
    const char *params[] = {
        arena_dup(a, what->id).data,
        sent_at,
        arena_printf(a, "%llu", (unsigned long long)what->attempt).data,
        statuses[result],
        result == SENT ? NULL : arena_dup(a, why).data,
        interval(pause_ms, a),
    };

    for (int i = 0; i < 3; i++)
        if (query(n,
                  STR("select fraiseql.finish_notification($1::uuid, "
                      "timestamptz '1970-01-01 00:00:00+00' + $2::interval, $3::integer, $4::text, "
                      "$5::text, $6::interval)::text"),
                  params, COUNT_OF(params), a) != NULL)
            return;
}

static enum result attempt(struct notifier *n, const struct notification *what, const char *sent_at,
                           struct arena *a)
{
    const struct notifier_options *o = &n->opt;
    uint64_t after_ms = 0, pause_ms = 0;
    enum notification_outcome outcome;
    enum result result = GIVEN_UP;
    struct buf why;

    buf_init(&why, 1000);
    outcome = o->send(o->ctx, what, &n->stopping, &after_ms, &why);
    if (outcome == NOTIFICATION_SENT)
        result = SENT;
    else if (outcome == NOTIFICATION_FAILED &&
             (what->attempt < o->attempts || atomic_load(&n->stopping)))
        result = RETRIED;
    if (result == RETRIED && !atomic_load(&n->stopping))
        pause_ms = size_min(
            size_max(notifier_pause_ms(what->attempt, o->backoff_min_ms, o->backoff_max_ms),
                     after_ms),
            o->backoff_max_ms);
    finish(n, what, sent_at, result, pause_ms, buf_str(&why), a);
    count(what->channel_type, result);
    report(what, result, pause_ms, buf_str(&why));
    buf_fini(&why);
    return result;
}

static void add_busy(struct busy *b, struct str channel)
{
    buf_append_str(&b->list, b->n++ > 0 ? STR(",\"") : STR("\""));
    for (size_t i = 0; i < channel.len; i++) {
        if (channel.data[i] == '"' || channel.data[i] == '\\')
            buf_append_char(&b->list, '\\');
        buf_append_char(&b->list, channel.data[i]);
    }
    buf_append_char(&b->list, '"');
}

/* False: there is nothing, or it could not be asked. */
static bool send_next(struct notifier *n, struct busy *busy)
{
    struct arena *a = arena_new(0);
    const char *params[] = {
        n->opt.names,
        arena_printf(a, "{%.*s}", STR_ARG(buf_str(&busy->list))).data,
        interval(n->opt.send_ms + LEASE_MS, a),
        n->daemon,
    };
    const struct pgrows *rows =
        query(n,
              STR("select n.notification_id::text, "
                  "pg_catalog.trunc(extract(epoch from n.sent_at) * 1000000)::text, "
                  "n.channel_type, n.channel, (n.config_id is not null)::text, "
                  "n.channel_config::text, n.message_template, n.attempt::text, n.details::text "
                  "from fraiseql.claim_notification($1::text[], $2::text[], $3::interval, "
                  "$4::text) n"),
              params, COUNT_OF(params), a);
    bool found = rows != NULL && pgrows_count(rows) > 0;

    if (found) {
        struct notification what = {
            .id = value(rows, 0),
            .channel_type = value(rows, 2),
            .channel = value(rows, 3),
            .of_table = str_is(value(rows, 4), "true"),
            .config = value(rows, 5),
            .template = value(rows, 6),
            .attempt = number(rows, 7),
            .details = value(rows, 8),
        };
        const char *sent_at = arena_printf(a, "%.*s microseconds", STR_ARG(value(rows, 1))).data;

        what.gone = what.of_table && what.config.len == 0;
        if (attempt(n, &what, sent_at, a) == RETRIED)
            add_busy(busy, what.channel);
    }
    arena_free(a);
    return found;
}

static void send_round(struct notifier *n)
{
    struct busy busy = {0};

    while (!atomic_load(&n->stopping) && busy.n < MAX_BUSY && send_next(n, &busy))
        continue;
    buf_fini(&busy.list);
}

/* --- the thread ---------------------------------------------------------------------------------
 */

static void run(void *arg)
{
    struct notifier *n = arg;
    bool ok;

    do {
        ok = look(n);
        if (ok)
            send_round(n);
    } while (rounds_wait(&n->rounds, ok || !n->failing ? n->opt.interval_ms : MISSING_MS));
}

struct notifier *notifier_start(const struct notifier_options *opt)
{
    struct notifier *n = xcalloc(1, sizeof(*n));
    char host[256] = "";

    (void)gethostname(host, sizeof(host) - 1);
    snprintf(n->daemon, sizeof(n->daemon), "%s/%ld", host, (long)getpid());
    n->opt = *opt;
    rounds_init(&n->rounds);
    n->thread = thread_start(THREAD_JOBS, "notifier", run, n);
    return n;
}

void notifier_stop(struct notifier *n)
{
    atomic_store(&n->stopping, true);
    rounds_stop(&n->rounds);
    thread_join(n->thread);
    rounds_fini(&n->rounds);
    xfree(n);
}
