/*
 * paramdoc.h - a whole input object as one JSON document, with the keys of the database.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 *
 * Used for constants when a plan is made and for variables when it is bound, so
 * that both come out the same.
 */
#ifndef PLANNER_PARAMDOC_H
#define PLANNER_PARAMDOC_H

#include "planner/plan.h"

/*
 * The JSON text of a value of a declared type, NUL-terminated: members of input
 * objects under the names of their columns, those absent left out; enum values as
 * labels; numbers as they were given. False: it does not fit its type.
 */
NODISCARD bool paramdoc_text(struct type_ref type, const struct jval *v, struct arena *a,
                             struct str *out);

#endif
