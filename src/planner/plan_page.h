/*
 * plan_page.h - order, limit and offset of a list.
 */
#ifndef PLANNER_PLAN_PAGE_H
#define PLANNER_PLAN_PAGE_H

#include "planner/compile.h"

struct order_term {
    const struct column *column;
    unsigned alias; /* the list's own, or one of page->joins */
    enum order_direction direction;
};

struct order_terms {
    struct order_term *items;
    size_t n, cap;
};

struct columns {
    const struct column **items;
    size_t n, cap;
};

struct page {
    struct order_terms order;
    struct sqlbuf joins; /* for terms of to-one relations; may be empty */
    struct sqlbuf limit; /* " limit … offset …" */
    bool as_given;       /* rows of a function, in the order it gives them */
    bool reversed;       /* the limit leaves the last rows of the order */
    /* One row for each combination of values of these columns: the first in the
     * order, which is to say the first of each in the order of `pick`. */
    struct columns distinct;
    struct order_terms pick;
    struct columns groups; /* of a list of groups: by these columns, at least one */
};

/* Reads the order of a list field, and begins *out with it; no key yet. False with errors added. */
NODISCARD bool plan_order(struct compiler *c, unsigned alias, const struct relation *r,
                          const struct selection *s, struct page *out);
/* One more term, unless it is there already. */
void plan_append(struct compiler *c, struct order_terms *order, unsigned alias,
                 const struct column *column);
/* Reads all arguments of a list field but `where`. r: NULL for values. One without the argument
 * `limit`, a mutation's, has no limit. False with errors added. */
NODISCARD bool plan_page(struct compiler *c, unsigned alias, const struct relation *r,
                         const struct selection *s, struct page *out);
/* The columns that a list of values of ProjectField names, each once. False with errors added. */
NODISCARD bool plan_columns(struct compiler *c, const struct relation *r, const struct pvalue *v,
                            struct columns *out);
bool plan_has_column(const struct columns *columns, const struct column *column);
/* Is n, the value v of an argument, a number of rows from 0 to max? False with an error added. */
bool plan_range(struct compiler *c, const struct pvalue *v, const struct input_value *input,
                int64_t n, int64_t max);
/* " asc nulls last" */
void plan_direction(struct sqlbuf *b, enum order_direction direction);
/* The one in which everything comes from the other end. */
enum order_direction plan_reverse(enum order_direction direction);

#endif
