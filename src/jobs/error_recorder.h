/*
 * error_recorder.h - writes errors that wait to fraiseql.record_errors(), or to disk while the
 * database is away.
 *
 * Thread:   started and stopped from the main thread; works on its own (jobs), with one connection
 *           of the pool at a time.
 * Memory:   that of what waits (tracking/pending.h), twice at most.
 * Not here: which errors there are, and what is told of them (server/error_report.c).
 */
#ifndef JOBS_ERROR_RECORDER_H
#define JOBS_ERROR_RECORDER_H

#include "pg/pgpool.h"
#include "tracking/pending.h"
#include "tracking/spool.h"

struct error_recorder_options {
    struct pgpool *pool;
    struct pending *pending;
    struct spool *spool; /* owned; NULL: what cannot be written waits in memory */
    uint64_t interval_ms;
    size_t batch; /* errors of one statement */
};

struct error_recorder;

struct error_recorder *error_recorder_start(const struct error_recorder_options *opt);
/* Writes what is left, to the database or to the spool. Nobody reports any more. */
void error_recorder_stop(struct error_recorder *r);

#endif
