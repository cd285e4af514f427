/*
 * functions.h - what the files that make fields of the database's functions share.
 *
 * Thread:   one at a time.
 * Memory:   what is kept is in the schema's arena, reasons are in the builder's scratch.
 * Not here: what the rest of the schema knows of functions (function.h).
 */
#ifndef SCHEMA_FUNCTIONS_H
#define SCHEMA_FUNCTIONS_H

#include "schema/build.h"

/* A function that the patterns match. */
struct candidate {
    const struct doc_function *doc;
    struct str name;   /* of the field */
    struct str reason; /* why it is not served; empty: it is */
};

/* Is it a type of values: one with a text form, composite, or a list of such? Rows of relations are
 * not. */
bool functions_plain_type(const struct builder *b, uint32_t oid);
/* The name of a type, for messages and casts. */
struct str functions_type_name(const struct builder *b, uint32_t oid);

/* parameters.c: why the arguments cannot be served; empty: they can. */
struct str parameters_reason(struct builder *b, const struct doc_function *d);
/* f's parameters, and the input values of those that the client gives, in scratch. */
void parameters_build(struct builder *b, const struct doc_function *d, struct function *f,
                      struct inputs *inputs);
/* The one argument `input` of the field, if there are any. */
void parameters_set_input(struct builder *b, const struct candidate *c, const struct inputs *inputs,
                          struct field *field);

/* outcomes.c: does it say whether it succeeded, in one of FraiseQL's composites? */
bool outcomes_is(const struct builder *b, const struct doc_function *d);
/* Why it cannot be served, though it seems to be one; empty: it can, or is none. */
struct str outcomes_reason(struct builder *b, const struct doc_function *d);
/* f's result, and the union that a field has which calls it. */
struct type_ref outcomes_build(struct builder *b, const struct candidate *c, struct function *f);

/* results.c: why the result cannot be served; empty: it can. */
struct str results_reason(struct builder *b, const struct doc_function *d);
/* f's result, and the type of a field that has it. */
struct type_ref results_build(struct builder *b, const struct doc_function *d, struct function *f);

#endif
