/*
 * pglisten.h - hears what is notified on one channel, on a connection of its own.
 *
 * Thread:   one, which may block (jobs).
 * Memory:   made by pglisten_new(), freed by pglisten_free(), before its pool.
 * Not here: waiting, and what is done about it (jobs/schema_watch.c).
 *
 * Connects and waits between attempts as the pool does. Behind a pooler, which
 * would pass on nothing or what others asked for, it says so once and gives up.
 */
#ifndef PG_PGLISTEN_H
#define PG_PGLISTEN_H

#include "base/deadline.h"
#include "pg/pgpool.h"

struct pglisten;

/* The channel must outlive it. */
struct pglisten *pglisten_new(struct pgpool *p, const char *channel);
void pglisten_free(struct pglisten *l); /* NULL is allowed */
/* Readable when there is something to hear; -1 while not connected. */
int pglisten_fd(const struct pglisten *l);
/* When to step though nothing is readable. */
struct deadline pglisten_due(const struct pglisten *l);
/*
 * Connect if it is time to (blocks, as long as connecting does), hear what came.
 * True: something was notified, with no payload or `payload`; or it listens
 * only since now, and may have missed something.
 */
bool pglisten_step(struct pglisten *l, struct str payload);

#endif
