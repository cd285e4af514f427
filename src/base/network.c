/*
 * network.c - addresses of the Internet, and networks of them.
 *
 * Thread:   any.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/network.h"

static const unsigned char mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static bool is_mapped(const struct ip_address *ip)
{
    return memcmp(ip->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool ip_parse(struct str s, struct ip_address *out)
{
    char text[IP_TEXT_SIZE];

    if (s.len == 0 || s.len >= sizeof(text) || memchr(s.data, '\0', s.len) != NULL)
        return false;
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    if (inet_pton(AF_INET6, text, out->bytes) == 1)
        return true;
    memcpy(out->bytes, mapped_prefix, sizeof(mapped_prefix));
    return inet_pton(AF_INET, text, out->bytes + 12) == 1;
}

size_t ip_format(const struct ip_address *ip, char out[IP_TEXT_SIZE])
{
    const char *text = is_mapped(ip) ? inet_ntop(AF_INET, ip->bytes + 12, out, IP_TEXT_SIZE)
                                     : inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT_SIZE);

    CHECK(text != NULL);
    return strlen(text);
}

bool ip_of(const struct sockaddr *address, struct ip_address *out)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;

    memset(out, 0, sizeof(*out));
    if (address->sa_family == AF_INET) {
        memcpy(out->bytes, mapped_prefix, sizeof(mapped_prefix));
        memcpy(out->bytes + 12, &v4->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(out->bytes, &v6->sin6_addr, 16);
    }
    return address->sa_family == AF_INET || address->sa_family == AF_INET6;
}

static bool begins_with(const struct network *net, const unsigned char *bytes)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    if (memcmp(net->address.bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || ((net->address.bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

/* The IANA registries of special-purpose addresses, RFC 6890. */
static const struct network special_v4[] = {
    {{{0}},            8 }, /* this network */
    {{{10}},           8 }, /* private */
    {{{100, 64}},      10}, /* shared by customers of a provider */
    {{{127}},          8 }, /* loopback */
    {{{169, 254}},     16}, /* link-local: metadata of clouds */
    {{{172, 16}},      12}, /* private */
    {{{192, 0, 0}},    24}, /* protocol assignments */
    {{{192, 0, 2}},    24}, /* documentation */
    {{{192, 168}},     16}, /* private */
    {{{198, 18}},      15}, /* benchmarks */
    {{{198, 51, 100}}, 24}, /* documentation */
    {{{203, 0, 113}},  24}, /* documentation */
    {{{224}},          4 }, /* multicast */
    {{{240}},          4 }, /* reserved, broadcast */
};

static const struct network unicast_v6 = {{{0x20}}, 3};
static const struct network nat64 = {{{0x00, 0x64, 0xff, 0x9b}}, 96};
static const struct network special_v6[] = {
    {{{0x20, 0x01}},             23}, /* protocol assignments, Teredo */
    {{{0x20, 0x01, 0x0d, 0xb8}}, 32}, /* documentation */
    {{{0x20, 0x02}},             16}, /* 6to4: any IPv4 address may be inside */
    {{{0x3f, 0xff}},             20}, /* documentation */
};

static bool is_public_v4(const unsigned char *bytes)
{
    for (size_t i = 0; i < COUNT_OF(special_v4); i++)
        if (begins_with(&special_v4[i], bytes))
            return false;
    return true;
}

bool ip_is_public(const struct ip_address *ip)
{
    if (is_mapped(ip) || begins_with(&nat64, ip->bytes))
        return is_public_v4(ip->bytes + 12);
    if (!begins_with(&unicast_v6, ip->bytes))
        return false;
    for (size_t i = 0; i < COUNT_OF(special_v6); i++)
        if (begins_with(&special_v6[i], ip->bytes))
            return false;
    return true;
}

/* Are all bits behind the prefix zero? "10.1.2.3/8" is more likely a slip than a wish. */
static bool is_network_address(const struct network *net)
{
    size_t i;

    for (i = net->bits; i < 128; i++)
        if ((net->address.bytes[i / 8] & (0x80 >> (i % 8))) != 0)
            return false;
    return true;
}

bool network_parse(struct str s, struct network *out)
{
    struct str address, prefix;
    bool has_prefix = str_cut(s, '/', &address, &prefix);
    unsigned max;
    uint64_t bits;

    if (!ip_parse(address, &out->address))
        return false;
    max = str_find(address, ':') == address.len ? 32 : 128;
    bits = max;
    if (has_prefix && (prefix.len > 3 || !str_to_u64(prefix, &bits) || bits > max))
        return false;
    out->bits = (unsigned)bits + (128 - max);
    return is_network_address(out);
}

bool network_has(const struct network *net, const struct ip_address *ip)
{
    return begins_with(net, ip->bytes);
}
