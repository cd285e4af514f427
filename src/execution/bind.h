/*
 * bind.h - parameter map + variables to the text parameters of a plan's steps.
 *
 * Memory:   in the arena given, or constants of the plan.
 */
#ifndef EXECUTION_BIND_H
#define EXECUTION_BIND_H

#include "planner/plan.h"

/* plan->nparams strings, NULL for SQL null: the steps' first. BAD_USER_INPUT for a value out
 * of range. */
NODISCARD bool bind_parameters(const struct plan *p, const struct variables *v, struct arena *a,
                               const char *const **out, struct errors *errs);

#endif
