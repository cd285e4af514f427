/*
 * plan_aggregate.h - counts, sums and the like of all rows of a list, or of groups of them.
 */
#ifndef PLANNER_PLAN_AGGREGATE_H
#define PLANNER_PLAN_AGGREGATE_H

#include "planner/plan_select.h"

/*
 * The SELECT of a RESOLVE_AGGREGATE field: always one row. parent: NULL for a
 * root field. False with errors added.
 */
NODISCARD bool plan_aggregate(struct compiler *c, const struct selection *s,
                              const struct parent *parent, bool as_record, struct sqlbuf *out,
                              const struct shape **object);
/* The SELECT of a RESOLVE_GROUPS field: a row for each group. False with errors added. */
NODISCARD bool plan_groups(struct compiler *c, const struct selection *s, bool as_record,
                           struct sqlbuf *out, const struct shape **object);

#endif
