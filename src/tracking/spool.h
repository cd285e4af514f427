/*
 * spool.h - lines on disk, while the database is away.
 *
 * Thread:   one at a time; several processes may share the directory.
 * Memory:   a file that is read is in the arena given.
 * Not here: what the lines are, and when they are written and read (jobs/error_recorder.c).
 *
 * A directory has files "<time>-<process>-<number>.spool", each a few of the lines. Who writes one
 * holds a lock on it, so that nobody reads a file that grows. What is read is deleted by whoever
 * has dealt with it: lines come at least once, even if the process is killed.
 */
#ifndef TRACKING_SPOOL_H
#define TRACKING_SPOOL_H

#include "base/error.h"

struct spool;

/* max: bytes of all files together. NULL, with CONFIG_INVALID, if no files can be made there. */
struct spool *spool_open(struct str directory, uint64_t max, struct errors *errs);
/* What is written stays. NULL is allowed. */
void spool_close(struct spool *s);
/* Lines, without their ends, to the disk. False: they are not there, for want of room or an error,
 * which the log is told once. */
NODISCARD bool spool_append(struct spool *s, const struct str *lines, size_t n);
/* Bytes there are, of all processes, as of the last append or read. */
uint64_t spool_bytes(const struct spool *s);

struct spool_file {
    struct str path;
    struct str *lines;
    size_t n;
    size_t torn; /* lines that did not get to their end */
};

/* The oldest file that nobody writes; what this one writes is ended for it. False: there is none.
 */
NODISCARD bool spool_read(struct spool *s, struct arena *a, struct spool_file *out);
void spool_delete(struct spool *s, const struct spool_file *f);

#endif
