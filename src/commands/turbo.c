/*
 * turbo.c - the subcommand that registers operations to be compiled before anybody sends them.
 *
 * Thread:   main.
 * Not here: compiling them (server/warmup.c), the table (sql/system/020_turbo.sql).
 */
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "execution/registered.h"
#include "jobs/schema_watch.h"
#include "server/options.h"
#include "validation/validate.h"

static const char usage[] =
    "usage: fraiseqld turbo register FILE|- [-c FILE] [--set KEY=VALUE]...\n"
    "           [--note TEXT] [--vars JSON] [--dry-run]\n"
    "       fraiseqld turbo list [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld turbo inspect HASH|NAME [-c FILE] [--set KEY=VALUE]...\n"
    "           [--claims JSON]\n"
    "\n"
    "register: keep operations in fraiseql.turbo_queries; daemons compile them at\n"
    "their start and at each reload, which it asks for (database.notify). The file is\n"
    "a GraphQL document, a list of requests in JSON, or Apollo's manifest; all of it\n"
    "has to be valid, else none is registered.\n"
    "list: print hash, name, use, state (valid or not) and note of each.\n"
    "inspect: print one, by its name or the beginning of its hash, and what\n"
    "\"explain\" says of it.\n"
    "\n"
    "      --note TEXT      for people\n"
    "      --vars JSON      values of variables, an object: they decide which plan is\n"
    "                       made\n"
    "      --claims JSON    claims as in a token, an object; @FILE reads a file\n"
    "      --dry-run        only check\n"
    "  -c, --config FILE    configuration, as for \"serve\"\n"
    "      --set KEY=VALUE  override one key\n"
    "  -h, --help           show this text\n"
    "\n"
    "Exit code: 0 done, 1 there is no such operation, 64 usage, 65 an operation, the\n"
    "file or the catalog is not legal, 66 the configuration does not exist, 69 the\n"
    "database cannot be reached, 70 it refuses a statement, 78 the configuration is\n"
    "not valid.\n"
    "\n"
    "Example: fraiseqld turbo register queries.graphql -c fraiseqld.yaml\n";

#define TIMEOUT_MS 10000
#define NOT_FOUND  1

enum flag {
    FLAG_SET = 256,
    FLAG_NOTE,
    FLAG_VARS,
    FLAG_CLAIMS,
    FLAG_DRY_RUN,
};

static const struct option flags[] = {
    {"config",  required_argument, NULL, 'c'         },
    {"set",     required_argument, NULL, FLAG_SET    },
    {"note",    required_argument, NULL, FLAG_NOTE   },
    {"vars",    required_argument, NULL, FLAG_VARS   },
    {"claims",  required_argument, NULL, FLAG_CLAIMS },
    {"dry-run", no_argument,       NULL, FLAG_DRY_RUN},
    {"help",    no_argument,       NULL, 'h'         },
    {NULL,      0,                 NULL, 0           },
};

struct turbo_command {
    struct command_config cc;
    const char *argument; /* file, hash or name; NULL: none */
    const char *note;
    const char *variables;
    const char *claims;
    bool dry_run;
    struct pgpool *pool;          /* owned */
    const struct schema **schema; /* retained; by role */
};

/* --- the database ------------------------------------------------------------------------- */

static bool run_statement(struct turbo_command *t, struct str sql, const char *const *params,
                          size_t nparams, const struct pgrows **rows)
{
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS};
    struct pgstatement statement;
    struct pgcall *call = ARENA_NEW(t->cc.arena, struct pgcall);
    struct pgbatch batch;

    pgstatement_init(&statement, sql, nparams);
    *call = (struct pgcall){.statement = &statement, .params = params};
    pgbatch_init(&batch, &session, call, 1, t->cc.arena);
    batch.until = deadline_in_ms(TIMEOUT_MS);
    if (!pgpool_run(t->pool, &batch, &t->cc.errs)) {
        struct error *e = t->cc.errs.first;

        if (strcmp(batch.sqlstate, "3F000") == 0 || strcmp(batch.sqlstate, "42P01") == 0 ||
            strcmp(batch.sqlstate, "42883") == 0)
            e->hint = STR("run fraiseqld db install");
        return false;
    }
    *rows = call->rows;
    return true;
}

static struct str value(const struct pgvalue *v)
{
    return str_make(v->data, v->len > 0 ? (size_t)v->len : 0);
}

/* --- are they valid? ---------------------------------------------------------------------- */

static bool load_schemas(struct turbo_command *t)
{
    const struct config *c = t->cc.config;
    struct schema_watch_options opt = options_schema_watch(c, t->cc.arena);

    t->schema = ARENA_ARRAY(t->cc.arena, options_nroles(c), const struct schema *);
    opt.pool = t->pool;
    for (size_t i = 0; i < options_nroles(c); i++) {
        t->schema[i] = schema_load(&opt, i, &t->cc.errs);
        if (t->schema[i] == NULL)
            return false;
    }
    return true;
}

/* For one of the roles at least; else with the errors of the first. */
static bool is_valid(struct turbo_command *t, struct str document, struct str name,
                     struct errors *errs)
{
    struct parse_limits parse_limits = options_parse_limits(t->cc.config);
    struct validate_limits limits = options_validate_limits(t->cc.config);
    struct errors more;

    for (size_t i = 0; i < options_nroles(t->cc.config); i++) {
        struct validate_input in = {.schema = t->schema[i],
                                    .text = document,
                                    .operation_name = name,
                                    .parse_limits = &parse_limits,
                                    .limits = &limits};
        const struct operation *op;

        errors_init(&more, t->cc.arena);
        op = validate(&in, i == 0 ? errs : &more);
        if (op != NULL) {
            operation_unref(op);
            errors_init(errs, t->cc.arena);
            return true;
        }
    }
    return false;
}

/* --- register ----------------------------------------------------------------------------- */

static bool check_list(struct turbo_command *t, const struct registered_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct errors errs;

        errors_init(&errs, t->cc.arena);
        if (is_valid(t, l->items[i].document, l->items[i].operation_name, &errs))
            continue;
        errors_add(&t->cc.errs, BAD_REQUEST, "operation \"%.*s\": %.*s",
                   STR_ARG(l->items[i].operation_name), STR_ARG(errs.first->message));
    }
    return !errors_any(&t->cc.errs);
}

static bool store(struct turbo_command *t, const struct registered *r)
{
    struct arena *a = t->cc.arena;
    const struct pgrows *rows;
    const char *params[] = {
        arena_dup(a, r->document).data,
        arena_dup(a, r->operation_name).data,
        r->variables.data != NULL ? r->variables.data : t->variables,
        t->note != NULL ? t->note : "",
    };
    struct pgvalue v;

    if (!run_statement(t,
                       STR("select pg_catalog.encode(fraiseql.register_turbo_query($1::text, "
                           "$2::text, $3::jsonb, $4::text), 'hex')"),
                       params, COUNT_OF(params), &rows))
        return false;
    pgrows_row(rows, 0, &v);
    printf("%.*s  %.*s\n", STR_ARG(value(&v)), STR_ARG(r->operation_name));
    return true;
}

/* Daemons read the table with the schema. */
static bool notify(struct turbo_command *t)
{
    const char *params[] = {arena_dup(t->cc.arena, t->cc.config->notify_channel).data};
    const struct pgrows *rows;

    return run_statement(t, STR("select pg_catalog.pg_notify($1, 'schema')::text"), params, 1,
                         &rows);
}

static int do_register(struct turbo_command *t)
{
    struct registered_list list = {0};

    if (!registered_read_file(t->argument, t->cc.arena, &list, &t->cc.errs) || !load_schemas(t) ||
        !check_list(t, &list))
        return EX_OK;
    for (size_t i = 0; i < list.n && !t->dry_run; i++)
        if (!store(t, &list.items[i]))
            return EX_OK;
    if (!t->dry_run && list.n > 0)
        (void)notify(t);
    fprintf(stderr, "fraiseqld: %zu operations %s\n", list.n,
            t->dry_run ? "could be registered" : "are registered");
    return EX_OK;
}

/* --- list --------------------------------------------------------------------------------- */

static int do_list(struct turbo_command *t)
{
    const struct pgrows *rows;
    struct pgvalue v[5];

    if (!run_statement(
            t,
            STR("select pg_catalog.encode(q.hash, 'hex'), q.operation_name, q.query, q.note, "
                "pg_catalog.format('%s uses, %s %% found', coalesce(s.hits + s.misses, 0), "
                "coalesce(pg_catalog.round(100.0 * s.hits / nullif(s.hits + s.misses, 0), 2), 0)) "
                "from fraiseql.turbo_queries q left join fraiseql.turbo_stats s "
                "using (hash, operation_name) order by q.operation_name, q.hash"),
            NULL, 0, &rows) ||
        !load_schemas(t))
        return EX_OK;
    for (size_t i = 0; i < pgrows_count(rows); i++) {
        struct errors errs;
        struct str state = STR("valid");

        pgrows_row(rows, i, v);
        errors_init(&errs, t->cc.arena);
        if (!is_valid(t, value(&v[2]), value(&v[1]), &errs))
            state = arena_printf(t->cc.arena, "not valid: %.*s", STR_ARG(errs.first->message));
        printf("%.*s  %-24.*s  %.*s  %.*s%s%.*s\n", STR_ARG(value(&v[0])), STR_ARG(value(&v[1])),
               STR_ARG(value(&v[4])), STR_ARG(state), v[3].len > 0 ? "  # " : "",
               STR_ARG(value(&v[3])));
    }
    return EX_OK;
}

/* --- inspect ------------------------------------------------------------------------------ */

static char *copy(struct arena *a, struct str text)
{
    char *to = arena_alloc(a, text.len + 1);

    memcpy(to, text.data, text.len);
    return to;
}

/* "explain" takes its own configuration: the same arguments. */
static int explain_row(struct turbo_command *t, const struct pgvalue *v)
{
    char name[] = "fraiseqld explain";
    char config[] = "-c", set[] = "--set", document[] = "-e", operation[] = "--operation";
    char variables[] = "--vars", claims[] = "--claims";
    struct arena *a = t->cc.arena;
    char **argv = ARENA_ARRAY(a, 2 * t->cc.from.nsettings + 16, char *);
    int argc = 0;

    argv[argc++] = name;
    if (t->cc.from.file != NULL) {
        argv[argc++] = config;
        argv[argc++] = copy(a, str_of(t->cc.from.file));
    }
    for (size_t i = 0; i < t->cc.from.nsettings; i++) {
        argv[argc++] = set;
        argv[argc++] = copy(a, str_of(t->cc.settings[i]));
    }
    argv[argc++] = document;
    argv[argc++] = copy(a, value(&v[2]));
    if (v[1].len > 0) {
        argv[argc++] = operation;
        argv[argc++] = copy(a, value(&v[1]));
    }
    if (v[3].len > 0) {
        argv[argc++] = variables;
        argv[argc++] = copy(a, value(&v[3]));
    }
    if (t->claims != NULL) {
        argv[argc++] = claims;
        argv[argc++] = copy(a, str_of(t->claims));
    }
    optind = 0;
    return command_explain(argc, argv);
}

static int do_inspect(struct turbo_command *t)
{
    const char *params[] = {t->argument};
    const struct pgrows *rows;
    struct pgvalue v[7];

    if (!run_statement(
            t,
            STR("select pg_catalog.encode(q.hash, 'hex'), q.operation_name, q.query, "
                "q.variables::text, q.created_at::text, q.note, case when s.hash is null then "
                "'none' "
                "else pg_catalog.format('%s hits, %s misses, %s us in the database, last at %s', "
                "s.hits, s.misses, coalesce(pg_catalog.round(s.mean_cost_us::numeric, 1)::text, "
                "'?'), s.last_used_at) end "
                "from fraiseql.turbo_queries q left join fraiseql.turbo_stats s "
                "using (hash, operation_name) "
                "where q.operation_name = $1::text or (pg_catalog.length($1::text) >= 4 and "
                "pg_catalog.starts_with(pg_catalog.encode(q.hash, 'hex'), "
                "pg_catalog.lower($1::text))) "
                "order by q.created_at desc limit 1"),
            params, 1, &rows))
        return EX_OK;
    if (pgrows_count(rows) == 0) {
        fprintf(stderr, "fraiseqld: no operation \"%s\" is registered\n", t->argument);
        return NOT_FOUND;
    }
    pgrows_row(rows, 0, v);
    printf("hash        %.*s\noperation   %.*s\nregistered  %.*s\nnote        %.*s\n"
           "variables   %.*s\nuse         %.*s\n\n%.*s\n\n",
           STR_ARG(value(&v[0])), STR_ARG(value(&v[1])), STR_ARG(value(&v[4])),
           STR_ARG(value(&v[5])), STR_ARG(value(&v[3])), STR_ARG(value(&v[6])),
           STR_ARG(value(&v[2])));
    return fflush(stdout) == 0 ? explain_row(t, v) : EX_IOERR;
}

/* --- the command -------------------------------------------------------------------------- */

static const struct action {
    const char *name;
    bool argument;
    int (*run)(struct turbo_command *t); /* EX_OK with errors: their status */
} actions[] = {
    {"register", true,  do_register},
    {"list",     false, do_list    },
    {"inspect",  true,  do_inspect },
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT_OF(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

static int run(struct turbo_command *t, const struct action *action)
{
    int status = command_config_load(&t->cc);

    if (status == EX_OK) {
        log_setup(LOG_ERROR, t->cc.config->log_format, STDERR_FILENO);
        t->pool = options_pool(t->cc.config, t->cc.arena, &t->cc.errs);
        if (t->pool != NULL)
            status = action->run(t);
    }
    if (errors_any(&t->cc.errs)) {
        command_print_errors(&t->cc.errs);
        if (status == EX_OK)
            status = command_status_of_input(&t->cc.errs);
    }
    for (size_t i = 0; t->schema != NULL && i < options_nroles(t->cc.config); i++)
        schema_unref(t->schema[i]);
    if (t->pool != NULL)
        pgpool_free(t->pool);
    return status;
}

/* False: not a flag. */
static bool take_flag(struct turbo_command *t, int c)
{
    switch (c) {
    case 'c':
        t->cc.from.file = optarg;
        return true;
    case FLAG_SET:
        command_config_set(&t->cc, optarg);
        return true;
    case FLAG_NOTE:
        t->note = optarg;
        return true;
    case FLAG_VARS:
        t->variables = optarg;
        return true;
    case FLAG_CLAIMS:
        t->claims = optarg;
        return true;
    case FLAG_DRY_RUN:
        t->dry_run = true;
        return true;
    default:
        return false;
    }
}

int command_turbo(int argc, char **argv)
{
    struct turbo_command t = {0};
    const struct action *action;
    int status = -1, c;

    command_config_init(&t.cc, argc);
    while (status < 0 && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            status = EX_OK;
        } else if (!take_flag(&t, c)) {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    action = find_action(argv[optind]);
    if (status < 0 && action == NULL)
        status = command_usage(argv[0], "say what to do: register, list or inspect");
    if (status < 0 && optind + 1 + action->argument != argc)
        status = command_usage(argv[0], action->argument ? "give one file, hash or name"
                                                         : "unexpected argument");
    if (status < 0) {
        t.argument = action->argument ? argv[optind + 1] : NULL;
        status = run(&t, action);
    }
    command_config_fini(&t.cc);
    return status;
}
