/*
 * csrf.c - requests that a page of another site can make a browser send without asking first.
 *
 * Thread:   any.
 * Not here: the preflight requests themselves (cors.c).
 */
#include "server/csrf.h"

/*
 * Fetch standard, "CORS-safelisted request-header": forms can send these. A
 * content type that browsers cannot parse counts as one of them: which they
 * send unasked has changed before.
 */
static bool is_simple_content_type(struct str content_type)
{
    struct str media, parameters;

    str_cut(content_type, ';', &media, &parameters);
    media = str_trim(media);
    return str_find(media, '/') == media.len ||
           str_eq_nocase(media, STR("application/x-www-form-urlencoded")) ||
           str_eq_nocase(media, STR("multipart/form-data")) ||
           str_eq_nocase(media, STR("text/plain"));
}

bool csrf_suspects(const struct request_headers *h, const struct cors *cors)
{
    if (!is_simple_content_type(h->content_type) || h->apollo_require_preflight.len > 0 ||
        h->x_apollo_operation_name.len > 0)
        return false;
    if (str_is(h->sec_fetch_site, "same-origin") || str_is(h->sec_fetch_site, "none"))
        return false;
    if (h->origin.data != NULL)
        return !cors_lists(cors, h->origin);
    return h->sec_fetch_site.data != NULL || h->cookie.data != NULL;
}
