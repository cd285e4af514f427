/*
 * plan_select.h - root fields to a SELECT of typed columns, and the shape that puts them together.
 */
#ifndef PLANNER_PLAN_SELECT_H
#define PLANNER_PLAN_SELECT_H

#include "planner/plan_page.h"
#include "planner/plan_row.h"

/* The row that a list hangs on, and the part of it that the list's relationship begins at. */
struct parent {
    struct row *row;
    struct source *source;
};

/*
 * The SELECT of a root field that reads a relation, or rows of a function: rows of
 * columns, or with `as_record` rows of one record. Fills kind, object and the rest
 * of *shape: SHAPE_ROWS and SHAPE_RECORDS for lists, SHAPE_ROW and SHAPE_RECORD
 * for others. False with errors added.
 */
NODISCARD bool plan_select(struct compiler *c, const struct selection *s, bool as_record,
                           struct sqlbuf *out, struct shape_field *shape);
/* The SELECT of a list that hangs on a row of the parent, inside array(…). False with errors added.
 */
NODISCARD bool plan_select_related(struct compiler *c, const struct selection *s,
                                   const struct parent *parent, unsigned depth, struct sqlbuf *out,
                                   const struct shape **object);

/*
 * The parts of a list, for what pages it in other ways.
 *
 * The rows that a list field is of, of a relation or of a function: NULL with errors added.
 */
struct source *select_source(struct compiler *c, const struct selection *s,
                             const struct parent *parent);
/*
 * The condition " where …" of the rows that a list field is of, which hang on the
 * parent (NULL: a root field) and fulfil the argument `where`; *any: there is one.
 */
NODISCARD bool select_where(struct compiler *c, const struct selection *s, unsigned alias,
                            const struct parent *parent, struct sqlbuf *out, bool *any);
/* The rows gathered in r, as far as the condition and the page go. */
void select_write(const struct row *r, const struct page *page, const struct sqlbuf *where,
                  bool as_record, struct sqlbuf *out);
/* " order by …", of the base itself. */
void select_order(const struct row *r, const struct order_terms *order, struct sqlbuf *out);
/* The one row gathered in r that fulfils a condition of a key. */
void select_write_one(const struct row *r, const struct sqlbuf *where, bool as_record,
                      struct sqlbuf *out);
/* The name that the n-th order term has outside the subquery that limits the rows, where it is of
 * another relation; no column of the relation has it. */
struct str select_order_name(const struct row *r, size_t n);

#endif
