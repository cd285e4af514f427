/*
 * graphiql.h - the page on which people try requests: GraphiQL, embedded in the program.
 *
 * Thread:   any; constant once made.
 * Memory:   in the arena given.
 * Not here: the page itself (conf/graphiql/), which `make graphiql` prepares.
 */
#ifndef SERVER_GRAPHIQL_H
#define SERVER_GRAPHIQL_H

#include "base/error.h"
#include "http/exchange.h"

/* Bytes are from begin to before end. */
struct graphiql_asset {
    const char *name; /* below the path of the page; changes with the content */
    const char *type;
    const char *begin; /* compressed with gzip */
    const char *end;
};

struct graphiql_content {
    const char *page; /* with {{base}}, {{endpoint}} and {{token}} */
    const char *page_end;
    const struct graphiql_asset *assets;
    size_t nassets;
};

struct graphiql_options {
    bool enabled;
    const struct graphiql_content *content; /* NULL: there is none */
    struct str path;                        /* where the page is; its parts are below */
    struct str graphql_path;                /* the endpoint it speaks to */
    bool token_required;                    /* offer the header for one */
};

struct graphiql;

/* What the program was built with; NULL: nothing. */
const struct graphiql_content *graphiql_embedded(void);
/*
 * *out is NULL when it is not enabled. False with CONFIG_INVALID: there is no
 * content, or the path is none, or taken by the endpoint.
 */
NODISCARD bool graphiql_new(const struct graphiql_options *opt, struct arena *a,
                            const struct graphiql **out, struct errors *errs);
/* Fill in the reply to a GET; false if the path is not one of the page's. g may be NULL. */
bool graphiql_answer(const struct graphiql *g, const struct http_request *q, struct http_reply *r);

#endif
