/*
 * plan_call.h - the call of a function, its arguments from the client and from the identity.
 */
#ifndef PLANNER_PLAN_CALL_H
#define PLANNER_PLAN_CALL_H

#include "planner/compile.h"

/* "schema"."function"("a" => $1::uuid). False with errors added. */
NODISCARD bool plan_call(struct compiler *c, const struct selection *s, struct sqlbuf *out);

#endif
