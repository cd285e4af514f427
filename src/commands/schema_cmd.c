/*
 * schema_cmd.c - the subcommand that prints the schema a database gives.
 *
 * Thread:   main.
 * Not here: reading the catalog (jobs/schema_watch.c), writing SDL (schema/sdlprint.c).
 */
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "execution/bind.h"
#include "execution/response.h"
#include "jobs/schema_watch.h"
#include "planner/planner.h"
#include "schema/sdlprint.h"
#include "server/options.h"

static const char usage[] =
    "usage: fraiseqld schema print [-c FILE] [--set KEY=VALUE]... [--role ROLE]\n"
    "           [--format sdl|json | --from-db]\n"
    "\n"
    "Connect to the database, read its catalog as \"serve\" would, and print the\n"
    "schema that comes of it.\n"
    "\n"
    "  -c, --config FILE    configuration, as for \"serve\"\n"
    "      --set KEY=VALUE  override one key\n"
    "      --format FORMAT  sdl (default), or json: the answer to the introspection\n"
    "                       query of most tools\n"
    "      --role ROLE      as that role of the database sees it\n"
    "      --from-db        the file for schema.sdl_file that makes the same of this\n"
    "                       database; one that is configured is not looked at\n"
    "  -h, --help           show this text\n"
    "\n"
    "Exit code: 0 printed, 64 usage, 65 the catalog gives no legal schema, 66 the\n"
    "configuration does not exist, 69 the database cannot be reached, 78 the\n"
    "configuration is not valid.\n"
    "\n"
    "Example: fraiseqld schema print -c fraiseqld.yaml > schema.graphql\n";

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

enum flag {
    FLAG_SET = 256,
    FLAG_FORMAT,
    FLAG_ROLE,
    FLAG_FROM_DB,
};

struct request {
    const char *role; /* NULL: that of the configuration */
    enum print_form {
        PRINT_SDL,
        PRINT_JSON,
        PRINT_SOURCE,
    } form;
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

    if (r->form == PRINT_SOURCE)
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

static int print(struct command_config *cc, const struct request *r)
{
    int status = command_config_load(cc);
    const struct schema *s = NULL;
    struct buf out;

    if (status == EX_OK) {
        /* What is wrong is printed once, by us. */
        log_setup(LOG_ERROR, cc->config->log_format, STDERR_FILENO);
        s = load(cc, r);
        status = s != NULL ? EX_OK : status_of(&cc->errs);
    }
    if (status != EX_OK) {
        command_print_errors(&cc->errs);
        return status;
    }
    buf_init(&out, 0);
    switch (r->form) {
    case PRINT_SDL:
        schema_print(s, &out);
        break;
    case PRINT_JSON:
        print_json(s, cc->arena, &out, &cc->errs);
        break;
    case PRINT_SOURCE:
        schema_print_source(s, &out);
        break;
    }
    if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0) {
        fputs("fraiseqld: could not write to standard output\n", stderr);
        status = EX_IOERR;
    }
    buf_fini(&out);
    schema_unref(s);
    return status;
}

int command_schema(int argc, char **argv)
{
    struct command_config cc;
    int status = EX_OK, c;
    struct request r = {0};

    command_config_init(&cc, argc);
    while (status == EX_OK && (c = getopt_long(argc, argv, "c:h", flags, NULL)) != -1) {
        if (c == 'c') {
            cc.from.file = optarg;
        } else if (c == FLAG_SET) {
            command_config_set(&cc, optarg);
        } else if (c == FLAG_FORMAT &&
                   (strcmp(optarg, "json") == 0 || strcmp(optarg, "sdl") == 0)) {
            r.form = optarg[0] == 'j' ? PRINT_JSON : PRINT_SDL;
        } else if (c == FLAG_FROM_DB) {
            r.form = PRINT_SOURCE;
        } else if (c == FLAG_ROLE) {
            r.role = optarg;
        } else if (c == 'h') {
            fputs(usage, stdout);
            command_config_fini(&cc);
            return EX_OK;
        } else {
            status =
                command_usage(argv[0], c == FLAG_FORMAT ? "no such format" : "wrong arguments");
        }
    }
    if (status == EX_OK && (optind != argc - 1 || strcmp(argv[optind], "print") != 0))
        status = command_usage(argv[0], "say print");
    if (status == EX_OK)
        status = print(&cc, &r);
    command_config_fini(&cc);
    return status;
}
