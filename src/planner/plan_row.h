/*
 * plan_row.h - the columns of one row while they are gathered, and the shape that reads them.
 *
 * Thread:   one at a time.
 * Memory:   in the compiler's arenas; shapes in the plan's.
 * Not here: where rows come from (plan_select.c, plan_result.c).
 */
#ifndef PLANNER_PLAN_ROW_H
#define PLANNER_PLAN_ROW_H

#include "planner/compile.h"

#define MAX_ROW_COLUMNS 1600 /* PostgreSQL: 1664, of a row and of row(…) */
#define MAX_SHAPE_DEPTH 100

struct to_one {
    unsigned from;
    const struct relationship *relationship;
    struct source *source;
};

struct selected {
    unsigned alias;
    const struct column *column;
    uint16_t index;
};

/* The columns of one row, of its base and of all that hangs on it by to-one relations. */
struct row {
    struct compiler *c;
    struct source *base;
    struct sqlbuf items;
    size_t nitems;
    struct sqlbuf joins;
    bool nested; /* has joins or lists: needs the subquery that limits it */
    struct {
        struct selected *items;
        size_t n, cap;
    } columns;
    struct {
        struct to_one *items;
        size_t n, cap;
    } to_ones;
    struct {
        struct shape **items;
        size_t n, cap;
    } shapes; /* that read this row */
};

/* What every field of a shape has. */
void plan_shape_field(struct compiler *c, const struct selection *s, struct shape_field *out);
/* QUERY_TOO_COMPLEX at the field; returns false. */
bool plan_too_complex(struct compiler *c, const struct selection *s, const char *message);
/* A row without columns yet, what one selection of it needs, any number of times, and its end. */
void row_begin(struct compiler *c, struct source *base, struct row *r);
NODISCARD bool row_select(struct row *r, const struct selection *s, unsigned depth,
                          const struct shape **object);
void row_end(struct row *r);
/*
 * All of that for one selection:
 * Compile the columns that the selection needs of a row of the base, and all that
 * hangs on it: joins and nested lists. False with errors added.
 */
NODISCARD bool row_gather(struct compiler *c, struct source *base, const struct selection *s,
                          unsigned depth, struct row *r, const struct shape **object);
/* A column of the row is mentioned outside the subquery that limits the base. */
void row_use(struct row *r, struct source *s, const struct column *column);
/* The index of one more item, whose text the caller appends to r->items. */
uint16_t row_item(struct row *r);
/* Index of a column of a source in the row: selected once, however often it is asked for. */
uint16_t row_column(struct row *r, struct source *s, const struct column *column);
/* "select …  from ", or "select row(…) from ". */
void row_write(const struct row *r, bool as_record, struct sqlbuf *out);

#endif
