/*
 * recall.h - finds the document that a request names, by its hash or its id: stage 5.
 *
 * Thread:   a worker's.
 * Memory:   a text from the store is retained by the execution until it ends.
 * Not here: the stores (cache/persisted.c, cache/trusted.c), decoding requests (server/request.c).
 */
#ifndef EXECUTION_RECALL_H
#define EXECUTION_RECALL_H

#include "cache/persisted.h"
#include "cache/trusted.h"
#include "pg/pgbatch.h"

struct execution;

enum recall_policy {
    RECALL_OPTIONAL, /* any document, by its text or its hash */
    RECALL_REQUIRED, /* only those that are known: by their hash, id, or equal text */
};

/* Of the engine. */
struct recall_options {
    struct persisted *store;       /* NULL: clients register nothing */
    const struct trusted *trusted; /* NULL: there are none */
    enum recall_policy policy;
    bool audit;               /* RECALL_REQUIRED is only counted and said in the log */
    bool allow_introspection; /* which then needs no trust */
    bool allow_get;           /* hashes by GET */
    size_t max_bytes;         /* longer documents are not registered */
};

/* Of an execution. */
struct recall {
    struct digest hash;                /* of the text, or what is looked for */
    const struct persisted_text *text; /* retained; NULL: none */
    bool registers;                    /* the text came with its hash, to be kept if it is valid */
    bool unknown;                      /* no trusted document, where such are required */
    struct pgsession session;
    struct pgstatement statement;
    struct pgcall call;
    const char *params[1];
};

enum recall_result {
    RECALL_FOUND,   /* x->request.query is the document */
    RECALL_REFUSED, /* with errors */
    RECALL_WAITING, /* `then` comes later, on this thread */
};

enum recall_result recall_begin(struct execution *x,
                                void (*then)(struct execution *x, enum recall_result result));
/* The operation is valid: register the document, or refuse it because nobody trusts it. False with
 * errors. */
NODISCARD bool recall_accept(struct execution *x);
/* The end of the execution. */
void recall_end(struct execution *x);

#endif
