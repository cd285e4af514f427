/*
 * encode.h - one value in PostgreSQL's binary format to JSON, by its codec.
 *
 * Thread:   any.
 */
#ifndef EXECUTION_ENCODE_H
#define EXECUTION_ENCODE_H

#include "base/buf.h"
#include "pg/pgstatement.h"
#include "schema/schema.h"

/* False: the bytes are not of that type (a bug or a hostile server), or JSON has no such value (a
 * float that is not finite); what was appended is of no use. v is not null. */
NODISCARD bool encode_value(const struct codec *c, struct pgvalue v, struct buf *out);

/* Is the value of a type that the codec reads? Not after a column's type was changed. */
bool encode_fits(const struct codec *c, struct pgvalue v);

/* Fields of a record in binary format into out[0..max): their number, or -1 if malformed or more
 * than max. */
int encode_record(struct pgvalue record, struct pgvalue *out, size_t max);

/* Reads a one-dimensional array: calls for each element until none is left. */
struct encode_array {
    const char *next;
    const char *end;
    int32_t left;
    uint32_t type; /* of the elements */
};
NODISCARD bool encode_array_begin(struct pgvalue v, struct encode_array *it);
NODISCARD bool encode_array_next(struct encode_array *it,
                                 struct pgvalue *out); /* left must be > 0 */

#endif
