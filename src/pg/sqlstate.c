/*
 * sqlstate.c - table: SQLSTATE to error code.
 *
 * Thread:   any.
 * Memory:   errors go to the arena of their list.
 * Not here: which batches are sent again (pgbatch.c).
 */
#include "pg/sqlstate.h"

enum {
    PUBLIC = 1, /* the author of a function wrote the message for the client */
    ENDS = 2,   /* the connection is of no use any more */
};

struct sqlstate_row {
    char state[6]; /* five characters, or a class of two */
    enum error_code code;
    unsigned flags;
    const char *message; /* for the client */
};

/* Sorted by state. */
static const struct sqlstate_row rows[] = {
  /* state, code, flags, message */
  /* clang-format off */
    {"08",    SERVICE_UNAVAILABLE, ENDS,   "the database cannot be reached"},
    {"22",    BAD_USER_INPUT,      0,      "a value is not valid"},
    {"23",    BAD_USER_INPUT,      0,      "a value violates a constraint"},
    {"23505", CONFLICT,            0,      "an object with these values exists already"},
    {"25006", SERVICE_UNAVAILABLE, ENDS,   "the database does not accept changes now"},
    {"40001", CONFLICT,            0,      "the change conflicts with a concurrent one"},
    {"40P01", CONFLICT,            0,      "the change conflicts with a concurrent one"},
    {"42501", FORBIDDEN,           0,      "permission denied"},
    {"44",    BAD_USER_INPUT,      0,      "a value violates a constraint"},
    {"53",    SERVICE_UNAVAILABLE, 0,      "the database is overloaded"},
    {"57014", TIMEOUT,             0,      "the database did not answer in time"},
    {"57P01", SERVICE_UNAVAILABLE, ENDS,   "the database cannot be reached"},
    {"57P02", SERVICE_UNAVAILABLE, ENDS,   "the database cannot be reached"},
    {"57P03", SERVICE_UNAVAILABLE, ENDS,   "the database cannot be reached"},
    {"57P04", SERVICE_UNAVAILABLE, ENDS,   "the database cannot be reached"},
    {"57P05", SERVICE_UNAVAILABLE, ENDS,   "the database cannot be reached"},
    {"P0001", BAD_USER_INPUT,      PUBLIC, "the request was refused"},
    {"P0002", NOT_FOUND,           0,      "not found"},
    {"QL",    BAD_USER_INPUT,      PUBLIC, "the request was refused"},
  /* clang-format on */
};

static const struct sqlstate_row unknown = {"", INTERNAL_SERVER_ERROR, 0, "internal error"};

static const struct sqlstate_row *find_row(const char *state, size_t len)
{
    size_t low = 0;
    size_t high = COUNT_OF(rows);

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = str_cmp(str_of(rows[middle].state), str_make(state, len));

        if (order == 0)
            return &rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static const struct sqlstate_row *look_up(const char *state)
{
    const struct sqlstate_row *row = NULL;

    if (strlen(state) == 5) {
        row = find_row(state, 5);
        if (row == NULL)
            row = find_row(state, 2);
    }
    return row != NULL ? row : &unknown;
}

enum error_code sqlstate_code(const char *sqlstate)
{
    return look_up(sqlstate)->code;
}

bool sqlstate_message_is_public(const char *sqlstate)
{
    return look_up(sqlstate)->flags & PUBLIC;
}

bool sqlstate_ends_connection(const char *sqlstate)
{
    return look_up(sqlstate)->flags & ENDS;
}

/* Types with a grammar of their own report what violates it as a syntax error, as if of SQL. */
static bool is_syntax_of_value(const struct pgbatch *b)
{
    static const char *const types[] = {"jsonpath", "tsquery", "lquery", "ltree"};

    if (strcmp(b->sqlstate, "42601") != 0 || b->message.len == 0)
        return false;
    /* ltxtquery: "operand syntax error". Of SQL it says where: "syntax error at or near …". */
    if (str_ends(b->message, STR("syntax error")))
        return true;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (memmem(b->message.data, b->message.len, types[i], strlen(types[i])) != NULL)
            return true;
    return false;
}

static struct error *failed_error(const struct pgbatch *b, struct errors *errs)
{
    const struct sqlstate_row *row = look_up(b->sqlstate);
    struct error *e;

    /* In a transaction of ours that may only read, a write is a mistake of the schema. */
    if (b->session->read_only && strcmp(b->sqlstate, "25006") == 0)
        row = &unknown;
    if (is_syntax_of_value(b))
        row = find_row("22", 2);
    if ((row->flags & PUBLIC) && b->message.len > 0) {
        e = errors_add(errs, row->code, "%.*s", STR_ARG(b->message));
        e->hint = arena_dup(errs->arena, b->hint);
    } else {
        e = errors_add(errs, row->code, "%s", row->message);
    }
    return e;
}

/* PostgreSQL's own words, for the log. */
static struct str describe(const struct pgbatch *b, struct arena *a)
{
    return arena_printf(a, "%.*s%s%.*s%s%.*s", STR_ARG(b->message),
                        b->detail.len > 0 ? "; detail: " : "", STR_ARG(b->detail),
                        b->constraint.len > 0 ? "; constraint: " : "", STR_ARG(b->constraint));
}

struct error *sqlstate_error(const struct pgbatch *b, struct errors *errs)
{
    struct error *e = NULL;

    switch (b->outcome) {
    case PGBATCH_OK:
        CHECK(b->outcome != PGBATCH_OK);
        break;
    case PGBATCH_FAILED:
        e = failed_error(b, errs);
        break;
    case PGBATCH_UNAVAILABLE:
        e = errors_add(errs, SERVICE_UNAVAILABLE, "the database cannot be reached");
        break;
    case PGBATCH_TIMEOUT:
        e = errors_add(errs, TIMEOUT, "the database did not answer in time");
        break;
    case PGBATCH_FULL:
        e = errors_add(errs, SERVICE_UNAVAILABLE, "the server is overloaded");
        break;
    case PGBATCH_CANCELLED:
        e = errors_add(errs, TIMEOUT, "the request was cancelled");
        break;
    case PGBATCH_LOST:
        if (b->repeatable)
            e = errors_add(errs, SERVICE_UNAVAILABLE, "the connection to the database was lost");
        else
            e = errors_add(
                errs, UNKNOWN_OUTCOME,
                "the connection to the database was lost; the change may have been made");
        break;
    }
    memcpy(e->sqlstate, b->sqlstate, sizeof(e->sqlstate));
    e->detail = describe(b, errs->arena);
    e->cause = arena_dup(errs->arena, b->message);
    e->context = arena_dup(errs->arena, b->context);
    return e;
}
