/*
 * credentials.h - where a request has its token: a header, or a cookie.
 *
 * Thread:   any.
 * Memory:   texts are the request's, or in the arena given.
 * Not here: whether the token is any good (auth/), requests that other sites have browsers send
 *           (csrf.h), which have to be refused before.
 */
#ifndef SERVER_CREDENTIALS_H
#define SERVER_CREDENTIALS_H

#include "base/error.h"
#include "server/headers.h"

struct credentials_options {
    struct str header; /* empty: Authorization */
    struct str cookie; /* of requests without that header; empty: none */
};

/*
 * As Authorization would have it, "Bearer <token>"; data NULL: the request has none. An empty
 * cookie is none. False with UNAUTHENTICATED if the cookie is there twice: a page of a neighbouring
 * host may have set one, and nobody can tell which.
 */
NODISCARD bool credentials_find(const struct credentials_options *opt, const struct http_request *q,
                                struct str authorization, struct arena *a, struct str *out,
                                struct errors *errs);

#endif
