/*
 * costs.h - how much complexity one identity may ask for in a minute.
 *
 * Thread:   a worker's; the table is any's (ratelimit.h).
 * Memory:   bounded as that of rates is.
 * Not here: what an operation costs (validation/complexity.h).
 */
#ifndef SERVER_COSTS_H
#define SERVER_COSTS_H

#include "execution/execute.h"
#include "server/ratelimit.h"

/* Buckets of so much a minute, which is also what they hold. */
struct ratelimit *cost_limit(size_t slots, uint64_t per_minute);
/*
 * The engine's spend(), of jobs whose context is a struct graphql_context with limits.cost. Users
 * are known by tenant and subject; who has no token, by the address. Costs more than a
 * minute's are taken as that. In shadow mode always true.
 */
bool cost_spend(struct execution *x, uint64_t cost);

#endif
