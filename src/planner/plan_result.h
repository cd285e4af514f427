/*
 * plan_result.h - the SELECT that reads what a function returned.
 */
#ifndef PLANNER_PLAN_RESULT_H
#define PLANNER_PLAN_RESULT_H

#include "planner/compile.h"

/*
 * The SELECT that reads what a function returned, see plan_result_key(): kind and
 * object of *shape for FUNCTION_ROW (SHAPE_ROW) and FUNCTION_ROWS (SHAPE_ROWS).
 */
NODISCARD bool plan_select_result(struct compiler *c, const struct selection *s, struct sqlbuf *out,
                                  struct shape_field *shape);
/* The same of the rows of s->field->relation whose keys are kept: one, or as many as there are. */
NODISCARD bool plan_select_kept(struct compiler *c, const struct selection *s, bool one,
                                struct sqlbuf *out, struct shape_field *shape);
/* The key by which rows are read again; NULL: there is none. */
const struct key *plan_result_key(const struct relation *r);
/*
 * Is what the function gave kept as well, for rows that are gone by then? Of
 * functions with the rights of the caller, which have seen nothing else.
 *
 * The settings fraiseql.key1 … hold the columns of the key, each as the text of an
 * array with one item for each row; fraiseql.row the row itself as text, '' if
 * there is none. Several that are kept as well, and those without a key, are the
 * text of an array in fraiseql.rows alone.
 */
bool plan_result_has_row(const struct selection *s);
/* t1."key" = (those of column i of the key)[1] */
void plan_result_match(const struct key *k, size_t i, unsigned alias, struct sqlbuf *out);

#endif
