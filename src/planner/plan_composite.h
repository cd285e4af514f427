/*
 * plan_composite.h - values of composite types to records of their selected parts.
 *
 * Not here: conditions and order by parts (plan_filter.c, plan_page.c), values given (paramtext.c).
 */
#ifndef PLANNER_PLAN_COMPOSITE_H
#define PLANNER_PLAN_COMPOSITE_H

#include "planner/plan_row.h"

/*
 * Append an expression that is a record of what is selected of a value, or for
 * value->is_array an array of records: kind and object of *shape (SHAPE_RECORD,
 * SHAPE_RECORDS). `value` describes it (value->composite), `sql` is an expression
 * that costs nothing to repeat, such as a column of a table. False with errors added.
 */
NODISCARD bool plan_composite(struct compiler *c, const struct column *value,
                              const struct sqlbuf *sql, const struct selection *s, unsigned depth,
                              struct sqlbuf *out, struct shape_field *shape);
/* A column of composite type as one more item of the row. */
NODISCARD bool plan_composite_column(struct row *r, struct source *source,
                                     const struct selection *s, unsigned depth,
                                     struct shape_field *out);

#endif
