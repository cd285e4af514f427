/*
 * execute.h - a GraphQL request from its text to its response: stages 5 to 13.
 *
 * Thread:   a worker's; `done` is called on the same thread.
 * Memory:   an execution is embedded in the worker's job and lives in its arena.
 * Not here: HTTP (server/graphql_endpoint.c), who is asking (auth/).
 */
#ifndef EXECUTION_EXECUTE_H
#define EXECUTION_EXECUTE_H

#include "auth/auth.h"
#include "base/buf.h"
#include "base/deadline.h"
#include "base/tracecontext.h"
#include "cache/cachelog.h"
#include "cache/turbo.h"
#include "execution/doubt.h"
#include "execution/envelope.h"
#include "execution/idempotency.h"
#include "execution/label.h"
#include "execution/reading.h"
#include "execution/recall.h"
#include "execution/result.h"
#include "execution/stages.h"
#include "pg/pgpool.h"
#include "tracking/fingerprint.h"

enum introspection_policy {
    INTROSPECTION_OFF,
    INTROSPECTION_AUTHENTICATED, /* for requests with a valid token */
    INTROSPECTION_ON,
};

struct execution;

/* Shared by all workers; constant but for the slot and the cache. */
struct engine {
    struct schema_slot *schema;
    struct turbo *turbo;         /* NULL: off */
    struct resultcache *results; /* NULL: off */
    struct pgreplicas *replicas; /* NULL: there are none */
    struct cachelog *cachelog;   /* NULL: what becomes of requests there is not logged */
    struct labels *labels;       /* NULL: nothing is told by operation */
    struct recall_options recall;
    struct parse_limits parse_limits;
    struct validate_limits validate_limits;
    const char *const *roles; /* by identity.role; the first is database.role, "": the login role */
    const uint32_t *statement_timeouts_ms; /* by identity.role too */
    size_t shadow_complexity;              /* more is counted and said in the log; 0: off */
    const char *application_name;          /* of the connections; a traced one adds its trace */
    uint64_t slow_ns;                      /* what takes as long is told of; 0: nothing is */
    uint64_t log_slow_ns; /* what takes as long is logged, a query's plan too; 0: nothing is slow */
    uint64_t idempotency_ttl_ms; /* how long a key stands for its answer */
    size_t max_response_bytes;
    enum introspection_policy introspection;
    bool mask_errors;
    bool suggestions;
    const struct fingerprint_options *fingerprint; /* errors get an identity; NULL: they do not */
    /*
     * A statement failed as it does when the schema is older than the database: have the catalog
     * looked at. The number of the look is to be asked about: true when it is over; certain: it
     * found that the published schemas are the database's. Any thread; NULL: nobody looks.
     */
    uint64_t (*doubt)(void *ctx);
    bool (*doubt_checked)(void *ctx, uint64_t number, bool *certain);
    void *doubt_ctx;
    /*
     * An operation is about to cost so much (its complexity). False with an error, and perhaps with
     * x->retry_s: it may not. NULL: it always may.
     */
    bool (*spend)(struct execution *x, uint64_t cost);
};

struct graphql_request {
    struct str query;             /* data NULL: named by the hash or the id */
    struct str hash;              /* of a persisted query, as sent; data NULL: none */
    struct str document_id;       /* of a trusted document; data NULL: none */
    struct str operation_name;    /* empty if none */
    const struct jval *variables; /* object or NULL */
    bool query_only;              /* GET: a mutation is refused */
    bool dry_run;                 /* a mutation is rolled back */
    struct str idempotency_key;   /* of a mutation; empty if none */
};

struct execution {
    /* set by the caller, constant afterwards */
    const struct engine *engine;
    struct pgclient *pg;    /* to the primary */
    struct reading reading; /* .readers and .after */
    struct arena *arena;
    struct graphql_request request;
    const struct identity *identity;
    struct deadline until;
    struct str request_id;
    const struct tracecontext *trace; /* NULL: of no trace, as a command's */
    uint64_t received_ns;             /* monotonic: when the request was here */
    bool ahead;                       /* nobody waits: it is for the result cache */
    void (*done)(struct execution *x);

    /* for the caller in `done` */
    struct buf body; /* the response; the caller takes it */
    bool executed;   /* execution began: there is a "data" member */
    struct errors errors;
    const char *operation_type; /* "query", "mutation", "subscription", or "unknown" */
    bool turbo_hit;
    bool replayed;     /* what was answered before, by an idempotency key */
    uint64_t retry_s;  /* when a refused one may come again, in seconds; 0: not known */
    uint64_t parse_ns; /* parsing and validating; 0: found in the cache, as plan_ns */
    uint64_t plan_ns;
    uint64_t backend_ns;
    struct stages stages;
    struct result result; /* its state, age_s, ttl_s, chosen, kept, passed */

    /* private */
    struct recall recall;
    void (*recalled)(struct execution *x, enum recall_result result);
    const struct operation *operation;
    const struct plan *plan;
    const char *const *params;
    struct pgsession session;
    struct pgbatch batch;
    struct pgcall *calls;     /* of the plan's steps */
    size_t first_step;        /* of those in the batch */
    struct envelope envelope; /* of the batch */
    bool dry_run;             /* what the plan's steps do is rolled back */
    struct idempotency *key;  /* NULL: none */
    unsigned claims;          /* of it, that found it used and then gone */
    bool answered;            /* the response is there, before the transaction has ended */
    struct doubt doubt;
    bool spent; /* it was counted what it costs */
    bool in_flight;
    bool abandoned; /* by execute_cancel() */
};

/* Runs straight through, or until the batch is submitted. done comes exactly once, perhaps before
 * this returns. */
void execute_start(struct execution *x);
/* The client has gone. done still comes. */
void execute_cancel(struct execution *x);

#endif
