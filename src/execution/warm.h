/*
 * warm.h - compiles what is hot for schemas that are about to be published.
 *
 * Thread:   jobs.
 * Memory:   what is compiled is the TurboRouter's.
 */
#ifndef EXECUTION_WARM_H
#define EXECUTION_WARM_H

#include "execution/execute.h"

/*
 * next: by role. The plans used most are validated and compiled under them and put into the
 * TurboRouter, so that the first request after the publication finds them. What is no longer valid
 * is left for the request that sends it. Takes half a second at most.
 */
void warm_plans(const struct engine *e, const struct schema *const *next, size_t nroles);

#endif
