/*
 * commands.c - the table of subcommands, and what they share.
 *
 * Thread:   main.
 */
#include <errno.h>
#include <stdarg.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

extern char **environ;

/* In the order of the help. */
static const struct command commands[] = {
    {"serve",   "serve GraphQL in the foreground (the default)",                  command_serve  },
    {"check",   "check the configuration (also -t)",                              command_check  },
    {"config",  "print a sample, the effective configuration, or one key's help", command_config },
    {"schema",  "print the schema that the database gives, and what has changed", command_schema },
    {"db",      "install what the daemon keeps in the database",                  command_db     },
    {"explain", "show the SQL, policies and plan of an operation",                command_explain},
    {"turbo",   "register operations that daemons compile at their start",        command_turbo  },
    {"jobs",    "list what daemons run by the clock, and run one now",            command_jobs   },
    {"cache",   "tell how the result cache serves, and empty it",                 command_cache  },
    {"errors",  "show recorded errors, and say what becomes of them",             command_errors },
    {"token",   "make a signed token for development and tests",                  command_token  },
    {"health",  "ask a running daemon whether it is well",                        command_health },
    {"version", "print version and libraries (also -V)",                          command_version},
    {"help",    "print this list, or the help of one command",                    command_help   },
};

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

void command_list(FILE *to)
{
    fputs("usage: fraiseqld [COMMAND] [OPTION]...\n"
          "\n"
          "A GraphQL server for PostgreSQL.\n"
          "\n",
          to);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\n"
          "\"fraiseqld help COMMAND\" says more. Examples:\n"
          "\n"
          "  fraiseqld config example > fraiseqld.yaml\n"
          "  fraiseqld check -c fraiseqld.yaml\n"
          "  fraiseqld serve -c fraiseqld.yaml\n",
          to);
}

int command_help(int argc, char **argv)
{
    const struct command *c;
    char name[64], help[] = "--help";
    char *arguments[] = {name, help, NULL};

    if (argc < 2 || argv[1][0] == '-') {
        command_list(stdout);
        return EX_OK;
    }
    c = command_find(argv[1]);
    if (c == NULL)
        return command_usage("fraiseqld help", "there is no command \"%s\"", argv[1]);
    if (c->run == command_help) {
        command_list(stdout);
        return EX_OK;
    }
    snprintf(name, sizeof(name), "fraiseqld %s", c->name);
    return c->run(2, arguments);
}

static void print_indented(struct str text)
{
    struct str line;

    while (text.len > 0) {
        str_cut(text, '\n', &line, &text);
        fprintf(stderr, "    %.*s\n", STR_ARG(line));
    }
}

void command_print_errors(const struct errors *errs)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next) {
        if (e->file.len > 0)
            fprintf(stderr, "%.*s: ", STR_ARG(e->file));
        else
            fputs("fraiseqld: ", stderr);
        fprintf(stderr, "%.*s\n", STR_ARG(e->message));
        print_indented(e->detail);
        if (e->hint.len > 0)
            fprintf(stderr, "    %.*s\n", STR_ARG(e->hint));
    }
    if (errs->dropped > 0)
        fprintf(stderr, "fraiseqld: %zu more errors\n", errs->dropped);
}

int command_usage(const char *argv0, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", argv0);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "; try \"%s --help\"\n", argv0);
    return EX_USAGE;
}

int command_status_of(const struct errors *errs, int other)
{
    switch ((int)errs->first->code) {
    case CONFIG_INVALID:
        return EX_CONFIG;
    case SERVICE_UNAVAILABLE:
    case TIMEOUT:
        return EX_UNAVAILABLE;
    default:
        return other;
    }
}

int command_status_of_input(const struct errors *errs)
{
    switch ((int)errs->first->code) {
    case BAD_REQUEST:
    case GRAPHQL_PARSE_FAILED:
    case QUERY_TOO_COMPLEX:
    case SCHEMA_INVALID:
        return EX_DATAERR;
    default:
        return command_status_of(errs, EX_SOFTWARE);
    }
}

/* --- configuration --------------------------------------------------------------------- */

void command_config_init(struct command_config *cc, int argc)
{
    *cc = (struct command_config){.arena = arena_new(0)};
    errors_init(&cc->errs, cc->arena);
    cc->settings = ARENA_ARRAY(cc->arena, (size_t)argc + 1, const char *);
    cc->from.settings = cc->settings;
    cc->from.environment = (const char *const *)environ;
}

void command_config_set(struct command_config *cc, const char *setting)
{
    cc->settings[cc->from.nsettings++] = setting;
}

int command_config_load(struct command_config *cc)
{
    const char *named = cc->from.file != NULL ? cc->from.file : getenv("FRAISEQLD_CONFIG");
    bool missing = named != NULL && named[0] != '\0' && access(named, F_OK) != 0;

    if (config_load(&cc->from, &cc->config, &cc->errs))
        return EX_OK;
    return missing ? EX_NOINPUT : EX_CONFIG;
}

void command_config_fini(struct command_config *cc)
{
    config_free(cc->config);
    arena_free(cc->arena);
}
