/*
 * etag.h - entity tags of responses (RFC 9110 section 8.8.3).
 *
 * Thread:   any.
 */
#ifndef SERVER_ETAG_H
#define SERVER_ETAG_H

#include "base/str.h"

#define ETAG_SIZE 40

struct etag {
    char text[ETAG_SIZE];
};

/*
 * A strong tag of a body, quotes included. The same body under another media
 * type, or compressed, is another representation: its tag differs.
 */
struct etag etag_of(struct str body, unsigned media, bool gzip);
/* Does If-None-Match name the tag, or "*"? */
bool etag_matches(struct str if_none_match, const struct etag *tag);

#endif
