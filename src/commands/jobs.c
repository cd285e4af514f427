/*
 * jobs.c - the subcommand that lists jobs and runs one.
 *
 * Thread:   main.
 * Not here: what jobs do (jobs/jobs.c), when daemons run them (jobs/scheduler.c).
 */
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/offline.h"

#include "base/log.h"
#include "jobs/timezone.h"
#include "server/options.h"

static const char usage[] =
    "usage: fraiseqld jobs list [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld jobs run NAME [-c FILE] [--set KEY=VALUE]...\n"
    "\n"
    "list: what daemons with this configuration run by the clock: name, schedule,\n"
    "when it is due next, and how it went last (of any daemon of this database).\n"
    "run: run one now, whatever its schedule, unless it runs already.\n"
    "\n"
    "  -c, --config FILE     configuration, as for \"serve\"\n"
    "      --set KEY=VALUE   override one key\n"
    "  -h, --help            show this text\n"
    "\n"
    "Exit code: 0 done, 1 the job failed or there is no such job, 64 usage, 66 the\n"
    "configuration does not exist, 69 the database cannot be reached or something is\n"
    "not installed there, 75 the job runs already, 78 the configuration is not valid.\n"
    "\n"
    "Example: fraiseqld jobs run partitions -c fraiseqld.yaml\n";

#define FAILED     1
#define TIMEOUT_MS 10000

enum flag {
    FLAG_SET = 256,
};

static const struct option flags[] = {
    {"config", required_argument, NULL, 'c'     },
    {"set",    required_argument, NULL, FLAG_SET},
    {"help",   no_argument,       NULL, 'h'     },
    {NULL,     0,                 NULL, 0       },
};

struct jobs_command {
    struct command_config cc;
    const char *name; /* NULL: list */
    struct job_list jobs;
    struct pgpool *pool; /* owned */
};

/* --- list ----------------------------------------------------------------------------------- */

/* Rows of name and what its last run was; NULL: there is no history, which was said. */
static const struct pgrows *read_history(struct jobs_command *j)
{
    struct pgsession session = {.role = "", .timeout_ms = TIMEOUT_MS, .read_only = true};
    struct pgstatement statement;
    struct pgcall *call = ARENA_NEW(j->cc.arena, struct pgcall);
    struct pgbatch batch;
    struct errors errs;

    errors_init(&errs, j->cc.arena);
    pgstatement_init(
        &statement,
        STR("select distinct on (r.job) r.job, pg_catalog.format('%s at %s by %s%s', "
            "coalesce(r.outcome, 'running'), "
            "pg_catalog.to_char(r.started_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS\"Z\"'), "
            "r.daemon, case when r.detail <> '' then ': ' || r.detail end) "
            "from fraiseql.job_runs r order by r.job, r.started_at desc, r.run desc"),
        0);
    *call = (struct pgcall){.statement = &statement};
    pgbatch_init(&batch, &session, call, 1, j->cc.arena);
    batch.repeatable = true;
    batch.until = deadline_in_ms(TIMEOUT_MS);
    if (pgpool_run(j->pool, &batch, &errs))
        return call->rows;
    fprintf(stderr, "fraiseqld: there is no history: %.*s\n", STR_ARG(batch.message));
    return NULL;
}

static void print_due(const struct scheduled_job *j)
{
    int64_t due =
        j->off ? CRON_NEVER : cron_next(&j->cron, wall_clock_us() / 1000000, timezone_offset, NULL);
    char text[40] = "never";
    time_t t = (time_t)due;
    struct tm tm;

    if (due != CRON_NEVER && gmtime_r(&t, &tm) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &tm);
    printf("  %-21s", text);
}

static int list(struct jobs_command *j)
{
    const struct pgrows *rows = read_history(j);
    struct pgvalue v[2];

    for (size_t i = 0; i < j->jobs.n; i++) {
        const struct scheduled_job *job = &j->jobs.items[i];

        printf("%-24.*s  %-15.*s", STR_ARG(job->name), STR_ARG(job->schedule));
        print_due(job);
        for (size_t r = 0; rows != NULL && r < pgrows_count(rows); r++) {
            pgrows_row(rows, r, v);
            if (str_eq(str_make(v[0].data, (size_t)v[0].len), job->name))
                printf("  %.*s", (int)v[1].len, v[1].data);
        }
        putchar('\n');
    }
    return rows != NULL ? EX_OK : EX_UNAVAILABLE;
}

/* --- run ------------------------------------------------------------------------------------ */

static int run_one(struct jobs_command *j)
{
    const struct scheduled_job *job = jobs_find(&j->jobs, str_of(j->name));
    struct offline_warm warm = {j->cc.config, j->pool};
    struct job_runner runner = {.pool = j->pool, .warm = offline_run_warm, .warm_ctx = &warm};
    struct str detail;
    enum job_outcome outcome;

    if (job == NULL) {
        fprintf(stderr, "fraiseqld: there is no job \"%s\"; see fraiseqld jobs list\n", j->name);
        return FAILED;
    }
    outcome = job_run(job, &runner, wall_clock_us(), j->cc.arena, &detail);
    fprintf(outcome == JOB_DONE ? stdout : stderr, "%s: %s%s%.*s\n", j->name,
            job_outcome_name(outcome), detail.len > 0 ? ": " : "", STR_ARG(detail));
    switch (outcome) {
    case JOB_DONE:
        return EX_OK;
    case JOB_FAILED:
    case JOB_TIMEOUT:
        return FAILED;
    case JOB_SKIPPED:
    case JOB_TAKEN:
        return EX_TEMPFAIL;
    case JOB_MISSING:
    case JOB_UNAVAILABLE:
        return EX_UNAVAILABLE;
    }
    return EX_SOFTWARE;
}

/* --- the command ---------------------------------------------------------------------------- */

static int run(struct jobs_command *j)
{
    int status = command_config_load(&j->cc);

    if (status == EX_OK) {
        log_setup(LOG_WARN, j->cc.config->log_format, STDERR_FILENO);
        j->pool = options_jobs(j->cc.config, j->cc.arena, &j->jobs, &j->cc.errs)
                      ? options_pool(j->cc.config, j->cc.arena, &j->cc.errs)
                      : NULL;
        if (j->pool == NULL) {
            status = EX_CONFIG;
        } else {
            timezone_set(j->cc.config->jobs_timezone);
            status = j->name != NULL ? run_one(j) : list(j);
        }
    }
    if (errors_any(&j->cc.errs))
        command_print_errors(&j->cc.errs);
    if (j->pool != NULL)
        pgpool_free(j->pool);
    return status;
}

/* The status of wrong arguments, or -1. */
static int take_arguments(struct jobs_command *j, int argc, char **argv)
{
    const char *action = argv[optind];

    if (action != NULL && strcmp(action, "list") == 0)
        return optind + 1 == argc ? -1 : command_usage(argv[0], "unexpected argument");
    if (action == NULL || strcmp(action, "run") != 0)
        return command_usage(argv[0], "say what to do: list or run");
    if (optind + 2 != argc)
        return command_usage(argv[0], "give the name of one job");
    j->name = argv[optind + 1];
    return -1;
}

int command_jobs(int argc, char **argv)
{
    struct jobs_command j = {0};
    int status = -1, c;

    command_config_init(&j.cc, argc);
    while (status < 0 && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            status = EX_OK;
        } else if (c == 'c') {
            j.cc.from.file = optarg;
        } else if (c == FLAG_SET) {
            command_config_set(&j.cc, optarg);
        } else {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    if (status < 0)
        status = take_arguments(&j, argc, argv);
    if (status < 0)
        status = run(&j);
    command_config_fini(&j.cc);
    return status;
}
