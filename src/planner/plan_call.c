/*
 * plan_call.c - the call of a function.
 *
 * Thread:   any.
 * Not here: rows it returns (plan_select.c, plan_mutation.c).
 *
 * Arguments are named in the call, and those absent are left out: their
 * defaults are the function's own. That an argument is absent or null is part
 * of the variables' skeleton, so a plan is only used where it fits. Each is of
 * the very type it is declared with, so that no other function of the name fits
 * better.
 */
#include "planner/plan_call.h"

#include "planner/plan_composite.h"
#include "planner/plan_page.h"

struct call {
    struct compiler *c;
    const struct function *function;
    struct sqlbuf *out;
    bool any; /* arguments are there already */
};

/* nullif(current_setting($1::text, true), '')::type */
static void write_context(const struct parameter *p, struct sqlbuf *out)
{
    struct plan_param setting = {.form = PARAM_TEXT, .variable = -1, .constant = p->setting};

    sqlbuf_text(out, "nullif(pg_catalog.current_setting(");
    sqlbuf_parameter(out, &setting, STR("text"), false);
    sqlbuf_text(out, ", true), '')");
    sqlbuf_cast(out, p->type_sql, false);
}

static void write_separator(struct call *call)
{
    if (call->any)
        sqlbuf_text(call->out, ", ");
    call->any = true;
}

static void write_name(struct call *call, const struct parameter *p)
{
    write_separator(call);
    if (p->variadic)
        sqlbuf_text(call->out, "variadic ");
    sqlbuf_identifier(call->out, p->name);
    sqlbuf_text(call->out, " => ");
}

static bool write_value(struct call *call, const struct input_value *to, const struct pvalue *v)
{
    const struct parameter *p = &call->function->parameters[to->parameter - 1];

    CHECK(to->role == INPUT_FUNCTION);
    if (v->kind == PVALUE_ABSENT && !p->variadic)
        return true;
    write_name(call, p);
    if (v->kind != PVALUE_ABSENT && v->kind != PVALUE_NULL)
        return compile_value(call->c, v, PARAM_TEXT, p->type_sql, false, call->out);
    if (v->kind == PVALUE_ABSENT)
        sqlbuf_text(call->out, "'{}'");
    else
        sqlbuf_text(call->out, "null");
    sqlbuf_cast(call->out, p->type_sql, false);
    return true;
}

/* The argument `input`. Null or absent: it is as if it were empty. */
static bool write_input(struct call *call, const struct pvalue *input)
{
    const struct type *t = input->type.type;

    if (input->kind == PVALUE_NULL && type_ref_non_null(input->type))
        return false; /* a variable, noted already */
    for (size_t i = 0; i < t->ninputs; i++) {
        struct pvalue v = {.kind = PVALUE_ABSENT, .variable = -1};

        if (input->kind == PVALUE_OBJECT)
            v = input_member(&call->c->in, input, i);
        if (!write_value(call, &t->inputs[i], &v))
            return false;
    }
    return true;
}

/* The whole of the argument `input` is one parameter. */
static bool write_document(struct call *call, const struct input_value *to,
                           const struct pvalue *input)
{
    const struct parameter *p = &call->function->parameters[to->parameter - 1];
    struct plan_param param;

    if (input->kind == PVALUE_ABSENT)
        return true;
    if (input->kind == PVALUE_NULL && type_ref_non_null(input->type))
        return false; /* a variable, noted already */
    write_name(call, p);
    if (input->kind == PVALUE_NULL) {
        sqlbuf_text(call->out, "null");
        sqlbuf_cast(call->out, p->type_sql, false);
        return true;
    }
    if (!input_document(&call->c->in, input, &param))
        return false;
    sqlbuf_parameter(call->out, &param, p->type_sql, false);
    return true;
}

static bool write_argument(struct call *call, const struct input_value *to, const struct pvalue *v)
{
    if (to->role == INPUT_FUNCTION)
        return write_value(call, to, v);
    return to->role == INPUT_DOCUMENT ? write_document(call, to, v) : write_input(call, v);
}

static bool write_arguments(struct call *call, const struct selection *s)
{
    for (size_t i = 0; i < s->field->narguments; i++) {
        const struct input_value *a = &s->field->arguments[i];
        struct pvalue v;

        if (a->role != INPUT_FUNCTION && a->role != INPUT_ARGUMENTS && a->role != INPUT_DOCUMENT)
            continue;
        v = input_argument(&call->c->in, s, a);
        if (!write_argument(call, a, &v))
            return false;
    }
    return true;
}

bool plan_call(struct compiler *c, const struct selection *s, const struct sqlbuf *row,
               struct sqlbuf *out)
{
    const struct function *f = s->field->function;
    struct call call = {.c = c, .function = f, .out = out};

    sqlbuf_qualified(out, f->schema, f->name);
    sqlbuf_text(out, "(");
    if (row != NULL) {
        write_separator(&call);
        sqlbuf_append(out, row);
    }
    for (size_t i = 0; i < f->nparameters; i++) {
        if (f->parameters[i].setting.len == 0)
            continue;
        write_name(&call, &f->parameters[i]);
        write_context(&f->parameters[i], out);
    }
    if (!write_arguments(&call, s))
        return false;
    sqlbuf_text(out, ")");
    return true;
}

/* array(select t3.result from "function"(…) t3(result) limit 100) */
static bool write_values(struct compiler *c, const struct selection *s, const struct sqlbuf *row,
                         struct sqlbuf *out)
{
    const struct column *value = &s->field->function->value;
    unsigned alias = ++c->aliases;
    struct page page;

    sqlbuf_text(out, "array(select ");
    sqlbuf_alias(out, alias);
    sqlbuf_text(out, ".result");
    sqlbuf_known(out, value);
    sqlbuf_text(out, " from ");
    if (!plan_call(c, s, row, out) || !plan_page(c, alias, NULL, s, &page))
        return false;
    sqlbuf_text(out, " ");
    sqlbuf_alias(out, alias);
    sqlbuf_text(out, "(result)");
    sqlbuf_append(out, &page.limit);
    sqlbuf_text(out, ")");
    return true;
}

/*
 * (select row((t3.v)."part") from (select "function"(…) as v offset 0) t3)
 *
 * In FROM, the function would give its parts, and as an expression of theirs it would be called
 * for each.
 */
static bool write_composite(struct compiler *c, const struct selection *s, const struct sqlbuf *row,
                            unsigned depth, struct sqlbuf *out, struct shape_field *shape)
{
    const struct function *f = s->field->function;
    unsigned alias = ++c->aliases;
    struct sqlbuf value;
    struct page page;

    sqlbuf_init(&value, &c->params);
    sqlbuf_alias(&value, alias);
    sqlbuf_text(&value, ".v");
    if (f->result == FUNCTION_VALUES)
        sqlbuf_text(out, "array");
    sqlbuf_text(out, "(select ");
    if (!plan_composite(c, &f->value, &value, s, depth, out, shape))
        return false;
    sqlbuf_text(out, " from (select ");
    if (!plan_call(c, s, row, out) || !plan_page(c, alias, NULL, s, &page))
        return false;
    sqlbuf_text(out, " as v");
    if (page.limit.len > 0)
        sqlbuf_append(out, &page.limit);
    else
        sqlbuf_text(out, " offset 0");
    sqlbuf_text(out, ") ");
    sqlbuf_alias(out, alias);
    sqlbuf_text(out, ")");
    if (f->result == FUNCTION_VALUES)
        shape->kind = SHAPE_RECORDS;
    return true;
}

bool plan_call_value(struct compiler *c, const struct selection *s, const struct sqlbuf *row,
                     unsigned depth, struct sqlbuf *out, struct shape_field *shape)
{
    const struct function *f = s->field->function;

    if (f->value.composite != NULL)
        return write_composite(c, s, row, depth, out, shape);
    shape->kind = SHAPE_VALUE;
    if (f->result == FUNCTION_VALUES) {
        shape->codec = f->codec;
        return write_values(c, s, row, out);
    }
    CHECK(f->result == FUNCTION_VALUE);
    shape->codec = f->value.codec;
    if (!plan_call(c, s, row, out))
        return false;
    sqlbuf_known(out, &f->value);
    return true;
}
