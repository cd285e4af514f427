/*
 * aggregates.h - which aggregates PostgreSQL has for which types.
 *
 * Thread:   one at a time.
 * Memory:   what is made is in the schema's arena.
 */
#ifndef SCHEMA_AGGREGATES_H
#define SCHEMA_AGGREGATES_H

#include "schema/build.h"

/* Those of a column that has its type already; NULL: none. */
const struct aggregates *aggregates_of(struct builder *b, const struct column *c);
/* The same of a key of a document. */
const struct aggregates *aggregates_of_key(struct builder *b, const struct column *c);

#endif
