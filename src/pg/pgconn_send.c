/*
 * pgconn_send.c - from a batch to commands: settings, statements, names, what ends it.
 *
 * Thread:   the connection's owner.
 * Memory:   the texts of the settings' statements live as long as the connection.
 * Not here: what comes back (pgconn.c), choosing names (pgnames.c).
 */
#include "pg/pgexpect.h"
#include "pg/pgnames.h"

/* --- commands -------------------------------------------------------------------------- */

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

/* --- settings ---------------------------------------------------------------------------- */

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

/* A function may have 100 arguments. */
#define SETTINGS_IN_A_GROUP 64

/* No row comes back, and no column of one; none of it is left out, whatever becomes of the others.
 */
static const char *settings_sql(struct pgconn *c, size_t n)
{
    struct buf sql;

    if (c->settings_sql[n] != NULL)
        return c->settings_sql[n];
    buf_init(&sql, 0);
    buf_append_lit(&sql, "select where num_nulls(");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_printf(&sql, "%s", i % SETTINGS_IN_A_GROUP == 0 ? ") < 0 or num_nulls(" : ", ");
        buf_printf(&sql, "set_config($%zu, $%zu, true)", 2 * i + 1, 2 * i + 2);
    }
    buf_append_lit(&sql, ") < 0");
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

/* --- batches ----------------------------------------------------------------------------- */

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
    b->failed = b->aborted = b->stale = b->ended = b->undone = false;
    b->failed_call = 0;
    b->sqlstate[0] = '\0';
    b->message = b->detail = b->hint = b->constraint = b->context = (struct str){0};
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

void pgconn_send_rest(struct pgconn *c, struct pgbatch *b, bool over)
{
    b->ended = b->transaction; /* by its COMMIT, ahead of the last Sync */
    if ((!over || b->transaction) && !send_statements(c, b, b->hold, b->ncalls))
        c->broken = true;
    else
        send_end(c, b, false);
}
