/*
 * resultcache.h - which answers are kept in PostgreSQL, for how long, and under which key.
 *
 * Thread:   any; what changes is atomic.
 * Memory:   rules are kept with their plan, and live as long as it does.
 * Not here: asking the database (execution/result.c), the tables (sql/system/050_cache.sql).
 *
 * A key is a digest of everything an answer can depend on: the plan, the catalog's objects below
 * it, the values in it, the role, the tenant, and those settings that anything below reads. What
 * may be served after a change of its tables is decided by PostgreSQL, in the look-up.
 */
#ifndef CACHE_RESULTCACHE_H
#define CACHE_RESULTCACHE_H

#include "base/digest.h"
#include "cache/flights.h"
#include "cache/front.h"
#include "pg/pgbatch.h"
#include "planner/plan.h"

enum resultcache_mode {
    RESULTCACHE_AUTO,   /* what is worth it */
    RESULTCACHE_ALWAYS, /* whatever it costs */
    RESULTCACHE_NEVER,
};

/* What the configuration says of a type, or of an operation. */
struct resultcache_setting {
    struct str name;
    bool has_ttl;
    uint64_t ttl_ms;
    enum resultcache_mode mode; /* of operations */
};

struct resultcache_options {
    uint64_t default_ttl_ms; /* of what is exact; 0: only those that have a TTL of their own */
    size_t max_value_bytes;
    bool single_flight;
    uint64_t wait_ms; /* for who is making it already */
    uint64_t stale_while_revalidate_ms;
    uint64_t stale_if_error_ms;
    const struct resultcache_setting *types;
    size_t ntypes;
    const struct resultcache_setting *operations;
    size_t noperations;
    const struct str *settings; /* all that sessions have */
    size_t nsettings;
    const struct str *tenant_settings; /* those that hold the tenant */
    size_t ntenant_settings;
    size_t front_bytes; /* of what is kept in memory as well; 0: nothing */
    uint64_t front_ttl_ms;
};

struct resultcache {
    struct resultcache_options opt;
    struct pgstatement lookup;       /* $1 key, $2 tenant */
    struct pgstatement lookup_ahead; /* the same, but half of the time is not enough */
    struct pgstatement store;        /* see sql/cache_store.sql */
    struct pgstatement rule;         /* see RESULTCACHE_RULE_PARAMS */
    struct pgstatement claim; /* $1 key, $2 by whom, $3 for how many ms: a row, if nobody has it */
    struct pgstatement release; /* $1 key, $2 by whom */
    struct pgstatement change;  /* $1 text of an array of oids: relations that have changed */
    struct flights *flights;    /* NULL: everybody makes what is missing */
    struct front *front;        /* NULL: nothing is kept in memory */
    struct str settings;        /* as text of arrays */
    struct str tenant_settings;
    const char *daemon; /* by whom claims are */
    /* private */
    struct arena *arena;
    uint64_t lookup_ns; /* these four are atomic */
    uint64_t lookups;
    uint64_t suspended_until_ns;
    uint64_t failing; /* the log knows */
    uint64_t *touches;
};

/* Copies the options. */
struct resultcache *resultcache_new(const struct resultcache_options *opt);
void resultcache_free(struct resultcache *rc); /* NULL is allowed */

/* --- rules --------------------------------------------------------------------------------- */

/* Of which type tenants are in the tables: whose text is the same for equal ones. */
enum tenant_type {
    TENANT_UNKNOWN, /* or rows of others can be seen as well */
    TENANT_TEXT,
    TENANT_UUID,
    TENANT_INTEGER,
};

struct result_rule {
    struct digest digest; /* of the plan and all objects below it */
    struct str bases;     /* their tables: text of an array of oids */
    enum tenant_type tenant_type;
    bool exact;     /* every change of them is noted */
    bool chosen;    /* somebody has said how long, so clients may be told */
    uint32_t ttl_s; /* 0: nothing is kept */
    enum resultcache_mode mode;
    bool *reads; /* by setting */
    struct result_rule *next;
};

/* The plan's, or NULL: not known, or for too long. *ask: the database is to be asked for it, now.
 */
const struct result_rule *resultcache_rule(struct resultcache *rc, const struct plan *p, bool *ask);
/* It was not told: ask as soon as the cache works. */
void resultcache_ask_again(const struct plan *p);
/* Parameters of rc->rule, text of arrays but for the third and the last: schemas, names,
 * statement, settings, settings of the tenant, role. */
#define RESULTCACHE_RULE_PARAMS 6
void resultcache_rule_params(const struct resultcache *rc, const struct plan *p, const char *role,
                             struct arena *a, const char **params);
/* What the database said of it. False: nothing that can be understood. */
NODISCARD bool resultcache_learn_rule(struct resultcache *rc, const struct plan *p,
                                      struct str operation_name, const struct pgrows *rows,
                                      struct arena *a);

/* Is an answer of this tenant made from the tenant's rows, and from nobody else's? */
bool result_rule_by_tenant(const struct result_rule *r, struct str tenant);

/* "Projects#1f0a9c3e", as tables name an operation: its name and eight digits of its document's
 * hash. */
struct str resultcache_label(struct str operation_name, const struct digest *document,
                             struct arena *a);

/* --- keys ------------------------------------------------------------------------------------ */

/* With the plan's parameters and the session's role and settings. */
struct flight_key resultcache_key(const struct resultcache *rc, const struct result_rule *r,
                                  const char *const *params, size_t nparams,
                                  const struct pgsession *session, struct str tenant,
                                  struct arena *a);

/* --- what is worth it --------------------------------------------------------------------------
 */

/* The plan was run, and took the database so long. */
void resultcache_learn_cost(const struct plan *p, uint64_t ns);
/* Is it to be looked for, given what the plan costs? */
bool resultcache_worthwhile(const struct resultcache *rc, const struct plan *p,
                            const struct result_rule *r);
/* Does it depend on who of a tenant asks? */
bool result_rule_by_user(const struct resultcache *rc, const struct result_rule *r);
/* Does it take so long that no two daemons should make the same? */
bool resultcache_costly(const struct plan *p);
/* An answer of this key is there to be kept: was the key asked for a while ago, too? */
bool resultcache_touch(struct resultcache *rc, const struct flight_key *k);
/* For how long it is kept: the rule's TTL, more or less, so that not all expire together. */
uint32_t resultcache_ttl_s(const struct result_rule *r);

/* A mutation has changed something: what is in memory may not hold. */
void resultcache_changed(struct resultcache *rc);
/* Are there answers that hold for a time, whatever changes? */
bool resultcache_keeps_by_time(const struct resultcache *rc, const struct plan *mutation);

/* --- when it does not work ---------------------------------------------------------------------
 */

bool resultcache_works(const struct resultcache *rc);
/* A statement was answered, after so long: 0 if that does not count. */
void resultcache_went_well(struct resultcache *rc, uint64_t lookup_ns);
/* One has failed: nothing is asked of it for a while. */
void resultcache_failed(struct resultcache *rc, const struct pgbatch *b);

#endif
