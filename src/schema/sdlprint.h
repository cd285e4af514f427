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

/* The file of schema.sdl_file that makes the same schema of the same database: types of relations,
 * documents and enums, and the roots, with directives. What is generated is not in it. */
void schema_print_source(const struct schema *s, struct buf *out);

/* Parts of a definition, for sdlsource.c. */
void sdl_print_description(struct str s, const char *indent, struct buf *out);
void sdl_print_deprecated(struct str reason, struct buf *out);
void sdl_print_enum(const struct type *t, struct buf *out);

#endif
