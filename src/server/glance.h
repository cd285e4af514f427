/*
 * glance.h - tells whether a file is another than before, without reading it.
 *
 * Thread:   any; asks the file system.
 * Memory:   the caller's.
 */
#ifndef SERVER_GLANCE_H
#define SERVER_GLANCE_H

#include "base/buf.h"

/* Files are written in pieces: a change counts when a second look, so much later, sees the same. */
#define GLANCE_SETTLE_MS 500

/* Append what changes with the file of this name, also when a link on the way to it does:
 * Kubernetes swaps a link to the directory that a ConfigMap or Secret is mounted from. */
void glance(struct str path, struct buf *out);

#endif
