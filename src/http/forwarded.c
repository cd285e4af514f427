/*
 * forwarded.c - who the client is when proxies stand in between.
 *
 * Thread:   see forwarded.h.
 * Memory:   see forwarded.h.
 */
#include "http/forwarded.h"

struct forwarded {
    struct network *networks; /* owned */
    size_t n;
    bool unix_peers;
};

struct forwarded *forwarded_new(const struct str *cidrs, size_t n, struct errors *errs)
{
    struct forwarded *f = xcalloc(1, sizeof(*f));
    bool ok = true;
    size_t i;

    f->networks = xcalloc(size_max(n, 1), sizeof(*f->networks));
    for (i = 0; i < n; i++) {
        if (str_is(cidrs[i], "unix:")) {
            f->unix_peers = true;
        } else if (network_parse(cidrs[i], &f->networks[f->n])) {
            f->n++;
        } else {
            errors_add(errs, CONFIG_INVALID, "\"%.*s\" is not a network of trusted proxies",
                       STR_ARG(cidrs[i]))
                ->hint = STR("write it as 10.0.0.0/8, fd00::/8 or unix:, with no bits set behind "
                             "the prefix");
            ok = false;
        }
    }
    if (ok)
        return f;
    forwarded_free(f);
    return NULL;
}

void forwarded_free(struct forwarded *f)
{
    if (f == NULL)
        return;
    xfree(f->networks);
    xfree(f);
}

bool forwarded_trusts(const struct forwarded *f, const struct ip_address *peer)
{
    size_t i;

    if (peer == NULL)
        return f->unix_peers;
    for (i = 0; i < f->n; i++)
        if (network_has(&f->networks[i], peer))
            return true;
    return false;
}

/* An entry of X-Forwarded-For: an address, which some proxies send with its port. */
static bool parse_entry(struct str s, struct ip_address *out)
{
    size_t colon = str_find(s, ':');
    size_t bracket;

    if (s.len > 0 && s.data[0] == '[') {
        bracket = str_find(s, ']');
        if (bracket == s.len || (bracket + 1 < s.len && s.data[bracket + 1] != ':'))
            return false;
        return ip_parse(str_sub(s, 1, bracket - 1), out);
    }
    if (colon < s.len && str_find(str_sub(s, colon + 1, s.len), ':') == s.len - colon - 1)
        s = str_sub(s, 0, colon); /* one colon only: IPv4 and a port */
    return ip_parse(s, out);
}

/* Walk one header's entries from the right. True: the search is over. */
static bool walk_entries(const struct forwarded *f, struct str value, struct ip_address *found,
                         bool *any)
{
    size_t end = value.len, begin;
    struct ip_address ip;

    for (;;) {
        begin = end;
        while (begin > 0 && value.data[begin - 1] != ',')
            begin--;
        /* What is behind an unreadable entry was vouched for by nobody. */
        if (!parse_entry(str_trim(str_sub(value, begin, end - begin)), &ip))
            return true;
        *found = ip;
        *any = true;
        if (!forwarded_trusts(f, &ip))
            return true;
        if (begin == 0)
            return false;
        end = begin - 1;
    }
}

struct str forwarded_client(const struct forwarded *f, const struct http_request *r,
                            struct arena *a)
{
    struct ip_address found;
    bool any = false;
    char text[IP_TEXT_SIZE];
    size_t i;

    for (i = r->nheaders; i > 0; i--)
        if (str_eq_nocase(r->headers[i - 1].name, STR("x-forwarded-for")) &&
            walk_entries(f, r->headers[i - 1].value, &found, &any))
            break;
    if (!any)
        return str_make(NULL, 0);
    return arena_dup(a, str_make(text, ip_format(&found, text)));
}

bool forwarded_secure(const struct http_request *r)
{
    struct str last = {0};
    size_t i, comma;

    for (i = 0; i < r->nheaders; i++)
        if (str_eq_nocase(r->headers[i].name, STR("x-forwarded-proto")))
            last = r->headers[i].value;
    comma = last.len;
    while (comma > 0 && last.data[comma - 1] != ',')
        comma--;
    return str_eq_nocase(str_trim(str_sub(last, comma, last.len)), STR("https"));
}
