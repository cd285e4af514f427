/*
 * plan_mutation.c - a root field of a mutation to the call of its function, and what reads its
 * result.
 *
 * Thread:   any.
 * Not here: the call (plan_call.c), the SELECT that reads its rows (plan_result.c).
 *
 * A value comes from the call itself. Rows take a second statement, because
 * what stands beside the call in one statement would not see what it changed:
 *
 *     select set_config('fraiseql.key1', coalesce(array_agg(t1."id")::text, '{}'), true)
 *       from "fn_create_task"("title" => $1::text) t1
 *     select t1."id", t2."name" from "v_task" t1 left join "v_project" t2 on …
 *      where t1."id" = (current_setting('fraiseql.key1')::uuid[])[1]
 *
 * The row itself is kept beside its key, for when the key finds nothing
 * (plan_result.c). The settings hold for the transaction only. Root fields run one after the
 * other, so all can use the same ones.
 */
#include "planner/plan_mutation.h"

#include "planner/plan_call.h"
#include "planner/plan_outcome.h"
#include "planner/plan_result.h"
#include "planner/plan_row.h"
#include "planner/plan_select.h"

static size_t write_keys(const struct key *k, struct sqlbuf *out)
{
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, ", ");
        sqlbuf_text(out, "pg_catalog.set_config('fraiseql.key");
        sqlbuf_integer(out, (int64_t)i + 1);
        sqlbuf_text(out, "', coalesce(pg_catalog.array_agg(");
        sqlbuf_column(out, 1, k->columns[i]);
        sqlbuf_text(out, ")::text, '{}'), true)");
    }
    return k->n;
}

/* Keep what plan_select_result() needs; the number of columns. A null in place of a row comes as a
 * row of nulls. */
static size_t write_keeping(const struct selection *s, struct sqlbuf *out)
{
    const struct key *k = plan_result_key(s->field->relation);
    size_t n = 1;

    sqlbuf_text(out, "select ");
    if (k == NULL || (plan_result_has_row(s) && s->field->function->result == FUNCTION_ROWS)) {
        sqlbuf_text(out, "pg_catalog.set_config('fraiseql.rows', coalesce(pg_catalog.array_agg("
                         "t1.*) filter (where not t1.* is null)::text, '{}'), true)");
    } else {
        n = write_keys(k, out);
        if (plan_result_has_row(s)) {
            sqlbuf_text(out, ", pg_catalog.set_config('fraiseql.row', coalesce((pg_catalog."
                             "array_agg(t1.*) filter (where not t1.* is null))[1]::text, ''), "
                             "true)");
            n++;
        }
    }
    sqlbuf_text(out, " from ");
    return n;
}

static bool plan_value(struct compiler *c, const struct selection *s, int position,
                       struct shape_field *shape)
{
    static const struct codec boolean = {.kind = CODEC_BOOL};
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    shape->step = (uint16_t)c->steps.n;
    if (s->field->function->result == FUNCTION_VOID) {
        shape->codec = &boolean;
        sqlbuf_text(&sql, "select true from ");
        if (!plan_call(c, s, NULL, &sql))
            return false;
    } else {
        sqlbuf_text(&sql, "select ");
        if (!plan_call_value(c, s, NULL, 0, &sql, shape))
            return false;
    }
    shape->kind = SHAPE_RESULT;
    compile_step(c, &sql, position, 1, true);
    return true;
}

/* Rows of its own are not in the database: what the call gives is all. */
static bool plan_own_rows(struct compiler *c, const struct selection *s, int position,
                          struct shape_field *shape)
{
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    if (!plan_select(c, s, false, &sql, shape))
        return false;
    shape->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, shape->object->ncolumns, false);
    return true;
}

static bool plan_rows(struct compiler *c, const struct selection *s, int position,
                      struct shape_field *shape)
{
    struct sqlbuf sql;
    size_t nkept;

    sqlbuf_init(&sql, &c->params);
    nkept = write_keeping(s, &sql);
    if (!plan_call(c, s, NULL, &sql))
        return false;
    sqlbuf_text(&sql, " t1");
    compile_step(c, &sql, position, nkept, true);
    sqlbuf_init(&sql, &c->params);
    if (!plan_select_result(c, s, &sql, shape))
        return false;
    shape->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, shape->object->ncolumns, false);
    return true;
}

bool plan_mutation(struct compiler *c, const struct selection *s, int position,
                   struct shape_field *shape)
{
    const struct function *f = s->field->function;

    plan_shape_field(c, s, shape);
    for (size_t i = 0; i < f->nends; i++)
        sqlmentions_read(&c->mentions, f->ends[i], c->in.scratch);
    if (f->result == FUNCTION_OUTCOME)
        return plan_outcome(c, s, position, shape);
    if (f->relation == NULL)
        return plan_value(c, s, position, shape);
    if (f->own_rows)
        return plan_own_rows(c, s, position, shape);
    return plan_rows(c, s, position, shape);
}
