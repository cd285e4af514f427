/*
 * descriptors.h - how many descriptors the process may have, and how many of them clients.
 *
 * Thread:   the main thread.
 */
#ifndef SERVER_DESCRIPTORS_H
#define SERVER_DESCRIPTORS_H

#include "config/config.h"

/* Raises the process's own limit to what the configuration needs, as far as it may. */
void descriptors_raise(const struct config *c);
/* Of each address of the API: server.limits.max_connections, or what is left when the database,
 * probes and jobs have theirs. At least one. */
size_t descriptors_connections(const struct config *c);

#endif
