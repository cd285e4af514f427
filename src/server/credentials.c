/*
 * credentials.c - where a request has its token: a header, or a cookie.
 *
 * Thread:   any.
 */
#include "server/credentials.h"

static struct str with_scheme(struct str token, struct arena *a)
{
    return arena_printf(a, "Bearer %.*s", STR_ARG(token));
}

/* RFC 6265 section 4.1.1: a value may be quoted. */
static struct str unquoted(struct str value)
{
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        return str_sub(value, 1, value.len - 2);
    return value;
}

/* How many cookies have that name, and the value of the last; names are compared exactly. */
static size_t find_cookie(const struct http_request *q, struct str name, struct str *value)
{
    size_t found = 0;

    for (size_t i = 0; i < q->nheaders; i++) {
        struct str rest = q->headers[i].value, pair, key, text;

        if (!str_eq_nocase(q->headers[i].name, STR("cookie")))
            continue;
        while (rest.len > 0) {
            str_cut(rest, ';', &pair, &rest);
            if (!str_cut(pair, '=', &key, &text) || !str_eq(str_trim(key), name))
                continue;
            *value = unquoted(str_trim(text));
            found++;
        }
    }
    return found;
}

bool credentials_find(const struct credentials_options *opt, const struct http_request *q,
                      struct str authorization, struct arena *a, struct str *out,
                      struct errors *errs)
{
    struct str value;
    size_t cookies;

    *out = opt->header.len == 0 ? authorization : http_request_header(q, opt->header);
    if (out->data != NULL) {
        if (opt->header.len > 0 && str_find(*out, ' ') == out->len)
            *out = with_scheme(*out, a);
        return true;
    }
    cookies = opt->cookie.len > 0 ? find_cookie(q, opt->cookie, &value) : 0;
    if (cookies > 1) {
        errors_add(errs, UNAUTHENTICATED, "the token's cookie is there twice");
        return false;
    }
    if (cookies == 1 && value.len > 0)
        *out = with_scheme(value, a);
    return true;
}
