/*
 * rows.h - what commands that ask the database share.
 *
 * Thread:   main.
 * Memory:   rows are in the configuration's arena.
 * Not here: what is asked.
 */
#ifndef COMMANDS_ROWS_H
#define COMMANDS_ROWS_H

#include "commands/commands.h"
#include "pg/pgpool.h"

struct command_database {
    struct command_config cc;
    struct pgpool *pool; /* owned */
    int status;          /* of the command */
};

/* With the configuration and a pool of it; the status is the exit code. */
int rows_run(struct command_database *d, void (*action)(struct command_database *d));
/* All columns of a statement should be text. NULL: it failed, which was said, and has a status. */
const struct pgrows *rows_query(struct command_database *d, const char *sql,
                                const char *const *params, size_t nparams);
/* Empty for null. */
struct str rows_value(const struct pgrows *rows, size_t row, size_t column);
/* A table with titles. Widths below 0: to the left. What is null is a dash. */
void rows_print(const struct pgrows *rows, const char *const *titles, const int *widths);

#endif
