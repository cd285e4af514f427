/*
 * peers.c - how many connections each address has.
 *
 * Thread:   the loop's only.
 * Memory:   see peers.h.
 *
 * A fixed number of buckets: with the 10,000 connections of the default limit
 * a chain holds two or three addresses at most, and the hash is keyed.
 */
#include "http/peers.h"

#define BUCKETS 4096

struct peer {
    struct peer *next;
    struct ip_address ip;
    size_t connections;
};

struct peers {
    struct peer *buckets[BUCKETS]; /* owned */
};

static struct ip_address key_of(const struct ip_address *ip)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct ip_address key = *ip;

    if (memcmp(ip->bytes, mapped, sizeof(mapped)) != 0)
        memset(key.bytes + 8, 0, 8);
    return key;
}

/* Where the pointer to the entry is, or would be. */
static struct peer **find(struct peers *p, const struct ip_address *key)
{
    uint64_t hash = str_hash(str_make((const char *)key->bytes, sizeof(key->bytes)));
    struct peer **at = &p->buckets[hash % BUCKETS];

    while (*at != NULL && memcmp((*at)->ip.bytes, key->bytes, sizeof(key->bytes)) != 0)
        at = &(*at)->next;
    return at;
}

struct peers *peers_new(void)
{
    return xcalloc(1, sizeof(struct peers));
}

void peers_free(struct peers *p)
{
    struct peer *entry, *next;
    size_t i;

    if (p == NULL)
        return;
    for (i = 0; i < BUCKETS; i++)
        for (entry = p->buckets[i]; entry != NULL; entry = next) {
            next = entry->next;
            xfree(entry);
        }
    xfree(p);
}

bool peers_add(struct peers *p, const struct ip_address *ip, size_t max)
{
    struct ip_address key = key_of(ip);
    struct peer **at = find(p, &key);

    if (*at == NULL) {
        *at = xcalloc(1, sizeof(**at));
        (*at)->ip = key;
    }
    if ((*at)->connections >= max)
        return false;
    (*at)->connections++;
    return true;
}

void peers_remove(struct peers *p, const struct ip_address *ip)
{
    struct ip_address key = key_of(ip);
    struct peer **at = find(p, &key);
    struct peer *entry = *at;

    CHECK(entry != NULL && entry->connections > 0);
    if (--entry->connections > 0)
        return;
    *at = entry->next;
    xfree(entry);
}
