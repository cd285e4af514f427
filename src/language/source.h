/*
 * source.h - byte offset to line and column (specification section 7.1.4).
 */
#ifndef LANGUAGE_SOURCE_H
#define LANGUAGE_SOURCE_H

#include "base/error.h"

/* Lines end at LF, CR or CR LF. Columns count code points, from 1. */
struct location source_location(struct str text, size_t offset);

#endif
