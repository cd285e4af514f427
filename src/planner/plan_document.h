/*
 * plan_document.h - what is selected of declared documents: keys to be found, and their shape.
 */
#ifndef PLANNER_PLAN_DOCUMENT_H
#define PLANNER_PLAN_DOCUMENT_H

#include "planner/compile.h"

/* The keys of one object's document while its fields are gathered. */
struct keys {
    struct {
        struct str *items;
        size_t n, cap;
    } names;
};

/* A field whose value is that of a key: SHAPE_KEY. False with errors added. */
NODISCARD bool plan_key(struct compiler *c, struct keys *keys, const struct selection *s,
                        unsigned depth, struct shape_field *out);
/* All fields are there: the shape has its keys, and they know where. */
void plan_keys_finish(struct compiler *c, const struct keys *keys, int document,
                      struct shape_field *fields, struct shape *shape);
/* codec or object of a value in a document. False with errors added. */
NODISCARD bool plan_document(struct compiler *c, const struct selection *s, unsigned depth,
                             struct shape_field *out);

#endif
