/*
 * plan_node.h - rows by the id of a node, and those ids.
 */
#ifndef PLANNER_PLAN_NODE_H
#define PLANNER_PLAN_NODE_H

#include "planner/plan_row.h"

/* The object type that the id of a field node(id:) names; NULL: none that has nodes. Of a variable
 * it is part of the skeleton. */
const struct type *plan_node_type(struct compiler *c, const struct selection *s);
/* BAD_USER_INPUT at the id if it is malformed: then it names no type. */
NODISCARD bool plan_node_check(struct compiler *c, const struct selection *s);
/*
 * The SELECT of the row that the id names, of a type of plan_node_type(): columns,
 * or with `as_record` one record. False with errors added.
 */
NODISCARD bool plan_node(struct compiler *c, const struct selection *s, bool as_record,
                         struct sqlbuf *out, const struct shape **object);
/* The field nodeId of a row. */
void plan_node_id(struct row *r, struct source *source, const struct selection *s,
                  struct shape_field *out);

#endif
