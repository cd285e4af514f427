/*
 * fingerprint.h - by what errors are known as one: what they have in common, and a digest of it.
 *
 * Thread:   any; one at a time for a list of errors.
 * Memory:   an identity is in the arena that is given.
 * Not here: recording (pending.h), values that are nobody's business (redact.h).
 */
#ifndef TRACKING_FINGERPRINT_H
#define TRACKING_FINGERPRINT_H

#include "base/error.h"

/* Of the algorithm: with another one the same errors are other groups. */
#define FINGERPRINT_VERSION 1
#define FINGERPRINT_TEXT    32 /* lower-case hexadecimal */
#define ERROR_ID_TEXT       36 /* a UUID */

enum fingerprint_part {
    FINGERPRINT_CODE,
    FINGERPRINT_SQLSTATE,
    FINGERPRINT_OPERATION,
    FINGERPRINT_PATH,
    FINGERPRINT_MESSAGE,
    FINGERPRINT_PARTS
};

struct fingerprint_options {
    bool parts[FINGERPRINT_PARTS];
    bool codes[ERROR_CODE_COUNT]; /* which errors have one */
    struct str environment;
};

/* What occurrences of an error have in common. */
struct error_identity {
    char fingerprint[FINGERPRINT_TEXT + 1];
    char error_id[ERROR_ID_TEXT + 1]; /* as fraiseql.error_id() has it */
    struct str code;
    struct str sqlstate;
    struct str operation;
    struct str path;    /* "projects.tasks": without indices */
    struct str message; /* without what differs from one to the next */
};

/* "code", "sqlstate", "operation", "path", "message". */
NODISCARD bool fingerprint_part_by_name(struct str name, enum fingerprint_part *out);
/*
 * A message without numbers, ids, and quoted values, of at most 300 bytes. Names that PostgreSQL
 * quotes stay: they say which table or constraint it was.
 */
struct str fingerprint_message(struct str message, struct arena *a);
/* Its code, sqlstate, operation, path and message are set: the rest follows. */
void fingerprint_make(const struct fingerprint_options *opt, struct error_identity *id);
/* Give an identity to those errors of a list that are to have one and have none yet. */
void fingerprint_errors(const struct fingerprint_options *opt, struct str operation,
                        struct errors *errs);

#endif
