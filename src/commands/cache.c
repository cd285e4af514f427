/*
 * cache.c - the subcommand that tells how the result cache serves, fills it and empties it.
 *
 * Thread:   main.
 * Not here: what is kept (cache/resultcache.c), what deletes what has expired (jobs/jobs.c).
 */
#include <getopt.h>
#include <sysexits.h>

#include "commands/offline.h"
#include "commands/rows.h"

static const char usage[] =
    "usage: fraiseqld cache stats [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld cache purge --all|[--operation NAME] [--tenant TENANT]\n"
    "           [--relation NAME] [--key KEY] [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld cache warm [--tenant TENANT]... [-c FILE] [--set KEY=VALUE]...\n"
    "           [OPERATION|FILE]...\n"
    "\n"
    "stats: what is kept, which tables' changes are noted, and of each operation how\n"
    "often its answer was there (as fraiseql.cache_stats, which daemons add to every\n"
    "ten seconds).\n"
    "purge: delete answers: all, or those that all the options given apply to.\n"
    "warm: make answers before anybody asks, for each tenant that was served within\n"
    "a day, or those given. Operations are named as in fraiseql.turbo_queries (see\n"
    "fraiseqld turbo), or a file (with a dot or slash) has them; none: all that are\n"
    "registered. What has half of its time left stays.\n"
    "\n"
    "      --operation NAME  of operations of that name, or NAME#HASH of one of them\n"
    "      --tenant TENANT   of a tenant\n"
    "      --relation NAME   made from a table, or from the tables of a view\n"
    "      --key KEY         one of fraiseql.cache_entries\n"
    "      --all             every one\n"
    "  -c, --config FILE     configuration, as for \"serve\"\n"
    "      --set KEY=VALUE   override one key\n"
    "  -h, --help            show this text\n"
    "\n"
    "Exit code: 0 done, 1 some answers could not be made, 64 usage, 65 what is to be\n"
    "warmed, or the catalog, is not legal, 66 the configuration does not exist, 69\n"
    "the database cannot be reached or the cache is not installed there, 70 it\n"
    "refuses a statement, 78 the configuration is not valid.\n"
    "\n"
    "Example: fraiseqld cache purge --tenant 7b0c6c2e-... -c fraiseqld.yaml\n";

enum flag {
    FLAG_SET = 256,
    FLAG_ALL,
    FLAG_OPERATION, /* these four in the order of purge_cache()'s parameters */
    FLAG_TENANT,
    FLAG_RELATION,
    FLAG_KEY,
};
#define PARTS 4

static const struct option flags[] = {
    {"config",    required_argument, NULL, 'c'           },
    {"set",       required_argument, NULL, FLAG_SET      },
    {"all",       no_argument,       NULL, FLAG_ALL      },
    {"operation", required_argument, NULL, FLAG_OPERATION},
    {"tenant",    required_argument, NULL, FLAG_TENANT   },
    {"relation",  required_argument, NULL, FLAG_RELATION },
    {"key",       required_argument, NULL, FLAG_KEY      },
    {"help",      no_argument,       NULL, 'h'           },
    {NULL,        0,                 NULL, 0             },
};

struct cache_command {
    struct command_database db;
    bool all;
    const char *parts[PARTS]; /* NULL: any */
    /* warm */
    struct str *tenants;
    size_t ntenants;
    struct str *documents;
    size_t ndocuments;
};

/* --- stats ---------------------------------------------------------------------------------- */

static const struct table {
    const char *sql;
    const char *titles[9];
    int widths[9]; /* negative: to the left */
} tables[] = {
    {"select pg_catalog.count(*)::text, pg_catalog.count(*) filter (where expires_at > "
     "pg_catalog.now())::text, pg_catalog.pg_size_pretty(pg_catalog.pg_total_relation_size("
     "'fraiseql.cache_entries')) from fraiseql.cache_entries", {"answers", "fresh", "size"},
     {10, 10, 10}                     },
    {"select t.relation::pg_catalog.regclass::text, coalesce(t.tenant_column::text, '-') "
     "from fraiseql.tracked_relations t order by 1",           {"changes noted of", "by tenant"},
     {-40, -20}                       },
    {"select s.key, s.hit_count::text, s.miss_count::text, s.bypass_count::text, "
     "s.hit_rate_pct::text, s.ttl_s::text, pg_catalog.round(s.hit_us / nullif(s.hit_count, "
     "0)::numeric / 1000, 2)::text, pg_catalog.round(s.miss_us / nullif(s.miss_count, "
     "0)::numeric / 1000, 2)::text, a.advice from fraiseql.cache_stats s left join "
     "fraiseql.cache_advice a using (key) order by s.hit_count + s.miss_count desc, s.key limit "
     "50",                                                     {"operation", "hits", "misses", "bypassed", "hit %", "ttl s", "hit ms", "miss ms", "advice"},
     {-40, 10, 10, 10, 6, 6, 8, 8, -1}},
};

static void show_stats(struct command_database *d)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        const struct pgrows *rows = rows_query(d, tables[i].sql, NULL, 0);

        if (rows == NULL)
            return;
        if (i > 0)
            putchar('\n');
        rows_print(rows, tables[i].titles, tables[i].widths);
    }
}

/* --- purge ---------------------------------------------------------------------------------- */

static void purge(struct command_database *d)
{
    const struct cache_command *k = CONTAINER_OF(d, struct cache_command, db);
    const struct pgrows *rows =
        rows_query(d,
                   "select fraiseql.purge_cache($1::text, $2::text, $3::text::pg_catalog.regclass, "
                   "$4::text::uuid)::text",
                   k->parts, PARTS);

    if (rows != NULL)
        printf("%.*s deleted\n", STR_ARG(rows_value(rows, 0, 0)));
}

/* --- warm ----------------------------------------------------------------------------------- */

#define SOME_FAILED 1

static void print_results(const struct cachewarm_result *results, size_t n)
{
    printf("%-40s  %8s  %8s  %8s  %8s\n", "operation", "made", "held", "passed", "failed");
    for (size_t i = 0; i < n; i++) {
        const struct cachewarm_result *r = &results[i];

        printf("%-40.*s  %8zu  %8zu  %8zu  %8zu%s%.*s\n", STR_ARG(r->operation_name), r->made,
               r->held, r->passed, r->failed, r->problem.len > 0 ? "  " : "", STR_ARG(r->problem));
    }
}

static void warm_by(struct command_database *d, const struct offline *o)
{
    const struct cache_command *k = CONTAINER_OF(d, struct cache_command, db);
    const struct cachewarm w = {&o->engine, o->auth, d->pool, DEADLINE_NEVER, NULL};
    struct arena *a = d->cc.arena;
    struct cachewarm_result *results;
    struct registered_list what;
    struct str_list tenants;

    if (!cachewarm_documents(&w, k->documents, k->ndocuments, a, &what, &d->cc.errs) ||
        !cachewarm_tenants(&w, k->tenants, k->ntenants, a, &tenants, &d->cc.errs)) {
        d->status = command_status_of_input(&d->cc.errs);
        return;
    }
    results = ARENA_ARRAY(a, size_max(what.n, 1), struct cachewarm_result);
    (void)!cachewarm_run(&w, &what, &tenants, a, results); /* nothing ends it */
    print_results(results, what.n);
    for (size_t i = 0; i < what.n; i++)
        if (results[i].failed > 0)
            d->status = SOME_FAILED;
}

static void warm(struct command_database *d)
{
    struct offline o;

    if (offline_open(&o, d->cc.config, d->pool, d->cc.arena, &d->cc.errs))
        warm_by(d, &o);
    else
        d->status = command_status_of_input(&d->cc.errs);
    offline_close(&o);
}

static int run_warm(struct cache_command *k, int argc, char **argv)
{
    for (size_t i = 0; i < PARTS; i++)
        if (k->all || (k->parts[i] != NULL && i != FLAG_TENANT - FLAG_OPERATION))
            return command_usage(argv[0], "warm takes tenants, and operations by their names");
    k->documents = ARENA_ARRAY(k->db.cc.arena, (size_t)argc, struct str);
    for (int i = optind + 1; i < argc; i++)
        k->documents[k->ndocuments++] = str_of(argv[i]);
    return rows_run(&k->db, warm);
}

/* --- the command ---------------------------------------------------------------------------- */

static bool take_flag(struct cache_command *k, int c)
{
    if (c == FLAG_TENANT)
        k->tenants[k->ntenants++] = str_of(optarg);
    if (c == 'c')
        k->db.cc.from.file = optarg;
    else if (c == FLAG_SET)
        command_config_set(&k->db.cc, optarg);
    else if (c == FLAG_ALL)
        k->all = true;
    else if (c >= FLAG_OPERATION && c < FLAG_OPERATION + PARTS)
        k->parts[c - FLAG_OPERATION] = optarg;
    else
        return false;
    return true;
}

static int take_action(struct cache_command *k, int argc, char **argv)
{
    const char *action = argv[optind];
    bool some = k->all;

    if (action != NULL && strcmp(action, "warm") == 0)
        return run_warm(k, argc, argv);
    if (action == NULL || optind + 1 != argc)
        return command_usage(argv[0], "say what to do: stats, purge or warm");
    if (strcmp(action, "stats") == 0)
        return rows_run(&k->db, show_stats);
    if (strcmp(action, "purge") != 0)
        return command_usage(argv[0], "say what to do: stats, purge or warm");
    if (k->ntenants > 1)
        return command_usage(argv[0], "give one tenant");
    for (size_t i = 0; i < PARTS; i++) {
        if (k->all && k->parts[i] != NULL)
            return command_usage(argv[0], "--all leaves nothing to choose");
        some = some || k->parts[i] != NULL;
    }
    if (!some)
        return command_usage(argv[0], "say which answers: --all deletes every one");
    return rows_run(&k->db, purge);
}

int command_cache(int argc, char **argv)
{
    struct cache_command k = {0};
    int status = -1, c;

    command_config_init(&k.db.cc, argc);
    k.tenants = ARENA_ARRAY(k.db.cc.arena, (size_t)argc, struct str);
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
