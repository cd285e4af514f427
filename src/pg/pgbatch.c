/*
 * pgbatch.c - session settings + statements + deadline; the rows and errors that come back.
 *
 * Thread:   one at a time, see pgbatch.h.
 * Memory:   the batch's arena.
 * Not here: sending and receiving (pgconn.c).
 */
#include "pg/pgbatch.h"

#include "pg/pgresult.h"

struct pgrows {
    PGresult *result; /* owned; cleared with the arena */
    size_t rows;
    size_t columns;
    uint64_t affected;
    uint32_t types[]; /* of the columns */
};

void pgbatch_init(struct pgbatch *b, const struct pgsession *session, struct pgcall *calls,
                  size_t ncalls, struct arena *a)
{
    CHECK(session != NULL && a != NULL && (calls != NULL || ncalls == 0));
    CHECK(session->role != NULL && session->nsettings <= PGSESSION_MAX_SETTINGS);
    *b = (struct pgbatch){
        .session = session,
        .calls = calls,
        .ncalls = ncalls,
        .until = DEADLINE_NEVER,
        .arena = a,
    };
}

static void clear_result(void *result)
{
    PQclear(result);
}

const struct pgrows *pgresult_rows(PGresult *res, struct arena *a)
{
    int columns = PQnfields(res);
    struct pgrows *r = arena_alloc_raw(a, sizeof(*r) + (size_t)columns * sizeof(r->types[0]));

    arena_cleanup(a, clear_result, res);
    r->result = res;
    r->rows = (size_t)PQntuples(res);
    r->columns = (size_t)columns;
    r->affected = 0;
    if (PQresultStatus(res) == PGRES_COMMAND_OK)
        (void)str_to_u64(str_of(PQcmdTuples(res)), &r->affected);
    for (int i = 0; i < columns; i++)
        r->types[i] = PQftype(res, i);
    return r;
}

size_t pgrows_count(const struct pgrows *r)
{
    return r->rows;
}

size_t pgrows_columns(const struct pgrows *r)
{
    return r->columns;
}

void pgrows_row(const struct pgrows *r, size_t row, struct pgvalue *out)
{
    int n = (int)r->columns;

    CHECK(row < r->rows);
    for (int i = 0; i < n; i++) {
        int len = PQgetlength(r->result, (int)row, i);

        out[i].data = PQgetvalue(r->result, (int)row, i);
        out[i].type = r->types[i];
        out[i].len = len == 0 && PQgetisnull(r->result, (int)row, i) ? -1 : len;
    }
}

uint64_t pgrows_affected(const struct pgrows *r)
{
    return r->affected;
}

static struct str take_field(const PGresult *res, int field, struct arena *a)
{
    const char *text = PQresultErrorField(res, field);

    return text != NULL ? arena_dup(a, str_of(text)) : (struct str){0};
}

/* Not of the connection (libpq's have no SQLSTATE), which a pooler may tell of that lost its own,
 * and then does not know itself what became of the transaction. */
static bool is_of_statement(const char *sqlstate)
{
    return sqlstate != NULL && strncmp(sqlstate, "08", 2) != 0 && strncmp(sqlstate, "57P", 3) != 0;
}

void pgresult_error(const PGresult *res, struct pgbatch *b, size_t failed_call)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (b->failed)
        return;
    b->failed = true;
    b->aborted = is_of_statement(sqlstate);
    b->failed_call = failed_call;
    snprintf(b->sqlstate, sizeof(b->sqlstate), "%s", sqlstate != NULL ? sqlstate : "08006");
    b->message = take_field(res, PG_DIAG_MESSAGE_PRIMARY, b->arena);
    /* libpq's own errors have no fields. */
    if (b->message.len == 0)
        b->message = arena_dup(b->arena, str_trim(str_of(PQresultErrorMessage(res))));
    b->detail = take_field(res, PG_DIAG_MESSAGE_DETAIL, b->arena);
    b->hint = take_field(res, PG_DIAG_MESSAGE_HINT, b->arena);
    b->constraint = take_field(res, PG_DIAG_CONSTRAINT_NAME, b->arena);
    b->context = take_field(res, PG_DIAG_CONTEXT, b->arena);
}

bool pgresult_is_stale(const PGresult *res)
{
    const char *sqlstate = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *source = PQresultErrorField(res, PG_DIAG_SOURCE_FUNCTION);

    if (sqlstate == NULL)
        return false;
    if (strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0)
        return true;
    /* "cached plan must not change result type" shares its code with all that is not supported. */
    return strcmp(sqlstate, "0A000") == 0 &&
           (source == NULL || strcmp(source, "RevalidateCachedQuery") == 0);
}

bool pgresult_has_wide_row(const PGresult *res, size_t limit)
{
    int columns = PQnfields(res);

    if (PQresultMemorySize(res) <= limit)
        return false;
    for (int row = PQntuples(res) - 1; row >= 0; row--) {
        size_t width = 0;

        for (int i = 0; i < columns; i++)
            width += (size_t)PQgetlength(res, row, i);
        if (width > limit)
            return true;
    }
    return false;
}
