/*
 * pgfleet.h - the daemons of one database share what connections there are.
 *
 * Thread:   its own, which blocks.
 * Memory:   the pool must outlive it.
 *
 * Each daemon holds an advisory lock of its session that all of them can hold, and counts who else
 * does: whoever dies is not counted any more, and no table is needed. More daemons make the share
 * smaller at once; it grows when nothing has changed for a while, so that those who have come are
 * within the bound before the others are gone.
 */
#ifndef PG_PGFLEET_H
#define PG_PGFLEET_H

#include "pg/pgpool.h"

struct pgfleet;

/* max: connections of all daemons' pools together. */
struct pgfleet *pgfleet_start(struct pgpool *p, size_t max);
void pgfleet_stop(struct pgfleet *f); /* NULL is allowed */
/* Daemons there are, this one included; 0: not known. Any thread. */
size_t pgfleet_size(const struct pgfleet *f);

#endif
