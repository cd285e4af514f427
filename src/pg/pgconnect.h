/*
 * pgconnect.h - checked connection options, and connecting by them.
 *
 * Thread:   any that may block.
 * Memory:   made by pgconnect_new(), shared by reference count.
 * Not here: when to connect, and how often to try (pghelper.c).
 */
#ifndef PG_PGCONNECT_H
#define PG_PGCONNECT_H

#include "base/error.h"
#include "pg/pgconn.h"
#include "pg/pgpool.h"

struct pgconnect;

/* NULL if an option is unknown to libpq or malformed. */
struct pgconnect *pgconnect_new(const struct pgpool_options *opt, struct errors *errs);
struct pgconnect *pgconnect_ref(struct pgconnect *k);
void pgconnect_free(struct pgconnect *k); /* gives a reference back; NULL is allowed */
/* Resolve, connect, log in: blocks up to connect_timeout for each address. NULL, and why in reason,
 * when it failed. */
struct pgconn *pgconnect_open(struct pgconnect *k, struct buf *reason);
/* The same as libpq has it, not in pipeline mode. */
PGconn *pgconnect_plain(struct pgconnect *k, struct buf *reason);

#endif
