/*
 * validate.h - is this document legal for this schema? (specification section 5)
 *
 * Thread:   any; an operation is immutable and shared by reference count.
 * Memory:   an operation owns a copy of its document in its own arena and
 *           retains its schema.
 * Not here: variable values (variables.h), limits are counted in limits.c.
 */
#ifndef VALIDATION_VALIDATE_H
#define VALIDATION_VALIDATE_H

#include "base/jval.h"
#include "language/parser.h"
#include "schema/schema.h"

struct operation_variable {
    struct str name;
    struct type_ref type;
    const struct ast_value *default_value; /* NULL if none */
    struct location at;
    bool node_id; /* of a node: a plan depends on the type that it names */
};

/* And of it what the result cache had to do with. */
struct cache_usage {
    uint64_t hits;
    uint64_t stale; /* of the hits */
    uint64_t misses;
    uint64_t bypasses;
    uint64_t stores;
    uint64_t bytes; /* stored */
    uint64_t hit_ns;
    uint64_t miss_ns;
    uint64_t ttl_s; /* not a count: the last one; 0: not told */
};

/* How it was used since somebody asked; each is atomic. */
struct operation_usage {
    uint64_t hits;
    uint64_t misses;
    uint64_t runs; /* that the database answered */
    uint64_t ns;   /* that these took there */
    struct cache_usage cache;
};

struct operation {
    struct arena *arena;         /* owned */
    const struct schema *schema; /* retained */
    const struct ast_document *document;
    const struct ast_operation *ast;
    enum ast_operation_kind kind;
    const struct type *root;
    const struct operation_variable *variables;
    size_t nvariables;
    uint64_t complexity;           /* complexity.h; if cost is NULL */
    const struct cost *cost;       /* what it takes to compute it from variables, or NULL */
    uint64_t id;                   /* unique in the process */
    struct operation_usage *usage; /* any thread */
    uint64_t *label;               /* any thread, atomic: execution/label.c; 0: not looked for */
};

/*
 * 0: no limit. Each breach is QUERY_TOO_COMPLEX, and so are, whatever is set
 * here, selection sets more than 600 deep (through fragments) and documents
 * made to take much work to validate.
 */
struct validate_limits {
    size_t max_depth; /* of fields */
    size_t max_aliases;
    size_t max_root_fields;
    size_t max_directives;
    size_t max_fragments;
    size_t max_fields; /* of an operation, fragments written out wherever they are spread */
    size_t
        max_complexity; /* complexity.h; where it depends on variables, complexity_check() tells */
    size_t list_rows;   /* that a list without limit counts as; 0: the schema's default limit */
    size_t max_list_items; /* limits_variables() */
    size_t max_errors;     /* validation stops there; default 50 */
};

struct validate_input {
    const struct schema *schema;
    struct str text; /* the document; copied */
    struct str operation_name;
    const struct parse_limits *parse_limits;
    const struct validate_limits *limits;
    bool suggestions; /* "did you mean", for development */
};

/*
 * Parse, count limits, validate the whole document and choose the operation.
 * NULL, with at least one error added, or an operation with one reference.
 */
const struct operation *validate(const struct validate_input *in, struct errors *errs);
const struct operation *operation_ref(const struct operation *op);
void operation_unref(const struct operation *op);
/* Index among the operation's variables, or -1. */
int operation_variable_find(const struct operation *op, struct str name);
/* False, with QUERY_TOO_COMPLEX added, when all lists in the JSON have more than max items
 * together; 0 is no limit. To be asked before anything is made of them. */
NODISCARD bool limits_variables(const struct jval *given, size_t max, struct errors *errs);
/* Bytes held, for the caches' bounds. */
size_t operation_size(const struct operation *op);
/* Takes what was counted, and leaves zeroes; add gives it to another (of a newer schema). */
struct operation_usage operation_take_usage(const struct operation *op);
void operation_add_usage(const struct operation *op, const struct operation_usage *u);
void operation_add_cache_usage(const struct operation *op, const struct cache_usage *u);

#endif
