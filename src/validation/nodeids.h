/*
 * nodeids.h - which variables of an operation are ids of nodes.
 */
#ifndef VALIDATION_NODEIDS_H
#define VALIDATION_NODEIDS_H

#include "validation/validate.h"

/* Set node_id of the variables that node(id:) gets; the rest of the operation is complete. */
void nodeids_mark(const struct operation *op, struct operation_variable *variables);

#endif
