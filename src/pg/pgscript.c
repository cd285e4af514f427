/*
 * pgscript.c - runs texts of many statements, as psql would: for installing, not for requests.
 *
 * Thread:   any that may block.
 */
#include "pg/pgscript.h"

#include "pg/pgconnect.h"
#include "pg/sqlstate.h"

/* Where in the text PostgreSQL has put its finger; 0: nowhere. */
static unsigned line_of(const PGresult *r, struct str sql)
{
    const char *text = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
    unsigned line = 1;
    int64_t at;

    if (text == NULL || !str_to_i64(str_of(text), &at))
        return 0;
    /* It counts characters; these texts are of ASCII. */
    for (size_t i = 0; i < sql.len && (int64_t)i + 1 < at; i++)
        line += sql.data[i] == '\n';
    return line;
}

static const char *field(const PGresult *r, int code)
{
    const char *text = PQresultErrorField(r, code);

    return text != NULL ? text : "";
}

static void add_error(const struct pgscript_part *part, PGconn *pg, const PGresult *r,
                      struct errors *errs)
{
    const char *state = field(r, PG_DIAG_SQLSTATE);
    const char *primary = field(r, PG_DIAG_MESSAGE_PRIMARY);
    unsigned line = line_of(r, part->sql);
    struct error *e;

    if (primary[0] == '\0')
        primary = PQerrorMessage(pg);
    e = errors_add(errs, sqlstate_code(state), "%.*s", STR_ARG(str_trim(str_of(primary))));
    snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", state);
    e->hint = arena_dup(errs->arena, str_of(field(r, PG_DIAG_MESSAGE_HINT)));
    e->file = line > 0 ? arena_printf(errs->arena, "%.*s:%u", STR_ARG(part->name), line)
                       : arena_dup(errs->arena, part->name);
}

static bool run_part(PGconn *pg, const struct pgscript_part *part, struct errors *errs)
{
    PGresult *r = PQexec(pg, part->sql.data);
    ExecStatusType status = PQresultStatus(r);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

    if (!ok)
        add_error(part, pg, r, errs);
    PQclear(r);
    return ok;
}

static void log_notice(void *ctx, const PGresult *r)
{
    (void)ctx;
    LOG(LOG_WARN, "the database says", LOG_CSTR("message", field(r, PG_DIAG_MESSAGE_PRIMARY)));
}

static bool run_all(PGconn *pg, const struct pgscript_part *parts, size_t n, struct errors *errs)
{
    static const struct pgscript_part begin = {
        STR_INIT("begin"), STR_INIT("begin; set local client_min_messages = warning")};
    static const struct pgscript_part commit = {STR_INIT("commit"), STR_INIT("commit")};

    if (!run_part(pg, &begin, errs))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!run_part(pg, &parts[i], errs))
            return false;
    return run_part(pg, &commit, errs);
}

bool pgscript_run(const struct pgpool_options *opt, const struct pgscript_part *parts, size_t n,
                  struct errors *errs)
{
    struct pgconnect *k = pgconnect_new(opt, errs);
    struct buf reason;
    PGconn *pg;
    bool ok = false;

    if (k == NULL)
        return false;
    buf_init(&reason, 0);
    pg = pgconnect_plain(k, &reason);
    if (pg == NULL) {
        errors_add(errs, SERVICE_UNAVAILABLE, "could not connect to the database: %.*s",
                   STR_ARG(buf_str(&reason)));
    } else {
        PQsetNoticeReceiver(pg, log_notice, NULL);
        ok = run_all(pg, parts, n, errs);
        PQfinish(pg);
    }
    buf_fini(&reason);
    pgconnect_free(k);
    return ok;
}
