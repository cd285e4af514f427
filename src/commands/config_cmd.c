/*
 * config_cmd.c - the subcommand that prints about configuration.
 *
 * Thread:   main.
 */
#include <getopt.h>
#include <sysexits.h>

#include "commands/commands.h"

static const char usage[] =
    "usage: fraiseqld config example|schema|reference\n"
    "       fraiseqld config dump [-c FILE] [--set KEY=VALUE]...\n"
    "       fraiseqld config explain KEY\n"
    "\n"
    "  example    every option with its default and what it does, as YAML\n"
    "  schema     a JSON Schema of the file, for editors and CI\n"
    "  reference  every option in tables, as Markdown\n"
    "  dump       the effective configuration and where each value came from;\n"
    "             secrets are not shown\n"
    "  explain    type, default, range and meaning of a key or of a section\n"
    "\n"
    "  -c, --config FILE    configuration, as for \"serve\"\n"
    "      --set KEY=VALUE  override one key\n"
    "  -h, --help           show this text\n"
    "\n"
    "Example: fraiseqld config explain database.pool.max\n";

enum flag {
    FLAG_SET = 256,
};

static const struct option flags[] = {
    {"config", required_argument, NULL, 'c'     },
    {"set",    required_argument, NULL, FLAG_SET},
    {"help",   no_argument,       NULL, 'h'     },
    {NULL,     0,                 NULL, 0       },
};

static int print(void (*write)(struct buf *out))
{
    struct buf out = {0};

    write(&out);
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
    return EX_OK;
}

static int print_dump(struct command_config *cc)
{
    struct buf out = {0};
    int status = command_config_load(cc);

    if (status != EX_OK) {
        command_print_errors(&cc->errs);
        return status;
    }
    config_dump(cc->config, &out);
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
    return EX_OK;
}

static int explain(const char *key)
{
    struct buf out = {0};
    bool found = config_explain(str_of(key), &out);

    if (found)
        fputs(buf_cstr(&out), stdout);
    else
        fprintf(stderr, "fraiseqld: there is no option \"%s\"%s%s\n", key, out.len > 0 ? "; " : "",
                buf_cstr(&out));
    buf_fini(&out);
    return found ? EX_OK : EX_DATAERR;
}

/* What does not depend on any configuration. */
static const struct {
    const char *name;
    void (*write)(struct buf *out);
} texts[] = {
    {"example",   config_example  },
    {"schema",    config_schema   },
    {"reference", config_reference},
};

static int run(struct command_config *cc, int argc, char **argv)
{
    const char *what = optind < argc ? argv[optind] : "";
    int left = argc - optind - 1;

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (strcmp(what, texts[i].name) == 0 && left == 0)
            return print(texts[i].write);
    if (strcmp(what, "dump") == 0 && left == 0)
        return print_dump(cc);
    if (strcmp(what, "explain") == 0 && left == 1)
        return explain(argv[optind + 1]);
    return command_usage(argv[0], "say example, schema, reference, dump or explain KEY");
}

int command_config(int argc, char **argv)
{
    struct command_config cc;
    int status = EX_OK, c;

    command_config_init(&cc, argc);
    while (status == EX_OK && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'c') {
            cc.from.file = optarg;
        } else if (c == FLAG_SET) {
            command_config_set(&cc, optarg);
        } else if (c == 'h') {
            fputs(usage, stdout);
            command_config_fini(&cc);
            return EX_OK;
        } else {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    if (status == EX_OK)
        status = run(&cc, argc, argv);
    command_config_fini(&cc);
    return status;
}
