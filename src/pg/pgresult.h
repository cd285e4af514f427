/*
 * pgresult.h - from libpq's results to a batch's: rows and errors.
 *
 * Thread:   the batch's.
 * Memory:   rows live as long as the batch's arena, error texts are copied into it.
 * Not here: which result belongs to which statement (pgconn.c).
 */
#ifndef PG_PGRESULT_H
#define PG_PGRESULT_H

#include <libpq-fe.h>

#include "pg/pgbatch.h"

/* Takes the result. */
const struct pgrows *pgresult_rows(PGresult *res, struct arena *a);
/* Note the first error of a batch; the result stays the caller's. */
void pgresult_error(const PGresult *res, struct pgbatch *b, size_t failed_call);
/* Did the server refuse to use a prepared statement because of its name or age? */
bool pgresult_is_stale(const PGresult *res);
/* Has one row more than this many bytes? */
bool pgresult_has_wide_row(const PGresult *res, size_t limit);

#endif
