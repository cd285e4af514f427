/*
 * pending.h - errors that wait to be written: some of each kind in full, all of them counted.
 *
 * Thread:   any; one leaf mutex. One thread takes.
 * Memory:   bounded by its options, whatever comes: kinds, and bytes of what is kept in full. Texts
 *           are copied, and go with the batch that is taken.
 * Not here: writing them (jobs/error_recorder.c), what is told of them (server/error_report.c).
 *
 * A storm is many of few kinds. So whoever reports an error counts it first, by what it is and
 * whose request it was, and tells more only if it is among the first of its kind since the last
 * batch was taken:
 *
 *     if (pending_count(p, &kind))
 *         pending_keep(p, &kind, common, whole);
 */
#ifndef TRACKING_PENDING_H
#define TRACKING_PENDING_H

#include "base/arena.h"
#include "base/deadline.h"
#include "base/str.h"
#include "tracking/severity.h"

struct pending_options {
    size_t max;       /* kinds, and errors kept in full */
    size_t max_bytes; /* of all texts; 0: no limit */
    size_t burst;     /* of one fingerprint so many are kept in full … */
    double sample;    /* … of which, but for the first, only this part */
    size_t batch;     /* so many wake who waits */
};

/* What errors are counted by. */
struct pending_kind {
    struct str fingerprint;
    struct str tenant; /* empty: none */
    enum severity severity;
    int64_t at_us; /* since 1970 */
};

struct pending_element {
    struct str json; /* an element of fraiseql.record_errors() */
    uint64_t count;
    enum severity severity;
};

struct pending_batch {
    struct arena *arena; /* owned by who took it */
    struct pending_element *items;
    size_t n;
};

struct pending;

struct pending *pending_new(const struct pending_options *opt);
void pending_free(struct pending *p); /* NULL is allowed */
/* One more. True: it is to be kept in full as well. */
NODISCARD bool pending_count(struct pending *p, const struct pending_kind *k);
/*
 * common: members of a JSON object, without braces, that are true of all of this kind; whole: all
 * of the element, with braces. If there is no room, it was counted.
 */
void pending_keep(struct pending *p, const struct pending_kind *k, struct str common,
                  struct str whole);
/* Waits for a batch's worth, until then or until it is closed. */
void pending_wait(struct pending *p, struct deadline until);
/* Waits until then or until it is closed, whatever comes. */
void pending_pause(struct pending *p, struct deadline until);
/*
 * All that is there, in about the order in which it came. What was only counted is one element for
 * each kind. Times in elements are as they were given; those of counted ones are of the last of
 * them.
 */
void pending_take(struct pending *p, struct pending_batch *out);
/* Nobody waits any more. What comes is still taken in. */
void pending_close(struct pending *p);
bool pending_closed(struct pending *p);
/* Elements that pending_take() would give, about. */
size_t pending_length(struct pending *p);

/* "2026-11-27T08:45:15.000001Z" with a NUL. */
#define PENDING_TIME_TEXT 27
void pending_time(int64_t us, char out[PENDING_TIME_TEXT + 1]);
/* A UUID of version 7 (RFC 9562), which goes by time as indexes like it, with a NUL. */
#define PENDING_ID_TEXT 36
void pending_id(int64_t us, char out[PENDING_ID_TEXT + 1]);

#endif
