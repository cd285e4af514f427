/*
 * plan_guard.h - what rolls a field of a mutation back whose result is an error, and nothing else.
 */
#ifndef PLANNER_PLAN_GUARD_H
#define PLANNER_PLAN_GUARD_H

#include "planner/compile.h"

/* Around the fields of an operation, when some have guards and others stand beside them. */
void plan_guard_begin(struct compiler *c);
void plan_guard_commit(struct compiler *c);

/* Around the steps of the field at `position`, whose call is the first of them. */
void plan_guard_open(struct compiler *c, int position);
/* Behind the call, which has set fraiseql.outcome: "true", or what the server's log is to say of
 * the error. What follows only runs when it is true. */
void plan_guard_check(struct compiler *c, int position);
void plan_guard_close(struct compiler *c, int position);

#endif
