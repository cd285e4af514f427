/*
 * plan_call.c - the call of a function.
 *
 * Thread:   any.
 * Not here: what becomes of its result (plan_mutation.c).
 *
 * Arguments are named in the call, and those absent are left out: their
 * defaults are the function's own. That an argument is absent or null is part
 * of the variables' skeleton, so a plan is only used where it fits.
 */
#include "planner/plan_call.h"

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

bool plan_call(struct compiler *c, const struct selection *s, struct sqlbuf *out)
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
    sqlbuf_text(out, ")");
    return true;
}
