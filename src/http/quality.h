/*
 * quality.h - weights in Accept and its kin (RFC 9110 section 12.4.2).
 *
 * Thread:   any.
 */
#ifndef HTTP_QUALITY_H
#define HTTP_QUALITY_H

#include "base/str.h"

#define QUALITY_MAX 1000

/* The q of what stands behind the first ';' of a list's element: "q=0.5" is 500; QUALITY_MAX when
 * absent or malformed. */
unsigned quality_of(struct str parameters);
/* Takes the first element off a list such as Accept's: its name, without blanks and parameters, and
 * its q. False: there is none left. */
bool quality_next(struct str *list, struct str *name, unsigned *q);

#endif
