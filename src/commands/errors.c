/*
 * errors.c - the subcommand that shows recorded errors, and says what becomes of them.
 *
 * Thread:   main.
 * Not here: recording (jobs/error_recorder.c); the database decides about everything else.
 */
#include <getopt.h>
#include <stdlib.h>
#include <sysexits.h>

#include "commands/rows.h"

static const char usage[] =
    "usage: fraiseqld errors list [--status STATUS|all] [--limit N] [-c FILE]\n"
    "       fraiseqld errors top [--hours N] [--limit N] [-c FILE]\n"
    "       fraiseqld errors show ID [-c FILE]\n"
    "       fraiseqld errors resolve|ignore|investigate|reopen ID\n"
    "           [--by NAME] [--notes TEXT] [-c FILE]\n"
    "\n"
    "list: errors by when they happened last, those that are unresolved or\n"
    "investigated unless told otherwise.\n"
    "top: those that happened most often in the last hours.\n"
    "show: one of them, the last times that it happened, and all of the last one.\n"
    "resolve: until it happens again; ignore: for good; investigate; reopen.\n"
    "\n"
    "ID is an error's id, or its first digits, as list shows them; or the requestId\n"
    "that a client was told.\n"
    "\n"
    "      --status STATUS   unresolved, investigating, resolved, ignored or all\n"
    "      --limit N         so many errors (20)\n"
    "      --hours N         so many hours (24)\n"
    "      --by NAME         who says so ($USER)\n"
    "      --notes TEXT      and why\n"
    "  -c, --config FILE     configuration, as for \"serve\"\n"
    "      --set KEY=VALUE   override one key\n"
    "  -h, --help            show this text\n"
    "\n"
    "Exit code: 0 done, 1 there is no such error, 64 usage, 66 the configuration does\n"
    "not exist, 69 the database cannot be reached or has no tables for errors, 70 it\n"
    "refuses a statement, 78 the configuration is not valid.\n"
    "\n"
    "Example: fraiseqld errors resolve 9d36f07d --notes \"fixed in 2.7.1\"\n";

#define NOT_FOUND_STATUS 1

enum flag {
    FLAG_SET = 256,
    FLAG_STATUS,
    FLAG_LIMIT,
    FLAG_HOURS,
    FLAG_BY,
    FLAG_NOTES,
};

static const struct option flags[] = {
    {"config", required_argument, NULL, 'c'        },
    {"set",    required_argument, NULL, FLAG_SET   },
    {"status", required_argument, NULL, FLAG_STATUS},
    {"limit",  required_argument, NULL, FLAG_LIMIT },
    {"hours",  required_argument, NULL, FLAG_HOURS },
    {"by",     required_argument, NULL, FLAG_BY    },
    {"notes",  required_argument, NULL, FLAG_NOTES },
    {"help",   no_argument,       NULL, 'h'        },
    {NULL,     0,                 NULL, 0          },
};

struct errors_command {
    struct command_database db;
    const char *status; /* of list: "" is what is open */
    const char *limit;
    const char *hours;
    const char *by;
    const char *notes;  /* NULL: none */
    const char *id;     /* as given */
    const char *become; /* the status that it gets */
};

#define SECOND "'YYYY-MM-DD HH24:MI:SS\"Z\"'"

/* --- list and top ------------------------------------------------------------------------------
 */

static const char *const list_titles[] = {"id",     "last seen", "count", "24 h",        "severity",
                                          "status", "type",      "where", "environment", "message"};
static const int list_widths[] = {-8, -20, 9, 9, -8, -13, -24, -32, -12, -1};

static void list(struct command_database *d)
{
    const struct errors_command *k = CONTAINER_OF(d, struct errors_command, db);
    const struct pgrows *rows = rows_query(
        d,
        "select pg_catalog.left(g.error_id::text, 8), pg_catalog.to_char(g.last_seen at time zone "
        "'UTC', " SECOND "), g.occurrence_count::text, coalesce(h.n, 0)::text, g.severity, "
        "g.status, g.error_type, pg_catalog.concat_ws(' ', g.operation, g.path), g.environment, "
        "g.error_message from fraiseql.tb_error_group g left join (select error_id, "
        "pg_catalog.sum(occurrences) as n from fraiseql.tb_error_hour where hour > "
        "pg_catalog.now() - interval '24 hours' group by 1) h on h.error_id = g.error_id "
        "where $1 = 'all' or g.status = $1 or ($1 = '' and g.status in ('unresolved', "
        "'investigating')) order by g.last_seen desc limit $2::bigint",
        (const char *[]){k->status, k->limit}, 2);

    if (rows != NULL)
        rows_print(rows, list_titles, list_widths);
}

static void top(struct command_database *d)
{
    const struct errors_command *k = CONTAINER_OF(d, struct errors_command, db);
    const struct pgrows *rows = rows_query(
        d,
        "select pg_catalog.left(g.error_id::text, 8), pg_catalog.to_char(g.last_seen at time zone "
        "'UTC', " SECOND "), g.occurrence_count::text, h.n::text, g.severity, g.status, "
        "g.error_type, pg_catalog.concat_ws(' ', g.operation, g.path), g.environment, "
        "g.error_message from (select error_id, pg_catalog.sum(occurrences) as n from "
        "fraiseql.tb_error_hour where hour > pg_catalog.now() - $1::int * interval '1 hour' "
        "group by 1) h join fraiseql.tb_error_group g on g.error_id = h.error_id "
        "order by h.n desc, g.error_id limit $2::bigint",
        (const char *[]){k->hours, k->limit}, 2);
    const char *titles[COUNT_OF(list_titles)];

    if (rows == NULL)
        return;
    memcpy(titles, list_titles, sizeof(titles));
    titles[3] = arena_printf(d->cc.arena, "%s h", k->hours).data;
    rows_print(rows, titles, list_widths);
}

/* --- one error -----------------------------------------------------------------------------------
 */

static bool is_id(const char *text)
{
    size_t n = strlen(text);

    return n >= 4 && n <= 36 && strspn(text, "0123456789abcdefABCDEF-") == n;
}

/* Its id; NULL: there is none, or more than one, which was said. */
static const char *find(struct command_database *d)
{
    const struct errors_command *k = CONTAINER_OF(d, struct errors_command, db);
    const char *const params[] = {k->id};
    const struct pgrows *rows = NULL;

    if (is_id(k->id)) {
        rows = rows_query(d,
                          "select error_id::text from fraiseql.tb_error_group where "
                          "pg_catalog.starts_with(error_id::text, pg_catalog.lower($1::text)) "
                          "order by 1 limit 2",
                          params, 1);
        if (rows == NULL)
            return NULL;
    }
    if (rows == NULL || pgrows_count(rows) == 0)
        rows = rows_query(d,
                          "select distinct error_id::text from fraiseql.tb_error_occurrence "
                          "where request_id = $1::text limit 2",
                          params, 1);
    if (rows == NULL)
        return NULL;
    if (pgrows_count(rows) == 1)
        return arena_dup(d->cc.arena, rows_value(rows, 0, 0)).data;
    d->status = NOT_FOUND_STATUS;
    fprintf(stderr, "fraiseqld: there %s \"%s\"\n",
            pgrows_count(rows) == 0 ? "is no error" : "is more than one error for", k->id);
    return NULL;
}

/* Of one row: a line for each column that has something. */
static void print_members(const struct pgrows *rows, const char *const *names)
{
    for (size_t c = 0; pgrows_count(rows) > 0 && c < pgrows_columns(rows); c++) {
        struct str value = rows_value(rows, 0, c);

        if (value.len > 0)
            printf("%-13s %.*s\n", names[c], STR_ARG(value));
    }
}

static bool show_group(struct command_database *d, const char *id)
{
    static const char *const names[] = {"error",    "type",     "message", "operation", "path",
                                        "severity", "status",   "count",   "first",     "last",
                                        "release",  "resolved", "reopened"};
    const struct pgrows *rows = rows_query(
        d,
        "select g.error_id::text, pg_catalog.concat_ws(' ', g.error_type, g.sqlstate), "
        "g.error_message, g.operation, g.path, g.severity || ' in ' || g.environment, "
        "pg_catalog.concat_ws(', ', g.status, g.assigned_to), g.occurrence_count::text, "
        "pg_catalog.to_char(g.first_seen at time zone 'UTC', " SECOND "), "
        "pg_catalog.to_char(g.last_seen at time zone 'UTC', " SECOND "), "
        "case when g.first_release is distinct from g.last_release then "
        "pg_catalog.concat_ws(' to ', g.first_release, g.last_release) else g.last_release end, "
        "pg_catalog.concat_ws(' ', pg_catalog.to_char(g.resolved_at at time zone 'UTC', " SECOND
        "), 'by ' || g.resolved_by, g.resolution_notes), "
        "case when g.reopen_count > 0 then g.reopen_count || ' times, last at ' || "
        "pg_catalog.to_char(g.reopened_at at time zone 'UTC', " SECOND ") end "
        "from fraiseql.tb_error_group g where g.error_id = $1::text::uuid",
        &id, 1);

    if (rows != NULL)
        print_members(rows, names);
    return rows != NULL;
}

static bool show_times(struct command_database *d, const char *id)
{
    static const char *const titles[] = {"at", "count", "request", "tenant", "user", "message"};
    static const int widths[] = {-20, 6, -36, -36, -36, -1};
    const struct pgrows *rows =
        rows_query(d,
                   "select pg_catalog.to_char(o.occurred_at at time zone 'UTC', " SECOND
                   "), o.occurrences::text, o.request_id, o.user_context ->> 'tenant_id', "
                   "o.user_context ->> 'user_id', o.message from fraiseql.tb_error_occurrence o "
                   "where o.error_id = $1::text::uuid order by o.occurred_at desc limit 10",
                   &id, 1);

    if (rows == NULL)
        return false;
    putchar('\n');
    rows_print(rows, titles, widths);
    return true;
}

/* Rows that were only counted have no request. */
static void show_last(struct command_database *d, const char *id)
{
    static const char *const names[] = {"request", "trace", "daemon", "stages", "in", "request is"};
    const struct pgrows *rows = rows_query(
        d,
        "select o.request_id, o.trace_id, o.application_context::text, o.breadcrumbs::text, "
        "o.stack_trace, pg_catalog.jsonb_pretty(o.request_context) "
        "from fraiseql.tb_error_occurrence o where o.error_id = $1::text::uuid "
        "and o.request_context <> '{}' order by o.occurred_at desc limit 1",
        &id, 1);

    if (rows == NULL || pgrows_count(rows) == 0)
        return;
    putchar('\n');
    print_members(rows, names);
}

static void show(struct command_database *d)
{
    const char *id = find(d);

    if (id != NULL && show_group(d, id) && show_times(d, id))
        show_last(d, id);
}

static void become(struct command_database *d)
{
    const struct errors_command *k = CONTAINER_OF(d, struct errors_command, db);
    const char *id = find(d);
    const char *const params[] = {id, k->become, k->by, k->notes};

    if (id != NULL && rows_query(d,
                                 "select fraiseql.set_error_status($1::text::uuid, $2::text, "
                                 "$3::text, $4::text)::text",
                                 params, COUNT_OF(params)) != NULL)
        printf("%s is %s\n", id, k->become);
}

/* --- the command
 * ---------------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    void (*run)(struct command_database *d);
    const char *become; /* NULL: it takes no id, or only shows it */
    bool one;
} actions[] = {
    {"list",        list,   NULL,            false},
    {"top",         top,    NULL,            false},
    {"show",        show,   NULL,            true },
    {"resolve",     become, "resolved",      true },
    {"ignore",      become, "ignored",       true },
    {"investigate", become, "investigating", true },
    {"reopen",      become, "unresolved",    true },
};

static bool is_number(const char *text)
{
    uint64_t n;

    return str_to_u64(str_of(text), &n) && n > 0 && n <= 1000000;
}

static bool is_status(const char *text)
{
    static const char *const statuses[] = {"",         "all",    "unresolved", "investigating",
                                           "resolved", "ignored"};

    for (size_t i = 0; i < COUNT_OF(statuses); i++)
        if (strcmp(text, statuses[i]) == 0)
            return true;
    return false;
}

static bool take_flag(struct errors_command *k, int c)
{
    switch (c) {
    case 'c':
        k->db.cc.from.file = optarg;
        return true;
    case FLAG_SET:
        command_config_set(&k->db.cc, optarg);
        return true;
    case FLAG_STATUS:
        k->status = optarg;
        return optarg[0] != '\0' && is_status(optarg);
    case FLAG_LIMIT:
        k->limit = optarg;
        return is_number(optarg);
    case FLAG_HOURS:
        k->hours = optarg;
        return is_number(optarg);
    case FLAG_BY:
        k->by = optarg;
        return true;
    case FLAG_NOTES:
        k->notes = optarg;
        return true;
    default:
        return false;
    }
}

static int take_action(struct errors_command *k, int argc, char **argv)
{
    for (size_t i = 0; optind < argc && i < COUNT_OF(actions); i++) {
        const struct action *a = &actions[i];

        if (strcmp(argv[optind], a->name) != 0)
            continue;
        if (argc != optind + 1 + a->one)
            return command_usage(argv[0],
                                 a->one ? "%s takes the id of one error" : "%s takes no arguments",
                                 a->name);
        k->id = argv[optind + a->one];
        k->become = a->become;
        return rows_run(&k->db, a->run);
    }
    return command_usage(argv[0], "say what to do: list, top, show, resolve, ignore, investigate "
                                  "or reopen");
}

int command_errors(int argc, char **argv)
{
    const char *user = getenv("USER");
    struct errors_command k = {
        .status = "", .limit = "20", .hours = "24", .by = user != NULL ? user : "fraiseqld"};
    int status = -1, c;

    command_config_init(&k.db.cc, argc);
    while (status < 0 && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            status = EX_OK;
        } else if (!take_flag(&k, c)) {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    if (status < 0)
        status = take_action(&k, argc, argv);
    command_config_fini(&k.db.cc);
    return status;
}
