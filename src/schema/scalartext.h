/*
 * scalartext.h - is this text a date, an address, a number ...? and forms PostgreSQL takes.
 *
 * Thread:   any.
 * Memory:   results are in the arena given.
 * Not here: which scalar asks (scalars.c).
 */
#ifndef SCHEMA_SCALARTEXT_H
#define SCHEMA_SCALARTEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "language/ast.h"

/* An optional sign, digits with an optional point, an optional exponent. */
bool scalartext_decimal(struct str s);
/* RFC 3339 full-date that is in the calendar, or "infinity", "-infinity" (PostgreSQL writes them).
 */
bool scalartext_date(struct str s);
/* 06:13, 06:13:04, 06:13:04.5, with a zone ("Z", "+01:00") if one likes. */
bool scalartext_time(struct str s);
/* RFC 3339 date-time, which has a zone; or an infinity. */
bool scalartext_datetime(struct str s);
/* The same without zone. */
bool scalartext_local_datetime(struct str s);
/* ISO 8601 duration; parts may be negative, as PostgreSQL's are. */
bool scalartext_interval(struct str s);
/* An IP address with an optional length of its network. */
bool scalartext_address(struct str s);
/* The same with no bits set behind the length. */
bool scalartext_network(struct str s);
/* Six or eight bytes in hexadecimal, with ':', '-' or '.' between them if any. */
bool scalartext_mac(struct str s);
/* 32 hexadecimal digits, plain or as 8-4-4-4-12: *out in the latter form, small letters. */
bool scalartext_uuid(struct str s, struct arena *a, struct str *out);
/* Base64 (RFC 4648 section 4, padded): *out in PostgreSQL's hexadecimal form. */
bool scalartext_bytes(struct str s, struct arena *a, struct str *out);
/* A literal as JSON; false if it holds a variable, an enum value or a NUL. */
bool scalartext_write_literal(const struct ast_value *v, unsigned depth, struct buf *out);

#endif
