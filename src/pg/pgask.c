/*
 * pgask.c - one question to a server, blocking for a second at most.
 *
 * Thread:   see pgask.h.
 */
#include "pg/pgask.h"

#include <poll.h>

#include "base/deadline.h"

static PGresult *fail(struct buf *reason, const char *why)
{
    struct str line, rest;

    (void)str_cut(str_trim(str_of(why)), '\n', &line, &rest);
    buf_clear(reason);
    buf_append_str(reason, line);
    return NULL;
}

PGresult *pgask(PGconn *pg, const char *sql, int columns, struct buf *reason)
{
    struct deadline until = deadline_in_ms(PGASK_MS);
    struct pollfd p = {.fd = PQsocket(pg), .events = POLLIN};
    PGresult *res, *next;

    if (!PQsendQuery(pg, sql))
        return fail(reason, PQerrorMessage(pg));
    while (PQisBusy(pg)) {
        int64_t left = deadline_left_ms(until);

        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            return fail(reason, "it does not answer");
        if (!PQconsumeInput(pg))
            return fail(reason, PQerrorMessage(pg));
    }
    res = PQgetResult(pg);
    while ((next = PQgetResult(pg)) != NULL)
        PQclear(next);
    if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1 && PQnfields(res) == columns)
        return res;
    (void)fail(reason, PQresultErrorMessage(res));
    PQclear(res);
    return NULL;
}
