/*
 * fetch.h - one request by HTTP, with a deadline and a cap. The only user of libcurl.
 *
 * Thread:   any that may block.
 * Memory:   nothing outlives a call.
 */
#ifndef SERVER_FETCH_H
#define SERVER_FETCH_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/library.h"

struct fetch {
    const char *url;     /* https, unless allow_http */
    const char *ca_file; /* NULL: the system's */
    uint64_t timeout_ms; /* for everything */
    size_t max_bytes;
    bool allow_http;
    const atomic_bool *stop;    /* true: give up; NULL: never */
    const char *const *headers; /* further ones, "name: value" */
    size_t nheaders;
};

/*
 * GET: status 200 and its body in `out`; redirects are not followed, and the server's name is held
 * against its certificate. False, with a reason in `why` that has nothing of the body.
 */
NODISCARD bool fetch_get(const struct fetch *f, struct buf *out, struct buf *why);
/*
 * POST of a body: a status from 200 to 299, and what was answered in `out`. The content type is
 * among the headers. Otherwise as fetch_get().
 */
NODISCARD bool fetch_post(const struct fetch *f, struct str body, struct buf *out, struct buf *why);
/* libcurl. */
struct library fetch_library(void);

#endif
