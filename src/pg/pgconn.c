/*
 * pgconn.c - the pipeline: what was sent, what must come back.
 *
 * Thread:   the connection's owner.
 * Memory:   results go to the batch's arena.
 * Not here: retry rules (pgretry.c), choosing names (pgnames.c).
 *
 * Every command sent adds an entry to a ring; every result read belongs to
 * the first entry. libpq gives NULL after each command's result but after
 * none of PGRES_PIPELINE_SYNC; PQisBusy() also is false when nothing is to
 * come, so reading stops when the ring is empty.
 */
#include <poll.h>

#include "pg/pgconn.h"
#include "pg/pgnames.h"
#include "pg/pgresult.h"
#include "pg/sqlstate.h"

/* libpq's input buffer grows to the longest message and never shrinks. */
#define WIDE_ROW ((size_t)1 << 20)

#define NO_SERIAL 0

enum expect_kind {
    EXPECT_PARSE,
    EXPECT_ROWS,
    EXPECT_OWN,
    EXPECT_HOLD, /* nothing comes: the rest of the batch is to be sent */
    EXPECT_SYNC,
};

struct pgexpect {
    struct pgbatch *batch; /* NULL: a command of our own */
    size_t call; /* index, also of a Sync behind it; SIZE_MAX: settings; ncalls: the last Sync */
    uint32_t serial; /* of the slot it uses, or NO_SERIAL */
    uint16_t slot;
    uint8_t kind;
};

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

/* --- sending --------------------------------------------------------------------------- */

static struct pgexpect *first_expected(struct pgconn *c)
{
    return &c->expected[c->expected_first];
}

static void expect(struct pgconn *c, struct pgexpect e)
{
    if (c->expected_count == c->expected_cap) {
        size_t cap = size_max(32, 2 * c->expected_cap);
        struct pgexpect *ring = xcalloc(cap, sizeof(*ring));

        for (size_t i = 0; i < c->expected_count; i++)
            ring[i] = c->expected[(c->expected_first + i) % c->expected_cap];
        xfree(c->expected);
        c->expected = ring;
        c->expected_first = 0;
        c->expected_cap = cap;
    }
    c->expected[(c->expected_first + c->expected_count) % c->expected_cap] = e;
    c->expected_count++;
}

static void pop_expected(struct pgconn *c)
{
    c->expected_first = (c->expected_first + 1) % c->expected_cap;
    c->expected_count--;
    c->got_result = false;
}

bool pgconn_flush(struct pgconn *c)
{
    int left = PQflush(c->pg);

    c->want_write = left == 1;
    if (left < 0)
        c->broken = true;
    return !c->broken;
}

/* In a transaction of its own, between batches: it must not fail anybody's. */
static bool send_own(struct pgconn *c, const char *sql)
{
    if (!PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
        return false;
    expect(c, (struct pgexpect){.kind = EXPECT_OWN});
    expect(c, (struct pgexpect){.kind = EXPECT_SYNC});
    return PQpipelineSync(c->pg) == 1;
}

static bool send_deallocate(struct pgconn *c, const char *name)
{
    char sql[96];

    snprintf(sql, sizeof(sql), "deallocate \"%s\"", name);
    return send_own(c, sql);
}

/*
 * Settings that a change made for the whole session would hold for whoever has
 * the connection next, another tenant as a rule. A query is not thought to make
 * any, and is not worth the time.
 *
 * Behind a pooler the batch itself begins with it: PgBouncer gives a server connection away at the
 * end of a transaction when it has not seen the Sync of the next one yet, though what has come of
 * that has been sent there. So nothing goes ahead of a batch that a Sync ends, and what the batch
 * would roll back with it is done again by the next.
 */
static bool reset_session(struct pgconn *c, const struct pgbatch *b)
{
    static const char sql[] = "reset all";
    bool reset = c->changed;

    c->changed = !b->repeatable;
    if (!reset)
        return true;
    if (!pgconn_is_pooled(c))
        return send_own(c, sql);
    expect(c, (struct pgexpect){.kind = EXPECT_OWN});
    return PQsendQueryParams(c->pg, sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
}

/* What a batch needs is made free before it begins. */
static bool make_room(struct pgconn *c, size_t nstatements)
{
    size_t room = size_min(nstatements, PGNAMES_MAX / 4);

    while (c->nstale > 0)
        if (!send_deallocate(c, c->stale[--c->nstale]))
            return false;
    while (pgnames_count(c->prepared) + room > PGNAMES_MAX) {
        struct pgslot *oldest = pgnames_oldest(c->prepared);

        if (oldest == NULL)
            return true; /* All are being prepared: this batch goes unnamed. */
        if (!send_deallocate(c, oldest->name))
            return false;
        pgnames_remove(c->prepared, oldest, false);
    }
    return true;
}

struct command { /* one statement on its way */
    struct pgbatch *batch;
    const void *part; /* of the batch, up to a Sync */
    size_t call;
    const uint64_t *hash;
    uint64_t role;
    const char *sql;
    size_t nparams;
    const char *const *params;
};

/*
 * A statement another batch in flight is just preparing is used unnamed: if
 * that batch failed before its Parse, this one would fail with it. So would what
 * is behind a Sync.
 */
static struct pgslot *find_slot(struct pgconn *c, const struct command *cmd, bool *parse)
{
    struct pgslot *s = pgnames_find(c->prepared, cmd->hash, cmd->role);

    *parse = false;
    if (s != NULL)
        return s->ready || s->by == cmd->part ? s : NULL;
    *parse = true;
    return pgnames_add(c->prepared, cmd->hash, cmd->role, cmd->part);
}

static bool send_command(struct pgconn *c, const struct command *cmd, bool named)
{
    struct pgexpect e = {.batch = cmd->batch, .call = cmd->call, .kind = EXPECT_PARSE};
    bool parse = false;
    struct pgslot *s = named ? find_slot(c, cmd, &parse) : NULL;
    int n = (int)cmd->nparams;
    int sent;

    if (s != NULL) {
        e.slot = pgnames_index(c->prepared, s);
        e.serial = s->serial;
        if (parse) {
            if (!PQsendPrepare(c->pg, s->name, cmd->sql, n, NULL))
                return false;
            expect(c, e);
        }
        sent = PQsendQueryPrepared(c->pg, s->name, n, cmd->params, NULL, NULL, 1);
    } else {
        sent = PQsendQueryParams(c->pg, cmd->sql, n, NULL, cmd->params, NULL, NULL, 1);
    }
    e.kind = EXPECT_ROWS;
    if (sent)
        expect(c, e);
    return sent;
}

static uint32_t statement_timeout(const struct pgbatch *b, uint32_t cap_ms, uint64_t now_ns)
{
    uint64_t ms = b->session->timeout_ms;

    if (cap_ms != 0 && (ms == 0 || cap_ms < ms))
        ms = cap_ms;
    if (b->until.at_ns != UINT64_MAX) {
        uint64_t left = b->until.at_ns > now_ns ? (b->until.at_ns - now_ns) / 1000000 : 0;

        if (ms == 0 || left < ms)
            ms = left > 0 ? left : 1;
    }
    return ms > INT32_MAX ? INT32_MAX : (uint32_t)ms;
}

static const char *settings_sql(struct pgconn *c, size_t n)
{
    struct buf sql;

    if (c->settings_sql[n] != NULL)
        return c->settings_sql[n];
    buf_init(&sql, 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&sql, "%s set_config($%zu, $%zu, true)", i == 0 ? "select" : ",", 2 * i + 1,
                   2 * i + 2);
    c->settings_sql[n] = xstrdup(buf_cstr(&sql));
    buf_fini(&sql);
    return c->settings_sql[n];
}

/*
 * All in one select: one more setting costs the server a third of a
 * microsecond, one more statement five times that. Ours come last, so that
 * nothing named among the session's can undo them. The role is always set:
 * 'none' also undoes what a function set for the whole session.
 */
static bool send_settings(struct pgconn *c, struct pgbatch *b, uint32_t timeout_ms, bool named)
{
    const struct pgsession *s = b->session;
    const char *params[2 * COUNT_OF(c->settings_sql)];
    char timeout[16];
    size_t n = 0;
    uint64_t hash[2];
    struct command cmd = {.batch = b, .part = b, .call = SIZE_MAX, .params = params};

    snprintf(timeout, sizeof(timeout), "%u", timeout_ms);
#define ADD(name, value)       \
    do {                       \
        params[n++] = (name);  \
        params[n++] = (value); \
    } while (0)
    for (size_t i = 0; i < c->ndefaults; i++)
        ADD(c->defaults[i].name, c->defaults[i].value);
    for (size_t i = 0; i < s->nsettings; i++)
        ADD(s->settings[i].name, s->settings[i].value);
    if (s->read_only)
        ADD("transaction_read_only", "on");
    ADD("statement_timeout", timeout);
    ADD("role", s->role[0] != '\0' ? s->role : "none");
#undef ADD
    CHECK(n / 2 < COUNT_OF(c->settings_sql));
    /* Not a digest, but the name needs to say no more than how many there are. */
    hash[0] = 0;
    hash[1] = n / 2;
    cmd.hash = hash;
    cmd.sql = settings_sql(c, n / 2);
    cmd.nparams = n;
    return send_command(c, &cmd, named);
}

/* Calls from `from` to before `to`; the last Sync is not sent. */
static bool send_statements(struct pgconn *c, struct pgbatch *b, size_t from, size_t to)
{
    struct command cmd = {.batch = b, .part = b, .role = str_hash(str_of(b->session->role))};

    for (size_t i = from; i < to; i++) {
        const struct pgcall *call = &b->calls[i];

        cmd.call = i;
        cmd.hash = call->statement->hash;
        cmd.sql = call->statement->sql.data;
        cmd.nparams = call->statement->nparams;
        cmd.params = call->params;
        if (!send_command(c, &cmd, b->named))
            return false;
        if (!call->sync || i + 1 == b->ncalls)
            continue;
        CHECK(b->transaction);
        expect(c, (struct pgexpect){.batch = b, .call = i, .kind = EXPECT_SYNC});
        if (PQpipelineSync(c->pg) != 1)
            return false;
        cmd.part = call;
    }
    return true;
}

static void reset_outcome(struct pgbatch *b)
{
    for (size_t i = 0; i < b->ncalls; i++) {
        b->calls[i].rows = NULL;
        b->calls[i].tripped = false;
    }
    b->failed = b->aborted = b->stale = b->ended = b->undone = b->in_context = false;
    b->failed_call = 0;
    b->sqlstate[0] = '\0';
    b->message = b->detail = b->hint = b->constraint = (struct str){0};
}

/* The end of what is sent of a batch, for now or for good. */
static void send_end(struct pgconn *c, struct pgbatch *b, bool held)
{
    int sent;

    expect(c, (struct pgexpect){
                  .batch = b, .call = b->ncalls, .kind = held ? EXPECT_HOLD : EXPECT_SYNC});
    /* Sync behind a failure commits nothing. */
    b->ended = !held && (!b->failed || b->transaction);
    sent = held ? PQsendFlushRequest(c->pg) : PQpipelineSync(c->pg);
    if (sent != 1)
        c->broken = true;
    else
        pgconn_flush(c);
}

bool pgconn_send(struct pgconn *c, struct pgbatch *b, uint32_t cap_ms, bool named, uint64_t now_ns)
{
    CHECK(!c->broken);
    CHECK(b->hold < b->ncalls || b->hold == 0);
    reset_outcome(b);
    named = named && !(pgconn_is_pooled(c) && b->hold > 0); /* see reset_session() */
    b->named = named;
    if (!reset_session(c, b) || (named && !make_room(c, b->ncalls + 1)) ||
        !send_settings(c, b, statement_timeout(b, cap_ms, now_ns), named) ||
        !send_statements(c, b, 0, b->hold > 0 ? b->hold : b->ncalls)) {
        /* Without its Sync the server rolls it back when the connection closes. */
        c->broken = true;
        c->expected_count = 0;
        return false;
    }
    b->sent_ns = now_ns;
    b->conn = c;
    b->state = PGBATCH_IN_FLIGHT;
    pgbatch_list_push(&c->in_flight, b);
    c->inflight++;
    send_end(c, b, b->hold > 0);
    return true;
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
    if (sqlstate_ends_connection(b->sqlstate) &&
        !(b->session->read_only && strcmp(b->sqlstate, "25006") == 0))
        c->retire = true;
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
    struct pgexpect e = *first_expected(c);
    struct pgbatch *b = e.batch;

    pop_expected(c);
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
    struct pgexpect e = *first_expected(c);
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
    if (first_expected(c)->kind != EXPECT_SYNC)
        pop_expected(c);
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
static void send_rest(struct pgconn *c)
{
    struct pgbatch *b = first_expected(c)->batch;
    bool over = is_over(b);

    pop_expected(c);
    if (!over)
        b->held(b);
    b->ended = b->transaction; /* by its COMMIT, ahead of the last Sync */
    if ((!over || b->transaction) && !send_statements(c, b, b->hold, b->ncalls))
        c->broken = true;
    else
        send_end(c, b, false);
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

        if (first_expected(c)->kind == EXPECT_HOLD) {
            send_rest(c);
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
