/*
 * parser.h - GraphQL text to a tree (specification September 2025, section 2 and appendix C).
 *
 * Thread:   any.
 * Memory:   the tree is in the arena given; slices point into the text, which must live as long.
 * Not here: meaning (validation/).
 */
#ifndef LANGUAGE_PARSER_H
#define LANGUAGE_PARSER_H

#include "base/error.h"
#include "language/ast.h"

struct parse_limits {  /* 0: no limit, but depth is never more than 500 */
    size_t max_bytes;  /* refused before anything is read */
    size_t max_tokens; /* punctuators, names, values; ignored tokens do not count */
    size_t max_depth;  /* of selection sets, lists, objects and list types together */
};

/* Executable documents. Adds GRAPHQL_PARSE_FAILED with a location, or QUERY_TOO_COMPLEX for a
 * limit. */
NODISCARD bool parser_parse(struct str text, const struct parse_limits *lim, struct arena *a,
                            const struct ast_document **out, struct errors *errs);
/* The same, but type system definitions and extensions are allowed. */
NODISCARD bool parser_parse_schema(struct str text, const struct parse_limits *lim, struct arena *a,
                                   const struct ast_document **out, struct errors *errs);
/* The operation named, or the only one when name is empty; NULL if there is none or it is
 * ambiguous. */
const struct ast_operation *ast_find_operation(const struct ast_document *d, struct str name);
const struct ast_fragment *ast_find_fragment(const struct ast_document *d, struct str name);

#endif
