/*
 * plan_outcome.h - a root field whose function says whether it succeeded.
 */
#ifndef PLANNER_PLAN_OUTCOME_H
#define PLANNER_PLAN_OUTCOME_H

#include "planner/compile.h"

/* FUNCTION_OUTCOME: adds the steps; fills *shape, as plan_mutation(). False with errors added. */
NODISCARD bool plan_outcome(struct compiler *c, const struct selection *s, int position,
                            struct shape_field *shape);

#endif
