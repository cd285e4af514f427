/*
 * egress.c - where the daemon may send what it tells by itself.
 *
 * Thread:   any.
 * Memory:   the arena given.
 */
#include "server/egress.h"

struct egress {
    const struct str *names;
    size_t nnames;
    const struct network *networks;
    size_t nnetworks;
};

/* Letters, digits, hyphens and dots; a star for whole labels, in front only. */
static bool is_host_pattern(struct str s)
{
    struct str rest = str_starts(s, STR("*.")) ? str_sub(s, 2, SIZE_MAX) : s;

    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_'))
            return false;
    }
    return rest.len > 0 && rest.data[0] != '.' && rest.data[rest.len - 1] != '.';
}

/* "1.2.3" is a slip in an address, not a name: the last label of a name is no number. */
static bool ends_in_number(struct str s)
{
    return s.len > 0 && s.data[s.len - 1] >= '0' && s.data[s.len - 1] <= '9' &&
           str_find(s, '.') < s.len;
}

const struct egress *egress_new(const struct str *entries, size_t n, const char *key,
                                struct arena *a, struct errors *errs)
{
    struct str *names = ARENA_ARRAY(a, n, struct str);
    struct network *networks = ARENA_ARRAY(a, n, struct network);
    struct egress *e = ARENA_NEW(a, struct egress);
    size_t before = errs->n;

    for (size_t i = 0; i < n; i++) {
        if (network_parse(entries[i], &networks[e->nnetworks]))
            e->nnetworks++;
        else if (is_host_pattern(entries[i]) && !ends_in_number(entries[i]))
            names[e->nnames++] = entries[i];
        else
            errors_add(errs, CONFIG_INVALID, "%s: \"%.*s\" is neither a host nor a network", key,
                       STR_ARG(entries[i]))
                ->hint = STR("write it as hooks.example.com, *.example.com or 10.0.0.0/8, with no "
                             "bits set behind the prefix");
    }
    e->names = names;
    e->networks = networks;
    return errs->n == before ? e : NULL;
}

static bool matches(struct str pattern, struct str host)
{
    struct str suffix = str_sub(pattern, 1, SIZE_MAX); /* with its dot */

    if (!str_starts(pattern, STR("*.")))
        return str_eq_nocase(pattern, host);
    return host.len > suffix.len &&
           str_eq_nocase(str_sub(host, host.len - suffix.len, SIZE_MAX), suffix);
}

bool egress_allows(const struct egress *e, struct str host, const struct ip_address *ip)
{
    for (size_t i = 0; i < e->nnetworks; i++)
        if (network_has(&e->networks[i], ip))
            return true;
    if (!ip_is_public(ip))
        return false;
    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < e->nnames; i++)
        if (matches(e->names[i], host))
            return true;
    return e->nnames + e->nnetworks == 0;
}
