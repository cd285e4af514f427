/*
 * results.c - what functions return: nothing, a value, rows of an exposed relation.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 * Not here: reading them (planner/plan_result.c).
 */
#include "schema/functions.h"

static const struct relation *result_relation(const struct builder *b, const struct doc_function *f)
{
    const struct doc_relation *r = f->row ? catalogdoc_relation(&b->doc, f->row) : NULL;

    return r != NULL ? r->made : NULL;
}

static bool is_void(const struct builder *b, const struct doc_function *f)
{
    const struct doc_type *t = catalogdoc_type(&b->doc, f->returns);

    return t != NULL && str_is(t->schema, "pg_catalog") && str_is(t->name, "void");
}

struct str results_reason(struct builder *b, const struct doc_function *f)
{
    if (result_relation(b, f) != NULL)
        return STR("");
    if (!is_void(b, f) && !functions_plain_type(b, f->returns))
        return arena_printf(b->scratch,
                            "its result is of type %.*s, which is not of an exposed relation",
                            STR_ARG(functions_type_name(b, f->returns)));
    return f->set ? STR("it returns a set of values") : STR("");
}

struct type_ref results_build(struct builder *b, const struct doc_function *d, struct function *f)
{
    f->relation = result_relation(b, d);
    if (f->relation != NULL) {
        f->result = d->set ? FUNCTION_ROWS : FUNCTION_ROW;
        return d->set ? type_ref_required_list(f->relation->type)
                      : type_ref_named(f->relation->type);
    }
    if (is_void(b, d)) {
        f->result = FUNCTION_VOID;
        return type_ref_named(builder_scalar(b, "Boolean"));
    }
    f->result = FUNCTION_VALUE;
    CHECK(values_describe(b, d->returns, false, &f->value));
    return (struct type_ref){f->value.type, f->value.is_array, 0};
}
