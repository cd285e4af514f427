/*
 * result.h - answers that need not be made: found in the result cache, or waited for: stage 11.
 *
 * Thread:   a worker's.
 * Memory:   in the request's arena.
 * Not here: what may be kept and under which key (cache/resultcache.c).
 *
 * The look-up is a batch of its own, ahead of the operation's. Whatever goes wrong with it, the
 * operation runs as if there was no cache.
 */
#ifndef EXECUTION_RESULT_H
#define EXECUTION_RESULT_H

#include "cache/resultcache.h"

struct execution;
struct timer;

enum result_state {
    RESULT_NONE,   /* there is no cache, or the operation is none for it */
    RESULT_BYPASS, /* not worth a look */
    RESULT_MISS,
    RESULT_HIT,
    RESULT_STALE, /* what was found had expired, and was sent */
};

/* Of an execution. */
struct result {
    enum result_state state;
    uint32_t age_s; /* of what was found */
    uint32_t ttl_s; /* what is left of it; of what was made, how long it holds */
    bool chosen;    /* clients may be told */
    bool kept;      /* what was made is to be stored */
    const char
        *passed; /* of one ahead, BYPASS: why; NULL: it is not known yet what there is to know */
    /* private */
    const struct result_rule *rule; /* the plan's; not NULL: it was looked for */
    struct flight_key key;
    char key_text[37];
    uint64_t since_ns;    /* monotonic */
    const char *snapshot; /* of before the operation; NULL: it cannot be kept */
    uint64_t generation;  /* of what is in memory, before it */
    bool in_memory;       /* it was found there */
    struct str found;     /* what is there, though it has expired or is about to */
    uint32_t over_s;      /* since when it has */
    bool leads;
    bool waits;
    bool waited;
    bool claimed;          /* no other daemon makes it */
    struct deadline until; /* of waiting for one that does */
    struct flight_waiter waiter;
    struct timer *timer; /* of waiting */
    const char *params[3];
    struct pgsession session;
    struct pgcall call;
    void (*then)(struct execution *x, bool found);
};

/*
 * The operation is about to run. True: the cache is asked, and `then` comes later: found: the body
 * is there. False: go on.
 */
bool result_begin(struct execution *x, void (*then)(struct execution *x, bool found));
/* Is what it makes to be kept, if it goes well? */
bool result_is_kept(const struct execution *x);
/* It has failed: is there an older answer, which is the body now? */
bool result_replace(struct execution *x);
/* The execution ends, or begins again: keep the answer if it is a good one. */
void result_end(struct execution *x, bool keep);
/*
 * A mutation has been made: end answers from what it has read or changed, where triggers do not see
 * to that, before the client hears of it. True: `then` comes later. False: there is nothing to end.
 */
bool result_end_others(struct execution *x, void (*then)(struct execution *x));
/* The client has gone. */
void result_cancel(struct execution *x);
const char *result_name(enum result_state s);

#endif
