/*
 * freshness.h - what a response tells caches on its way: Cache-Control and Age (RFC 9111).
 *
 * Thread:   any.
 * Not here: ETag (etag.h), Vary.
 */
#ifndef SERVER_FRESHNESS_H
#define SERVER_FRESHNESS_H

#include "execution/result.h"
#include "server/headers.h"

struct freshness {
    bool refused; /* only the document is not known: the answer changes when it comes */
    bool failed;  /* wholly or in part */
    bool is_read; /* by GET or HEAD */
    const struct result *result; /* NULL: of several operations */
};

/*
 * What failed may not be kept at all. A response to GET may be kept by the client only, to be asked
 * about again; for how long it need not be asked again it says only where somebody has chosen that.
 * Responses to POST are not kept by anybody unless told to.
 */
void freshness_add(struct reply_headers *h, const struct freshness *f, struct arena *a);

#endif
