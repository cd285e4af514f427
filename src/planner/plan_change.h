/*
 * plan_change.h - a root field that changes rows of a relation: insert, update, upsert, delete.
 */
#ifndef PLANNER_PLAN_CHANGE_H
#define PLANNER_PLAN_CHANGE_H

#include "planner/compile.h"

/* For RESOLVE_CHANGE. `position`: of the field in the root. Adds the steps; fills *shape. False
 * with errors added. */
NODISCARD bool plan_change(struct compiler *c, const struct selection *s, int position,
                           struct shape_field *shape);

/*
 * A step that fails, and says why, unless the number of rows just changed is as
 * the comparison says: "<=" or "=" the limit.
 */
void plan_change_check(struct compiler *c, int position, const char *comparison,
                       const struct sqlbuf *limit, const char *refusal);
/* The step that the argument `atMost` asks for, if it is there. False with errors added. */
NODISCARD bool plan_change_at_most(struct compiler *c, const struct selection *s, int position);
/* QUERY_TOO_COMPLEX if there are too many statements. */
NODISCARD bool plan_change_fits(struct compiler *c, const struct selection *s);

#endif
