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
    /* of the statement being made */
    struct sqlparams params;
    unsigned aliases; /* t1 … given out */
    /* of all that are finished */
    struct {
        struct plan_step *items;
        size_t n, cap;
    } steps;
    struct {
        struct plan_param *items;
        size_t n, cap;
    } all_params;
    bool parts; /* the fields of a mutation are parts of its transaction (plan_guard.c) */
    int guard;  /* the step that decides if the next ones run; -1: none */
    size_t sources;
    size_t related; /* conditions on other relations */
    bool strict;    /* conditions choose rows to be changed: none may say nothing */
    bool overflow;  /* too many parameters in one of them */
    struct sqlmentions mentions;
};

/* The statement is complete: it becomes a step of the plan, and the next one begins. field,
 * columns, one_row: see struct plan_step. */
void compile_step(struct compiler *c, const struct sqlbuf *sql, int field, size_t ncolumns,
                  bool one_row);
/*
 * A PVALUE_LEAF, a composite's PVALUE_OBJECT, or with PARAM_ARRAY a PVALUE_LIST, as a
 * parameter cast to a type; a literal with variables in it as array[…] or row(…).
 * "::cast[]" when array. False with errors added.
 */
NODISCARD bool compile_value(struct compiler *c, const struct pvalue *v, enum param_form form,
                             struct str cast, bool array, struct sqlbuf *out);

/* The part of a column's values, as a column of its own, which the plan may keep. */
const struct column *compile_part(struct compiler *c, const struct column *of,
                                  const struct column *part);

/* An aggregate of a column as one of its own; of rows: of is NULL. In the plan's arena. */
const struct column *compile_aggregate(struct compiler *c, enum aggregate f,
                                       const struct column *of);

/* One FROM item. */
struct source {
    unsigned alias;
    const struct relation *relation;
    const struct sqlbuf
        *call;  /* whose rows these are, rows of the relation's type; NULL: its own */
    bool *used; /* by column index: mentioned outside the subquery that limits the rows */
    bool paged; /* there may be such a subquery */
    bool whole; /* and the row as a whole is mentioned outside */
    const struct column *present; /* of a joined row: null only if there is none; NULL: take all */
};

struct source *source_new(struct compiler *c, const struct relation *r);
/* The FROM item: the relation, or the call under the same condition. */
void source_from(struct sqlbuf *b, const struct source *s);
/* A name for something of a row that is no column of the relation: the one wanted, or longer. */
struct str source_free_name(struct compiler *c, const struct source *s, struct str wanted);
/* The row as a whole, of its relation's type. */
void source_whole(struct compiler *c, struct source *s, struct sqlbuf *out);
/* What is used of it, as a subquery that stands for it selects it: t2."id", t2."name", and the row
 * as a whole if that is used. At least one thing has to be. */
void source_used(struct compiler *c, const struct source *s, struct sqlbuf *out);
/* Is there a row, for a joined source? t2."id" is not null */
void source_is_there(const struct source *s, struct sqlbuf *out);
/*
 * Every FROM item that is a relation: "schema"."relation" t2. Where row security does not keep
 * tenants apart, with the condition that does: ("schema"."relation" t2 join (select) g2 on …).
 */
void source_name(struct sqlbuf *b, const struct relation *r, unsigned alias);
/* Rows of such a relation that come from elsewhere, as a function's do, need the condition too. */
static inline bool source_guarded(const struct relation *r)
{
    return r->tenant_value.len > 0;
}

/* t2."tenant_id" = …; only where source_guarded(). */
void source_guard(struct sqlbuf *b, const struct relation *r, unsigned alias);
/* t2.key = t1.other_id, for each pair of columns, " and " between; or that a join table connects
 * them. */
void source_match(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to);
/* left join of the row a to-one relationship leads to. At most one, whatever the data. */
void source_join(struct sqlbuf *b, const struct relationship *r, unsigned from, unsigned to);

#endif
