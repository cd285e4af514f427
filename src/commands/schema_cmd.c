/*
 * schema_cmd.c - the subcommand that prints the schema a database gives, and compares it.
 *
 * Thread:   main.
 * Not here: reading the catalog (jobs/schema_watch.c), writing SDL (schema/sdlprint.c),
 *           what changes are (schema/schemadiff.c).
 */
#include <errno.h>
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "base/jwriter.h"
#include "base/readfile.h"
#include "execution/bind.h"
#include "execution/response.h"
#include "jobs/schema_watch.h"
#include "planner/planner.h"
#include "schema/schemadiff.h"
#include "schema/sdlprint.h"
#include "server/options.h"

static const char usage[] =
    "usage: fraiseqld schema print [-c FILE] [--set KEY=VALUE]... [--role ROLE]\n"
    "           [--format sdl|json | --from-db]\n"
    "       fraiseqld schema diff [-c FILE] [--set KEY=VALUE]... [--role ROLE]\n"
    "           [--format text|json] OLD [NEW]\n"
    "\n"
    "print: connect to the database, read its catalog as \"serve\" would, and print\n"
    "the schema that comes of it.\n"
    "diff: tell what has changed since OLD, a file with what print has printed, in\n"
    "either format (- is standard input): what breaks clients, what may surprise\n"
    "them, and what does no harm. NEW is such a file too, and the database's schema\n"
    "if it is left out.\n"
    "\n"
    "  -c, --config FILE    configuration, as for \"serve\"\n"
    "      --set KEY=VALUE  override one key\n"
    "      --format FORMAT  of print: sdl (default), or json: the answer to the\n"
    "                       introspection query of most tools; of diff: text\n"
    "                       (default), or json\n"
    "      --role ROLE      as that role of the database sees it\n"
    "      --from-db        the file for schema.sdl_file that makes the same of this\n"
    "                       database; one that is configured is not looked at\n"
    "  -h, --help           show this text\n"
    "\n"
    "Exit code: 0 printed, or nothing breaks clients; 1 something does, 64 usage, 65\n"
    "the catalog or file gives no legal schema, 66 the configuration or file does not\n"
    "exist, 69 the database cannot be reached, 78 the configuration is not valid.\n"
    "\n"
    "Example: fraiseqld schema print -c fraiseqld.yaml > schema.graphql\n"
    "         fraiseqld schema diff -c fraiseqld.yaml schema.graphql\n";

/* What clients' tools ask for, and all there is to know (specification section 4). */
static const char introspection[] =
    "query IntrospectionQuery {\n"
    "  __schema {\n"
    "    description\n"
    "    queryType { name kind }\n"
    "    mutationType { name kind }\n"
    "    subscriptionType { name kind }\n"
    "    types { ...FullType }\n"
    "    directives {\n"
    "      name description isRepeatable locations\n"
    "      args(includeDeprecated: true) { ...InputValue }\n"
    "    }\n"
    "  }\n"
    "}\n"
    "fragment FullType on __Type {\n"
    "  kind name description specifiedByURL isOneOf\n"
    "  fields(includeDeprecated: true) {\n"
    "    name description isDeprecated deprecationReason\n"
    "    args(includeDeprecated: true) { ...InputValue }\n"
    "    type { ...TypeRef }\n"
    "  }\n"
    "  inputFields(includeDeprecated: true) { ...InputValue }\n"
    "  interfaces { ...TypeRef }\n"
    "  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }\n"
    "  possibleTypes { ...TypeRef }\n"
    "}\n"
    "fragment InputValue on __InputValue {\n"
    "  name description defaultValue isDeprecated deprecationReason type { ...TypeRef }\n"
    "}\n"
    "fragment TypeRef on __Type {\n"
    "  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name\n"
    "    ofType { kind name ofType { kind name ofType { kind name ofType { kind name\n"
    "      ofType { kind name } } } } } } } } }\n"
    "}\n";

enum {
    STATUS_BREAKING = 1,
};

#define MAX_SCHEMA ((size_t)256 * 1024 * 1024)

enum flag {
    FLAG_SET = 256,
    FLAG_FORMAT,
    FLAG_ROLE,
    FLAG_FROM_DB,
};

struct request {
    const char *role;   /* NULL: that of the configuration */
    const char *format; /* NULL: the default */
    bool from_db;
};

static const struct option flags[] = {
    {"config",  required_argument, NULL, 'c'         },
    {"set",     required_argument, NULL, FLAG_SET    },
    {"format",  required_argument, NULL, FLAG_FORMAT },
    {"role",    required_argument, NULL, FLAG_ROLE   },
    {"from-db", no_argument,       NULL, FLAG_FROM_DB},
    {"help",    no_argument,       NULL, 'h'         },
    {NULL,      0,                 NULL, 0           },
};

/* {"data":{"__schema":…}}: the daemon's own way to answer, but that nobody asked for it by HTTP. */
static void print_json(const struct schema *s, struct arena *a, struct buf *out,
                       struct errors *errs)
{
    static const struct parse_limits no_parse_limits;
    static const struct validate_limits no_limits;
    struct validate_input in = {
        .schema = s,
        .text = str_of(introspection),
        .parse_limits = &no_parse_limits,
        .limits = &no_limits,
    };
    const struct operation *op = validate(&in, errs);
    const char *const *params;
    const struct plan *plan;
    struct variables none;

    CHECK(op != NULL && variables_coerce(op, NULL, a, &none, errs));
    plan = planner_compile(op, &none, errs);
    CHECK(plan != NULL && bind_parameters(plan, &none, a, &params, errs));
    CHECK(response_data(plan, params, NULL, false, out, errs));
    buf_append_char(out, '\n');
    plan_unref(plan);
    operation_unref(op);
}

/* NULL, with errors: CONFIG_INVALID, SERVICE_UNAVAILABLE, SCHEMA_INVALID or what the database said.
 */
static const struct schema *load(struct command_config *cc, const struct request *r)
{
    struct schema_watch_options opt = options_schema_watch(cc->config, cc->arena);
    const struct schema *s;

    if (r->from_db)
        opt.sdl_file = STR("");

    opt.pool = options_pool(cc->config, cc->arena, &cc->errs);
    if (opt.pool == NULL)
        return NULL;
    if (r->role != NULL) {
        opt.roles = &r->role;
        opt.nroles = 1;
    }
    s = schema_load(&opt, 0, &cc->errs);
    pgpool_free(opt.pool);
    return s;
}

static int status_of(const struct errors *errs)
{
    if (errs->first->code == CONFIG_INVALID)
        return EX_CONFIG;
    return errs->first->code == SCHEMA_INVALID ? EX_DATAERR : EX_UNAVAILABLE;
}

/* EX_OK, or what the command ends with. */
static int open_schema(struct command_config *cc, const struct request *r,
                       const struct schema **out)
{
    int status = command_config_load(cc);

    if (status != EX_OK)
        return status;
    /* What is wrong is printed once, by us. */
    log_setup(LOG_ERROR, cc->config->log_format, STDERR_FILENO);
    *out = load(cc, r);
    return *out != NULL ? EX_OK : status_of(&cc->errs);
}

static int write_out(const struct buf *out)
{
    if (out->len == 0 ||
        (fwrite(out->data, 1, out->len, stdout) == out->len && fflush(stdout) == 0))
        return EX_OK;
    fputs("fraiseqld: could not write to standard output\n", stderr);
    return EX_IOERR;
}

static bool wants(const struct request *r, const char *format)
{
    return r->format != NULL && strcmp(r->format, format) == 0;
}

static int print(struct command_config *cc, const struct request *r)
{
    const struct schema *s = NULL;
    int status = open_schema(cc, r, &s);
    struct buf out;

    if (status != EX_OK) {
        command_print_errors(&cc->errs);
        return status;
    }
    buf_init(&out, 0);
    if (r->from_db)
        schema_print_source(s, &out);
    else if (wants(r, "json"))
        print_json(s, cc->arena, &out, &cc->errs);
    else
        schema_print(s, &out);
    status = write_out(&out);
    buf_fini(&out);
    schema_unref(s);
    return status;
}

/* --- diff ------------------------------------------------------------------------------- */

static int read_side(struct command_config *cc, const char *path, struct schemadiff_side *out)
{
    struct sourcetext *source = ARENA_NEW(cc->arena, struct sourcetext);
    bool ok;

    *source = (struct sourcetext){.name = str_of(path), .code = SCHEMA_INVALID};
    ok = strcmp(path, "-") == 0
             ? readfile_descriptor(STDIN_FILENO, MAX_SCHEMA, cc->arena, &source->text)
             : readfile(path, MAX_SCHEMA, cc->arena, &source->text);
    if (!ok) {
        errors_add(&cc->errs, SCHEMA_INVALID, "could not read \"%s\": %s", path, strerror(errno));
        return EX_NOINPUT;
    }
    if (source->text.len > MAX_SCHEMA) {
        errors_add(&cc->errs, SCHEMA_INVALID, "\"%s\" is larger than %zu bytes", path, MAX_SCHEMA);
        return EX_DATAERR;
    }
    return schemadiff_read(source, cc->arena, out, &cc->errs) ? EX_OK : EX_DATAERR;
}

/* The database's schema as clients see it. */
static int read_database(struct command_config *cc, const struct request *r,
                         struct schemadiff_side *out)
{
    struct sourcetext *source = ARENA_NEW(cc->arena, struct sourcetext);
    const struct schema *s = NULL;
    int status = open_schema(cc, r, &s);
    struct buf text;

    if (status != EX_OK)
        return status;
    buf_init(&text, 0);
    schema_print(s, &text);
    schema_unref(s);
    *source = (struct sourcetext){STR("the database's schema"),
                                  arena_dup(cc->arena, buf_str(&text)), SCHEMA_INVALID};
    buf_fini(&text);
    CHECK(schemadiff_read(source, cc->arena, out, &cc->errs));
    return EX_OK;
}

static void print_changes(const struct schema_changes *l, struct buf *out)
{
    static const char *const severities[] = {"breaking", "dangerous", "safe"};
    size_t i;

    for (i = 0; i < l->n; i++)
        buf_printf(out, "%-9s  %.*s\n", severities[l->items[i].severity],
                   STR_ARG(l->items[i].description));
}

static void print_json_changes(const struct schema_changes *l, struct buf *out)
{
    static const char *const severities[] = {"{\"breaking\":[", "],\"dangerous\":[",
                                             "],\"safe\":["};
    int severity;
    size_t i;

    for (severity = CHANGE_BREAKING; severity <= CHANGE_SAFE; severity++) {
        const char *between = "";

        buf_printf(out, "%s", severities[severity]);
        for (i = 0; i < l->n; i++) {
            if ((int)l->items[i].severity != severity)
                continue;
            buf_printf(out, "%s{\"type\":\"%s\",\"description\":", between, l->items[i].type);
            jwriter_string(out, l->items[i].description);
            buf_append_char(out, '}');
            between = ",";
        }
    }
    buf_append_lit(out, "]}\n");
}

static int diff(struct command_config *cc, const struct request *r, const char *before,
                const char *after)
{
    struct schemadiff_side sides[2];
    struct schema_changes changes;
    struct buf out;
    int status = read_side(cc, before, &sides[0]);

    if (status == EX_OK)
        status = after != NULL ? read_side(cc, after, &sides[1]) : read_database(cc, r, &sides[1]);
    if (status != EX_OK) {
        command_print_errors(&cc->errs);
        return status;
    }
    schemadiff_compare(&sides[0], &sides[1], cc->arena, &changes);
    buf_init(&out, 0);
    if (wants(r, "json"))
        print_json_changes(&changes, &out);
    else
        print_changes(&changes, &out);
    status = write_out(&out);
    buf_fini(&out);
    if (status == EX_OK && changes.n > 0 && changes.items[0].severity == CHANGE_BREAKING)
        status = STATUS_BREAKING;
    return status;
}

static int run(struct command_config *cc, const struct request *r, int n, char **words,
               const char *argv0)
{
    bool json = wants(r, "json");

    if (n == 1 && strcmp(words[0], "print") == 0) {
        if (r->format != NULL && !json && !wants(r, "sdl"))
            return command_usage(argv0, "no such format");
        if (r->format != NULL && r->from_db)
            return command_usage(argv0, "--format and --from-db do not go together");
        return print(cc, r);
    }
    if ((n == 2 || n == 3) && strcmp(words[0], "diff") == 0) {
        if (r->format != NULL && !json && !wants(r, "text"))
            return command_usage(argv0, "no such format");
        if (r->from_db)
            return command_usage(argv0, "--from-db is for print");
        return diff(cc, r, words[1], n == 3 ? words[2] : NULL);
    }
    return command_usage(argv0, "say print, or diff and a file");
}

int command_schema(int argc, char **argv)
{
    struct command_config cc;
    struct request r = {0};
    int status = EX_OK, c;

    command_config_init(&cc, argc);
    while (status == EX_OK && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'c') {
            cc.from.file = optarg;
        } else if (c == FLAG_SET) {
            command_config_set(&cc, optarg);
        } else if (c == FLAG_FORMAT) {
            r.format = optarg;
        } else if (c == FLAG_FROM_DB) {
            r.from_db = true;
        } else if (c == FLAG_ROLE) {
            r.role = optarg;
        } else if (c == 'h') {
            fputs(usage, stdout);
            command_config_fini(&cc);
            return EX_OK;
        } else {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    if (status == EX_OK)
        status = run(&cc, &r, argc - optind, argv + optind, argv[0]);
    command_config_fini(&cc);
    return status;
}
