/*
 * persisted.h - documents that clients send by their hash (Apollo's automatic persisted queries).
 *
 * Thread:   any; one leaf mutex.
 * Memory:   bounded by entries and bytes; the least recently used go first. Texts are shared by
 *           reference count.
 * Not here: the table that all daemons share (jobs/persisted_sync.c), who may register
 *           (execution/recall.c).
 *
 * A text is kept under the SHA-256 of its bytes, which the caller has verified, so it can
 * never stand for another.
 */
#ifndef CACHE_PERSISTED_H
#define CACHE_PERSISTED_H

#include "base/arena.h"
#include "base/digest.h"

struct persisted;

struct persisted_text {
    uint32_t references; /* atomic */
    size_t len;
    char data[]; /* NUL-terminated */
};

struct persisted *persisted_new(size_t max_entries, size_t max_bytes);
void persisted_free(struct persisted *p); /* NULL is allowed */

/* Retained, or NULL. Counts as a use. */
const struct persisted_text *persisted_get(struct persisted *p, const struct digest *hash);
/* Nothing happens if it is there. stored: the table has it. */
void persisted_put(struct persisted *p, const struct digest *hash, struct str text, bool stored);
void persisted_unref(const struct persisted_text *t); /* NULL is allowed */

static inline struct str persisted_str(const struct persisted_text *t)
{
    return str_make(t->data, t->len);
}

/* Is there a table to look into? True until told otherwise. */
bool persisted_is_shared(const struct persisted *p);
void persisted_set_shared(struct persisted *p, bool shared);

/*
 * May the table be asked for a hash? Not for what was missing less than ten seconds ago, and not
 * after a hundred look-ups of this second that found nothing. True: persisted_looked() follows.
 */
bool persisted_may_look(struct persisted *p, const struct digest *hash);

enum persisted_look {
    PERSISTED_THERE,
    PERSISTED_MISSING,
    PERSISTED_UNKNOWN, /* it could not be asked */
};

void persisted_looked(struct persisted *p, const struct digest *hash, enum persisted_look result);

struct persisted_row {
    struct digest hash;
    const struct persisted_text *text; /* retained */
};

/* What is not in the table yet, at most max: from now on it counts as stored. */
size_t persisted_take_new(struct persisted *p, size_t max, struct persisted_row *out);
/* It could not be stored after all. */
void persisted_give_back(struct persisted *p, const struct persisted_row *rows, size_t n);
/* Hashes used since the last call, in the arena. */
size_t persisted_take_used(struct persisted *p, struct arena *a, struct digest **out);

struct persisted_stats {
    size_t entries;
    size_t bytes;
};
void persisted_stats(struct persisted *p, struct persisted_stats *out);

#endif
