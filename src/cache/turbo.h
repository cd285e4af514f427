/*
 * turbo.h - TurboRouter: validated operations and compiled plans kept in memory.
 *
 * Thread:   any; sharded, one leaf mutex per shard.
 * Memory:   bounded by entries and bytes; the least recently used go first.
 *           What is handed out is retained for the caller.
 * Not here: prepared statements (each connection has its own).
 *
 * Two steps, because a plan depends on the shape of the variables and that
 * takes the operation's variable types to know:
 *   (document, operation name, schema version, role) -> operation
 *   (operation, skeleton of the variables)           -> plan
 * A hit runs exactly what a miss would have run: the caller goes on with the
 * same objects either way.
 */
#ifndef CACHE_TURBO_H
#define CACHE_TURBO_H

#include "base/digest.h"
#include "planner/plan.h"

struct turbo_key {
    struct str document; /* compared in full */
    struct str operation_name;
    struct str role;
    uint64_t schema_version;
};

struct turbo;

/* max_bytes counts what operations and plans hold, and their keys. */
struct turbo *turbo_new(size_t max_entries, size_t max_bytes);
void turbo_free(struct turbo *t); /* NULL is allowed */

/* Retained, or NULL. */
const struct operation *turbo_operation(struct turbo *t, const struct turbo_key *k);
/* Keeps a reference of its own. An entry that is there already stays. */
void turbo_put_operation(struct turbo *t, const struct turbo_key *k, const struct operation *op);

const struct plan *turbo_plan(struct turbo *t, const struct operation *op,
                              const struct digest *skeleton);
void turbo_put_plan(struct turbo *t, const struct operation *op, const struct digest *skeleton,
                    const struct plan *p);

struct turbo_stats {
    size_t entries;
    size_t bytes;
    uint64_t evictions;
};
void turbo_stats(struct turbo *t, struct turbo_stats *out);

#endif
