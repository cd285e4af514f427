/*
 * warmup.h - compiles what is registered, from the table and from a file, whenever schemas are
 * loaded.
 *
 * Thread:   jobs; made and freed by the main thread.
 * Memory:   remembers by digest what it has complained of.
 * Not here: compiling (execution/warm.c), registering (commands/turbo.c).
 */
#ifndef SERVER_WARMUP_H
#define SERVER_WARMUP_H

#include "execution/warm.h"

struct warmup_options {
    struct pgpool *pool;
    bool from_table;
    struct str file; /* empty: none */
};

struct warmup;

struct warmup *warmup_new(const struct warmup_options *opt);
void warmup_free(struct warmup *w); /* NULL is allowed */
/*
 * Compiles them for schemas that are about to be published, or are; by role. What cannot be read,
 * or is not valid, is said in the log, once, and hinders nothing.
 */
void warmup_run(struct warmup *w, const struct engine *e, const struct schema *const *next,
                size_t nroles);

/* Rows of fraiseql.turbo_queries, in the arena: at most REGISTERED_MAX, the newest. False with
 * errors; *missing: there is no such table. */
NODISCARD bool warmup_read_table(struct pgpool *pool, struct arena *a, struct registered_list *out,
                                 bool *missing, struct errors *errs);

#endif
