/*
 * pgask.h - one question to a server, blocking for a second at most.
 *
 * Thread:   the one that owns the connection; it may block.
 * Memory:   the result is the caller's: PQclear().
 * Not here: connections of the pool.
 */
#ifndef PG_PGASK_H
#define PG_PGASK_H

#include "base/buf.h"

#include <libpq-fe.h>

/* A server that does not answer for so long is frozen, or far too busy. */
#define PGASK_MS 1000

/* One row of so many columns; NULL: anything else, and why in `reason`. A connection that is busy
 * afterwards is of no use any more. */
PGresult *pgask(PGconn *pg, const char *sql, int columns, struct buf *reason);

#endif
