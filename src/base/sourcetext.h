/*
 * sourcetext.h - a text that people wrote, and errors that point into it.
 *
 * Thread:   any; constant.
 * Memory:   borrows name and text, which live as long as it is used; errors are in their list's.
 * Not here: reading files (config/, schema/), places in requests (language/source.h).
 */
#ifndef BASE_SOURCETEXT_H
#define BASE_SOURCETEXT_H

#include "base/error.h"

struct sourcetext {
    struct str name; /* for messages: a file's path, "comment on view public.v_user" */
    struct str text;
    enum error_code code; /* of what is wrong with it */
};

struct place {
    const struct sourcetext *source;
    struct location at;
};

/* An error at a place: file is name:line:column, detail the line with a caret below the column. */
struct error *sourcetext_error(const struct sourcetext *s, struct location at, struct errors *errs,
                               const char *fmt, ...) PRINTF_LIKE(4, 5);
struct error *place_error(struct place p, struct errors *errs, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Give an error its place. */
void sourcetext_place(const struct sourcetext *s, struct location at, struct error *e,
                      struct errors *errs);

#endif
