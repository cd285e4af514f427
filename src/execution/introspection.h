/*
 * introspection.h - __schema and __type from the schema model (specification section 4).
 *
 * Thread:   any.
 */
#ifndef EXECUTION_INTROSPECTION_H
#define EXECUTION_INTROSPECTION_H

#include "base/buf.h"
#include "planner/collect.h"
#include "planner/plan.h"

/*
 * The value of a root field of kind SHAPE_INTROSPECTION, an object. False: null,
 * for a type there is not. params: those of bind_parameters().
 */
NODISCARD bool introspection_write(const struct plan *p, const struct shape_field *f,
                                   const char *const *params, struct buf *out);

#endif
