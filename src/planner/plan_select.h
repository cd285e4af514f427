/*
 * plan_select.h - root fields to a SELECT of typed columns, and the shape that puts them together.
 */
#ifndef PLANNER_PLAN_SELECT_H
#define PLANNER_PLAN_SELECT_H

#include "planner/plan_row.h"

/*
 * The SELECT of a root field that reads a relation: rows of columns, or with
 * `as_record` rows of one record. Fills kind, object and the rest of *shape for
 * RESOLVE_LIST (SHAPE_ROWS, SHAPE_RECORDS) and RESOLVE_BY_KEY (SHAPE_ROW,
 * SHAPE_RECORD). False with errors added.
 */
NODISCARD bool plan_select(struct compiler *c, const struct selection *s, bool as_record,
                           struct sqlbuf *out, struct shape_field *shape);
/* The SELECT of a list that hangs on a row of the parent, inside array(…). False with errors added.
 */
NODISCARD bool plan_select_related(struct compiler *c, const struct selection *s,
                                   struct row *parent, struct source *parent_source, unsigned depth,
                                   struct sqlbuf *out, const struct shape **object);

#endif
