/*
 * registered.h - operations that are known before anybody sends them, and the files that list them.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 * Not here: compiling them (warm.c), the table that holds them (server/warmup.c).
 */
#ifndef EXECUTION_REGISTERED_H
#define EXECUTION_REGISTERED_H

#include "base/arena.h"
#include "base/error.h"

#define REGISTERED_MAX 10000

struct registered {
    struct str document;
    struct str operation_name; /* empty: the document's only one */
    struct str variables;      /* an object in JSON; data NULL: none */
};

struct registered_list {
    struct registered *items;
    size_t n, cap;
};

/*
 * Adds what a file lists: a GraphQL document, of which each operation counts; a list of requests in
 * JSON, [{"query", "operationName", "variables"}]; or Apollo's manifest, {"operations": [{"body",
 * "name"}]}. False with BAD_REQUEST or GRAPHQL_PARSE_FAILED: it is none of them, or has more than
 * REGISTERED_MAX.
 */
NODISCARD bool registered_read(struct str text, struct arena *a, struct registered_list *out,
                               struct errors *errs);

#define REGISTERED_FILE_MAX ((size_t)16 * 1024 * 1024) /* bytes */

/* The same of a file, "-" for standard input; BAD_REQUEST as well if it cannot be read. */
NODISCARD bool registered_read_file(const char *path, struct arena *a, struct registered_list *out,
                                    struct errors *errs);

#endif
