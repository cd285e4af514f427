/*
 * pgconn.c - a connection, and the pipeline: what must come back of what was sent.
 *
 * Thread:   the connection's owner.
 * Memory:   results go to the batch's arena.
 * Not here: sending (pgconn_send.c), retry rules (pgretry.c), choosing names (pgnames.c).
 *
 * Every result read belongs to the first entry of a ring (pgexpect.h). libpq
 * gives NULL after each command's result but after none of
 * PGRES_PIPELINE_SYNC; PQisBusy() also is false when nothing is to come, so
 * reading stops when the ring is empty.
 */
#include <poll.h>

#include "pg/pgexpect.h"
#include "pg/pgnames.h"
#include "pg/pgresult.h"
#include "pg/sqlstate.h"

/* libpq's input buffer grows to the longest message and never shrinks. */
#define WIDE_ROW ((size_t)1 << 20)

void pgbatch_list_push(struct pgbatch_list *l, struct pgbatch *b)
{
    b->next = NULL;
    if (l->last != NULL)
        l->last->next = b;
    else
        l->first = b;
    l->last = b;
}

struct pgbatch *pgbatch_list_pop(struct pgbatch_list *l)
{
    struct pgbatch *b = l->first;

    if (b == NULL)
        return NULL;
    l->first = b->next;
    if (l->first == NULL)
        l->last = NULL;
    b->next = NULL;
    return b;
}

/* --- life ------------------------------------------------------------------------------ */

/*
 * The author's NOTICEs are nobody's answer, and libpq would print them. An
 * error that comes while nothing is in flight arrives here too: the server's farewell.
 */
static void take_notice(void *arg, const PGresult *res)
{
    struct pgconn *c = arg;
    const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);

    if (severity != NULL && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
        c->broken = true;
}

bool pgconn_new(PGconn *pg, const struct pgsetting *defaults, size_t ndefaults, struct pgconn **out)
{
    struct pgconn *c;

    *out = NULL;
    if (PQsetnonblocking(pg, 1) != 0 || PQenterPipelineMode(pg) != 1) {
        PQfinish(pg);
        return false;
    }
    c = xcalloc(1, sizeof(*c));
    PQsetNoticeReceiver(pg, take_notice, c);
    c->pg = pg;
    c->fd = PQsocket(pg);
    c->cancel = PQgetCancel(pg);
    CHECK(c->cancel != NULL);
    c->defaults = defaults;
    c->ndefaults = ndefaults;
    c->prepared = pgnames_new();
    *out = c;
    return true;
}

void pgconn_free(struct pgconn *c)
{
    CHECK(c->inflight == 0 && c->watch == NULL);
    for (size_t i = 0; i < COUNT_OF(c->settings_sql); i++)
        xfree(c->settings_sql[i]);
    pgnames_free(c->prepared);
    PQfreeCancel(c->cancel);
    PQfinish(c->pg);
    xfree(c->expected);
    xfree(c);
}

bool pgconn_is_alive(struct pgconn *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLIN};

    while (poll(&p, 1, 0) != 0)
        if (PQconsumeInput(c->pg) != 1)
            return false;
    (void)PQisBusy(c->pg); /* Parses what came. */
    return !c->broken && PQstatus(c->pg) == CONNECTION_OK;
}

bool pgconn_is_quiet(const struct pgconn *c)
{
    return c->expected_count == 0 && !c->want_write;
}

bool pgconn_flush(struct pgconn *c)
{
    int left = PQflush(c->pg);

    c->want_write = left == 1;
    if (left < 0)
        c->broken = true;
    return !c->broken;
}
/* --- receiving ------------------------------------------------------------------------- */

static void confirm_slot(struct pgconn *c, const struct pgexpect *e)
{
    struct pgslot *s = pgnames_at(c->prepared, e->slot, e->serial);

    /* Now and not at Sync: prepared statements survive the rollback of their transaction. */
    if (s != NULL)
        s->ready = true;
}

static void forget_slot(struct pgconn *c, const struct pgexpect *e, bool stale)
{
    struct pgslot *s = pgnames_at(c->prepared, e->slot, e->serial);

    if (s != NULL)
        pgnames_remove(c->prepared, s, stale);
}

/*
 * Nothing is sent from here: libpq, told of another command between an error
 * and its NULL, leaves out the NULL.
 */
static void drop_stale_slot(struct pgconn *c, const struct pgexpect *e, const PGresult *res)
{
    struct pgslot *s = pgnames_at(c->prepared, e->slot, e->serial);

    if (strcmp(PQresultErrorField(res, PG_DIAG_SQLSTATE), "0A000") != 0)
        c->lost_names = true;
    else if (s != NULL && c->nstale < COUNT_OF(c->stale))
        memcpy(c->stale[c->nstale++], s->name, sizeof(s->name));
    else if (s != NULL)
        c->retire = true;
    forget_slot(c, e, true);
}

static bool is_state(const PGresult *res, const char *state)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    return sqlstate != NULL && strcmp(sqlstate, state) == 0;
}

static bool is_tripped(const struct pgexpect *e, const PGresult *res)
{
    return e->kind == EXPECT_ROWS && e->call < e->batch->ncalls && e->batch->calls[e->call].guard &&
           is_state(res, PGGUARD_STATE);
}

static void take_error(struct pgconn *c, const struct pgexpect *e, const PGresult *res)
{
    struct pgbatch *b = e->batch;

    if (b == NULL)
        return; /* DEALLOCATE of what is not there is as good; RESET does not fail. */
    /* An aborted transaction that is rolled back anyway: by a guard, if nothing else failed. */
    if (b->rolls_back && !b->failed && is_state(res, "25P02"))
        return;
    if (is_tripped(e, res)) {
        b->calls[e->call].tripped = true;
        return;
    }
    pgresult_error(res, b, e->call);
    if (strcmp(b->sqlstate, "25006") == 0) {
        if (!b->session->read_only)
            c->retire = c->refuses = true;
    } else if (sqlstate_ends_connection(b->sqlstate)) {
        c->retire = true;
    }
    if (e->kind == EXPECT_SYNC || e->serial == NO_SERIAL)
        return;
    if (pgresult_is_stale(res)) {
        b->stale = true;
        drop_stale_slot(c, e, res);
    } else if (e->kind == EXPECT_PARSE) {
        forget_slot(c, e, false);
    }
}

/*
 * The server's last word on a transaction of the batch's own. It was committed
 * in spite of an error only where a guard was interrupted that would have failed
 * anyway: all other errors leave it aborted.
 */
static void take_commit(struct pgbatch *b, PGresult *res)
{
    bool committed = strcmp(PQcmdStatus(res), "COMMIT") == 0;

    if (b->rolls_back)
        return;
    if (committed && b->failed && b->failed_call < b->ncalls && b->calls[b->failed_call].guard) {
        b->calls[b->failed_call].tripped = true;
        b->failed = b->stale = false;
    } else if (!committed && !b->failed) {
        b->failed = true;
        b->failed_call = b->ncalls;
        memcpy(b->sqlstate, "25P02", 6);
        b->message = STR("the transaction was rolled back");
    }
}

/* True: the result was kept. */
static bool take_rows(struct pgconn *c, const struct pgexpect *e, PGresult *res)
{
    struct pgbatch *b = e->batch;

    if (e->kind == EXPECT_PARSE)
        confirm_slot(c, e);
    if (e->kind != EXPECT_ROWS || e->call == SIZE_MAX)
        return false;
    if (pgresult_has_wide_row(res, WIDE_ROW))
        c->retire = true;
    if (b->transaction && e->call + 1 == b->ncalls)
        take_commit(b, res);
    b->calls[e->call].rows = pgresult_rows(res, b->arena);
    return true;
}

/*
 * Behind Sync no transaction may be left. While more is in the pipeline,
 * libpq only says that it is active; then the last Sync tells. Slow batches
 * are alone, so what changes data is always judged by its own.
 */
static bool left_transaction(struct pgconn *c)
{
    PGTransactionStatusType status = PQtransactionStatus(c->pg);

    return status != PQTRANS_IDLE && !(status == PQTRANS_ACTIVE && c->expected_count > 0);
}

static void take_sync(struct pgconn *c, struct pgbatch_list *finished)
{
    struct pgexpect e = *pgexpect_first(c);
    struct pgbatch *b = e.batch;

    pgexpect_pop(c);
    if (b != NULL && e.call < b->ncalls)
        return; /* Its transaction goes on. */
    if (left_transaction(c))
        c->broken = true;
    if (b == NULL)
        return;
    CHECK(pgbatch_list_pop(&c->in_flight) == b);
    c->inflight--;
    /* A reset within it was rolled back. */
    c->changed = c->changed || (b->failed && pgconn_is_pooled(c));
    if (c->broken && !b->failed) {
        b->failed = true;
        b->failed_call = b->ncalls;
        memcpy(b->sqlstate, "25001", 6);
        b->message = STR("a statement left its transaction open");
    }
    b->outcome = b->failed ? PGBATCH_FAILED : PGBATCH_OK;
    b->backend_ns = monotonic_ns() - b->sent_ns;
    b->conn = NULL;
    pgbatch_list_push(finished, b);
}

static void take_result(struct pgconn *c, PGresult *res, struct pgbatch_list *finished)
{
    struct pgexpect e = *pgexpect_first(c);
    ExecStatusType status = PQresultStatus(res);
    bool kept = false;

    if (status == PGRES_PIPELINE_SYNC && e.kind == EXPECT_SYNC) {
        PQclear(res);
        take_sync(c, finished);
        return;
    }
    if (c->got_result) {
        c->broken = true; /* COPY, which gives results for ever. */
    } else if (status == PGRES_FATAL_ERROR) {
        take_error(c, &e, res);
    } else if (status == PGRES_PIPELINE_ABORTED && e.kind != EXPECT_SYNC) {
        if (e.kind == EXPECT_PARSE)
            forget_slot(c, &e, false);
    } else if ((status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) && e.kind != EXPECT_SYNC) {
        kept = take_rows(c, &e, res);
    } else {
        c->broken = true; /* Nothing we know how to go on from. */
    }
    c->got_result = true;
    if (!kept)
        PQclear(res);
}

/* The NULL behind a command's result. False: it was no such NULL, nothing more is there. */
static bool take_end(struct pgconn *c)
{
    if (!c->got_result)
        return false;
    c->got_result = false;
    /* An error of the commit comes before its Sync. */
    if (pgexpect_first(c)->kind != EXPECT_SYNC)
        pgexpect_pop(c);
    return true;
}
/* Has the transaction ended, but for its Sync or ROLLBACK? */
static bool is_over(const struct pgbatch *b)
{
    bool over = b->failed;

    for (size_t i = 0; i < b->hold && !b->transaction; i++)
        over = over || b->calls[i].tripped;
    return over;
}

/* All that was sent of a batch is answered: the rest is sent, or what ends it. */
static void go_on(struct pgconn *c)
{
    struct pgbatch *b = pgexpect_first(c)->batch;
    bool over = is_over(b);

    pgexpect_pop(c);
    if (!over)
        b->held(b);
    pgconn_send_rest(c, b, over);
}

/* A function may have said LISTEN: what comes would pile up in libpq. */
static void drop_notifications(struct pgconn *c)
{
    PGnotify *n;

    while ((n = PQnotifies(c->pg)) != NULL)
        PQfreemem(n);
}

bool pgconn_read(struct pgconn *c, struct pgbatch_list *finished)
{
    bool alive = PQconsumeInput(c->pg) == 1;

    /* Also when it is dead: what arrived before its end counts. All of it, as TLS may have more
     * than the descriptor shows. */
    while (!c->broken && c->expected_count > 0) {
        PGresult *res;

        if (pgexpect_first(c)->kind == EXPECT_HOLD) {
            go_on(c);
            continue;
        }
        if (PQisBusy(c->pg))
            break;
        res = PQgetResult(c->pg);
        if (res != NULL)
            take_result(c, res, finished);
        else if (!take_end(c))
            break;
    }
    if (c->expected_count == 0)
        drop_notifications(c);
    if (!alive || PQstatus(c->pg) != CONNECTION_OK)
        c->broken = true;
    else if (c->want_write)
        pgconn_flush(c);
    return !c->broken;
}

/*
 * Has the server certainly rolled it back, or will? It has when a statement failed, which ends
 * the batch's one transaction. (With a transaction of its own there may be savepoints.) And it will
 * when it was not asked to commit. That not all was written yet would be another reason, but libpq
 * does not tell it from what was.
 */
static bool is_undone(const struct pgbatch *b)
{
    return !b->ended || b->rolls_back || (b->aborted && !b->transaction);
}

void pgconn_abandon(struct pgconn *c, struct pgbatch_list *lost)
{
    struct pgbatch *b;

    c->broken = true;
    c->expected_count = 0;
    while ((b = pgbatch_list_pop(&c->in_flight)) != NULL) {
        b->conn = NULL;
        b->undone = is_undone(b);
        b->backend_ns = monotonic_ns() - b->sent_ns;
        if (b->message.len == 0)
            b->message = arena_dup(b->arena, str_trim(str_of(PQerrorMessage(c->pg))));
        pgbatch_list_push(lost, b);
    }
    c->inflight = 0;
}
