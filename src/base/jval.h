/*
 * jval.h - JSON text to a tree (yajl), with bounded depth and size.
 *
 * Thread:   any; a tree is constant once parsed.
 * Memory:   in the arena given; strings without escapes may point into the text,
 *           which must live as long.
 * Not here: writing JSON (jwriter.h).
 *
 * Refused beyond RFC 8259: duplicate keys in one object, "\u0000" (PostgreSQL
 * cannot store it), lone surrogates, nesting deeper than the limit.
 */
#ifndef BASE_JVAL_H
#define BASE_JVAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/library.h"
#include "base/str.h"

enum jval_kind {
    JVAL_NULL,
    JVAL_BOOL,
    JVAL_NUMBER,
    JVAL_STRING,
    JVAL_ARRAY,
    JVAL_OBJECT,
};

struct jval_member;

struct jval {
    enum jval_kind kind;
    bool boolean;                      /* JVAL_BOOL */
    struct str text;                   /* JVAL_NUMBER: as written; JVAL_STRING: decoded */
    size_t n;                          /* JVAL_ARRAY, JVAL_OBJECT */
    const struct jval **items;         /* JVAL_ARRAY */
    const struct jval_member *members; /* JVAL_OBJECT, in document order */
};

struct jval_member {
    struct str name;
    const struct jval *value;
};

struct jval_limits {
    size_t max_depth;  /* of arrays and objects */
    size_t max_values; /* in the whole tree */
};

/* Adds BAD_REQUEST with a message that echoes nothing of the text. */
bool jval_parse(struct str text, const struct jval_limits *lim, struct arena *a,
                const struct jval **out, struct errors *errs);
/* Member of an object, or NULL if absent or v is NULL or no object. */
const struct jval *jval_get(const struct jval *v, struct str name);
/* Canonical JSON of a tree: no spaces, members in the tree's order. */
void jval_write(const struct jval *v, struct buf *out);
/* yajl. */
struct library jval_library(void);

#endif
