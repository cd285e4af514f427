/*
 * variables.h - coercion of variable values (specification section 6.1.2).
 *
 * Thread:   any.
 * Memory:   values are in the arena given, or point into `given`.
 */
#ifndef VALIDATION_VARIABLES_H
#define VALIDATION_VARIABLES_H

#include "base/digest.h"
#include "base/jval.h"
#include "validation/validate.h"

/*
 * values[i] belongs to op->variables[i]. NULL: absent and without default.
 * Values are coerced: single items wrapped in lists, defaults of variables and
 * of input fields filled in, enum values as strings of their names, numbers
 * and custom scalars as the JSON given.
 */
struct variables {
    size_t n;
    const struct jval *const *values;
};

/* given: a JSON object or NULL. Adds BAD_USER_INPUT for each value that does not fit. */
NODISCARD bool variables_coerce(const struct operation *op, const struct jval *given,
                                struct arena *a, struct variables *out, struct errors *errs);
/* A literal without variables (a default value) as a coerced value of its type; the literal is
 * known to be valid. */
const struct jval *variables_from_literal(const struct ast_value *v, struct type_ref type,
                                          struct arena *a);
/*
 * Is it a list of rows (type.is_row), at least one, which all have values for the
 * same columns and nothing nested? When that is a whole variable, a plan depends on
 * which columns only: not on how many rows there are, nor on which values are null.
 */
bool variables_rows_uniform(const struct jval *list, const struct type *row);
/*
 * What a plan depends on besides the document: for every variable whether it is
 * absent, null or present; the values of booleans and enums, but in rows; the
 * shape of lists of input objects and of input objects, but not the other scalars
 * in them; the type of a node's id. Two sets of variables with equal skeletons can
 * share a plan.
 */
struct digest variables_skeleton(const struct operation *op, const struct variables *v);

#endif
