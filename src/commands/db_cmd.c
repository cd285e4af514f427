/*
 * db_cmd.c - the subcommand that installs what the daemon keeps in the database.
 *
 * Thread:   main.
 * Not here: the statements (sql/system/), running them (pg/pgscript.c).
 */
#include <errno.h>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "base/digest.h"
#include "pg/pgarray.h"
#include "pg/pgscript.h"
#include "server/options.h"
#include "version.h"

static const char usage[] =
    "usage: fraiseqld db install|upgrade [-c FILE] [--set KEY=VALUE]...\n"
    "           [--grant-to ROLE] [--no-search-path] [--cache-triggers] [--dry-run]\n"
    "       fraiseqld db status [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld db uninstall --yes [-c FILE] [--set KEY=VALUE]...\n"
    "\n"
    "install, upgrade: make the schema \"fraiseql\" and what the daemon keeps in it, or\n"
    "bring it to this version, in one transaction; what is there already stays. Adds\n"
    "the schema to the database's search_path, so that psql finds its tables.\n"
    "status: tell what of it is installed, and whether it is this version's.\n"
    "uninstall: drop the schema, with all that is in it.\n"
    "\n"
    "  -c, --config FILE     configuration, as for \"serve\": database.url says where,\n"
    "                        database.role and auth.role_claim.allowed who may use it\n"
    "      --set KEY=VALUE   override one key: database.url, to install as the owner\n"
    "      --grant-to ROLE   the role that the daemon logs in as, if another installs\n"
    "      --no-search-path  leave the database's search_path alone\n"
    "      --cache-triggers  have the changes of all tables below what is exposed\n"
    "                        noted, so that cached results are exact (again after\n"
    "                        migrations)\n"
    "      --dry-run         print the statements, for psql, and run none\n"
    "      --yes             mean it\n"
    "  -h, --help            show this text\n"
    "\n"
    "Exit code: 0 done, or all is installed; 1 something is missing or of another\n"
    "version, 64 usage, 66 the configuration does not exist, 69 the database cannot\n"
    "be reached, 70 it refuses a statement, 77 for want of a privilege, 78 the\n"
    "configuration is not valid.\n"
    "\n"
    "Example: fraiseqld db install -c fraiseqld.yaml --grant-to fraiseqld \\\n"
    "             --set database.url=postgresql://postgres@db/app\n";

/* In the order in which they are applied. */
static const struct system_file {
    struct str name;
    struct str sql;
} files[] = {
#include "sql/system.h"
};

#define STATUS_OUTDATED 1

enum flag {
    FLAG_SET = 256,
    FLAG_GRANT_TO,
    FLAG_NO_SEARCH_PATH,
    FLAG_CACHE_TRIGGERS,
    FLAG_DRY_RUN,
    FLAG_YES,
};

static const struct option flags[] = {
    {"config",         required_argument, NULL, 'c'                },
    {"set",            required_argument, NULL, FLAG_SET           },
    {"grant-to",       required_argument, NULL, FLAG_GRANT_TO      },
    {"no-search-path", no_argument,       NULL, FLAG_NO_SEARCH_PATH},
    {"cache-triggers", no_argument,       NULL, FLAG_CACHE_TRIGGERS},
    {"dry-run",        no_argument,       NULL, FLAG_DRY_RUN       },
    {"yes",            no_argument,       NULL, FLAG_YES           },
    {"help",           no_argument,       NULL, 'h'                },
    {NULL,             0,                 NULL, 0                  },
};

struct request {
    const char *grant_to;
    bool no_search_path;
    bool cache_triggers;
    bool dry_run;
    bool yes;
};

/* One installation at a time: the second finds what the first has made. */
static const struct pgscript_part lock = {
    STR_INIT("lock"), STR_INIT("select pg_catalog.pg_advisory_xact_lock("
                               "pg_catalog.hashtextextended('fraiseql.install', 0))")};

static const struct pgscript_part search_path = {
    STR_INIT("search_path"),
    STR_INIT(
        "do $$\n"
        "declare\n"
        "    path text := coalesce(\n"
        "        (select pg_catalog.substr(c, 13)\n"
        "           from pg_catalog.pg_db_role_setting s\n"
        "           join pg_catalog.pg_database d on d.oid = s.setdatabase,\n"
        "                pg_catalog.unnest(s.setconfig) c\n"
        "          where d.datname = pg_catalog.current_database() and s.setrole = 0\n"
        "            and c like 'search\\_path=%'),\n"
        "        '\"$user\", public');\n"
        "begin\n"
        "    if path !~ '(^|[ ,\"])fraiseql($|[ ,\"])' then\n"
        "        execute pg_catalog.format('alter database %I set search_path = %s',\n"
        "                                  pg_catalog.current_database(), path || ', fraiseql');\n"
        "    end if;\n"
        "exception when insufficient_privilege then\n"
        "    raise warning 'only the owner of database \"%\" can add \"fraiseql\" to its "
        "search_path',\n"
        "                  pg_catalog.current_database();\n"
        "end\n"
        "$$")};

/* --- SQL ------------------------------------------------------------------------------------ */

/* A literal, whatever standard_conforming_strings says. */
static void append_literal(struct buf *out, struct str text)
{
    buf_append_lit(out, " E'");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'' || text.data[i] == '\\')
            buf_append_char(out, text.data[i]);
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '\'');
}

static void append_setting(struct buf *out, const char *name, struct str value)
{
    buf_printf(out, "select pg_catalog.set_config('%s',", name);
    append_literal(out, value);
    buf_append_lit(out, ", true);\n");
}

static struct str role_array(const struct config *c, struct arena *a)
{
    const char *const *roles = options_roles(c, a);
    struct str *names = ARENA_ARRAY(a, options_nroles(c), struct str);
    size_t n = 0;

    for (size_t i = 0; i < options_nroles(c); i++)
        if (roles[i][0] != '\0')
            names[n++] = str_of(roles[i]);
    return pgarray_text(names, n, a);
}

/* NUL-terminated. */
static struct str take_text(struct buf *b, struct arena *a)
{
    struct str text = arena_dup(a, buf_str(b));

    buf_fini(b);
    return text;
}

static struct str settings_sql(const struct config *c, const struct request *r, struct arena *a)
{
    struct buf b;

    buf_init(&b, 0);
    append_setting(&b, "fraiseql.grant_to", str_of(r->grant_to != NULL ? r->grant_to : ""));
    append_setting(&b, "fraiseql.request_roles", role_array(c, a));
    return take_text(&b, a);
}

static void append_array(struct buf *out, const struct str *items, size_t n, struct arena *a)
{
    append_literal(out, pgarray_text(items, n, a));
    buf_append_lit(out, "::text[]");
}

/* Requests run as the login role where no other is configured. */
static struct str triggers_sql(const struct config *c, const struct request *r, struct arena *a)
{
    const struct config_strings *settings = options_tenant_settings(c);
    const char *const *names = options_roles(c, a);
    struct str *roles = ARENA_ARRAY(a, options_nroles(c), struct str);
    struct buf b;

    buf_init(&b, 0);
    for (size_t i = 0; i < options_nroles(c); i++)
        roles[i] = str_of(names[i][0] != '\0' ? names[i] : r->grant_to != NULL ? r->grant_to : "");
    buf_append_lit(&b, "select count(*) from fraiseql.track_exposed(");
    append_array(&b, c->expose_schemas.items, c->expose_schemas.n, a);
    buf_append_lit(&b, ",");
    append_array(&b, roles, options_nroles(c), a);
    buf_append_lit(&b, ",");
    append_array(&b, settings->items, settings->n, a);
    buf_append_lit(&b, ")");
    return take_text(&b, a);
}

/* Which files were applied. */
static struct str record_sql(struct arena *a)
{
    struct buf b;
    char hex[2 * DIGEST_SIZE + 1];

    buf_init(&b, 0);
    buf_append_lit(&b, "insert into fraiseql.system_file (name, digest, version) values");
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct digest d = digest_sha256(files[i].sql);

        digest_hex(&d, hex);
        buf_printf(&b, "%s\n    ('%.*s', '%s', '%s')", i > 0 ? "," : "", STR_ARG(files[i].name),
                   hex, FRAISEQLD_VERSION);
    }
    buf_append_lit(&b, "\non conflict (name) do update\n"
                       "   set digest = excluded.digest, version = excluded.version,\n"
                       "       applied_at = excluded.applied_at\n");
    return take_text(&b, a);
}

/* --- install -----------------------------------------------------------------------------------
 */

#define MAX_PARTS (COUNT_OF(files) + 5)

static size_t make_parts(const struct config *c, const struct request *r, struct arena *a,
                         struct pgscript_part *out)
{
    size_t n = 0;

    out[n++] = lock;
    out[n++] = (struct pgscript_part){STR("settings"), settings_sql(c, r, a)};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        out[n++] = (struct pgscript_part){files[i].name, files[i].sql};
    out[n++] = (struct pgscript_part){STR("record"), record_sql(a)};
    if (r->cache_triggers)
        out[n++] = (struct pgscript_part){STR("cache triggers"), triggers_sql(c, r, a)};
    if (!r->no_search_path)
        out[n++] = search_path;
    return n;
}

static int print_parts(const struct pgscript_part *parts, size_t n)
{
    puts("begin;");
    for (size_t i = 0; i < n; i++)
        printf("\n-- %.*s\n\n%.*s;\n", STR_ARG(parts[i].name), STR_ARG(str_trim(parts[i].sql)));
    puts("\ncommit;");
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int status_of(const struct errors *errs)
{
    return command_status_of(errs, errs->first->code == FORBIDDEN ? EX_NOPERM : EX_SOFTWARE);
}

static int run_parts(struct command_config *cc, const struct pgscript_part *parts, size_t n)
{
    struct pgpool_options opt = options_pgpool(cc->config, cc->arena);

    return pgscript_run(&opt, parts, n, &cc->errs) ? EX_OK : status_of(&cc->errs);
}

static int install(struct command_config *cc, const struct request *r)
{
    struct pgscript_part *parts = ARENA_ARRAY(cc->arena, MAX_PARTS, struct pgscript_part);
    size_t n = make_parts(cc->config, r, cc->arena, parts);
    int status;

    if (r->dry_run)
        return print_parts(parts, n);
    status = run_parts(cc, parts, n);
    if (status == EX_OK)
        fprintf(stderr, "fraiseqld: the schema \"fraiseql\" is that of version %s\n",
                FRAISEQLD_VERSION);
    return status;
}

static int uninstall(struct command_config *cc, const struct request *r)
{
    static const struct pgscript_part parts[] = {
        {STR_INIT("uninstall"), STR_INIT("drop schema if exists fraiseql cascade")}
    };

    if (!r->yes)
        return command_usage("fraiseqld db", "what is kept would be lost: uninstall --yes");
    return run_parts(cc, parts, COUNT_OF(parts));
}

/* --- status
 * --------------------------------------------------------------------------------------- */

/* Rows of name and digest; NULL: there are none, or with errors. */
static const struct pgrows *read_installed(struct command_config *cc, struct pgpool *pool)
{
    struct pgsession session = {.role = "", .timeout_ms = 10000, .read_only = true};
    struct pgstatement statement;
    struct pgcall *call = ARENA_NEW(cc->arena, struct pgcall);
    struct pgbatch batch;
    struct errors found;

    errors_init(&found, cc->arena);
    pgstatement_init(&statement, STR("select name, digest from fraiseql.system_file"), 0);
    *call = (struct pgcall){.statement = &statement};
    pgbatch_init(&batch, &session, call, 1, cc->arena);
    batch.repeatable = true;
    batch.until = deadline_in_ms(10000);
    if (pgpool_run(pool, &batch, &found))
        return call->rows;
    /* No such schema or table. */
    if (strcmp(batch.sqlstate, "3F000") != 0 && strcmp(batch.sqlstate, "42P01") != 0)
        cc->errs = found;
    return NULL;
}

/* The digest that a file was applied with; none: data NULL. */
static struct str digest_of(const struct pgrows *rows, struct str name)
{
    struct pgvalue v[2];

    for (size_t i = 0; rows != NULL && i < pgrows_count(rows); i++) {
        pgrows_row(rows, i, v);
        if (str_eq(str_make(v[0].data, (size_t)v[0].len), name))
            return str_make(v[1].data, (size_t)v[1].len);
    }
    return (struct str){NULL, 0};
}

static int print_status(const struct pgrows *rows)
{
    int status = EX_OK;
    char hex[2 * DIGEST_SIZE + 1];

    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct digest d = digest_sha256(files[i].sql);
        struct str applied = digest_of(rows, files[i].name);
        const char *what = "installed";

        digest_hex(&d, hex);
        if (applied.data == NULL)
            what = "missing";
        else if (!str_is(applied, hex))
            what = "of another version";
        if (strcmp(what, "installed") != 0)
            status = STATUS_OUTDATED;
        printf("%-36.*s  %s\n", STR_ARG(files[i].name), what);
    }
    if (status != EX_OK)
        fputs("fraiseqld: run \"fraiseqld db install\"\n", stderr);
    return status;
}

static int show_status(struct command_config *cc, const struct request *r)
{
    struct pgpool *pool = options_pool(cc->config, cc->arena, &cc->errs);
    const struct pgrows *rows;
    int status;

    (void)r;
    if (pool == NULL)
        return EX_CONFIG;
    rows = read_installed(cc, pool);
    status = errors_any(&cc->errs) ? status_of(&cc->errs) : print_status(rows);
    pgpool_free(pool);
    return status;
}

/* --- the command ---------------------------------------------------------------------------------
 */

static const struct action {
    const char *name;
    int (*run)(struct command_config *cc, const struct request *r);
} actions[] = {
    {"install",   install    },
    {"upgrade",   install    },
    {"status",    show_status},
    {"uninstall", uninstall  },
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT_OF(actions); i++)
        if (strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

static int run(struct command_config *cc, const struct action *action, const struct request *r)
{
    int status = command_config_load(cc);

    if (status == EX_OK) {
        log_setup(LOG_WARN, cc->config->log_format, STDERR_FILENO);
        status = action->run(cc, r);
    }
    if (errors_any(&cc->errs))
        command_print_errors(&cc->errs);
    return status;
}

/* False: not a flag. */
static bool take_flag(struct command_config *cc, struct request *r, int c)
{
    switch (c) {
    case 'c':
        cc->from.file = optarg;
        return true;
    case FLAG_SET:
        command_config_set(cc, optarg);
        return true;
    case FLAG_GRANT_TO:
        r->grant_to = optarg;
        return true;
    case FLAG_NO_SEARCH_PATH:
        r->no_search_path = true;
        return true;
    case FLAG_CACHE_TRIGGERS:
        r->cache_triggers = true;
        return true;
    case FLAG_DRY_RUN:
        r->dry_run = true;
        return true;
    case FLAG_YES:
        r->yes = true;
        return true;
    default:
        return false;
    }
}

int command_db(int argc, char **argv)
{
    struct command_config cc;
    struct request r = {0};
    const struct action *action;
    int status = -1, c;

    command_config_init(&cc, argc);
    while (status < 0 && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            status = EX_OK;
        } else if (!take_flag(&cc, &r, c)) {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    action = find_action(argv[optind]);
    if (status < 0 && action == NULL)
        status = command_usage(argv[0], "say what to do: install, upgrade, status or uninstall");
    if (status < 0 && optind + 1 != argc)
        status = command_usage(argv[0], "unexpected argument \"%s\"", argv[optind + 1]);
    if (status < 0)
        status = run(&cc, action, &r);
    command_config_fini(&cc);
    return status;
}
