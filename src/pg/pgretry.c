/*
 * pgretry.c - retry rules.
 *
 * Thread:   the batch's.
 * Memory:   none.
 */
#include "pg/pgretry.h"

static bool is_state(const struct pgbatch *b, const char *sqlstate)
{
    return strcmp(b->sqlstate, sqlstate) == 0;
}

static bool once(struct pgbatch *b, enum pgretry why)
{
    if (b->retried & why)
        return false;
    b->retried |= why;
    return true;
}

bool pgretry_after_failure(struct pgbatch *b)
{
    if (b->outcome != PGBATCH_FAILED)
        return false;
    if (b->cancel_wanted) {
        b->outcome = PGBATCH_CANCELLED;
        return false;
    }
    if (deadline_passed(b->until))
        return false;
    /* Also a change, at whatever statement: its Sync came back behind the error, so the server has
     * rolled back the one transaction that a batch is, and nothing of it has happened. */
    if (b->stale)
        return once(b, PGRETRY_STALE);
    if (!b->repeatable)
        return false;
    if (is_state(b, "40001") || is_state(b, "40P01"))
        return once(b, PGRETRY_CONFLICT);
    if (is_state(b, "57014") && b->lane == PGLANE_FAST &&
        (b->session->timeout_ms == 0 || b->session->timeout_ms > PGRETRY_FAST_TIMEOUT_MS)) {
        b->lane = PGLANE_SLOW;
        return once(b, PGRETRY_SLOW);
    }
    return false;
}

bool pgretry_after_loss(struct pgbatch *b)
{
    bool harmless = b->repeatable || b->undone;

    if (b->cancel_wanted && harmless) {
        b->outcome = PGBATCH_CANCELLED;
        return false;
    }
    b->outcome = !b->undone ? PGBATCH_LOST : b->aborted ? PGBATCH_FAILED : PGBATCH_UNAVAILABLE;
    return harmless && !deadline_passed(b->until) && once(b, PGRETRY_LOST);
}

bool pgretry_after_no_send(struct pgbatch *b)
{
    b->outcome = PGBATCH_UNAVAILABLE;
    return once(b, PGRETRY_UNSENT);
}

bool pgretry_may_name(const struct pgbatch *b)
{
    return !(b->retried & PGRETRY_STALE);
}
