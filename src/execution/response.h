/*
 * response.h - columns + shape to JSON: data, errors and extensions to bytes.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf; errors go to the list.
 */
#ifndef EXECUTION_RESPONSE_H
#define EXECUTION_RESPONSE_H

#include "base/buf.h"
#include "pg/pgbatch.h"
#include "planner/plan.h"

/*
 * {"data":…} for a plan whose steps gave the rows of `calls` (one each; NULL when
 * there is none), run with `params` of bind_parameters(). partial: a root field whose
 * step has no rows has failed by itself, and its error is in the list.
 * A null in a non-null position propagates (specification section 6.4.4), adds
 * an error with its path, and writes null for the nearest nullable parent.
 * False, buf failed: larger than buf->max.
 */
NODISCARD bool response_data(const struct plan *p, const char *const *params,
                             const struct pgcall *calls, bool partial, struct buf *out,
                             struct errors *errs);
/*
 * A body of response_data() with the errors of a partial result: {"errors":[…],"data":…}.
 * They come first, as the specification (section 7.1) recommends. The maximum of
 * the buf does not count for them.
 */
void response_add_errors(struct buf *body, const struct errors *errs, struct str request_id,
                         bool mask);
/* A whole response of errors only: {"errors":[…]}. request_id: into extensions; masks as the codes
 * say when `mask`. */
void response_errors(const struct errors *errs, struct str request_id, bool mask, struct buf *out);
/* The "errors" member alone, for a partial result: "errors":[…] */
void response_errors_member(const struct errors *errs, struct str request_id, bool mask,
                            struct buf *out);

#endif
