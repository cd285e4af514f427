/*
 * cache.c - the subcommand that tells how the result cache serves, and empties it.
 *
 * Thread:   main.
 * Not here: what is kept (cache/resultcache.c), what deletes what has expired (jobs/jobs.c).
 */
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "base/log.h"
#include "server/options.h"

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

#define TIMEOUT_MS 60000

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
    struct command_config cc;
    bool all;
    const char *parts[PARTS]; /* NULL: any */
    struct pgpool *pool;      /* owned */
    int status;
};

static int status_of(const struct pgbatch *b)
{
    static const char *const missing[] = {"3F000", "42P01", "42883", "42703"};

    if (b->outcome != PGBATCH_FAILED)
        return EX_UNAVAILABLE;
    for (size_t i = 0; i < COUNT_OF(missing); i++)
        if (strcmp(b->sqlstate, missing[i]) == 0)
            return EX_UNAVAILABLE;
    return EX_SOFTWARE;
}

/* NULL: it failed, which was said. */
static const struct pgrows *query(struct cache_command *k, const char *sql,
                                  const char *const *params, size_t nparams)
{
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS};
    struct pgstatement *statement = ARENA_NEW(k->cc.arena, struct pgstatement);
    struct pgcall *call = ARENA_NEW(k->cc.arena, struct pgcall);
    struct pgbatch batch;
    struct errors errs;

    errors_init(&errs, k->cc.arena);
    pgstatement_init(statement, str_of(sql), nparams);
    *call = (struct pgcall){.statement = statement, .params = params};
    pgbatch_init(&batch, &session, call, 1, k->cc.arena);
    batch.until = deadline_in_ms(TIMEOUT_MS);
    if (pgpool_run(k->pool, &batch, &errs))
        return call->rows;
    k->status = status_of(&batch);
    fprintf(stderr, "fraiseqld: %.*s\n", STR_ARG(batch.message));
    if (k->status == EX_UNAVAILABLE && batch.outcome == PGBATCH_FAILED)
        fputs("fraiseqld: run \"fraiseqld db install\"\n", stderr);
    return NULL;
}

/* --- stats ---------------------------------------------------------------------------------- */

/* All columns are text; what is null is a dash. */
static void print_rows(const struct pgrows *rows, const char *const *titles, const int *widths)
{
    struct pgvalue v[16];
    size_t n = pgrows_columns(rows);

    CHECK(n <= COUNT_OF(v));
    for (size_t c = 0; c < n; c++)
        printf("%*s%s", widths[c], titles[c], c + 1 < n ? "  " : "\n");
    for (size_t r = 0; r < pgrows_count(rows); r++) {
        pgrows_row(rows, r, v);
        for (size_t c = 0; c < n; c++) {
            struct str text = v[c].len < 0 ? STR("-") : str_make(v[c].data, (size_t)v[c].len);
            int room = abs(widths[c]) - (int)text.len;
            int before = widths[c] > 0 && room > 0 ? room : 0;
            int behind = widths[c] < 0 && room > 0 && c + 1 < n ? room : 0;

            printf("%*s%.*s%*s%s", before, "", STR_ARG(text), behind, "", c + 1 < n ? "  " : "\n");
        }
    }
}

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

static void show_stats(struct cache_command *k)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        const struct pgrows *rows = query(k, tables[i].sql, NULL, 0);

        if (rows == NULL)
            return;
        if (i > 0)
            putchar('\n');
        print_rows(rows, tables[i].titles, tables[i].widths);
    }
}

/* --- purge ---------------------------------------------------------------------------------- */

static void purge(struct cache_command *k)
{
    const struct pgrows *rows =
        query(k,
              "select fraiseql.purge_cache($1::text, $2::text, $3::text::pg_catalog.regclass, "
              "$4::text::uuid)::text",
              k->parts, PARTS);
    struct pgvalue v;

    if (rows == NULL)
        return;
    pgrows_row(rows, 0, &v);
    printf("%.*s deleted\n", (int)v.len, v.data);
}

/* --- the command ---------------------------------------------------------------------------- */

static int run(struct cache_command *k, void (*action)(struct cache_command *k))
{
    k->status = command_config_load(&k->cc);
    if (k->status == EX_OK) {
        log_setup(LOG_WARN, k->cc.config->log_format, STDERR_FILENO);
        k->pool = options_pool(k->cc.config, k->cc.arena, &k->cc.errs);
        if (k->pool == NULL)
            k->status = EX_CONFIG;
        else
            action(k);
    }
    if (errors_any(&k->cc.errs))
        command_print_errors(&k->cc.errs);
    if (k->pool != NULL)
        pgpool_free(k->pool);
    return k->status;
}

static bool take_flag(struct cache_command *k, int c)
{
    if (c == 'c')
        k->cc.from.file = optarg;
    else if (c == FLAG_SET)
        command_config_set(&k->cc, optarg);
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
        return run(k, show_stats);
    if (strcmp(action, "purge") != 0)
        return command_usage(argv[0], "say what to do: stats or purge");
    for (size_t i = 0; i < PARTS; i++) {
        if (k->all && k->parts[i] != NULL)
            return command_usage(argv[0], "--all leaves nothing to choose");
        some = some || k->parts[i] != NULL;
    }
    if (!some)
        return command_usage(argv[0], "say which answers: --all deletes every one");
    return run(k, purge);
}

int command_cache(int argc, char **argv)
{
    struct cache_command k = {0};
    int status = -1, c;

    command_config_init(&k.cc, argc);
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
    command_config_fini(&k.cc);
    return status;
}
