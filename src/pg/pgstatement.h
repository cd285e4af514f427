/*
 * pgstatement.h - a statement's text and identity; the only part of pg/ that planner/ sees.
 *
 * Thread:   any; constant once made.
 * Memory:   the text is borrowed from the plan's arena.
 */
#ifndef PG_PGSTATEMENT_H
#define PG_PGSTATEMENT_H

#include "base/str.h"

struct pgstatement {
    struct str sql; /* NUL-terminated; parameters $1..$nparams */
    size_t nparams;
    uint64_t hash[2]; /* 128 bits of the text: equal texts share their prepared statement */
};

/* sql.data[sql.len] must be NUL. */
void pgstatement_init(struct pgstatement *s, struct str sql, size_t nparams);

/* A value of a result in PostgreSQL's binary format; len is -1 for null. */
struct pgvalue {
    const char *data;
    int32_t len;
    uint32_t type; /* its oid; 0: not told */
};

#endif
