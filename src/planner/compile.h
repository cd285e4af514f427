/*
 * compile.h - what the parts of the planner share while one operation is compiled.
 *
 * Thread:   one at a time.
 * Memory:   in the scratch arena, but for what the plan keeps.
 * Not here: the finished plan (plan.h).
 */
#ifndef PLANNER_COMPILE_H
#define PLANNER_COMPILE_H

#include "planner/input.h"
#include "planner/sqlbuf.h"

struct compiler {
    struct inputs in;
    const struct schema *schema;
    struct sqlparams params;
    unsigned aliases; /* t1 … given out */
};

/* One FROM item. */
struct source {
    unsigned alias;
    const struct relation *relation;
    bool *used; /* by column index: mentioned outside the subquery that limits the rows */
};

struct source *source_new(struct compiler *c, const struct relation *r);
/* "schema"."relation" t2 */
void source_name(struct sqlbuf *b, const struct relation *r, unsigned alias);
/* t2.key = t1.other_id, for each pair of columns, " and " between. */
void source_match(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to);
/* left join of the row a to-one relationship leads to. At most one, whatever the data. */
void source_join(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to);

#endif
