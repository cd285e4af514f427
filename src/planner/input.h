/*
 * input.h - argument values as the planner sees them: literal, variable, or a mixture.
 *
 * Memory:   values point into the operation, the coerced variables and the plan's arena.
 * Not here: what an argument means (plan_filter.c, plan_page.c).
 *
 * A literal may have variables anywhere in it. The planner looks at structure,
 * nulls, booleans and enum values whatever they come from (the skeleton of the
 * variables, which decides if a plan fits, has those); another scalar of a
 * variable becomes a parameter that remembers the way to it.
 */
#ifndef PLANNER_INPUT_H
#define PLANNER_INPUT_H

#include "planner/collect.h"
#include "planner/plan.h"

enum pvalue_kind {
    PVALUE_ABSENT, /* no value and no default, or a variable that was not given */
    PVALUE_NULL,
    PVALUE_LEAF,
    PVALUE_LIST,
    PVALUE_OBJECT,
};

/* A value at a place of a declared type, after coercion (specification section 3.10). */
struct pvalue {
    enum pvalue_kind kind;
    struct type_ref type;
    const struct ast_value *literal; /* NULL: from a variable */
    const struct jval *json;         /* of the variable, at this place */
    int variable;                    /* -1: literal */
    const uint32_t *steps;           /* in the variable, see struct plan_param */
    size_t nsteps;
    size_t n;        /* PVALUE_LIST */
    bool lone;       /* a literal that is no list, where a list of one is meant */
    uint32_t offset; /* in the document */
};

/* What every read needs. */
struct inputs {
    const struct operation *op;
    const struct variables *variables;
    struct arena *arena;   /* the plan's: steps and constants */
    struct arena *scratch; /* gone when compiled */
    struct errors *errs;
};

/* An argument of a field, its default applied. */
struct pvalue input_argument(const struct inputs *in, const struct selection *s,
                             const struct input_value *argument);
/* The member for type->inputs[i] of a PVALUE_OBJECT, its default applied. */
struct pvalue input_member(const struct inputs *in, const struct pvalue *object, size_t i);
/* i < list->n. An item that is absent is null. */
struct pvalue input_item(const struct inputs *in, const struct pvalue *list, size_t i);

/* PVALUE_LEAF: Boolean and enum values, which may decide the SQL. */
bool input_boolean(const struct pvalue *v);
const struct enum_value *input_enum(const struct pvalue *v);

/*
 * PVALUE_LEAF, a composite's PVALUE_OBJECT, or with PARAM_ARRAY a PVALUE_LIST, as a
 * parameter. False with an error added: not a value of its type. *mixed: a literal
 * list or object with variables in it, which must be taken item by item (nothing
 * else is set then).
 */
NODISCARD bool input_parameter(const struct inputs *in, const struct pvalue *v,
                               enum param_form form, struct plan_param *out, bool *mixed);
/* PVALUE_OBJECT as one JSON document. False with an error added. */
NODISCARD bool input_document(const struct inputs *in, const struct pvalue *v,
                              struct plan_param *out);
/* BAD_USER_INPUT at the value; returns false. */
bool input_fail(const struct inputs *in, const struct pvalue *v, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
