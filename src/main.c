/*
 * main.c - finds the subcommand and runs it.
 *
 * Thread:   main.
 */
#include <sysexits.h>

#include "commands/commands.h"

/* Flags that stand for a command. */
static const char *const aliases[][2] = {
    {"-t",             "check"  },
    {"--check-config", "check"  },
    {"-V",             "version"},
    {"--version",      "version"},
    {"-h",             "help"   },
    {"--help",         "help"   },
};

/* The command meant; *skip: how many arguments name it. NULL: there is none of that name. */
static const struct command *choose(int argc, char **argv, int *skip)
{
    *skip = 1;
    if (argc < 2) {
        *skip = 0;
        return command_find("serve");
    }
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (strcmp(argv[1], aliases[i][0]) == 0)
            return command_find(aliases[i][1]);
    if (argv[1][0] == '-') {
        *skip = 0;
        return command_find("serve");
    }
    return command_find(argv[1]);
}

int main(int argc, char **argv)
{
    const struct command *command;
    char name[64];
    int skip;

    if (argc < 1)
        return EX_USAGE;
    command = choose(argc, argv, &skip);
    if (command == NULL)
        return command_usage("fraiseqld", "there is no command \"%s\"", argv[1]);
    snprintf(name, sizeof(name), "fraiseqld %s", command->name);
    argv += skip;
    argv[0] = name;
    return command->run(argc - skip, argv);
}
