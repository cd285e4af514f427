/*
 * bind.c - parameter map + variables to the text parameters of a plan's steps.
 *
 * Thread:   any.
 * Memory:   in the arena given, or constants of the plan.
 */
#include "execution/bind.h"

#include "planner/paramdoc.h"
#include "planner/paramtext.h"

struct binding {
    const struct plan *plan;
    const struct variables *variables;
    struct arena *arena;
    struct errors *errs;
    const struct plan_param *param;
    /* the opaque text that was read last */
    struct str opaque;
    const struct opaque_form *form;
    const struct jval *const *values;
    bool refused;
};

static bool fail(struct binding *b, enum error_code code, const char *problem)
{
    struct error *e;

    if (b->param->what.len > 0)
        e = errors_add(b->errs, code, "\"%.*s\" %s", STR_ARG(b->param->what), problem);
    else
        e = errors_add(b->errs, code, "a value %s", problem);
    error_at(e, b->errs, plan_location(b->plan, b->param->offset));
    return false;
}

/* The value the parameter's first steps lead to, and its type; NULL if the way ends early. */
static const struct jval *follow(const struct binding *b, size_t nsteps, struct type_ref *to)
{
    const struct plan_param *p = b->param;
    struct type_ref type = b->plan->operation->variables[p->variable].type;
    const struct jval *v = b->variables->values[p->variable];

    for (size_t i = 0; i < nsteps && v != NULL; i++) {
        uint32_t step = p->steps[i];

        if (type_ref_is_list(type)) {
            v = v->kind == JVAL_ARRAY && step < v->n ? v->items[step] : NULL;
            type = type_ref_item(type);
        } else {
            const struct input_value *member;

            CHECK(type.type->kind == TYPE_INPUT_OBJECT && step < type.type->ninputs);
            member = &type.type->inputs[step];
            v = v->kind == JVAL_OBJECT ? jval_get(v, member->name) : NULL;
            type = member->type;
        }
    }
    *to = type;
    return v;
}

/* *out: data NULL for null. A list becomes an array, an object a record, each item its text. */
static bool value_text(struct binding *b, struct type_ref type, const struct jval *v,
                       struct str *out)
{
    const struct type *object = NULL;
    struct str *items;
    size_t n;

    *out = str_make(NULL, 0);
    if (v == NULL || v->kind == JVAL_NULL)
        return true;
    if (!type_ref_is_list(type) && type.type->kind == TYPE_INPUT_OBJECT)
        object = type.type;
    if (!type_ref_is_list(type) && object == NULL) {
        if (!paramtext_leaf(type.type, v, b->arena, out))
            return fail(b, BAD_USER_INPUT, "does not fit its type");
        if (out->data == NULL)
            *out = STR("");
        return true;
    }
    if (v->kind != (object != NULL ? JVAL_OBJECT : JVAL_ARRAY)) /* coercion has wrapped it */
        return fail(b, BAD_USER_INPUT, "does not fit its type");
    n = object != NULL ? object->ninputs : v->n;
    items = ARENA_ARRAY(b->arena, n, struct str);
    for (size_t i = 0; i < n; i++) {
        bool ok;

        if (object != NULL)
            ok = value_text(b, object->inputs[i].type, jval_get(v, object->inputs[i].name),
                            &items[i]);
        else
            ok = value_text(b, type_ref_item(type), v->items[i], &items[i]);
        if (!ok)
            return false;
    }
    *out =
        object != NULL ? paramtext_record(items, n, b->arena) : paramtext_array(items, n, b->arena);
    return true;
}

/* PARAM_COLUMN: an array of what the objects of a list have for one member. */
static bool bind_column(struct binding *b, const char **out)
{
    const struct plan_param *p = b->param;
    struct type_ref type;
    const struct jval *list = follow(b, p->nsteps - 1, &type);
    const struct input_value *member;
    struct str *items;

    if (list == NULL || list->kind != JVAL_ARRAY)
        return fail(b, BAD_USER_INPUT, "does not fit its type");
    CHECK(type_ref_is_list(type) && p->steps[p->nsteps - 1] < type.type->ninputs);
    member = &type.type->inputs[p->steps[p->nsteps - 1]];
    items = ARENA_ARRAY(b->arena, list->n, struct str);
    for (size_t i = 0; i < list->n; i++)
        if (!value_text(b, p->type, jval_get(list->items[i], member->name), &items[i]))
            return false;
    *out = paramtext_array(items, list->n, b->arena).data;
    return true;
}

/* A number of rows: in its range, or the default. */
static bool bind_number(struct binding *b, struct str text, const char **out)
{
    const struct schema *s = b->plan->operation->schema;
    bool limit = b->param->form == PARAM_LIMIT;
    int64_t n = limit ? s->default_limit : 0;

    if (text.data != NULL && !str_to_i64(text, &n))
        return fail(b, BAD_USER_INPUT, "must be an integer");
    if (n < 0)
        return fail(b, BAD_USER_INPUT, "cannot be negative");
    if (limit && n > s->max_limit) {
        struct str problem =
            arena_printf(b->arena, "cannot be more than %lld", (long long)s->max_limit);

        return fail(b, BAD_USER_INPUT, problem.data);
    }
    *out = arena_printf(b->arena, "%lld", (long long)n).data;
    return true;
}

/* One of the values behind an opaque text. */
static bool bind_opaque(struct binding *b, struct str text, const char **out)
{
    const struct plan_param *p = b->param;
    struct str value;

    /* The values of one text follow each other; what is wrong with it is told once. */
    if (b->form != p->opaque || !str_eq(b->opaque, text)) {
        b->form = p->opaque;
        b->opaque = text;
        b->values = opaque_values(p->opaque, text, b->arena);
        b->refused = false;
    }
    if (b->refused)
        return false;
    if (b->values == NULL || !paramtext_opaque(p->opaque, b->values, p->item, b->arena, &value)) {
        b->refused = true;
        return fail(b, BAD_USER_INPUT, p->opaque->problem);
    }
    *out = value.data;
    return true;
}

static bool bind_document(struct binding *b, const struct jval *v, const char **out)
{
    struct str text;

    if (v == NULL || !paramdoc_text(b->param->type, v, b->arena, &text))
        return fail(b, BAD_USER_INPUT, "does not fit its type");
    *out = text.data;
    return true;
}

static bool bind_one(struct binding *b, const char **out)
{
    const struct plan_param *p = b->param;
    const struct jval *v;
    struct type_ref type;
    struct str text;

    if (p->form == PARAM_COLUMN)
        return bind_column(b, out);
    if (p->literal != NULL) {
        v = paramtext_json(b->plan->operation, b->variables, p->literal, b->arena);
    } else if (p->variable >= 0) {
        v = follow(b, p->nsteps, &type);
    } else {
        *out = p->constant.data;
        return true;
    }
    if (p->form == PARAM_DOCUMENT)
        return bind_document(b, v, out);
    if (!value_text(b, p->type, v, &text))
        return false;
    switch (p->form) {
    case PARAM_LIMIT:
    case PARAM_OFFSET:
        return bind_number(b, text, out);
    case PARAM_OPAQUE:
        return bind_opaque(b, text, out);
    case PARAM_TEXT:
    case PARAM_ARRAY:
    case PARAM_CONTAINS:
    case PARAM_STARTS:
    case PARAM_ENDS:
    case PARAM_COLUMN:
    case PARAM_DOCUMENT:
        break;
    }
    *out = text.data == NULL ? NULL : paramtext_pattern(p->form, text, b->arena).data;
    return true;
}

bool bind_parameters(const struct plan *p, const struct variables *v, struct arena *a,
                     const char *const **out, struct errors *errs)
{
    struct binding b = {.plan = p, .variables = v, .arena = a, .errs = errs};
    const char **values = ARENA_ARRAY(a, p->nparams, const char *);
    bool ok = true;

    CHECK(v->n == p->operation->nvariables);
    for (size_t i = 0; i < p->nparams; i++) {
        b.param = &p->params[i];
        ok = bind_one(&b, &values[i]) && ok;
    }
    *out = values;
    return ok;
}
