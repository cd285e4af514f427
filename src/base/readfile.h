/*
 * readfile.h - a whole file as text.
 *
 * Thread:   any; may block.
 * Memory:   in the arena given.
 */
#ifndef BASE_READFILE_H
#define BASE_READFILE_H

#include "base/arena.h"

/* At most max + 1 bytes, so that the caller sees when there are too many. False: errno says why. */
NODISCARD bool readfile(const char *path, size_t max, struct arena *a, struct str *out);
NODISCARD bool readfile_descriptor(int fd, size_t max, struct arena *a, struct str *out);

#endif
