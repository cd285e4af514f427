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

struct sdl_other;

/* Where a function is a field. */
enum function_place {
    PLACE_MUTATION, /* of the mutation root */
    PLACE_QUERY,    /* of the query root */
    PLACE_ROW,      /* of the type of a relation, whose row is its first argument */
};

/* A function that the patterns match. */
struct candidate {
    struct doc_function *doc;
    enum function_place place;
    const struct relation *of; /* PLACE_ROW */
    struct str name;           /* of the field */
    struct str reason;         /* why it is not served; empty: it is */
};

/* Is it a type of values: one with a text form, composite, or a list of such? Rows of relations are
 * not. */
bool functions_plain_type(const struct builder *b, uint32_t oid);
/* The name of a type, for messages and casts. */
struct str functions_type_name(const struct builder *b, uint32_t oid);
/* The exposed relation of whose rows the type is; NULL: of none. */
const struct relation *functions_row_type(const struct builder *b, uint32_t oid);

/* parameters.c: is the argument one that goes in? */
bool parameters_is_input(const struct doc_argument *a);
/* Is it filled from the identity? */
bool parameters_is_context(const struct doc_function *d, const struct doc_argument *a);
/* Why the arguments cannot be served; empty: they can. */
struct str parameters_reason(struct builder *b, const struct candidate *c);
/* f's parameters, and the arguments of its field. */
void parameters_build(struct builder *b, const struct candidate *c, struct function *f,
                      struct inputs *arguments);

/* A single jsonb argument, and by what its shape is declared. */
struct payload {
    const struct doc_argument *argument;
    const struct doc_type *shape; /* composite type; or NULL and … */
    struct sdl_other *declared;   /* an input of the SDL file */
};

/* payloads.c: false: the function has none such. */
bool payloads_find(struct builder *b, const struct candidate *c, struct payload *out);
/* Its members, in scratch. */
void payloads_members(struct builder *b, const struct payload *p, struct inputs *out);

/* payload_sdl.c: the input of the SDL file that is the shape of the argument; NULL: none is. */
struct sdl_other *payload_sdl_find(struct builder *b, const struct candidate *c,
                                   const struct doc_argument *a);
void payload_sdl_members(struct builder *b, struct sdl_other *o, struct inputs *out);

/* outcomes.c: does it say whether it succeeded, in one of FraiseQL's composites? */
bool outcomes_is(const struct builder *b, const struct doc_function *d);
/* Why it cannot be served, though it seems to be one; empty: it can, or is none. */
struct str outcomes_reason(struct builder *b, const struct doc_function *d);
/* f's result, and the union that a field has which calls it. */
struct type_ref outcomes_build(struct builder *b, const struct candidate *c, struct function *f);

/* results.c: why the result cannot be served; empty: it can. */
struct str results_reason(struct builder *b, const struct candidate *c);
/* The arguments of a field that choose some of its result: where, limit ... */
const struct input_value *results_arguments(struct builder *b, const struct candidate *c,
                                            size_t *n);
/* f's result, and the type of a field that has it. */
struct type_ref results_build(struct builder *b, const struct candidate *c, struct function *f);

#endif
