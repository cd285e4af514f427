/*
 * pgarray.h - arrays as PostgreSQL reads their text.
 *
 * Thread:   any.
 */
#ifndef PG_PGARRAY_H
#define PG_PGARRAY_H

#include "base/arena.h"

/* The text of a text[] (or of any array whose items have such text), every item quoted, in the
 * arena and NUL-terminated. */
struct str pgarray_text(const struct str *items, size_t n, struct arena *a);

#endif
