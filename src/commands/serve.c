/*
 * serve.c - the subcommand that runs the daemon in the foreground.
 *
 * Thread:   main.
 */
#include "commands/commands.h"
#include "server/daemon.h"

#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

extern char **environ;

static const char usage[] =
    "usage: fraiseqld [serve] [-c FILE] [--set KEY=VALUE]...\n"
    "\n"
    "Serve GraphQL from PostgreSQL in the foreground, logging to standard error.\n"
    "\n"
    "  -c, --config FILE    configuration (default $FRAISEQLD_CONFIG, then\n"
    "                       /etc/fraiseqld/fraiseqld.yaml if it is there)\n"
    "      --set KEY=VALUE  override one key, for example database.pool.max=50\n"
    "  -h, --help           show this text\n"
    "\n"
    "SIGTERM drains and stops, SIGINT does so without the delay, a second one\n"
    "stops at once. SIGHUP reads the configuration and the catalog again.\n";

/* False: *status is what to exit with. */
static bool parse_arguments(int argc, char **argv, struct config_sources *from,
                            const char **settings, int *status)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set",    required_argument, NULL, 's'},
        {"help",   no_argument,       NULL, 'h'},
        {NULL,     0,                 NULL, 0  },
    };
    int c;

    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        if (c == 'c') {
            from->file = optarg;
        } else if (c == 's') {
            settings[from->nsettings++] = optarg;
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            *status = c == 'h' ? EX_OK : EX_USAGE;
            return false;
        }
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "fraiseqld serve: unexpected argument \"%s\"\n", argv[optind]);
    *status = EX_USAGE;
    return false;
}

static int serve(const struct config_sources *from, const struct config *config,
                 struct errors *errs)
{
    struct daemon *d;

    log_setup(config->log_level, config->log_format, STDERR_FILENO);
    log_setup_journal(getenv("JOURNAL_STREAM"));
    d = daemon_start(config, errs);
    if (d == NULL) {
        command_print_errors(errs);
        return errs->first->code == CONFIG_INVALID ? EX_CONFIG : EX_OSERR;
    }
    daemon_run(d, from);
    daemon_free(d);
    return EX_OK;
}

int command_serve(int argc, char **argv)
{
    struct arena *a = arena_new(0);
    const char **settings = ARENA_ARRAY(a, (size_t)argc + 1, const char *);
    struct config_sources from = {.settings = settings,
                                  .environment = (const char *const *)environ};
    struct config *config = NULL;
    struct errors errs;
    int status;

    errors_init(&errs, a);
    if (parse_arguments(argc, argv, &from, settings, &status)) {
        if (config_load(&from, &config, &errs)) {
            status = serve(&from, config, &errs);
        } else {
            command_print_errors(&errs);
            status = EX_CONFIG;
        }
    }
    config_free(config);
    arena_free(a);
    return status;
}
