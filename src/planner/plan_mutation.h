/*
 * plan_mutation.h - a root field of a mutation to the call of its function, and what reads its
 * result.
 */
#ifndef PLANNER_PLAN_MUTATION_H
#define PLANNER_PLAN_MUTATION_H

#include "planner/compile.h"

/* `position`: of the field in the root. Adds the steps; fills *shape. False with errors added. */
NODISCARD bool plan_mutation(struct compiler *c, const struct selection *s, int position,
                             struct shape_field *shape);

#endif
