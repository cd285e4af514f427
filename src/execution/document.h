/*
 * document.h - what is selected of a JSON document: where values stand in it, and values by scalar.
 *
 * Thread:   any.
 * Memory:   allocates nothing; results point into the document.
 * Not here: objects, lists and nulls that may not be (response.c).
 *
 * Documents are the text of jsonb: valid JSON without doubled keys. From a server
 * that does not keep to that, no byte behind the end is read.
 */
#ifndef EXECUTION_DOCUMENT_H
#define EXECUTION_DOCUMENT_H

#include "base/buf.h"
#include "pg/pgstatement.h"
#include "schema/schema.h"

/* The text of a jsonb value in binary format. False: it is none. */
NODISCARD bool document_open(struct pgvalue jsonb, struct str *out);
/* Is it null? */
bool document_is_null(struct str json);
/*
 * Walk an object once: out[i] becomes the text of the value of keys[i], which is a
 * key as the document has it between the quotes, in the order of str_cmp_length().
 * len is -1 where there is no such key, or its value is null.
 * False: it is no object.
 */
NODISCARD bool document_find(struct str json, const struct str *keys, size_t n,
                             struct pgvalue *out);

/* The items of an array: `document_begin`, then `document_next` until *more is false. */
struct document_items {
    const char *next;
    const char *end;
    bool first;
};
/* False: it is no array. */
NODISCARD bool document_begin(struct str json, struct document_items *it);
/* False: malformed. */
NODISCARD bool document_next(struct document_items *it, struct str *item, bool *more);

/* A value that is not null, checked and written as the codec says (codec->json). False: the
 * document has another kind of value there; what was appended is of no use. */
NODISCARD bool document_value(const struct codec *c, struct str json, struct buf *out);

#endif
