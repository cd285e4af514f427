/*
 * plan_auth.h - what an operation uses that has a rule of its own: @auth.
 */
#ifndef PLANNER_PLAN_AUTH_H
#define PLANNER_PLAN_AUTH_H

#include "planner/compile.h"

/*
 * Put into the plan what the operation demands of whoever asks: the rules of all types, fields,
 * columns and functions that it selects, filters, sorts, groups or writes by. For operations that
 * have been compiled. False with errors added: it selects too much.
 */
NODISCARD bool plan_auth(struct compiler *c, const struct selection *root, struct plan *p);

#endif
