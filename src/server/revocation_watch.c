/*
 * revocation_watch.c - keeps the list of revoked tokens that of the database.
 *
 * Thread:   a jobs thread of its own.
 * Memory:   an arena for each reading.
 */
#include "server/revocation_watch.h"

#include "auth/revoked.h"
#include "base/log.h"
#include "base/thread.h"
#include "pg/pglisten.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TIMEOUT_MS 10000
#define RETRY_MS   1000

struct revocation_watch {
    struct revocation_watch_options opt;
    struct thread *thread;
    struct pglisten *listen; /* owned; NULL: off */
    int wake_fd;             /* owned */
    atomic_bool stopping;
    bool failing; /* the log knows */
};

/* A subject's tokens, or with null one token. */
static const struct str sql =
    STR_INIT("select t.jti, null::text from fraiseql.revoked_tokens t "
             "where t.expires_at > pg_catalog.now() union all "
             "select s.subject, pg_catalog.floor(extract(epoch from s.revoked_at))::bigint::text "
             "from fraiseql.revoked_subjects s where s.expires_at > pg_catalog.now()");

static const struct revoked *take_rows(const struct pgrows *rows)
{
    struct revoked *r = revoked_new();
    struct pgvalue v[2];

    for (size_t i = 0; i < pgrows_count(rows); i++) {
        int64_t until;

        pgrows_row(rows, i, v);
        if (v[1].len < 0)
            revoked_add_token(r, str_make(v[0].data, (size_t)v[0].len));
        else if (str_to_i64(str_make(v[1].data, (size_t)v[1].len), &until))
            revoked_add_subject(r, str_make(v[0].data, (size_t)v[0].len), until);
    }
    return r;
}

/* False: it could not be read, and what was read before stands. */
static bool read_list(struct revocation_watch *w)
{
    struct arena *a = arena_new(0);
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS, .read_only = true};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement};
    struct pgbatch batch;
    struct errors errs;
    bool ok;

    errors_init(&errs, a);
    pgstatement_init(&statement, sql, 0);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.repeatable = true;
    batch.until = deadline_in_ms(TIMEOUT_MS);
    ok = pgpool_run(w->opt.pool, &batch, &errs);
    if (ok)
        auth_set_revoked(w->opt.auth, take_rows(call.rows));
    else if (!w->failing)
        LOG(LOG_ERROR, "could not read the revoked tokens", LOG_CSTR("sqlstate", batch.sqlstate),
            LOG_STR("detail", errs.first->detail),
            LOG_CSTR("hint", batch.outcome == PGBATCH_FAILED ? "run fraiseqld db install" : ""));
    w->failing = !ok;
    arena_free(a);
    return ok;
}

/* False: stopping. */
static bool wait_for_news(struct revocation_watch *w, struct deadline until)
{
    while (!atomic_load(&w->stopping) && !deadline_passed(until)) {
        struct pollfd fds[] = {
            {.fd = w->wake_fd,                                      .events = POLLIN},
            {.fd = w->listen != NULL ? pglisten_fd(w->listen) : -1, .events = POLLIN},
        };
        struct deadline next = until;
        int64_t left;

        if (w->listen != NULL && pglisten_step(w->listen, STR("revoked")))
            break;
        if (w->listen != NULL) {
            fds[1].fd = pglisten_fd(w->listen);
            next = deadline_earlier(next, pglisten_due(w->listen));
        }
        left = deadline_left_ms(next);
        (void)poll(fds, COUNT_OF(fds), (int)(left > 60000 ? 60000 : left));
    }
    return !atomic_load(&w->stopping);
}

static void run(void *arg)
{
    struct revocation_watch *w = arg;
    bool ok;

    /* Before the first reading: nothing that comes after it is missed. */
    if (w->listen != NULL)
        (void)pglisten_step(w->listen, STR("revoked"));
    do {
        ok = read_list(w);
    } while (wait_for_news(w, deadline_in_ms(ok ? w->opt.poll_interval_ms : RETRY_MS)));
}

struct revocation_watch *revocation_watch_start(const struct revocation_watch_options *opt)
{
    struct revocation_watch *w = xcalloc(1, sizeof(*w));

    w->opt = *opt;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(w->wake_fd >= 0);
    if (opt->channel != NULL)
        w->listen = pglisten_new(opt->pool, opt->channel);
    w->thread = thread_start(THREAD_JOBS, "revocation", run, w);
    return w;
}

void revocation_watch_stop(struct revocation_watch *w)
{
    const uint64_t one = 1;

    atomic_store(&w->stopping, true);
    (void)!write(w->wake_fd, &one, sizeof(one));
    thread_join(w->thread);
    pglisten_free(w->listen);
    close(w->wake_fd);
    xfree(w);
}
