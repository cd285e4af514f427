/*
 * pgscript.h - runs texts of many statements, as psql would: for installing, not for requests.
 *
 * Thread:   any that may block.
 * Memory:   nothing outlives a call.
 * Not here: what is to be run (commands/db_cmd.c).
 */
#ifndef PG_PGSCRIPT_H
#define PG_PGSCRIPT_H

#include "base/error.h"
#include "pg/pgpool.h"

struct pgscript_part {
    struct str name; /* tells where an error comes from */
    struct str sql;  /* NUL-terminated */
};

/*
 * All parts in one transaction, on a connection of its own; statements have no parameters. False
 * with errors, and nothing done: CONFIG_INVALID (the options), SERVICE_UNAVAILABLE (no connection),
 * or what the database said, with the part's name and the line as the place.
 */
bool pgscript_run(const struct pgpool_options *opt, const struct pgscript_part *parts, size_t n,
                  struct errors *errs);

#endif
