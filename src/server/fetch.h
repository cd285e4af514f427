/*
 * fetch.h - one request by HTTP, or one mail, with a deadline and a cap. The only user of libcurl.
 *
 * Thread:   any that may block.
 * Memory:   nothing outlives a call.
 */
#ifndef SERVER_FETCH_H
#define SERVER_FETCH_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/library.h"
#include "server/egress.h"

struct fetch {
    const char *url;     /* https, unless allow_http */
    const char *ca_file; /* NULL: the system's */
    uint64_t timeout_ms; /* for everything */
    size_t max_bytes;
    bool allow_http;
    const atomic_bool *stop;    /* true: give up; NULL: never */
    const char *const *headers; /* further ones, "name: value" */
    size_t nheaders;
    const struct egress *egress; /* asked before connecting, and then no proxy is used; NULL: no */
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

enum fetch_outcome {
    FETCH_DONE,
    FETCH_TRY_AGAIN, /* no answer, or one that asks for patience */
    FETCH_REFUSED,   /* the same would be refused again: by the other side, or by us */
};

/*
 * POST of a body that matters only by whether it was taken: what is answered to it is not kept, and
 * does no harm by its length. The reason for anything but FETCH_DONE is in `why`; when the other
 * side names a time after which to try again, it is in *after_ms, else 0.
 */
enum fetch_outcome fetch_deliver(const struct fetch *f, struct str body, uint64_t *after_ms,
                                 struct buf *why);

/* By SMTP; addresses and texts have no line breaks, which the caller sees to. */
struct fetch_mail {
    const char *user; /* NULL: without logging in */
    const char *password;
    const char *from; /* "alerts@example.com" */
    const char *const *to;
    size_t nto;
    bool starttls;      /* smtp: is the link encrypted, and the server's name checked? */
    struct str message; /* header and body, with lines that end in CRLF */
};

/* The URL is smtp://host:port, or smtps. As fetch_deliver(). */
enum fetch_outcome fetch_mail(const struct fetch *f, const struct fetch_mail *m, struct buf *why);
/* The host of an URL, in the arena; empty if it is none, or none of https, http, smtps and smtp. */
struct str fetch_host(struct str url, struct arena *a);
/* libcurl. */
struct library fetch_library(void);

#endif
