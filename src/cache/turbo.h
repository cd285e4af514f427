/*
 * turbo.h - TurboRouter: validated operations and compiled plans kept in memory.
 *
 * Thread:   any; sharded, one leaf mutex per shard.
 * Memory:   bounded by entries and bytes. What was used again is hot, and keeps up to four
 *           fifths of the room: documents that come once push out each other only. Among either
 *           the least recently used go first. What is handed out is retained for the caller.
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
/* sample: JSON of variables that have this skeleton, for turbo_hot(); copied unless it is large. */
void turbo_put_plan(struct turbo *t, const struct operation *op, const struct digest *skeleton,
                    const struct plan *p, struct str sample);

/* A plan that was used again, as what it takes to compile it once more. */
struct turbo_hot {
    struct turbo_key key;
    struct str sample; /* data NULL: none was kept */
};

/* The plans used most recently of those that are hot, at most max; their number. In the arena. */
size_t turbo_hot(struct turbo *t, size_t max, struct arena *a, struct turbo_hot **out);
/* Lets go of all that was compiled for schemas of other versions than these. */
void turbo_forget(struct turbo *t, const uint64_t *versions, size_t n);

struct turbo_usage {
    struct digest hash;   /* of the document */
    struct str operation; /* its name in the document; empty: it has none */
    struct operation_usage used;
};

/*
 * How operations that are hot were used since the last call, those that were, at most max; their
 * number. In the arena. What was evicted meanwhile is not told.
 */
size_t turbo_take_usage(struct turbo *t, size_t max, struct arena *a, struct turbo_usage **out);

struct turbo_stats {
    size_t entries;
    size_t bytes;
    uint64_t evictions;
};
void turbo_stats(struct turbo *t, struct turbo_stats *out);

#endif
