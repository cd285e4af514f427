/*
 * insertion.h - rows to insert, while their statements are made.
 *
 * Thread:   one at a time.
 * Memory:   in the compiler's scratch arena.
 * Not here: in which order they are inserted (plan_insert.c).
 */
#ifndef PLANNER_INSERTION_H
#define PLANNER_INSERTION_H

#include "planner/compile.h"

/* What all rows of one field have in common. */
struct insertion {
    struct compiler *c;
    const struct selection *field;
    int position;
    unsigned nodes; /* numbers given out */
    size_t made;    /* the step that inserts the root's rows */
};

struct row_in {
    struct pvalue input;
    size_t parent; /* its position among the rows of the node it is nested in */
};

/* A column that gets what another node's rows have in theirs. */
struct filled {
    const struct column *column;
    struct str by; /* name of the relation, for messages */
    unsigned number;
    size_t index; /* among what that node keeps */
    const struct column *from;
    const size_t *rows; /* for each row, the other's position from 1; 0: none. NULL: its parent */
};

/* Rows of one relation at one place of the input. */
struct node {
    const struct relation *relation;
    const struct type *type; /* of the input */
    struct {
        struct row_in *items;
        size_t n, cap;
    } rows;
    struct {
        struct filled *items;
        size_t n, cap;
    } filled;
    struct {
        const struct column **items;
        size_t n, cap;
    } needed;                  /* by other nodes */
    const struct pvalue *list; /* the variable that all rows are, as arrays; NULL: one by one */
    const struct key *key;     /* to be kept; NULL: nobody reads the rows again */
    unsigned number;
    bool root;
};

struct nodes {
    struct node **items;
    size_t n, cap;
};

/* insert_rows.c: by position of the input: is there anything to say of it in a row? */
bool *insert_used_inputs(struct insertion *x, const struct node *n);
/* ("name", …) values (…), … or, where n->list is set, select … from the arrays. False with errors
 * added. */
NODISCARD bool insert_rows(struct insertion *x, const struct node *n, const bool *used,
                           struct sqlbuf *out);
/* Do the plans of such a variable not depend on its length? See variables_skeleton(). */
bool insert_is_uniform(const struct pvalue *list);

/* insert_conflict.c: on conflict ("id") do update set …, as the field asks. False with errors
 * added. */
NODISCARD bool insert_conflict(struct insertion *x, const struct node *n, struct sqlbuf *out);

#endif
