/*
 * plan_filter.h - filter arguments to predicates.
 */
#ifndef PLANNER_PLAN_FILTER_H
#define PLANNER_PLAN_FILTER_H

#include "planner/compile.h"

/*
 * Append the conditions of a where input about the rows of an alias, each behind
 * " and " if *any or " where " if not; *any becomes true with the first. A value
 * that is absent, null or empty appends nothing. False with errors added.
 */
NODISCARD bool plan_filter(struct compiler *c, unsigned alias, const struct pvalue *where,
                           struct sqlbuf *out, bool *any);
/* The same of conditions on groups of these rows: " having …", or nothing. */
NODISCARD bool plan_filter_groups(struct compiler *c, unsigned alias, const struct pvalue *having,
                                  struct sqlbuf *out);
/* "column = $n::type" for a key argument. */
NODISCARD bool plan_filter_key(struct compiler *c, unsigned alias, const struct column *column,
                               const struct pvalue *value, struct sqlbuf *out);

#endif
