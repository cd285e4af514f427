/*
 * function.h - what PostgreSQL's catalog says of the functions that are served.
 *
 * Thread:   any; constant once the schema is published.
 * Memory:   in the schema's arena.
 * Not here: GraphQL fields made of them (schema.h), calling them (planner/plan_mutation.c).
 */
#ifndef SCHEMA_FUNCTION_H
#define SCHEMA_FUNCTION_H

#include "schema/relation.h"

/* What goes into a function. */
struct parameter {
    struct str name;     /* in the database; empty only where it is the row */
    struct str type_sql; /* its type's name for a cast, a domain's own */
    bool row;            /* the first: the row that it is a field of */
    bool variadic;       /* the last; absent is an empty list */
    bool optional;       /* absent is possible: it is left out of the call, and its default holds */
    struct str setting; /* session setting of the identity that is its value; empty: the client's */
};

enum function_result {
    FUNCTION_VOID,    /* nothing; true is the answer */
    FUNCTION_VALUE,   /* one value, by `value` */
    FUNCTION_VALUES,  /* a set of values, each by `value`, and as an array by `codec` */
    FUNCTION_ROW,     /* one row of `relation`, or null */
    FUNCTION_ROWS,    /* rows of `relation` */
    FUNCTION_OUTCOME, /* whether it succeeded, and what became of it: by `outcome` */
};

/* FraiseQL's composites in which a function says whether it succeeded, known by their columns. */
enum outcome_form {
    OUTCOME_RESULT,       /* mutation_result: 6 columns */
    OUTCOME_RESPONSE,     /* mutation_response: 8 columns */
    OUTCOME_APP_RESPONSE, /* app.mutation_response: 13 columns */
};

struct function_outcome {
    enum outcome_form form;
    const struct type *success; /* object types of the union */
    const struct type *error;
    const struct relation *entity; /* NULL: the entity is JSON */
    const struct key *key; /* by which the entity is read; NULL: it is as the function says */
    bool own_rights;       /* it runs with its owner's: what it says may not be for the role */
};

struct function {
    uint32_t oid;
    struct str schema;
    struct str name;
    const struct parameter *parameters;
    size_t nparameters;
    enum function_result result;
    const struct relation *relation; /* FUNCTION_ROW, FUNCTION_ROWS */
    bool definer;                    /* runs with its owner's rights */
    bool shares_name;                /* with another that is exposed */
    bool own_rows;                   /* `relation` is none, but made of the columns it returns */
    struct column value;             /* FUNCTION_VALUE, VALUES: type, codec, expression; no name */
    const struct codec *codec;       /* FUNCTION_VALUES */
    const struct function_outcome *outcome; /* FUNCTION_OUTCOME */
    const struct auth_rule *auth;           /* what it takes to call it; NULL: nothing */
    const struct relation *const *ends;     /* "invalidates": whose cached answers a call ends */
    size_t nends;
};

/* A function that the patterns match, but that is not served. */
struct skipped_function {
    struct str name; /* schema.name */
    struct str reason;
};

#endif
