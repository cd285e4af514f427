/*
 * yamlfile.h - a YAML file as a list of dotted keys with their places.
 *
 * Thread:   any.
 * Memory:   everything in the arena given.
 * Not here: what keys mean (options.h).
 *
 * The part of YAML that is accepted: one document of maps with plain names,
 * lists and scalars. Anchors, aliases, merge keys, tags, duplicate keys and
 * more documents are refused.
 */
#ifndef CONFIG_YAMLFILE_H
#define CONFIG_YAMLFILE_H

#include "base/error.h"
#include "base/library.h"

enum yamlfile_kind {
    YAMLFILE_SCALAR,
    YAMLFILE_LIST,
    YAMLFILE_MAP,
};

struct yamlfile_entry {
    struct str key; /* "server.listen", "server.listen[0]", "auth.jwt.keys[0].kid" */
    enum yamlfile_kind kind;
    struct str text;     /* of a scalar */
    bool null;           /* a scalar that was left out, or ~ or null without quotes */
    struct location at;  /* of the key; of the value where there is none */
    struct location end; /* of the value */
};

struct yamlfile {
    struct str name; /* for messages */
    struct str text;
    const struct yamlfile_entry *entries; /* in document order, containers before their content */
    size_t n;
};

/* False, with one CONFIG_INVALID error, if the text is not what is accepted. */
NODISCARD bool yamlfile_parse(struct str text, struct str name, struct arena *a,
                              struct yamlfile *out, struct errors *errs);
/* Give an error its place: name:line:column, the source line and a caret below the column. */
void yamlfile_place(const struct yamlfile *f, struct location at, struct error *e,
                    struct errors *errs);
/* libyaml. */
struct library yamlfile_library(void);

#endif
