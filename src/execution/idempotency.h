/*
 * idempotency.h - keys by which a repeated mutation is answered as the first was, and not made
 * again.
 *
 * Thread:   a worker's.
 * Memory:   in the arena given.
 * Not here: the table and its functions (sql/system/010_idempotency.sql).
 *
 * The key is claimed as the first call of the mutation's transaction: a second claim waits for the
 * first one's transaction, and fails if it has been committed. The answer is stored as the last
 * call of it.
 */
#ifndef EXECUTION_IDEMPOTENCY_H
#define EXECUTION_IDEMPOTENCY_H

#include "auth/auth.h"
#include "base/jval.h"
#include "pg/pgbatch.h"

#define IDEMPOTENCY_KEY_MAX 255

struct idempotency {
    struct pgstatement statements[3]; /* claim, store, read */
    const char *claim[4];             /* scope, key, request, for how long */
    const char *store[3];             /* scope, key, response */
    const char *read[2];              /* scope, key */
};

/* What makes two requests the same, besides who asks. */
struct idempotency_request {
    struct str key;
    struct str document;
    struct str operation_name;
    const struct jval *variables; /* NULL: none */
};

void idempotency_init(struct idempotency *k, const struct idempotency_request *r,
                      const struct identity *who, const char *role, uint64_t ttl_ms,
                      struct arena *a);
struct pgcall idempotency_claim(const struct idempotency *k);
/* response: NULL until it is there; NUL-terminated, and lives as long as the batch. */
struct pgcall idempotency_store(struct idempotency *k, const char *response);
struct pgcall idempotency_read(const struct idempotency *k);

enum idempotency_claimed {
    IDEMPOTENCY_TAKEN,   /* somebody has used the key: read what was answered */
    IDEMPOTENCY_MISSING, /* the database has not what keys need */
    IDEMPOTENCY_ERROR,   /* another error */
};

/* Why a batch failed at the claim. */
enum idempotency_claimed idempotency_claim_failure(const struct pgbatch *b);

enum idempotency_found {
    IDEMPOTENCY_REPEAT, /* *response is what was answered */
    IDEMPOTENCY_OTHER,  /* the key was used for another request */
    IDEMPOTENCY_GONE,   /* it is not there any more: claim it again */
};

enum idempotency_found idempotency_found(const struct idempotency *k, const struct pgrows *rows,
                                         struct str *response);

#endif
