/*
 * cachewarm.h - makes answers for the result cache before anybody asks.
 *
 * Thread:   one that may block: jobs, or a command's.
 * Memory:   what comes out is in the arena given.
 * Not here: what may be kept, and for how long (execution/result.c, cache/resultcache.c).
 *
 * Answers are made as requests would be, one after the other, as a tenant that has no user: so what
 * depends on the user is passed over. What has half of its time left stays.
 */
#ifndef SERVER_CACHEWARM_H
#define SERVER_CACHEWARM_H

#include "execution/execute.h"
#include "execution/registered.h"
#include "jobs/jobs.h"

struct cachewarm {
    const struct engine *engine; /* with a result cache and published schemas */
    const struct auth *auth;
    struct pgpool *pool;
    struct deadline until;
    const atomic_bool *stopping; /* NULL: nobody asks for an end */
};

/* What became of an operation. */
struct cachewarm_result {
    struct str operation_name; /* empty: it has none */
    size_t made, held, passed, failed;
    struct str problem; /* of what was passed over or failed, the first; empty: none */
};

/*
 * The operations of that name in fraiseql.turbo_queries; with a dot or a slash the name is a
 * file's, as of turborouter.warm.file. No names: all that are registered. False with errors.
 */
NODISCARD bool cachewarm_documents(const struct cachewarm *w, const struct str *names, size_t n,
                                   struct arena *a, struct registered_list *out,
                                   struct errors *errs);
struct str_list {
    struct str *items;
    size_t n, cap;
};
/* Those given; none, or "active": who was served within a day. Without tenancy: one, which is
 * empty. False with errors. */
NODISCARD bool cachewarm_tenants(const struct cachewarm *w, const struct str *given, size_t n,
                                 struct arena *a, struct str_list *out, struct errors *errs);
/*
 * A result for each of the operations, in their order. False: the time was up, or it was to end,
 * before all were made.
 */
NODISCARD bool cachewarm_run(const struct cachewarm *w, const struct registered_list *what,
                             const struct str_list *tenants, struct arena *a,
                             struct cachewarm_result *results);
/* All of it, for the job of this kind. */
NODISCARD bool cachewarm_job(const struct cachewarm *w, const struct scheduled_job *j,
                             struct arena *a, struct str *detail);

#endif
