/*
 * prepare.h - from a document to its operation, and from that to its plan: stages 5 to 9.
 *
 * Thread:   a worker's; the jobs thread, to warm.
 * Memory:   operation and plan are retained for the caller.
 */
#ifndef EXECUTION_PREPARE_H
#define EXECUTION_PREPARE_H

#include "execution/execute.h"

/* x->operation, found or validated under the schema of now. False with errors. */
NODISCARD bool prepare_operation(struct execution *x);
/* x->plan, found or compiled. False with errors. */
NODISCARD bool prepare_plan(struct execution *x, const struct variables *v);

#endif
