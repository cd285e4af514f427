/*
 * version.c - the subcommand that says what this program was made of.
 *
 * Thread:   main.
 */
#include <getopt.h>
#include <sysexits.h>

#include "commands/commands.h"

#include "base/digest.h"
#include "base/jval.h"
#include "base/jwriter.h"
#include "base/loop.h"
#include "base/yamltree.h"
#include "http/compress.h"
#include "pg/pgversion.h"
#include "server/fetch.h"
#include "version.h"

static const char usage[] =
    "usage: fraiseqld version [--json]\n"
    "       fraiseqld -V\n"
    "\n"
    "Print version, source revision, compiler, and the versions of libraries:\n"
    "compiled against, and running if they differ.\n"
    "\n"
    "      --json    as JSON\n"
    "  -h, --help    show this text\n";

static const struct option flags[] = {
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {NULL,   0,           NULL, 0  },
};

static struct library (*const libraries[])(void) = {
    pgversion_library, loop_library,     jval_library,  digest_library,
    yamltree_library,  compress_library, fetch_library,
};

static void print_text(void)
{
    printf("fraiseqld %s\nrevision  %s\ncompiler  %s\n", FRAISEQLD_VERSION, FRAISEQLD_REVISION,
           FRAISEQLD_COMPILER);
    for (size_t i = 0; i < COUNT_OF(libraries); i++) {
        struct library l = libraries[i]();

        printf("%-9s %s", l.name, l.running);
        if (l.compiled[0] != '\0' && strcmp(l.compiled, l.running) != 0)
            printf(" (compiled against %s)", l.compiled);
        putchar('\n');
    }
}

static void append_member(struct buf *out, const char *name, const char *value)
{
    jwriter_key(out, str_of(name));
    jwriter_string(out, str_of(value));
}

static void print_json(void)
{
    struct buf out = {0};

    buf_append_char(&out, '{');
    append_member(&out, "version", FRAISEQLD_VERSION);
    buf_append_char(&out, ',');
    append_member(&out, "revision", FRAISEQLD_REVISION);
    buf_append_char(&out, ',');
    append_member(&out, "compiler", FRAISEQLD_COMPILER);
    buf_append_lit(&out, ",\"libraries\":[");
    for (size_t i = 0; i < COUNT_OF(libraries); i++) {
        struct library l = libraries[i]();

        buf_append_str(&out, i > 0 ? STR(",{") : STR("{"));
        append_member(&out, "name", l.name);
        if (l.compiled[0] != '\0') {
            buf_append_char(&out, ',');
            append_member(&out, "compiled", l.compiled);
        }
        buf_append_char(&out, ',');
        append_member(&out, "running", l.running);
        buf_append_char(&out, '}');
    }
    buf_append_lit(&out, "]}\n");
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
}

int command_version(int argc, char **argv)
{
    bool json = false;
    int c;

    while ((c = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            return EX_OK;
        }
        if (c != 'j')
            return command_usage(argv[0], "wrong arguments");
        json = true;
    }
    if (optind < argc)
        return command_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (json)
        print_json();
    else
        print_text();
    return EX_OK;
}
