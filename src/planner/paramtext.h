/*
 * paramtext.h - the text PostgreSQL gets for a parameter: pattern escaping, array and record
 * literals.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 *
 * Used for constants when a plan is made and for variables when it is bound, so
 * that both come out the same.
 */
#ifndef PLANNER_PARAMTEXT_H
#define PLANNER_PARAMTEXT_H

#include "planner/plan.h"

/* A LIKE pattern that matches the text literally, % before or behind it as the form says;
 * NUL-terminated. PARAM_CONTAINS, PARAM_STARTS, PARAM_ENDS; other forms: the text itself. */
struct str paramtext_pattern(enum param_form form, struct str text, struct arena *a);
/* "{"a","b",NULL}", NUL-terminated; items whose data is NULL are nulls. */
struct str paramtext_array(const struct str *items, size_t n, struct arena *a);
/* "("a","b",)", NUL-terminated: the text of a composite value; nulls as above. */
struct str paramtext_record(const struct str *items, size_t n, struct arena *a);
/* A scalar or enum value as PostgreSQL's text, not NUL-terminated. False: not of that type, or it
 * has a NUL, which PostgreSQL cannot store. */
NODISCARD bool paramtext_leaf(const struct type *t, const struct jval *v, struct arena *a,
                              struct str *out);
/* The same for a literal without variables. */
NODISCARD bool paramtext_literal(const struct type *t, const struct ast_value *v, struct arena *a,
                                 struct str *out);

/* The i-th value of opaque_values() as PostgreSQL's text, NUL-terminated; data NULL: null. False:
 * not one of the codec. */
NODISCARD bool paramtext_opaque(const struct opaque_form *form, const struct jval *const *values,
                                size_t i, struct arena *a, struct str *out);

/* The JSON a literal means once the variables in it have values; in an object, a member whose
 * variable is absent is left out. */
const struct jval *paramtext_json(const struct operation *op, const struct variables *variables,
                                  const struct ast_value *v, struct arena *a);

#endif
