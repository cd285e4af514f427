/*
 * doubt.c - is the schema older than the database? Asked when an operation failed as if it were.
 *
 * Thread:   a worker's.
 */
#include "execution/doubt.h"

#include "execution/execute.h"

/* A look takes a tenth of a second, and longer only where the catalog is large. */
#define LONGEST_WAIT_MS 2000
#define TICK_MS         10
/* While changes go on, each may meet an operation that is run again. */
#define MAX_ASKED 5

/* SQLSTATE; in class 22 mostly the client's values are to blame, of which PostgreSQL says that they
 * were parameters */
static const struct {
    const char *state;
    bool alone; /* only without a context */
} doubts[] = {
    {"42703", false},
    {"42P01", false},
    {"42883", false},
    {"42704", false},
    {"42804", false},
    {"42846", false},
    {"3F000", false},
    {"22P02", true },
    {"22023", true },
};

/* What a plan names is not there any more, or of another type, or its values cannot be cast to that
 * which the schema knows. */
bool doubt_of_failure(const struct pgbatch *b)
{
    for (size_t i = 0; b->outcome == PGBATCH_FAILED && i < COUNT_OF(doubts); i++)
        if (strcmp(b->sqlstate, doubts[i].state) == 0)
            return !(doubts[i].alone && b->context.len > 0);
    return false;
}

/*
 * An object was dropped while the statement was about to use it. Where it is there again under its
 * name, as after a migration that replaces a function, the statement finds it. These messages are
 * PostgreSQL's internal ones, which are never translated.
 */
bool doubt_was_replaced(const struct pgbatch *b)
{
    return b->outcome == PGBATCH_FAILED && strcmp(b->sqlstate, "XX000") == 0 &&
           (str_starts(b->message, STR("cache lookup failed for ")) ||
            str_starts(b->message, STR("could not open relation with OID ")));
}

static bool is_outdated(const struct execution *x)
{
    const struct schema *now = schema_current(x->engine->schema, x->identity->role);
    bool outdated = now != x->operation->schema;

    schema_unref(now);
    return outdated;
}

static void settle(struct execution *x, enum doubt_verdict verdict)
{
    timer_free(x->doubt.timer);
    x->doubt.timer = NULL;
    x->doubt.settled(x, verdict);
}

static void on_tick(void *ctx)
{
    struct execution *x = ctx;
    bool certain = false;
    uint64_t now = monotonic_ns();

    if (x->abandoned || x->doubt.asked > MAX_ASKED)
        settle(x, DOUBT_UNSETTLED);
    else if (is_outdated(x))
        settle(x, DOUBT_RERUN);
    else if (x->engine->doubt_checked(x->engine->doubt_ctx, x->doubt.check, &certain))
        settle(x, certain ? DOUBT_UNFOUNDED : DOUBT_UNSETTLED);
    else if (now >= x->doubt.until_ns || deadline_passed(x->until))
        settle(x, DOUBT_UNSETTLED);
    else
        timer_set(x->doubt.timer, deadline_in_ms(TICK_MS));
}

bool doubt_ask(struct execution *x, bool wait, doubt_settled *settled)
{
    struct doubt *d = &x->doubt;

    if (x->engine->doubt == NULL)
        return false;
    d->check = x->engine->doubt(x->engine->doubt_ctx);
    if (!wait || x->abandoned)
        return false;
    d->asked++;
    d->settled = settled;
    d->until_ns = monotonic_ns() + (uint64_t)LONGEST_WAIT_MS * 1000000;
    d->timer = loop_timer(pgclient_loop(x->pg), on_tick, x);
    timer_set(d->timer, deadline_in_ms(0));
    return true;
}

bool doubt_retry(struct execution *x)
{
    return !x->abandoned && x->doubt.asked++ < MAX_ASKED;
}
