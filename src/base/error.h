/*
 * error.h - what went wrong, and lists of it.
 *
 * Thread:   one at a time.
 * Memory:   errors live in the arena of their list.
 * Not here: logging (log.h), SQLSTATE mapping (pg/sqlstate.h).
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/arena.h"
#include "base/log.h"
#include "base/str.h"

enum error_code {
#define ERROR_CODE(name, status, level, masked, tracked) name,
#include "base/error_code.def"
#undef ERROR_CODE
    ERROR_CODE_COUNT
};

struct error_code_info {
    const char *name;
    int http_status;
    enum log_level level;
    bool masked;
    bool tracked;
};

const struct error_code_info *error_code_info(enum error_code code);

struct location { /* in a document; both count from 1 */
    uint32_t line;
    uint32_t column;
};

/* A response path, innermost element first. */
struct path {
    const struct path *parent; /* NULL at the root */
    struct str key;            /* response key, when index is -1 */
    int64_t index;             /* list index, or -1 */
};

struct error {
    enum error_code code;
    char sqlstate[6];                 /* "" unless PostgreSQL raised it */
    struct str message;               /* for the client; a fact, lower case, no full stop */
    struct str detail;                /* for the log and the tracker only, never for the client */
    struct str hint;                  /* what to do about it; may be empty */
    struct str cause;                 /* PostgreSQL's own primary message; empty: none */
    struct str context;               /* functions of the database that it was in */
    const struct path *path;          /* NULL for a request error */
    const struct location *locations; /* in the document */
    size_t nlocations;
    struct str file; /* configuration and schema files only: "name:line:column" */
    const struct error_identity *identity; /* tracking/fingerprint.h; NULL: not recorded */
    struct error *next;
};

struct errors {
    struct arena *arena;
    struct error *first;
    struct error *last;
    size_t n;
    size_t max; /* further ones are counted in `dropped`; 0: 100 */
    size_t dropped;
};

void errors_init(struct errors *errs, struct arena *a);
/* Never NULL: past the maximum the error returned is not in the list. */
struct error *errors_add(struct errors *errs, enum error_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Set the one location of an error. */
void error_at(struct error *e, struct errors *errs, struct location at);
/* Add one more location. */
void error_also_at(struct error *e, struct errors *errs, struct location at);

static inline bool errors_any(const struct errors *errs)
{
    return errs->n > 0;
}

#endif
