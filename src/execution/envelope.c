/*
 * envelope.c - the calls of a batch: steps of a plan, and what stands around them.
 *
 * Thread:   a worker's.
 * Memory:   in the arena given.
 */
#include "execution/envelope.h"

/* Calls while they are put together. */
struct draft {
    struct envelope *e;
    size_t *step_of;
};

static struct draft begin(struct envelope *e, struct pgcall *steps, size_t nsteps, struct arena *a)
{
    struct draft d = {e, ARENA_ARRAY(a, nsteps + 3, size_t)};

    *e = (struct envelope){
        .steps = steps,
        .nsteps = nsteps,
        .calls = ARENA_ARRAY(a, nsteps + 3, struct pgcall),
        .step_of = d.step_of,
    };
    return d;
}

static struct pgcall *add_step(struct draft *d, size_t step)
{
    struct envelope *e = d->e;

    e->calls[e->ncalls] = e->steps[step];
    d->step_of[e->ncalls] = step + 1;
    return &e->calls[e->ncalls++];
}

static struct pgcall *add_call(struct draft *d, struct pgcall call)
{
    d->e->calls[d->e->ncalls] = call;
    return &d->e->calls[d->e->ncalls++];
}

static struct pgcall *add_text(struct draft *d, const char *sql, struct arena *a)
{
    struct pgstatement *s = ARENA_NEW(a, struct pgstatement);

    pgstatement_init(s, str_of(sql), 0);
    return add_call(d, (struct pgcall){.statement = s});
}

void envelope_plain(struct envelope *e, struct pgcall *steps, size_t nsteps, bool transaction)
{
    *e = (struct envelope){.steps = steps,
                           .nsteps = nsteps,
                           .calls = steps,
                           .ncalls = nsteps,
                           .transaction = transaction};
}

void envelope_dry_run(struct envelope *e, struct pgcall *steps, size_t nsteps, bool transaction,
                      struct arena *a)
{
    struct draft d = begin(e, steps, nsteps, a);
    size_t end = transaction ? nsteps - 1 : nsteps;

    CHECK(nsteps > 0);
    e->transaction = e->rolls_back = true;
    if (!transaction)
        add_text(&d, "begin", a);
    for (size_t i = 0; i < end; i++)
        add_step(&d, i);
    /* Each behind a Sync, so that the ROLLBACK is reached in any case. */
    e->calls[e->ncalls - 1].sync = true;
    add_text(&d, "set constraints all immediate", a)->sync = true;
    add_text(&d, "rollback", a);
    if (transaction)
        d.step_of[e->ncalls - 1] = nsteps; /* in place of COMMIT */
}

void envelope_between(struct envelope *e, struct pgcall *steps, size_t nsteps, bool transaction,
                      struct pgcall first, struct pgcall last, struct arena *a)
{
    struct draft d = begin(e, steps, nsteps, a);

    e->transaction = transaction;
    if (transaction)
        add_step(&d, 0);
    add_call(&d, first);
    for (size_t i = transaction; i < nsteps - transaction; i++)
        add_step(&d, i);
    e->hold = e->ncalls;
    add_call(&d, last)->sync = transaction;
    if (transaction)
        add_step(&d, nsteps - 1);
}

void envelope_seal(const struct envelope *e, struct pgbatch *b)
{
    b->transaction = e->transaction;
    b->rolls_back = e->rolls_back;
    b->hold = e->hold;
}

void envelope_read(const struct envelope *e)
{
    for (size_t i = 0; e->step_of != NULL && i < e->ncalls; i++) {
        if (e->step_of[i] == 0)
            continue;
        e->steps[e->step_of[i] - 1].rows = e->calls[i].rows;
        e->steps[e->step_of[i] - 1].tripped = e->calls[i].tripped;
    }
}

size_t envelope_step(const struct envelope *e, size_t call)
{
    if (e->step_of == NULL || call == SIZE_MAX)
        return call;
    return call < e->ncalls && e->step_of[call] > 0 ? e->step_of[call] - 1 : e->nsteps;
}
