/*
 * viewrule.h - which column of which relation a view's column is.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 * Not here: following views over views (catalog.c).
 *
 * Reads pg_rewrite.ev_action, the text of a query tree. Its nodes differ
 * between versions of PostgreSQL, so only fields that all of 13 to 18 have are
 * looked for, by name, and what is not understood claims nothing.
 */
#ifndef SCHEMA_VIEWRULE_H
#define SCHEMA_VIEWRULE_H

#include "base/arena.h"

struct viewrule_column {
    uint32_t relation; /* oid; 0: the column is no plain column */
    int32_t column;    /* its number there */
    int32_t instance;  /* columns with one instance are of one row of the relation */
    bool nullable;     /* null where the relation's own column may not be */
};

struct viewrule {
    const struct viewrule_column *columns; /* by the view's column number - 1 */
    size_t ncolumns;
    uint32_t
        single; /* each row of the view is one row of this relation, and none twice; 0: not so */
    bool whole; /* and every one of its rows is there */
};

/* False: this is no query tree that we understand. */
NODISCARD bool viewrule_read(struct str action, struct arena *a, struct viewrule *out);

#endif
