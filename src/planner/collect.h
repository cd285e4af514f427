/*
 * collect.h - fields and fragments merged into one selection tree (specification section 6.3.2).
 *
 * Memory:   in the arena given; borrows from the operation.
 */
#ifndef PLANNER_COLLECT_H
#define PLANNER_COLLECT_H

#include "validation/variables.h"

/* A field to be resolved, with its merged sub-selections, in response order. */
struct selection {
    struct str key; /* response key */
    const struct field *field;
    const struct type *parent;
    const struct ast_selection *ast;         /* the first of the merged fields */
    const struct selection *const *children; /* of an object type */
    size_t nchildren;
    const struct ast_selection_set *const *sets; /* of a union or an interface: collect_object() */
    size_t nsets;
    bool include_deprecated; /* the argument of some introspection fields */
};

/*
 * The merged selection of the operation's root; @skip and @include are decided by
 * the variables. children of the result are the root fields. NULL with an error
 * added: nested too deep or too many fields (QUERY_TOO_COMPLEX), or a null
 * condition (BAD_USER_INPUT).
 */
const struct selection *collect(const struct operation *op, const struct variables *variables,
                                struct arena *a, struct errors *errs);
/*
 * What a field whose type is a union or an interface selects of an object type it
 * can be: the same selection, with children. NULL with an error added, as collect().
 */
const struct selection *collect_object(const struct operation *op,
                                       const struct variables *variables,
                                       const struct selection *of, const struct type *type,
                                       struct arena *a, struct errors *errs);

#endif
