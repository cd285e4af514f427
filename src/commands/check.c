/*
 * check.c - the subcommand that checks the configuration and, if asked, the database.
 *
 * Thread:   main.
 */
#include <getopt.h>
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "base/jwriter.h"
#include "jobs/schema_watch.h"
#include "server/certificate.h"
#include "server/notification_options.h"
#include "server/options.h"

enum {
    MAX_SCHEMA_ERRORS = 1000,
    STATUS_FOUND = 1, /* the audit, under tenancy.enforce_rls_check: fail */
};

static const char usage[] =
    "usage: fraiseqld check [-c FILE] [--set KEY=VALUE]... [--format text|json]\n"
    "                       [--connect [--daemons N]]\n"
    "       fraiseqld -t [-c FILE]\n"
    "\n"
    "Read the configuration as \"serve\" would, and say all that is wrong with it.\n"
    "\n"
    "  -c, --config FILE    configuration (default $FRAISEQLD_CONFIG, then\n"
    "                       /etc/fraiseqld/fraiseqld.yaml if it is there)\n"
    "      --set KEY=VALUE  override one key\n"
    "      --connect        read the database's catalog as well, and print where row\n"
    "                       security does not keep tenants apart, with what to do\n"
    "                       about it, as a script of SQL; and whether the server has\n"
    "                       as many connections as daemons may want\n"
    "      --daemons N      how many of them there are at most (default 1)\n"
    "      --format FORMAT  text (default) or json, to standard output\n"
    "      --dump           print the effective configuration, with origins\n"
    "  -h, --help           show this text\n"
    "\n"
    "Exit code: 0 valid, 1 something was found under tenancy.enforce_rls_check: fail,\n"
    "64 usage, 65 the catalog gives no legal schema, 66 the file does not exist, 69\n"
    "the database cannot be reached, 78 not valid.\n";

enum flag {
    FLAG_SET = 256,
    FLAG_FORMAT,
    FLAG_DUMP,
    FLAG_CONNECT,
    FLAG_DAEMONS,
};

static const struct option flags[] = {
    {"config",  required_argument, NULL, 'c'         },
    {"set",     required_argument, NULL, FLAG_SET    },
    {"connect", no_argument,       NULL, FLAG_CONNECT},
    {"daemons", required_argument, NULL, FLAG_DAEMONS},
    {"format",  required_argument, NULL, FLAG_FORMAT },
    {"dump",    no_argument,       NULL, FLAG_DUMP   },
    {"help",    no_argument,       NULL, 'h'         },
    {NULL,      0,                 NULL, 0           },
};

static void print_json_errors(const struct errors *errs, struct buf *out)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next) {
        buf_append_str(out, e == errs->first ? STR("") : STR(","));
        buf_append_lit(out, "{\"message\":");
        jwriter_string(out, e->message);
        buf_append_lit(out, ",\"place\":");
        jwriter_string(out, e->file);
        if (e->nlocations > 0)
            buf_printf(out, ",\"line\":%u,\"column\":%u", e->locations[0].line,
                       e->locations[0].column);
        if (e->hint.len > 0) {
            buf_append_lit(out, ",\"hint\":");
            jwriter_string(out, e->hint);
        }
        buf_append_char(out, '}');
    }
}

/* What the schemas of all roles have, each once. */
struct found {
    const struct finding **items;
    size_t n, cap;
    const char *warning; /* NULL: none */
    struct {
        uint64_t daemons, each, there; /* there: for this role; 0: not known */
    } connections;
};

static void print_json_findings(const struct found *found, struct buf *out)
{
    buf_append_lit(out, ",\"findings\":[");
    for (size_t i = 0; i < found->n; i++) {
        const struct finding *f = found->items[i];

        buf_append_str(out, i == 0 ? STR("{\"finding\":") : STR(",{\"finding\":"));
        jwriter_string(out, str_of(finding_code_name(f->code)));
        buf_append_lit(out, ",\"object\":");
        jwriter_string(out, f->object);
        buf_append_lit(out, ",\"problem\":");
        jwriter_string(out, f->problem);
        buf_append_lit(out, ",\"fix\":");
        jwriter_string(out, f->fix);
        buf_append_char(out, '}');
    }
    buf_append_char(out, ']');
}

static void print_json_warning(const char *warning, struct buf *out)
{
    buf_append_lit(out, ",\"warnings\":[");
    if (warning != NULL)
        jwriter_string(out, str_of(warning));
    buf_append_char(out, ']');
}

static void print_json_connections(const struct found *found, struct buf *out)
{
    if (found->connections.there > 0)
        buf_printf(out,
                   ",\"connections\":{\"daemons\":%" PRIu64 ",\"each\":%" PRIu64
                   ",\"wanted\":%" PRIu64 ",\"there\":%" PRIu64 "}",
                   found->connections.daemons, found->connections.each,
                   found->connections.daemons * found->connections.each, found->connections.there);
}

static void print_connections(const struct found *found)
{
    uint64_t wanted = found->connections.daemons * found->connections.each;

    if (found->connections.there > 0)
        fprintf(stderr,
                "fraiseqld: %s%" PRIu64 " daemon%s may want %" PRIu64 " connections (%" PRIu64
                " x %" PRIu64 "), the server has %" PRIu64 " for them%s\n",
                wanted > found->connections.there ? "warning: " : "", found->connections.daemons,
                found->connections.daemons == 1 ? "" : "s", wanted, found->connections.daemons,
                found->connections.each, found->connections.there,
                wanted > found->connections.there
                    ? ": lower database.pool.max, or set database.pool.fleet_max"
                    : "");
}

/* A name may hold anything; a line of it must not leave the comment. */
static void print_comment(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        putchar(text.data[i] == '\n' || text.data[i] == '\r' ? ' ' : text.data[i]);
}

static void print_findings(const struct found *found)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct finding *f = found->items[i];

        printf("-- %s: ", finding_code_name(f->code));
        print_comment(f->object);
        printf(": %.*s\n%.*s\n\n", STR_ARG(f->problem), STR_ARG(f->fix));
    }
    fprintf(stderr, "fraiseqld: the isolation of tenants: %zu finding%s\n", found->n,
            found->n == 1 ? "" : "s");
}

/* found: NULL if the database was not asked. */
static void report(const struct command_config *cc, int status, const struct found *found,
                   bool json)
{
    struct buf out = {0};

    if (!json) {
        command_print_errors(&cc->errs);
        if (cc->errs.n == 0)
            fputs("fraiseqld: the configuration is valid\n", stderr);
        if (found != NULL && found->warning != NULL)
            fprintf(stderr, "fraiseqld: warning: %s\n", found->warning);
        if (found != NULL)
            print_connections(found);
        if (found != NULL && cc->config->tenancy_enabled)
            print_findings(found);
        return;
    }
    buf_append_lit(&out, "{\"valid\":");
    jwriter_bool(&out, status == EX_OK || status == STATUS_FOUND);
    buf_append_lit(&out, ",\"errors\":[");
    print_json_errors(&cc->errs, &out);
    buf_append_char(&out, ']');
    if (found != NULL)
        print_json_warning(found->warning, &out);
    if (found != NULL)
        print_json_connections(found, &out);
    if (found != NULL && cc->config->tenancy_enabled)
        print_json_findings(found, &out);
    buf_append_lit(&out, "}\n");
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
}

/* What the modules say to their part: EX_OK or EX_CONFIG. */
static int check_modules(struct command_config *cc)
{
    struct auth *auth = options_auth(cc->config, cc->arena, &cc->errs);

    const struct graphiql *page;
    struct job_list jobs;
    bool page_ok = options_graphiql(cc->config, cc->arena, &page, &cc->errs);
    bool jobs_ok = options_jobs(cc->config, cc->arena, &jobs, &cc->errs);
    struct notifications notifications;
    bool told = notifications_new(cc->config, cc->arena, &notifications, &cc->errs);
    bool tls_ok = certificate_check(cc->config, &cc->errs);

    auth_free(auth);
    return auth != NULL && page_ok && jobs_ok && told && tls_ok ? EX_OK : EX_CONFIG;
}

static void dump(const struct config *c)
{
    struct buf out = {0};

    config_dump(c, &out);
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
}

static void take_findings(struct command_config *cc, const struct schema *s, struct found *found)
{
    for (size_t i = 0; i < s->nfindings; i++) {
        const struct finding *f = &s->findings[i];
        size_t at = 0;

        while (at < found->n &&
               !(found->items[at]->code == f->code && str_eq(found->items[at]->object, f->object) &&
                 str_eq(found->items[at]->fix, f->fix)))
            at++;
        if (at == found->n)
            VEC_PUSH(cc->arena, found, f);
    }
}

/* What a daemon has open to the primary at most: of its pool, and those that listen or count. */
static uint64_t connections_of(const struct config *c, uint64_t daemons)
{
    uint64_t listening = c->notify_listen ? 1 : 0;
    uint64_t share = c->pool_fleet_max / daemons;

    if (c->notify_listen && c->revocation_enabled)
        listening++;
    if (c->notify_listen && c->cache_enabled && c->cache_l1)
        listening++;
    if (c->replica_urls.n > 0 && c->replica_use_for.n > 0)
        listening++; /* one that asks for the position */
    if (c->pool_fleet_max > 0)
        return (share > c->pool_max ? c->pool_max : size_max(1, share)) + listening + 1;
    return c->pool_max + listening;
}

static const struct str connections_sql =
    STR_INIT("select least(nullif(r.rolconnlimit, -1), "
             "pg_catalog.current_setting('max_connections')::integer "
             "- pg_catalog.current_setting('superuser_reserved_connections')::integer "
             "- coalesce(nullif(pg_catalog.current_setting('reserved_connections', true), ''), "
             "'0')::integer)::text from pg_catalog.pg_roles r where r.rolname = session_user");

/* How many connections the role may have that daemons log in as. */
static void count_connections(struct command_config *cc, struct pgpool *pool, struct found *found)
{
    const struct pgrows *rows;
    struct errors ignored;
    struct pgvalue v;

    errors_init(&ignored, cc->arena);
    rows = pgpool_query(pool, connections_sql, deadline_in_ms(5000), cc->arena, &ignored);
    if (rows == NULL || pgrows_count(rows) != 1)
        return;
    pgrows_row(rows, 0, &v);
    found->connections.each = connections_of(cc->config, found->connections.daemons);
    if (v.len < 0 || !str_to_u64(str_make(v.data, (size_t)v.len), &found->connections.there))
        found->connections.there = 0;
}

/* The catalog, read as "serve" would, for each role that requests may run as: EX_OK, or what the
 * command ends with. */
static int check_database(struct command_config *cc, const struct schema **schemas,
                          struct found *found)
{
    struct schema_watch_options opt = options_schema_watch(cc->config, cc->arena);
    bool serious = false;

    /* What is wrong is printed once, by us. */
    log_setup(LOG_ERROR, cc->config->log_format, STDERR_FILENO);
    opt.pool = options_pool(cc->config, cc->arena, &cc->errs);
    if (opt.pool == NULL)
        return EX_CONFIG;
    cc->errs.max = MAX_SCHEMA_ERRORS;
    for (size_t i = 0; i < opt.nroles; i++) {
        schemas[i] = schema_load(&opt, i, &cc->errs);
        if (schemas[i] == NULL)
            continue;
        take_findings(cc, schemas[i], found);
        if (found->warning == NULL)
            found->warning = schema_watch_warning(&opt, schemas[i]);
        serious = serious || findings_of_isolation(schemas[i]->findings, schemas[i]->nfindings) > 0;
    }
    count_connections(cc, opt.pool, found);
    pgpool_free(opt.pool);
    if (errors_any(&cc->errs))
        return cc->errs.first->code == SCHEMA_INVALID ? EX_DATAERR : EX_UNAVAILABLE;
    return opt.refuse_findings && serious ? STATUS_FOUND : EX_OK;
}

struct wanted {
    bool connect, dump, json;
    uint64_t daemons; /* 0: not said */
};

static int check(struct command_config *cc, const struct wanted *w)
{
    int status = command_config_load(cc);
    const struct schema **schemas = NULL;
    struct found found = {.connections.daemons = w->daemons > 0 ? w->daemons : 1};
    size_t nroles = 0;
    bool asked;

    if (status == EX_OK)
        status = check_modules(cc);
    if (status == EX_OK && w->connect) {
        nroles = options_nroles(cc->config);
        schemas = ARENA_ARRAY(cc->arena, nroles, const struct schema *);
        status = check_database(cc, schemas, &found);
    }
    asked = schemas != NULL && !errors_any(&cc->errs);
    if (status == EX_OK && w->dump)
        dump(cc->config);
    else
        report(cc, status, asked ? &found : NULL, w->json);
    if (asked && !cc->config->tenancy_enabled)
        fputs("fraiseqld: tenancy.enabled is false, isolation was not looked at\n", stderr);
    for (size_t i = 0; i < nroles; i++)
        schema_unref(schemas[i]);
    return status;
}

/* False: not a flag, or not a value of it. */
static bool take_flag(struct command_config *cc, struct wanted *w, int c)
{
    switch (c) {
    case 'c':
        cc->from.file = optarg;
        return true;
    case 't':
        return true;
    case FLAG_SET:
        command_config_set(cc, optarg);
        return true;
    case FLAG_DUMP:
        return w->dump = true;
    case FLAG_CONNECT:
        return w->connect = true;
    case FLAG_DAEMONS:
        return str_to_u64(str_of(optarg), &w->daemons) && w->daemons > 0 && w->daemons <= 100000;
    case FLAG_FORMAT:
        w->json = strcmp(optarg, "json") == 0;
        return w->json || strcmp(optarg, "text") == 0;
    default:
        return false;
    }
}

int command_check(int argc, char **argv)
{
    struct command_config cc;
    struct wanted w = {0};
    int status = EX_OK, c;

    command_config_init(&cc, argc);
    while (status == EX_OK && (c = getopt_long(argc, argv, "c:ht", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            command_config_fini(&cc);
            return EX_OK;
        }
        if (!take_flag(&cc, &w, c))
            status = command_usage(argv[0], c == FLAG_FORMAT    ? "no such format"
                                            : c == FLAG_DAEMONS ? "--daemons takes a number"
                                                                : "wrong arguments");
    }
    if (status == EX_OK && w.connect && w.dump)
        status = command_usage(argv[0], "--connect and --dump do not go together");
    if (status == EX_OK && w.daemons > 0 && !w.connect)
        status = command_usage(argv[0], "--daemons needs --connect");
    if (status == EX_OK && optind < argc)
        status = command_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (status == EX_OK)
        status = check(&cc, &w);
    command_config_fini(&cc);
    return status;
}
