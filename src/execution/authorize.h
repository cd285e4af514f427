/*
 * authorize.h - may an identity run a plan?
 *
 * Thread:   any.
 * Not here: what the plan demands (planner/plan_auth.c).
 */
#ifndef EXECUTION_AUTHORIZE_H
#define EXECUTION_AUTHORIZE_H

#include "auth/auth.h"
#include "planner/plan.h"

/* Has it the role and the scopes? */
bool authorize_rule(const struct auth_rule *rule, const struct identity *who);
/*
 * False with FORBIDDEN (UNAUTHENTICATED where there is no identity) for each thing that the plan
 * demands and `who` has not, at its place in the document. A plan is shared by all identities, so
 * this is asked for each request, however the plan was come by.
 */
NODISCARD bool authorize(const struct plan *p, const struct identity *who, struct errors *errs);

#endif
