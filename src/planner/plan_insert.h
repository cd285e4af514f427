/*
 * plan_insert.h - rows to insert or upsert, with the rows of other relations nested in them.
 */
#ifndef PLANNER_PLAN_INSERT_H
#define PLANNER_PLAN_INSERT_H

#include "planner/compile.h"

/* The steps of CHANGE_INSERT and CHANGE_UPSERT; *made is the one that inserts the field's own rows.
 * False with errors added. */
NODISCARD bool plan_insert(struct compiler *c, const struct selection *s, int position,
                           size_t *made);
/* The value of a column that is not absent: "null" or "$1::type". False with errors added. */
NODISCARD bool plan_insert_value(struct compiler *c, const struct column *column,
                                 const struct pvalue *v, struct sqlbuf *out);

#endif
