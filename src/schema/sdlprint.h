/*
 * sdlprint.h - a schema as text in the schema definition language.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: introspection (execution/introspection.c).
 */
#ifndef SCHEMA_SDLPRINT_H
#define SCHEMA_SDLPRINT_H

#include "schema/schema.h"

/*
 * Types in the schema's order, which is stable for one database; without
 * what every schema has (built-in scalars and directives, introspection types).
 */
void schema_print(const struct schema *s, struct buf *out);

#endif
