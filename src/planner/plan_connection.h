/*
 * plan_connection.h - connections: a page of a list by keyset, and what lies around it.
 */
#ifndef PLANNER_PLAN_CONNECTION_H
#define PLANNER_PLAN_CONNECTION_H

#include "planner/plan_select.h"

/* What a connection selects in the row it is a part of: up to 4 columns, side by side. */
struct connection_columns {
    struct sqlbuf sql[4];
    size_t n;
};

/*
 * A connection field as columns of its parent's row (NULL: of the root), the first
 * of which will be column `first`. Fills *shape: SHAPE_OBJECT of that row. False
 * with errors added.
 */
NODISCARD bool plan_connection(struct compiler *c, const struct selection *s,
                               const struct parent *parent, size_t first, unsigned depth,
                               struct connection_columns *columns, struct shape_field *shape);

#endif
