/*
 * cache.c - the subcommand that tells how the result cache serves, and empties it.
 *
 * Thread:   main.
 * Not here: what is kept (cache/resultcache.c), what deletes what has expired (jobs/jobs.c).
 */
#include <getopt.h>
#include <sysexits.h>

#include "commands/rows.h"

static const char usage[] =
    "usage: fraiseqld cache stats [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld cache purge --all|[--operation NAME] [--tenant TENANT]\n"
    "           [--relation NAME] [--key KEY] [-c FILE] [--set KEY=VALUE]...\n"
    "\n"
    "stats: what is kept, which tables' changes are noted, and of each operation how\n"
    "often its answer was there (as fraiseql.cache_stats, which daemons add to every\n"
    "ten seconds).\n"
    "purge: delete answers: all, or those that all the options given apply to.\n"
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
    "Exit code: 0 done, 64 usage, 66 the configuration does not exist, 69 the\n"
    "database cannot be reached or the cache is not installed there, 70 it refuses a\n"
    "statement, 78 the configuration is not valid.\n"
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

/* --- the command ---------------------------------------------------------------------------- */

static bool take_flag(struct cache_command *k, int c)
{
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

    if (action == NULL || optind + 1 != argc)
        return command_usage(argv[0], "say what to do: stats or purge");
    if (strcmp(action, "stats") == 0)
        return rows_run(&k->db, show_stats);
    if (strcmp(action, "purge") != 0)
        return command_usage(argv[0], "say what to do: stats or purge");
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
