/*
 * input.c - argument values as the planner sees them: literal, variable, or a mixture.
 *
 * Thread:   any.
 */
#include "planner/input.h"

#include "language/source.h"
#include "planner/paramdoc.h"
#include "planner/paramtext.h"

#include <stdarg.h>

bool input_fail(const struct inputs *in, const struct pvalue *v, const char *fmt, ...)
{
    char message[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    error_at(errors_add(in->errs, BAD_USER_INPUT, "%s", message), in->errs,
             source_location(in->op->document->source, v->offset));
    return false;
}

/* Scalars are leaves whatever is written there: the scalar JSON has objects and lists for values.
 */
static void classify(struct pvalue *v, bool list, size_t n)
{
    if (type_ref_is_list(v->type)) {
        v->kind = PVALUE_LIST;
        v->lone = !list;
        v->n = list ? n : 1;
    } else {
        v->kind = v->type.type->kind == TYPE_INPUT_OBJECT ? PVALUE_OBJECT : PVALUE_LEAF;
    }
}

static struct pvalue of_json(struct pvalue place, const struct jval *json)
{
    struct pvalue v = place;

    v.literal = NULL;
    v.json = json;
    if (json == NULL)
        v.kind = PVALUE_ABSENT;
    else if (json->kind == JVAL_NULL)
        v.kind = PVALUE_NULL;
    else
        classify(&v, json->kind == JVAL_ARRAY, json->n);
    return v;
}

/* The value of a literal, which may be a variable, at a place of the type. */
static struct pvalue of_literal(const struct inputs *in, struct type_ref type,
                                const struct ast_value *literal, uint32_t offset)
{
    struct pvalue v = {.kind = PVALUE_ABSENT, .type = type, .variable = -1, .offset = offset};

    if (literal == NULL)
        return v;
    v.literal = literal;
    if (literal->kind == AST_VARIABLE) {
        v.offset = literal->offset;
        v.variable = operation_variable_find(in->op, literal->text);
        CHECK(v.variable >= 0); /* the document is valid */
        return of_json(v, in->variables->values[v.variable]);
    }
    if (literal->kind == AST_NULL)
        v.kind = PVALUE_NULL;
    else
        classify(&v, literal->kind == AST_LIST, literal->n);
    return v;
}

/* Specification section 6.4.1, 3.10: an absent value takes the default; a null of a variable that
 * stands where null is not allowed is an error. */
static struct pvalue settle(const struct inputs *in, struct pvalue v, const struct input_value *to)
{
    if (v.kind == PVALUE_ABSENT && to->default_value != NULL)
        return of_literal(in, to->type, to->default_value, v.offset);
    if (v.kind == PVALUE_NULL && type_ref_non_null(to->type))
        input_fail(in, &v, "\"%.*s\" cannot be null", STR_ARG(to->name));
    return v;
}

struct pvalue input_argument(const struct inputs *in, const struct selection *s,
                             const struct input_value *argument)
{
    const struct ast_value *literal = NULL;
    uint32_t offset = s->ast->offset;

    for (size_t i = 0; i < s->ast->arguments.n; i++) {
        const struct ast_argument *a = &s->ast->arguments.items[i];

        if (str_eq(a->name, argument->name)) {
            literal = a->value;
            offset = a->offset;
        }
    }
    return settle(in, of_literal(in, argument->type, literal, offset), argument);
}

static struct pvalue step_into(const struct inputs *in, const struct pvalue *v, size_t step,
                               struct type_ref type, const struct jval *json)
{
    struct pvalue to = *v;
    uint32_t *steps = ARENA_ARRAY(in->arena, v->nsteps + 1, uint32_t);

    if (v->nsteps > 0)
        memcpy(steps, v->steps, v->nsteps * sizeof *steps);
    steps[v->nsteps] = (uint32_t)step;
    to.steps = steps;
    to.nsteps = v->nsteps + 1;
    to.type = type;
    to.lone = false;
    to.n = 0;
    return of_json(to, json);
}

struct pvalue input_member(const struct inputs *in, const struct pvalue *object, size_t i)
{
    const struct input_value *to = &object->type.type->inputs[i];
    const struct ast_value *literal = NULL;
    const struct jval *json;
    uint32_t offset = object->offset;

    CHECK(object->kind == PVALUE_OBJECT && i < object->type.type->ninputs);
    if (object->variable >= 0) {
        json = jval_get(object->json, to->name);
        if (json == NULL) /* spares the steps */
            return settle(in, of_literal(in, to->type, NULL, offset), to);
        return settle(in, step_into(in, object, i, to->type, json), to);
    }
    for (size_t j = 0; j < object->literal->n; j++) {
        const struct ast_object_field *f = &object->literal->fields[j];

        if (str_eq(f->name, to->name)) {
            literal = f->value;
            offset = f->offset;
        }
    }
    return settle(in, of_literal(in, to->type, literal, offset), to);
}

struct pvalue input_item(const struct inputs *in, const struct pvalue *list, size_t i)
{
    struct type_ref type = type_ref_item(list->type);
    struct pvalue v;

    CHECK(list->kind == PVALUE_LIST && i < list->n);
    if (list->variable >= 0) {
        /* Coercion has made a list of a lone value already. */
        CHECK(!list->lone);
        return step_into(in, list, i, type, list->json->items[i]);
    }
    v = of_literal(in, type, list->lone ? list->literal : list->literal->items[i], list->offset);
    if (v.kind == PVALUE_ABSENT)
        v.kind = PVALUE_NULL;
    if (v.kind == PVALUE_NULL && type_ref_non_null(type))
        input_fail(in, &v, "an item of this list cannot be null");
    return v;
}

bool input_boolean(const struct pvalue *v)
{
    CHECK(v->kind == PVALUE_LEAF);
    return v->literal != NULL ? v->literal->boolean : v->json->boolean;
}

const struct enum_value *input_enum(const struct pvalue *v)
{
    CHECK(v->kind == PVALUE_LEAF && v->type.type->kind == TYPE_ENUM);
    return schema_enum_value(v->type.type, v->literal != NULL ? v->literal->text : v->json->text);
}

/* Does a literal have a variable somewhere in it? */
static bool has_variable(const struct ast_value *v)
{
    if (v->kind == AST_VARIABLE)
        return true;
    for (size_t i = 0; v->kind == AST_LIST && i < v->n; i++)
        if (has_variable(v->items[i]))
            return true;
    for (size_t i = 0; v->kind == AST_OBJECT && i < v->n; i++)
        if (has_variable(v->fields[i].value))
            return true;
    return false;
}

/*
 * The text of a literal without variables: a list as an array, a list in it as the text of one, an
 * object as a record, whose absent members are null.
 */
static bool constant_text(const struct inputs *in, const struct pvalue *v, struct str *out)
{
    bool record = v->kind == PVALUE_OBJECT;
    size_t n = record ? v->type.type->ninputs : v->n;
    struct str *items;

    if (v->kind == PVALUE_ABSENT || v->kind == PVALUE_NULL) {
        *out = str_make(NULL, 0);
        return true;
    }
    if (v->kind == PVALUE_LEAF) {
        if (!paramtext_literal(v->type.type, v->literal, in->scratch, out))
            return input_fail(in, v, "not a value of type \"%.*s\"", STR_ARG(v->type.type->name));
        if (out->data == NULL)
            *out = STR("");
        return true;
    }
    items = ARENA_ARRAY(in->scratch, n, struct str);
    for (size_t i = 0; i < n; i++) {
        struct pvalue item = record ? input_member(in, v, i) : input_item(in, v, i);

        if (!constant_text(in, &item, &items[i]))
            return false;
    }
    *out =
        record ? paramtext_record(items, n, in->scratch) : paramtext_array(items, n, in->scratch);
    return true;
}

static struct plan_param parameter_of(const struct pvalue *v, enum param_form form)
{
    return (struct plan_param){
        .form = form,
        .variable = v->variable,
        .steps = v->steps,
        .nsteps = v->nsteps,
        .type = v->type,
        .offset = v->offset,
    };
}

bool input_parameter(const struct inputs *in, const struct pvalue *v, enum param_form form,
                     struct plan_param *out, bool *mixed)
{
    struct str text;

    CHECK(v->kind == PVALUE_LEAF || v->kind == PVALUE_LIST || v->kind == PVALUE_OBJECT);
    *mixed = false;
    *out = parameter_of(v, v->kind == PVALUE_LIST ? PARAM_ARRAY : form);
    if (v->variable >= 0)
        return true;
    if (has_variable(v->literal)) {
        if (v->kind == PVALUE_LEAF)
            out->literal = v->literal;
        else
            *mixed = true;
        return true;
    }
    if (!constant_text(in, v, &text))
        return false;
    out->constant = paramtext_pattern(form, text, in->arena);
    return true;
}

bool input_document(const struct inputs *in, const struct pvalue *v, struct plan_param *out)
{
    const struct jval *json;

    CHECK(v->kind == PVALUE_OBJECT);
    *out = parameter_of(v, PARAM_DOCUMENT);
    if (v->variable >= 0)
        return true;
    if (has_variable(v->literal)) {
        out->literal = v->literal;
        return true;
    }
    json = paramtext_json(in->op, in->variables, v->literal, in->scratch);
    return paramdoc_text(v->type, json, in->arena, &out->constant) ||
           input_fail(in, v, "not a value of type \"%.*s\"", STR_ARG(v->type.type->name));
}
