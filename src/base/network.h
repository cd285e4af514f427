/*
 * network.h - addresses of the Internet, and networks of them.
 *
 * Thread:   any; values.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include "base/str.h"

struct sockaddr;

/* Network byte order; IPv4 as ::ffff:a.b.c.d. */
struct ip_address {
    unsigned char bytes[16];
};

#define IP_TEXT_SIZE 46

/* "192.0.2.1" or "2001:db8::1", nothing around it. */
bool ip_parse(struct str s, struct ip_address *out);
/* NUL-terminated; IPv4 in dotted form. Returns the length. */
size_t ip_format(const struct ip_address *ip, char out[IP_TEXT_SIZE]);

/* Of a socket's address; false: it is not of the Internet, but a Unix socket's. */
bool ip_of(const struct sockaddr *address, struct ip_address *out);
/*
 * Can anybody on the Internet be meant by it? Not by loopback, private, link-local, shared,
 * multicast and reserved addresses, whether they are written as such, mapped or for NAT64.
 */
bool ip_is_public(const struct ip_address *ip);

struct network {
    struct ip_address address;
    unsigned bits; /* of 128 */
};

/* "10.0.0.0/8", "fd00::/8" or an address; no bits are set behind the prefix. */
bool network_parse(struct str s, struct network *out);
bool network_has(const struct network *net, const struct ip_address *ip);

#endif
