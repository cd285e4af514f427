/*
 * envelope.h - the calls of a batch: steps of a plan, and what stands around them in their
 * transaction.
 *
 * Thread:   a worker's.
 * Memory:   in the arena given.
 * Not here: what is to be done with the steps' rows (execute.c).
 *
 * Steps that are a transaction of their own begin with BEGIN and end with COMMIT.
 */
#ifndef EXECUTION_ENVELOPE_H
#define EXECUTION_ENVELOPE_H

#include "pg/pgbatch.h"

struct envelope {
    struct pgcall *steps; /* what they answered is there after envelope_read() */
    size_t nsteps;
    struct pgcall *calls; /* for the batch */
    size_t ncalls;
    size_t hold; /* see struct pgbatch; 0: none */
    bool transaction;
    bool rolls_back;
    /* By call: the position of its step from 1; 0: it is none of them. NULL: calls are the steps.
     */
    const size_t *step_of;
};

/* Only the steps. */
void envelope_plain(struct envelope *e, struct pgcall *steps, size_t nsteps, bool transaction);
/* To be rolled back, once all constraints were checked. */
void envelope_dry_run(struct envelope *e, struct pgcall *steps, size_t nsteps, bool transaction,
                      struct arena *a);
/* Ahead of the steps, and in their transaction, `first`; at its end, once they are answered,
 * `last`, which the batch holds. */
void envelope_between(struct envelope *e, struct pgcall *steps, size_t nsteps, bool transaction,
                      struct pgcall first, struct pgcall last, struct arena *a);

/* Into a batch that is initialised with the envelope's calls. */
void envelope_seal(const struct envelope *e, struct pgbatch *b);
/* What the batch has answered so far, to the steps. */
void envelope_read(const struct envelope *e);
/* Where `first` stands among the calls. */
static inline size_t envelope_first(const struct envelope *e)
{
    return e->transaction ? 1 : 0;
}

/* The step that a call is; nsteps if it is none. SIZE_MAX stays. */
size_t envelope_step(const struct envelope *e, size_t call);

#endif
