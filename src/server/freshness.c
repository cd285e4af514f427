/*
 * freshness.c - what a response tells caches on its way: Cache-Control and Age (RFC 9111).
 *
 * Thread:   any.
 */
#include "server/freshness.h"

static bool was_found(const struct result *r)
{
    return r != NULL && (r->state == RESULT_HIT || r->state == RESULT_STALE);
}

/* max-age counts from when the response was made: Age is a part of it (section 4.2). */
static struct str of_result(const struct result *r, struct arena *a)
{
    uint32_t age_s = was_found(r) ? r->age_s : 0;

    if (r == NULL || !r->chosen || r->ttl_s == 0 || r->state == RESULT_STALE)
        return STR("private, no-cache");
    return arena_printf(a, "private, max-age=%lu", (unsigned long)r->ttl_s + age_s);
}

void freshness_add(struct reply_headers *h, const struct freshness *f, struct arena *a)
{
    struct str name = STR("Cache-Control");

    if (f->refused)
        headers_add(h, name, STR("private, no-cache, must-revalidate"));
    else if (f->failed)
        headers_add(h, name, STR("no-store"));
    else if (f->is_read)
        headers_add(h, name, of_result(f->result, a));
    if (!f->failed && was_found(f->result))
        headers_add(h, STR("Age"), arena_printf(a, "%lu", (unsigned long)f->result->age_s));
}
