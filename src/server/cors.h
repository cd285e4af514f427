/*
 * cors.h - what scripts of other origins may do (Fetch standard, CORS protocol).
 *
 * Thread:   any; constant once made.
 * Memory:   texts are in the arena given to cors_init(), or the configuration's.
 * Not here: protection from what browsers send without asking (csrf.h).
 */
#ifndef SERVER_CORS_H
#define SERVER_CORS_H

#include "config/config.h"
#include "server/headers.h"

struct cors {
    bool enabled;
    bool any;                      /* "*" is the only origin listed */
    struct config_strings origins; /* otherwise */
    bool credentials;
    struct str methods; /* lists as they are sent */
    struct str headers;
    struct str exposed; /* may be empty */
    struct str max_age;
};

void cors_init(struct cors *c, const struct config *config, struct arena *a);
/* Is this origin on the list itself, byte for byte? "*" lists nobody. */
bool cors_lists(const struct cors *c, struct str origin);
/* Add what an actual request's reply needs for its origin; nothing for others. */
void cors_add(const struct cors *c, struct str origin, struct reply_headers *out);
/*
 * The reply to OPTIONS: 204 with what is allowed, without it for other origins.
 * Headers are in the arena.
 */
void cors_preflight(const struct cors *c, const struct http_request *q, struct arena *a,
                    struct http_reply *out);

#endif
