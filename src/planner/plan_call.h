/*
 * plan_call.h - the call of a function, its arguments from the client and from the identity.
 */
#ifndef PLANNER_PLAN_CALL_H
#define PLANNER_PLAN_CALL_H

#include "planner/compile.h"

/*
 * "schema"."function"(row, "a" => $1::uuid). row: the first argument of a function
 * that takes one, NULL for others. False with errors added.
 */
NODISCARD bool plan_call(struct compiler *c, const struct selection *s, const struct sqlbuf *row,
                         struct sqlbuf *out);
/*
 * The same for a FUNCTION_VALUE or FUNCTION_VALUES as an expression of a SELECT:
 * fills kind, codec and object of *shape for the value or array that it is.
 */
NODISCARD bool plan_call_value(struct compiler *c, const struct selection *s,
                               const struct sqlbuf *row, unsigned depth, struct sqlbuf *out,
                               struct shape_field *shape);

#endif
