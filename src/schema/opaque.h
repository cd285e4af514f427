/*
 * opaque.h - typed values behind a text that clients hand back unread: cursors, ids of nodes.
 *
 * Thread:   any.
 * Memory:   in the arena given.
 * Not here: writing one (execution/encode_opaque.c), values as parameters (planner/paramtext.c).
 *
 * The text is base64url of a JSON array: a head, which says what the values are of, and the values
 * as encode_value() writes them. It is not signed: whoever makes one up gets no further than with
 * the arguments of a filter, because each value is checked and bound as a parameter of its type.
 */
#ifndef SCHEMA_OPAQUE_H
#define SCHEMA_OPAQUE_H

#include "schema/scalars.h"

struct opaque_form {
    struct str head;
    size_t n; /* values */
    const struct codec *const *codecs;
    const bool *nullable; /* NULL: none is */
    const char *problem;  /* of a text that is of no such form, for errors: "is not …" */
};

#define OPAQUE_HEAD_MAX 250

/* The head alone, in `room`, if it is a name; what follows is not looked at. data NULL: it is none.
 */
struct str opaque_head(struct str text, char room[OPAQUE_HEAD_MAX + 1]);
/* The form.n values of a text of this form; NULL: it is none. */
const struct jval *const *opaque_values(const struct opaque_form *form, struct str text,
                                        struct arena *a);

#endif
