/*
 * plan_keyset.h - the condition that rows lie behind a place in an order, or before it.
 */
#ifndef PLANNER_PLAN_KEYSET_H
#define PLANNER_PLAN_KEYSET_H

#include "planner/plan_page.h"

enum keyset_side {
    KEYSET_BEHIND,
    KEYSET_BEFORE,
};

/* alias: of the list's own relation. */
bool plan_can_be_null(const struct order_term *t, unsigned alias);
/*
 * Append the condition that a row of the page's order lies on that side of a place,
 * or with `or_there` at it. values: for each term of the order, parameter and cast of
 * its value there.
 */
void plan_keyset(const struct page *page, unsigned alias, const struct sqlbuf *values,
                 enum keyset_side side, bool or_there, struct sqlbuf *out);

#endif
