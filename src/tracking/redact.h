/*
 * redact.h - what is told of a request without what is nobody's business, and not too much of it.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf, or allocates in the arena given.
 * Not here: what is told (server/error_report.c).
 */
#ifndef TRACKING_REDACT_H
#define TRACKING_REDACT_H

#include "base/buf.h"
#include "base/jval.h"

enum redact_values {
    REDACT_ALL,   /* nothing of them is told */
    REDACT_TYPES, /* names, and what type a value has */
    REDACT_NAMED, /* values but of names that have one of the words */
};

struct redact_options {
    enum redact_values values;
    const struct str *words; /* in a name, in whatever case: "password" in userPassword */
    size_t nwords;
};

/* s as UTF-8 without NUL, which jsonb does not take, and at most so long. */
struct str redact_text(struct str s, size_t max, struct arena *a);
/*
 * Variables as JSON of about so many bytes at most: what is too long, too deep or too much is cut,
 * and tokens are known by their look under whatever name. Nothing is written for REDACT_ALL.
 */
void redact_variables(const struct jval *v, const struct redact_options *opt, size_t max,
                      struct buf *out);
/* A document on one line, without comments and the contents of its strings. */
void redact_document(struct str text, size_t max, struct buf *out);
/* PostgreSQL's detail without the values of keys and rows: "Key (email)=(?) already exists." */
struct str redact_detail(struct str detail, struct arena *a);
/* A context, with SQL in it, without what stands in single quotes. */
struct str redact_quoted(struct str text, size_t max, struct arena *a);

#endif
