/*
 * plan_change.h - a root field that changes rows of a relation: insert, update, upsert, delete.
 */
#ifndef PLANNER_PLAN_CHANGE_H
#define PLANNER_PLAN_CHANGE_H

#include "planner/compile.h"

/* For RESOLVE_CHANGE. `position`: of the field in the root. Adds the steps; fills *shape. False
 * with errors added. */
NODISCARD bool plan_change(struct compiler *c, const struct selection *s, int position,
                           struct shape_field *shape);

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
/*
 * A step that fails, and says why, unless the number of rows just changed is as
 * the comparison says: "<=" or "=" the limit.
 */
void plan_guard(struct compiler *c, int position, const char *comparison,
                const struct sqlbuf *limit, const char *refusal);
/* The guard that the argument `atMost` asks for, if it is there. False with errors added. */
NODISCARD bool plan_guard_at_most(struct compiler *c, const struct selection *s, int position);
/* QUERY_TOO_COMPLEX if there are too many statements. */
NODISCARD bool plan_change_fits(struct compiler *c, const struct selection *s);

#endif
