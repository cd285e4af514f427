/*
 * complexity.h - how much an operation may ask for: fields times the rows of the lists around them.
 *
 * Thread:   any.
 * Memory:   what depends on variables is in the operation's arena.
 * Not here: counts of the text alone (limits.c).
 *
 * A field costs 1, with a selection set 1 and its selections; those of a list
 * are multiplied by its rows: the argument `limit`, or list_rows where there is
 * none. Fields of introspection are never multiplied: no rows are behind them.
 * @skip and @include do not make an operation cheaper.
 */
#ifndef VALIDATION_COMPLEXITY_H
#define VALIDATION_COMPLEXITY_H

#include "validation/variables.h"

/*
 * Set op->complexity, or op->cost where limits are variables. The document is
 * legal. list_rows: of a list without limit; 0: the schema's default limit.
 */
void complexity_measure(struct operation *op, size_t list_rows);
/* With these variables; saturating. The arena is for intermediate results. */
uint64_t complexity_of(const struct operation *op, const struct variables *v, struct arena *a);
/* False, with QUERY_TOO_COMPLEX added, when it is more than max; 0 is no limit. */
NODISCARD bool complexity_check(const struct operation *op, const struct variables *v, size_t max,
                                struct arena *a, struct errors *errs);

#endif
