/*
 * peers.h - how many connections each address has.
 *
 * Thread:   the loop's only.
 * Memory:   one small block per address with connections.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include "http/forwarded.h"

struct peers;

struct peers *peers_new(void);
void peers_free(struct peers *p); /* NULL is allowed */
/*
 * Count one more connection; false, counting nothing, when there are `max`
 * already. IPv6 addresses are counted by their /64, which is what one client gets.
 */
bool peers_add(struct peers *p, const struct ip_address *ip, size_t max);
void peers_remove(struct peers *p, const struct ip_address *ip);

#endif
