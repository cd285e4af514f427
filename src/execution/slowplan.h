/*
 * slowplan.h - how PostgreSQL runs a query that was slow, for the log.
 *
 * Thread:   a worker's.
 * Memory:   an errand's: the request is over before it is.
 */
#ifndef EXECUTION_SLOWPLAN_H
#define EXECUTION_SLOWPLAN_H

struct execution;

/*
 * It has ended. A query whose statement took engine->log_slow_ns or longer is explained, not run
 * again, in a session as it had, and the plan is logged without the values in it: each statement
 * once an hour, and one a second at most.
 */
void slowplan_tell(const struct execution *x);

#endif
