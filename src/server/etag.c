/*
 * etag.c - entity tags of responses (RFC 9110 section 8.8.3).
 *
 * Thread:   any.
 */
/* Before ours, which ban malloc(). */
#include <xxhash.h>

#include "server/etag.h"

#include <stdio.h>

struct etag etag_of(struct str body, unsigned media, bool gzip)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(body.data, body.len, media);
    struct etag tag;

    snprintf(tag.text, sizeof(tag.text), "\"%016llx%016llx%s\"", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64, gzip ? "-gz" : "");
    return tag;
}

/* Weak comparison (section 13.1.2): W/ does not matter. */
bool etag_matches(struct str if_none_match, const struct etag *tag)
{
    struct str one;

    while (if_none_match.len > 0) {
        str_cut(if_none_match, ',', &one, &if_none_match);
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_sub(one, 2, SIZE_MAX);
        if (str_is(one, "*") || str_is(one, tag->text))
            return true;
    }
    return false;
}
