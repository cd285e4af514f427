/*
 * jwriter.h - JSON out; the one place that escapes.
 *
 * Thread:   any.
 * Memory:   appends to the caller's buf.
 * Not here: what the response looks like (execution/response.c).
 */
#ifndef BASE_JWRITER_H
#define BASE_JWRITER_H

#include "base/buf.h"

/* A JSON string with its quotes; s is UTF-8 (PostgreSQL guarantees it), passed through as it is. */
void jwriter_string(struct buf *b, struct str s);
/* The escaped content without quotes. */
void jwriter_escape(struct buf *b, struct str s);
/* "name": */
void jwriter_key(struct buf *b, struct str name);
void jwriter_bool(struct buf *b, bool v);
/* Shortest text that reads back as the same double; NaN and infinities as null. */
void jwriter_double(struct buf *b, double v);
/* Base64 with padding (RFC 4648 section 4), as a JSON string. */
void jwriter_base64(struct buf *b, struct str bytes);

#endif
