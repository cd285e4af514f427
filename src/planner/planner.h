/*
 * planner.h - validated operation to plan; runs nothing.
 *
 * Thread:   any.
 */
#ifndef PLANNER_PLANNER_H
#define PLANNER_PLANNER_H

#include "planner/plan.h"

/*
 * variables: coerced; the plan depends on their skeleton only (variables_skeleton()),
 * never on another scalar value. NULL with errors added (BAD_USER_INPUT: a null
 * operand, two fields in one order element …), else a plan with one reference.
 */
const struct plan *planner_compile(const struct operation *op, const struct variables *variables,
                                   struct errors *errs);

#endif
