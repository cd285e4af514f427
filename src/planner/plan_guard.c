/*
 * plan_guard.c - statements around a field whose result may be an error.
 *
 * Thread:   any.
 * Not here: how the pipeline takes an error of a guard (pg/pgconn.c).
 *
 * The guard casts the call's outcome to boolean. An outcome that is an error is
 * a sentence, the cast fails, and PostgreSQL rolls back what the function did; the
 * rows of the call have arrived before. A field alone in its transaction needs
 * no more than that:
 *
 *     select …, set_config('fraiseql.outcome', …, true) from "fn_create_task"(…) t1
 *     select current_setting('fraiseql.outcome')::bool
 *     select … the entity …
 *
 * With others beside it, only the field may be rolled back. All is sent at once,
 * so the server has to find its way by itself: behind a Sync, which ends the
 * skipping after an error, it goes back to a savepoint that is there if and only
 * if all went well or the guard failed:
 *
 *     savepoint fraiseql
 *     … the call …
 *     savepoint fraiseql_0
 *     … the guard …
 *     release savepoint fraiseql_0             from here an error is one of the whole
 *     … the entity …
 *     select set_config('fraiseql.outcome', 'done', true)
 *     release savepoint fraiseql               nothing of it is rolled back any more
 *     savepoint fraiseql
 *     savepoint fraiseql_0
 *     Sync
 *     rollback to savepoint fraiseql_0         an error of the whole ends here
 *     … fails unless the outcome is "done" or an error …
 *     rollback to savepoint fraiseql           what the call did, or nothing
 *     release savepoint fraiseql
 *
 * The statement before the last is for a guard that was interrupted, by a cancel
 * request or a timeout, before it could tell. COMMIT has a Sync of its own before
 * it, so that it is reached in any case, and rolls back what is aborted.
 */
#include "planner/plan_guard.h"

static struct plan_step *add(struct compiler *c, int position, size_t ncolumns,
                             const struct sqlbuf *sql)
{
    compile_step(c, sql, position, ncolumns, ncolumns > 0);
    return &c->steps.items[c->steps.n - 1];
}

static struct plan_step *add_text(struct compiler *c, int position, size_t ncolumns,
                                  const char *text)
{
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    sqlbuf_raw(&sql, text, strlen(text));
    return add(c, position, ncolumns, &sql);
}

/* savepoint fraiseql_2 */
static struct plan_step *add_numbered(struct compiler *c, int position, const char *text)
{
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    sqlbuf_raw(&sql, text, strlen(text));
    sqlbuf_text(&sql, "savepoint fraiseql_");
    sqlbuf_integer(&sql, position);
    return add(c, position, 0, &sql);
}

void plan_guard_begin(struct compiler *c)
{
    c->parts = true;
    add_text(c, -1, 0, "begin");
}

void plan_guard_commit(struct compiler *c)
{
    c->steps.items[c->steps.n - 1].sync = true;
    add_text(c, -1, 0, "commit");
}

void plan_guard_open(struct compiler *c, int position)
{
    if (c->parts)
        add_text(c, position, 0, "savepoint fraiseql");
}

void plan_guard_check(struct compiler *c, int position)
{
    if (c->parts)
        add_numbered(c, position, "");
    c->guard = (int)c->steps.n;
    add_text(c, position, 1,
             "select pg_catalog.current_setting('fraiseql.outcome')::pg_catalog.bool")
        ->is_guard = true;
    if (c->parts)
        add_numbered(c, position, "release ");
}

void plan_guard_close(struct compiler *c, int position)
{
    if (!c->parts) {
        c->guard = -1;
        return;
    }
    add_text(c, position, 1, "select pg_catalog.set_config('fraiseql.outcome', 'done', true)");
    add_text(c, position, 0, "release savepoint fraiseql");
    add_text(c, position, 0, "savepoint fraiseql");
    add_numbered(c, position, "")->sync = true;
    c->guard = -1;
    add_numbered(c, position, "rollback to ");
    add_text(c, position, 1,
             "select (case pg_catalog.current_setting('fraiseql.outcome') when 'true' then "
             "'interrupted' else 'true' end)::pg_catalog.bool");
    add_text(c, position, 0, "rollback to savepoint fraiseql");
    add_text(c, position, 0, "release savepoint fraiseql");
}
