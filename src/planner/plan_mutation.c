/*
 * plan_mutation.c - a root field of a mutation to the call of its function, and what reads its
 * result.
 *
 * Thread:   any.
 * Not here: the SELECT that reads a row (plan_select.c).
 *
 * A value comes from the call itself. Rows take a second statement, because
 * what stands beside the call in one statement would not see what it changed:
 *
 *     select set_config('fraiseql.key1', coalesce(array_agg(t1."id")::text, '{}'), true)
 *       from "fn_create_task"("title" => $1::text) t1
 *     select t1."id", t2."name" from "v_task" t1 left join "v_project" t2 on …
 *      where t1."id" = (current_setting('fraiseql.key1')::uuid[])[1]
 *
 * The settings hold for the transaction only. Root fields run one after the
 * other, so all can use the same ones.
 *
 * Arguments are named in the call, and those absent are left out: their
 * defaults are the function's own. That an argument is absent or null is part
 * of the variables' skeleton, so a plan is only used where it fits.
 */
#include "planner/plan_mutation.h"

#include "planner/plan_result.h"
#include "planner/plan_row.h"

/* nullif(current_setting($1::text, true), '')::type */
static void write_context(const struct parameter *p, struct sqlbuf *out)
{
    struct plan_param setting = {.form = PARAM_TEXT, .variable = -1, .constant = p->setting};

    sqlbuf_text(out, "nullif(pg_catalog.current_setting(");
    sqlbuf_parameter(out, &setting, STR("text"), false);
    sqlbuf_text(out, ", true), '')");
    sqlbuf_cast(out, p->type_sql, false);
}

static bool write_value(struct compiler *c, const struct parameter *p, const struct pvalue *v,
                        struct sqlbuf *out)
{
    if (v->kind != PVALUE_NULL)
        return compile_value(c, v, PARAM_TEXT, p->type_sql, false, out);
    sqlbuf_text(out, "null");
    sqlbuf_cast(out, p->type_sql, false);
    return true;
}

static void write_name(const struct parameter *p, bool *any, struct sqlbuf *out)
{
    if (*any)
        sqlbuf_text(out, ", ");
    *any = true;
    sqlbuf_identifier(out, p->name);
    sqlbuf_text(out, " => ");
}

static bool write_input(struct compiler *c, const struct selection *s, bool *any,
                        struct sqlbuf *out)
{
    const struct function *f = s->field->function;
    struct pvalue input;

    if (s->field->narguments == 0)
        return true;
    input = input_argument(&c->in, s, &s->field->arguments[0]);
    if (input.kind != PVALUE_OBJECT) /* a null variable where none may be: noted already */
        return false;
    for (size_t i = 0; i < input.type.type->ninputs; i++) {
        const struct input_value *to = &input.type.type->inputs[i];
        const struct parameter *p = &f->parameters[to->parameter - 1];
        struct pvalue v = input_member(&c->in, &input, i);

        CHECK(to->role == INPUT_FUNCTION);
        if (v.kind == PVALUE_ABSENT)
            continue;
        write_name(p, any, out);
        if (!write_value(c, p, &v, out))
            return false;
    }
    return true;
}

/* "schema"."function"("a" => $1::uuid) t1 */
static bool write_call(struct compiler *c, const struct selection *s, struct sqlbuf *out)
{
    const struct function *f = s->field->function;
    bool any = false;

    sqlbuf_qualified(out, f->schema, f->name);
    sqlbuf_text(out, "(");
    for (size_t i = 0; i < f->nparameters; i++) {
        if (f->parameters[i].setting.len == 0)
            continue;
        write_name(&f->parameters[i], &any, out);
        write_context(&f->parameters[i], out);
    }
    if (!write_input(c, s, &any, out))
        return false;
    sqlbuf_text(out, ") t1");
    return true;
}

/* Keep what identifies the rows, for the statement that reads them; the number of columns. */
static size_t write_keeping(const struct relation *r, struct sqlbuf *out)
{
    const struct key *k = plan_result_key(r);

    sqlbuf_text(out, "select ");
    for (size_t i = 0; k != NULL && i < k->n; i++) {
        if (i > 0)
            sqlbuf_text(out, ", ");
        sqlbuf_text(out, "pg_catalog.set_config('fraiseql.key");
        sqlbuf_integer(out, (int64_t)i + 1);
        sqlbuf_text(out, "', coalesce(pg_catalog.array_agg(");
        sqlbuf_column(out, 1, k->columns[i]);
        sqlbuf_text(out, ")::text, '{}'), true)");
    }
    /* A null in place of a row comes as a row of nulls. */
    if (k == NULL)
        sqlbuf_text(out, "pg_catalog.set_config('fraiseql.rows', coalesce(pg_catalog.array_agg(t1) "
                         "filter (where not t1 is null)::text, '{}'), true)");
    sqlbuf_text(out, " from ");
    return k != NULL ? k->n : 1;
}

static const struct codec *write_result(const struct function *f, struct sqlbuf *out)
{
    static const struct codec boolean = {.kind = CODEC_BOOL};

    if (f->result == FUNCTION_VOID) {
        sqlbuf_text(out, "select true from ");
        return &boolean;
    }
    sqlbuf_text(out, "select t1.result");
    sqlbuf_raw(out, f->value.expression.data, f->value.expression.len);
    sqlbuf_text(out, " from ");
    return f->value.codec;
}

static bool plan_value(struct compiler *c, const struct selection *s, int position,
                       struct shape_field *shape)
{
    struct sqlbuf sql;

    sqlbuf_init(&sql, &c->params);
    shape->kind = SHAPE_RESULT;
    shape->codec = write_result(s->field->function, &sql);
    if (!write_call(c, s, &sql))
        return false;
    if (s->field->function->result == FUNCTION_VALUE)
        sqlbuf_text(&sql, "(result)");
    shape->step = (uint16_t)c->steps.n;
    compile_step(c, &sql, position, 1, true);
    return true;
}

static bool plan_rows(struct compiler *c, const struct selection *s, int position,
                      struct shape_field *shape)
{
    struct sqlbuf sql;
    size_t nkept;

    sqlbuf_init(&sql, &c->params);
    nkept = write_keeping(s->field->relation, &sql);
    if (!write_call(c, s, &sql))
        return false;
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
    plan_shape_field(c, s, shape);
    if (s->field->function->relation == NULL)
        return plan_value(c, s, position, shape);
    return plan_rows(c, s, position, shape);
}
