/*
 * check.c - the subcommand that checks the configuration.
 *
 * Thread:   main.
 */
#include <getopt.h>
#include <sysexits.h>

#include "commands/commands.h"

#include "base/jwriter.h"
#include "server/options.h"

static const char usage[] =
    "usage: fraiseqld check [-c FILE] [--set KEY=VALUE]... [--format text|json]\n"
    "       fraiseqld -t [-c FILE]\n"
    "\n"
    "Read the configuration as \"serve\" would, and say all that is wrong with it.\n"
    "\n"
    "  -c, --config FILE    configuration (default $FRAISEQLD_CONFIG, then\n"
    "                       /etc/fraiseqld/fraiseqld.yaml if it is there)\n"
    "      --set KEY=VALUE  override one key\n"
    "      --format FORMAT  text (default) or json, to standard output\n"
    "      --dump           print the effective configuration, with origins\n"
    "  -h, --help           show this text\n"
    "\n"
    "Exit code: 0 valid, 64 usage, 66 the file does not exist, 78 not valid.\n";

enum flag {
    FLAG_SET = 256,
    FLAG_FORMAT,
    FLAG_DUMP,
};

static const struct option flags[] = {
    {"config", required_argument, NULL, 'c'        },
    {"set",    required_argument, NULL, FLAG_SET   },
    {"format", required_argument, NULL, FLAG_FORMAT},
    {"dump",   no_argument,       NULL, FLAG_DUMP  },
    {"help",   no_argument,       NULL, 'h'        },
    {NULL,     0,                 NULL, 0          },
};

static void print_json_errors(const struct errors *errs, struct buf *out)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next) {
        buf_append_str(out, e == errs->first ? STR("") : STR(","));
        buf_append_lit(out, "{\"message\":");
        jwriter_string(out, e->message);
        buf_append_lit(out, ",\"place\":");
        jwriter_string(out, e->file);
        if (e->nlocations > 0)
            buf_printf(out, ",\"line\":%u,\"column\":%u", e->locations[0].line,
                       e->locations[0].column);
        if (e->hint.len > 0) {
            buf_append_lit(out, ",\"hint\":");
            jwriter_string(out, e->hint);
        }
        buf_append_char(out, '}');
    }
}

static void report(const struct command_config *cc, int status, bool json)
{
    struct buf out = {0};

    if (!json) {
        command_print_errors(&cc->errs);
        if (status == EX_OK)
            fputs("fraiseqld: the configuration is valid\n", stderr);
        return;
    }
    buf_append_lit(&out, "{\"valid\":");
    jwriter_bool(&out, status == EX_OK);
    buf_append_lit(&out, ",\"errors\":[");
    print_json_errors(&cc->errs, &out);
    buf_append_lit(&out, "]}\n");
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
}

/* What the modules say to their part: EX_OK or EX_CONFIG. */
static int check_modules(struct command_config *cc)
{
    struct auth *auth = options_auth(cc->config, cc->arena, &cc->errs);

    const struct graphiql *page;
    bool page_ok = options_graphiql(cc->config, cc->arena, &page, &cc->errs);

    auth_free(auth);
    return auth != NULL && page_ok ? EX_OK : EX_CONFIG;
}

static void dump(const struct config *c)
{
    struct buf out = {0};

    config_dump(c, &out);
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
}

int command_check(int argc, char **argv)
{
    struct command_config cc;
    bool json = false, with_dump = false;
    int status = EX_OK, c;

    command_config_init(&cc, argc);
    while (status == EX_OK && (c = getopt_long(argc, argv, "c:ht", flags, NULL)) != -1) {
        if (c == 'c') {
            cc.from.file = optarg;
        } else if (c == FLAG_SET) {
            command_config_set(&cc, optarg);
        } else if (c == FLAG_DUMP) {
            with_dump = true;
        } else if (c == FLAG_FORMAT &&
                   (strcmp(optarg, "json") == 0 || strcmp(optarg, "text") == 0)) {
            json = optarg[0] == 'j';
        } else if (c == 'h') {
            fputs(usage, stdout);
            command_config_fini(&cc);
            return EX_OK;
        } else if (c != 't') {
            status =
                command_usage(argv[0], c == FLAG_FORMAT ? "no such format" : "wrong arguments");
        }
    }
    if (status == EX_OK && optind < argc)
        status = command_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (status == EX_OK) {
        status = command_config_load(&cc);
        if (status == EX_OK)
            status = check_modules(&cc);
        if (status == EX_OK && with_dump)
            dump(cc.config);
        else
            report(&cc, status, json);
    }
    command_config_fini(&cc);
    return status;
}
