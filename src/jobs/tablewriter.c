/*
 * tablewriter.c - a job's statements.
 *
 * Thread:   the job's own.
 * Memory:   the caller's arena.
 */
#include "jobs/tablewriter.h"

#include "base/log.h"

bool tablewriter_run(struct tablewriter *w, struct str sql, const char *const *params,
                     size_t nparams, struct arena *a)
{
    static const struct pgsetting lazy = {"synchronous_commit", "off"};
    struct pgsession session = {.role = "",
                                .timeout_ms = w->timeout_ms,
                                .settings = &lazy,
                                .nsettings = w->may_be_lost ? 1 : 0};
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement, .params = params};
    struct pgbatch batch;
    struct errors ignored;

    errors_init(&ignored, a);
    pgstatement_init(&statement, sql, nparams);
    pgbatch_init(&batch, &session, &call, 1, a);
    batch.until = deadline_in_ms(w->timeout_ms);
    if (pgpool_run(w->pool, &batch, &ignored)) {
        w->failing = false;
        return true;
    }
    if (batch.outcome == PGBATCH_FAILED && !w->failing) {
        w->failing = true;
        LOG(LOG_INFO, w->complaint, LOG_CSTR("sqlstate", batch.sqlstate),
            LOG_STR("detail", batch.message), LOG_CSTR("hint", "run fraiseqld db install"));
    }
    return false;
}
