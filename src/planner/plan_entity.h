/*
 * plan_entity.h - the entity of a function's outcome, read again by its key.
 */
#ifndef PLANNER_PLAN_ENTITY_H
#define PLANNER_PLAN_ENTITY_H

#include "planner/compile.h"

/* The columns of an outcome that say which entity it is; NULL where a form has none. */
struct entity_columns {
    const char *id;
    const char *type;
    const char *document;
};

/*
 * Items of the call's SELECT, each behind ", ", that keep the entity's key and
 * document in settings for plan_entity(), if `t2.ok`; the number of them.
 */
size_t plan_entity_keep(const struct function_outcome *o, const struct entity_columns *of,
                        struct compiler *c, struct sqlbuf *out);
/* The SELECT that reads it: fills kind and object of *shape. False with errors added. */
NODISCARD bool plan_entity(struct compiler *c, const struct function_outcome *o,
                           const struct selection *s, struct sqlbuf *out,
                           struct shape_field *shape);

#endif
