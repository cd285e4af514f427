/*
 * response_writer.h - what the parts of the response's writer share.
 *
 * Thread:   any.
 * Memory:   appends to the writer's buf; paths of errors in the arena of their list.
 * Not here: what others call (response.h).
 */
#ifndef EXECUTION_RESPONSE_WRITER_H
#define EXECUTION_RESPONSE_WRITER_H

#include "execution/response.h"

/* What became of a value. Only WRITTEN has appended something. */
enum outcome {
    WRITTEN,
    NOTHING, /* null, as the data has it */
    FAILED,  /* null because of an error that is in the list */
};

struct writer {
    const struct plan *plan;
    const char *const *params;
    const struct pgcall *calls; /* of the plan's steps */
    struct buf *out;
    struct errors *errs;
    struct pgvalue *columns; /* room for rows one inside the other */
    size_t ncolumns;
    size_t used;
    struct buf scratch;
};

/* Adds an error at the field's place and at `path`, of which the list keeps a copy. FAILED. */
enum outcome response_fail(struct writer *w, const struct shape_field *f, const struct path *path,
                           const char *message, const char *detail);
/* The object of a shape from the row it reads and the values of its document's keys. */
enum outcome response_fields(struct writer *w, const struct shape *s, const struct pgvalue *columns,
                             const struct pgvalue *keys, const struct path *path);

/* An object of which some fields are in a document that a column holds (response_document.c). */
enum outcome response_document_fields(struct writer *w, const struct shape *s,
                                      const struct pgvalue *columns, const struct path *path);
/* A key of the object's document. */
enum outcome response_document_key(struct writer *w, const struct shape_field *f, struct pgvalue v,
                                   const struct path *path);
/* A column with a document of its own. */
enum outcome response_document(struct writer *w, const struct shape_field *f, struct pgvalue v,
                               const struct path *path);

#endif
