/*
 * sqlstate.h - table: SQLSTATE to error code (API: section 8).
 */
#ifndef PG_SQLSTATE_H
#define PG_SQLSTATE_H

#include "base/error.h"
#include "pg/pgbatch.h"

/* Longest match: five characters, else class; INTERNAL_SERVER_ERROR when unknown. */
enum error_code sqlstate_code(const char *sqlstate);
/* May the message raised by the author of a function reach the client (P0001 and our own class)? */
bool sqlstate_message_is_public(const char *sqlstate);
/* Must the connection be closed behind it (57P01, 25006 …)? */
bool sqlstate_ends_connection(const char *sqlstate);
/*
 * The error a client sees for a batch that is not PGBATCH_OK: never
 * PostgreSQL's wording, but for public messages; the wording goes to `detail`.
 */
struct error *sqlstate_error(const struct pgbatch *b, struct errors *errs);

#endif
