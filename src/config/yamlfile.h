/*
 * yamlfile.h - a YAML file as a list of dotted keys with their places.
 *
 * Thread:   any.
 * Memory:   everything in the arena given.
 * Not here: what keys mean (options.h).
 *
 * The text must be a map, and its keys names of letters, digits, "_" and "-".
 */
#ifndef CONFIG_YAMLFILE_H
#define CONFIG_YAMLFILE_H

#include "base/yamltree.h"

struct yamlfile_entry {
    struct str key; /* "server.listen", "server.listen[0]", "auth.jwt.keys[0].kid" */
    enum yamltree_kind kind;
    struct str text;     /* of a scalar */
    bool null;           /* a scalar that was left out, or ~ or null without quotes */
    struct location at;  /* of the key; of the value where there is none */
    struct location end; /* of the value */
};

struct yamlfile {
    struct sourcetext source;
    const struct yamlfile_entry *entries; /* in document order, containers before their content */
    size_t n;
};

/* False, with one CONFIG_INVALID error, if the text is not what is accepted. */
NODISCARD bool yamlfile_parse(struct str text, struct str name, struct arena *a,
                              struct yamlfile *out, struct errors *errs);

#endif
