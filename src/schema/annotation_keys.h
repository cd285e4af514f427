/*
 * annotation_keys.h - the keys of annotations, and what their values become; for annotations.c.
 *
 * Thread:   one at a time.
 * Memory:   in the reader's arena.
 */
#ifndef SCHEMA_ANNOTATION_KEYS_H
#define SCHEMA_ANNOTATION_KEYS_H

#include "base/yamltree.h"
#include "schema/annotations.h"

struct annotation_reader {
    struct arena *arena;
    struct errors *errs;
    const struct sourcetext *source;
};

struct annotation_key;

struct annotation_keys {
    const struct annotation_key *rows;
    size_t n;
};

extern const struct annotation_keys keys_of_type;
extern const struct annotation_keys keys_of_field;
extern const struct annotation_keys keys_of_relation;
extern const struct annotation_keys keys_of_function;

static inline struct place reader_place(const struct annotation_reader *r, struct location at)
{
    return (struct place){r->source, at};
}

/* NULL if there is none. */
const struct annotation_key *annotation_key_find(const struct annotation_keys *keys,
                                                 struct str name);
/* A map into the structure the keys are of; `what` names it in messages. */
void annotation_read_map(struct annotation_reader *r, const struct yamltree *v, const char *what,
                         const struct annotation_keys *keys, void *out);
/* One more relation. on_column: it leads from the column the comment is on. */
void annotation_read_relation(struct annotation_reader *r, const struct yamltree *v,
                              struct place at, bool on_column, struct relation_annotations *to);

#endif
