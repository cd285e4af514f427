/*
 * yamltree.h - YAML text to a tree with places (libyaml), with bounded depth and size.
 *
 * Thread:   any; a tree is constant once parsed.
 * Memory:   everything in the arena given.
 * Not here: what keys mean (config/, schema/annotations.c).
 *
 * The part of YAML that is accepted: one document of maps, lists and scalars.
 * Anchors, aliases, merge keys, tags, duplicate keys and more documents are refused.
 */
#ifndef BASE_YAMLTREE_H
#define BASE_YAMLTREE_H

#include "base/library.h"
#include "base/sourcetext.h"

enum yamltree_kind {
    YAMLTREE_SCALAR,
    YAMLTREE_LIST,
    YAMLTREE_MAP,
};

struct yamltree_member;

struct yamltree {
    enum yamltree_kind kind;
    struct str text; /* of a scalar */
    bool null;       /* a scalar that was left out, or ~ or null without quotes */
    struct location at;
    size_t n;                              /* lists, maps */
    const struct yamltree *const *items;   /* YAMLTREE_LIST */
    const struct yamltree_member *members; /* YAMLTREE_MAP, in document order */
};

struct yamltree_member {
    struct str name;
    struct location at;
    const struct yamltree *value;
};

struct yamltree_limits {
    size_t max_bytes;
    size_t max_depth; /* of lists and maps; at most 32 */
    size_t max_values;
};

/*
 * The YAML that stands in the bytes from `from` up to `to` of a text; an empty
 * one is a null scalar. False, with one error of the text's code, if it is not
 * what is accepted. Places are those in the whole text.
 */
NODISCARD bool yamltree_parse(const struct sourcetext *source, size_t from, size_t to,
                              const struct yamltree_limits *lim, struct arena *a,
                              const struct yamltree **out, struct errors *errs);
/* libyaml. */
struct library yamltree_library(void);

#endif
