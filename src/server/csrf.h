/*
 * csrf.h - requests that a page of another site can make a browser send without asking first.
 *
 * Thread:   any.
 */
#ifndef SERVER_CSRF_H
#define SERVER_CSRF_H

#include "server/cors.h"

/*
 * Could a page whose origin is not listed have had a browser send this, without
 * a preflight request? It could not when a header is there that makes browsers
 * ask first: a content type other than the three of forms, a non-empty
 * Apollo-Require-Preflight or X-Apollo-Operation-Name. Of the others it could
 * when Sec-Fetch-Site says so or, from browsers that do not send it, when there
 * is an Origin or a Cookie. What has none of them is no browser's, or carries
 * nothing of its user.
 */
bool csrf_suspects(const struct request_headers *h, const struct cors *cors);

#endif
