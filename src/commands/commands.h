/*
 * commands.h - the subcommands of the program, and what they share.
 *
 * Thread:   main.
 * Not here: what they do (one file each).
 *
 * A command returns the exit code of the process, of <sysexits.h>. Data goes to
 * standard output, everything for people to standard error.
 */
#ifndef COMMANDS_COMMANDS_H
#define COMMANDS_COMMANDS_H

#include "base/error.h"
#include "config/config.h"

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv); /* argv[0]: "fraiseqld NAME" */
};

/* NULL: there is none. */
const struct command *command_find(const char *name);
/* All of them, one line each. */
void command_list(FILE *to);

int command_serve(int argc, char **argv);
int command_check(int argc, char **argv);
int command_config(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_db(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_turbo(int argc, char **argv);
int command_jobs(int argc, char **argv);
int command_cache(int argc, char **argv);
int command_errors(int argc, char **argv);
int command_token(int argc, char **argv);
int command_health(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help(int argc, char **argv);

/* Every error with its place, the source line and the hint, to standard error. */
void command_print_errors(const struct errors *errs);
/* The exit code for the first of them; other: for what is neither the configuration's fault nor the
 * database's. */
int command_status_of(const struct errors *errs, int other);
/* The same of a command that reads documents, which may be at fault. */
int command_status_of_input(const struct errors *errs);
/* One line that says how to get help, after a usage error; returns its exit code. */
int command_usage(const char *argv0, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* -c and --set, which several commands take. */
struct command_config {
    struct arena *arena; /* owned */
    struct errors errs;
    struct config_sources from;
    const char **settings;
    struct config *config; /* owned */
};

void command_config_init(struct command_config *cc, int argc);
void command_config_set(struct command_config *cc, const char *setting);
/* EX_OK; else the errors were found: EX_NOINPUT when the file named does not exist, or EX_CONFIG.
 */
int command_config_load(struct command_config *cc);
void command_config_fini(struct command_config *cc);

#endif
