/*
 * warm.h - compiles what is hot for schemas that are about to be published.
 *
 * Thread:   jobs.
 * Memory:   what is compiled is the TurboRouter's.
 */
#ifndef EXECUTION_WARM_H
#define EXECUTION_WARM_H

#include "execution/execute.h"
#include "execution/registered.h"

/*
 * next: by role. The plans used most are validated and compiled under them and put into the
 * TurboRouter, so that the first request after the publication finds them. What is no longer valid
 * is left for the request that sends it. Takes half a second at most.
 */
void warm_plans(const struct engine *e, const struct schema *const *next, size_t nroles);

/*
 * Validates and compiles registered operations under the schema of each role, and has the
 * TurboRouter keep them as what was used again. Where there are no variables that would do, the
 * plan is left for the first request. invalid[i] becomes what is wrong with operation i, in the
 * arena, if it is valid for no role, else NULL. Takes two seconds at most: the number of operations
 * that were looked at.
 */
size_t warm_registered(const struct engine *e, const struct registered *list, size_t n,
                       const struct schema *const *next, size_t nroles, struct arena *a,
                       const char **invalid);

#endif
