/*
 * plan_select.h - root fields to a SELECT of typed columns, and the shape that puts them together.
 */
#ifndef PLANNER_PLAN_SELECT_H
#define PLANNER_PLAN_SELECT_H

#include "planner/compile.h"

/*
 * The SELECT of a root field that reads a relation: rows of columns, or with
 * `as_record` rows of one record. Fills kind, object and the rest of *shape for
 * RESOLVE_LIST (SHAPE_ROWS, SHAPE_RECORDS) and RESOLVE_BY_KEY (SHAPE_ROW,
 * SHAPE_RECORD). False with errors added.
 */
NODISCARD bool plan_select(struct compiler *c, const struct selection *s, bool as_record,
                           struct sqlbuf *out, struct shape_field *shape);
/*
 * The SELECT that reads what a function returned, see plan_result_key(): kind and
 * object of *shape for FUNCTION_ROW (SHAPE_ROW) and FUNCTION_ROWS (SHAPE_ROWS).
 */
NODISCARD bool plan_select_result(struct compiler *c, const struct selection *s, struct sqlbuf *out,
                                  struct shape_field *shape);
/*
 * The key by which rows that a function returned are read again; the settings
 * fraiseql.key1 … hold its columns, each as the text of an array with one item for
 * each row. NULL: there is none, and fraiseql.rows holds the rows themselves, as
 * the text of an array.
 */
const struct key *plan_result_key(const struct relation *r);
/* What every field of a shape has. */
void plan_shape_field(struct compiler *c, const struct selection *s, struct shape_field *out);

#endif
