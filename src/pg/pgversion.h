/*
 * pgversion.h - which libpq.
 *
 * Thread:   any.
 */
#ifndef PG_PGVERSION_H
#define PG_PGVERSION_H

#include "base/library.h"

struct library pgversion_library(void);

#endif
