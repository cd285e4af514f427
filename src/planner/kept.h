/*
 * kept.h - what is kept of changed rows, for later statements.
 *
 * Thread:   one at a time.
 * Not here: reading rows by their kept keys (plan_result.c).
 */
#ifndef PLANNER_KEPT_H
#define PLANNER_KEPT_H

#include "planner/sqlbuf.h"

/*
 * "select count(*)::int4, … from w": the statement around the one that changes
 * rows and returns what a later statement needs, as w. Sets fraiseql.key1 … to the
 * columns of the key, when there is one, and fraiseql.row<number>_1 … to others,
 * each as the text of an array with an item for each row.
 */
struct kept {
    const struct key *key; /* NULL: not needed */
    unsigned number;
    const struct column **others;
    size_t nothers;
};

/* " returning t1."id", …": each column of them once. */
void kept_returning(const struct kept *k, unsigned alias, struct sqlbuf *out);
/* What comes behind "with w as (…)"; the number of its columns. */
size_t kept_select(const struct kept *k, struct sqlbuf *out);
/* The array of `others[i]`: pg_catalog.current_setting('fraiseql.row1_1')::type[] */
void kept_array(unsigned number, size_t i, const struct column *column, struct sqlbuf *out);

#endif
