/*
 * schemadiff.h - what changed between two schemas, and whom it breaks.
 *
 * Thread:   any.
 * Memory:   in the arena given; text points into the texts, which must live as long.
 * Not here: reading files (commands/).
 *
 * Changes are named and told apart as findBreakingChanges() and findDangerousChanges() of the
 * reference implementation do; what they pass over is safe.
 */
#ifndef SCHEMA_SCHEMADIFF_H
#define SCHEMA_SCHEMADIFF_H

#include "base/buf.h"
#include "base/map.h"
#include "base/sourcetext.h"

struct jval;

struct schemadiff_side {
    struct map types;      /* of const struct ast_type_system_definition, extensions included */
    struct map directives; /* of the same, that documents of clients may have */
    bool no_auth;          /* it does not tell what is needed to use it */
};

enum change_severity {
    CHANGE_BREAKING,
    CHANGE_DANGEROUS,
    CHANGE_SAFE,
};

struct schema_change {
    enum change_severity severity;
    const char *type; /* "FIELD_REMOVED" */
    struct str description;
};

struct schema_changes {
    struct schema_change *items;
    size_t n, cap;
};

/* A schema as text in the definition language, or as the answer to an introspection query (JSON).
 * False with errors of the source's code and places in it. */
NODISCARD bool schemadiff_read(const struct sourcetext *source, struct arena *a,
                               struct schemadiff_side *out, struct errors *errs);
/* Sorted by severity; in the order of the old schema, then the new one's, within each. */
void schemadiff_compare(const struct schemadiff_side *before, const struct schemadiff_side *after,
                        struct arena *a, struct schema_changes *out);

/* A scalar that comes with the language. */
bool diffside_is_specified(struct str name);
/* clientschema.c: the definitions that an answer to an introspection query describes. */
NODISCARD bool clientschema_print(const struct jval *answer, struct buf *out);

#endif
