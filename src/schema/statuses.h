/*
 * statuses.h - what the status of a mutation's result says: success or error, and the code.
 *
 * Thread:   any.
 *
 * A status is a word, perhaps with more behind a colon: "created", "failed:no_budget". The
 * word is compared whole, in lower case; one that is not in the tables is an error.
 */
#ifndef SCHEMA_STATUSES_H
#define SCHEMA_STATUSES_H

#include "base/base.h"

#define STATUS_UNKNOWN 500 /* the code of a word that is not in the table */

struct status {
    const char *word;
    int code; /* of errors, as HTTP has them; 0: success */
};

/* By word; NULL behind the last. */
const struct status *statuses_at(size_t i);
/* The values of app.mutation_error_class, likewise; none is a success. */
const struct status *error_classes_at(size_t i);

#endif
