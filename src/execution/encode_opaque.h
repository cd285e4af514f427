/*
 * encode_opaque.h - values of a row to the text that stands for them: cursors, ids of nodes.
 *
 * Thread:   any.
 * Not here: reading one (schema/opaque.h).
 */
#ifndef EXECUTION_ENCODE_OPAQUE_H
#define EXECUTION_ENCODE_OPAQUE_H

#include "base/buf.h"
#include "planner/plan.h"

/* A JSON string. scratch: of the caller, its content is gone. False: as encode_value(). */
NODISCARD bool encode_opaque(const struct shape_opaque *o, const struct pgvalue *columns,
                             struct buf *scratch, struct buf *out);

#endif
