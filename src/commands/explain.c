/*
 * explain.c - the subcommand that shows what becomes of an operation: SQL, parameters, policies,
 * plan.
 *
 * Thread:   main.
 * Not here: compiling (planner/), running operations (execution/).
 *
 * It goes the way a request goes, with the same functions, up to the statements;
 * these PostgreSQL explains in the session that the identity would have.
 */
#include <getopt.h>
#include <sysexits.h>
#include <unistd.h>

#include "commands/commands.h"

#include "execution/authorize.h"
#include "execution/bind.h"
#include "execution/session.h"
#include "jobs/schema_watch.h"
#include "planner/planner.h"
#include "schema/authrule.h"
#include "server/options.h"
#include "validation/complexity.h"

static const char usage[] =
    "usage: fraiseqld explain (-e DOCUMENT | -q FILE) [-c FILE] [--set KEY=VALUE]...\n"
    "           [--operation NAME] [--vars JSON] [--claims JSON] [--analyze]\n"
    "\n"
    "Show what becomes of a GraphQL operation: its complexity, the session it runs\n"
    "in, its SQL with the parameters, the policies that hold it, and PostgreSQL's\n"
    "plan.\n"
    "\n"
    "  -e, --execute DOCUMENT  the GraphQL document\n"
    "  -q, --query FILE        read it from a file\n"
    "      --operation NAME    which operation, if there are several\n"
    "      --vars JSON         values of variables, an object; @FILE reads a file\n"
    "      --claims JSON       claims as in a token, an object; @FILE reads a file\n"
    "      --analyze           run a query, and show what it took\n"
    "  -c, --config FILE       configuration, as for \"serve\"\n"
    "      --set KEY=VALUE     override one key\n"
    "  -h, --help              show this text\n"
    "\n"
    "A mutation is never run, and its statements have no plan.\n"
    "\n"
    "Exit code: 0 explained, 64 usage, 65 the operation (or the catalog) is not\n"
    "legal, 66 a file does not exist, 69 the database cannot be reached, 78 the\n"
    "configuration is not valid.\n"
    "\n"
    "Example: fraiseqld explain -c fraiseqld.yaml -e '{ tasks { id } }' \\\n"
    "             --claims '{\"sub\": \"u1\", \"tenant_id\": \"t1\"}'\n";

/* Relations of a plan in JSON ($1), each with the policies under which the current role reads it.
 */
static const char policies_sql[] =
    "select pg_catalog.format('%I.%I', n.nspname, c.relname) || case\n"
    "         when not c.relrowsecurity then ' has no row-level security'\n"
    "         when not pg_catalog.row_security_active(c.oid) then ' has row-level security, which "
    "does not "
    "hold this role'\n"
    "         when p.policyname is null then ' has no policy for this role: no rows'\n"
    "         else pg_catalog.format(' %s %I: %s', pg_catalog.lower(p.permissive), p.policyname, "
    "p.qual) end\n"
    "  from (select distinct x ->> 'Schema' as nspname, x ->> 'Relation Name' as relname\n"
    "          from pg_catalog.jsonb_path_query($1::jsonb, 'strict $.**') x\n"
    "         where pg_catalog.jsonb_typeof(x) = 'object' and x ? 'Relation Name') u\n"
    "  join pg_catalog.pg_namespace n on n.nspname = u.nspname\n"
    "  join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = u.relname\n"
    "  left join pg_catalog.pg_policies p\n"
    "         on p.schemaname = u.nspname and p.tablename = u.relname and p.cmd in ('ALL', "
    "'SELECT')\n"
    "        and exists (select from pg_catalog.unnest(p.roles) r (name)\n"
    "                     where r.name = 'public' or pg_catalog.pg_has_role(current_user, r.name, "
    "'usage'))\n"
    " order by n.nspname, c.relname, p.policyname";

enum flag {
    FLAG_SET = 256,
    FLAG_OPERATION,
    FLAG_VARS,
    FLAG_CLAIMS,
    FLAG_ANALYZE,
};

static const struct option flags[] = {
    {"config",    required_argument, NULL, 'c'           },
    {"set",       required_argument, NULL, FLAG_SET      },
    {"execute",   required_argument, NULL, 'e'           },
    {"query",     required_argument, NULL, 'q'           },
    {"operation", required_argument, NULL, FLAG_OPERATION},
    {"vars",      required_argument, NULL, FLAG_VARS     },
    {"claims",    required_argument, NULL, FLAG_CLAIMS   },
    {"analyze",   no_argument,       NULL, FLAG_ANALYZE  },
    {"help",      no_argument,       NULL, 'h'           },
    {NULL,        0,                 NULL, 0             },
};

struct explain {
    struct command_config cc;
    struct str document;
    const char *document_file;
    const char *operation_name;
    const char *variables_text;
    const char *claims_text;
    bool analyze;

    struct pgpool *pool;               /* owned */
    const struct schema *schema;       /* retained */
    const struct operation *operation; /* retained */
    const struct plan *plan;           /* retained */
    struct auth *auth;                 /* owned */
    const char *const *params;
    struct identity identity;
    struct pgsession session;
    uint64_t complexity;
    struct buf out; /* owned */
};

/* --- what is asked ---------------------------------------------------------------- */

static bool read_file(struct explain *x, const char *path, struct str *out)
{
    FILE *f = fopen(path, "r");
    struct buf text;
    char part[4096];
    size_t n;

    if (f == NULL) {
        errors_add(&x->cc.errs, BAD_REQUEST, "could not read \"%s\": %m", path);
        return false;
    }
    buf_init(&text, (size_t)16 * 1024 * 1024);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_append(&text, part, n);
    fclose(f);
    *out = arena_dup(x->cc.arena, buf_str(&text));
    if (!buf_ok(&text))
        errors_add(&x->cc.errs, BAD_REQUEST, "\"%s\" is too long", path);
    buf_fini(&text);
    return !errors_any(&x->cc.errs);
}

/* An object in JSON, or @FILE; NULL text: no object. */
static bool read_object(struct explain *x, const char *text, const char *what,
                        const struct jval **out)
{
    const struct jval_limits limits = {64, 1000000};
    struct str json = text != NULL ? str_of(text) : STR("");

    *out = NULL;
    if (text == NULL)
        return true;
    if (text[0] == '@' && !read_file(x, text + 1, &json))
        return false;
    if (!jval_parse(json, &limits, x->cc.arena, out, &x->cc.errs) || (*out)->kind != JVAL_OBJECT) {
        errors_add(&x->cc.errs, BAD_REQUEST, "--%s must be an object in JSON, or @FILE", what);
        return false;
    }
    return true;
}

/* --- as a request would ------------------------------------------------------------------ */

static bool connect_and_load(struct explain *x)
{
    const struct config *c = x->cc.config;
    struct schema_watch_options opt = options_schema_watch(c, x->cc.arena);

    x->pool = options_pool(c, x->cc.arena, &x->cc.errs);
    if (x->pool == NULL)
        return false;
    opt.pool = x->pool;
    x->schema = schema_load(&opt, x->identity.role, &x->cc.errs);
    return x->schema != NULL;
}

static bool compile(struct explain *x, const struct jval *variables)
{
    struct parse_limits parse_limits = options_parse_limits(x->cc.config);
    struct validate_limits limits = options_validate_limits(x->cc.config);
    struct validate_input in = {
        .schema = x->schema,
        .text = x->document,
        .operation_name = x->operation_name != NULL ? str_of(x->operation_name) : STR(""),
        .parse_limits = &parse_limits,
        .limits = &limits,
        .suggestions = true,
    };
    struct variables v;

    x->operation = validate(&in, &x->cc.errs);
    if (x->operation == NULL || !limits_variables(variables, limits.max_list_items, &x->cc.errs) ||
        !variables_coerce(x->operation, variables, x->cc.arena, &v, &x->cc.errs))
        return false;
    x->complexity = complexity_of(x->operation, &v, x->cc.arena);
    if (!complexity_check(x->operation, &v, limits.max_complexity, x->cc.arena, &x->cc.errs))
        return false;
    x->plan = planner_compile(x->operation, &v, &x->cc.errs);
    return x->plan != NULL && bind_parameters(x->plan, &v, x->cc.arena, &x->params, &x->cc.errs);
}

static bool identify(struct explain *x, const struct jval *claims)
{
    const struct config *c = x->cc.config;

    x->auth = options_auth(c, x->cc.arena, &x->cc.errs);
    if (x->auth == NULL ||
        !identity_from_claims(x->auth, claims, x->cc.arena, &x->identity, &x->cc.errs))
        return false;
    session_init(&x->session, &x->identity, options_roles(c, x->cc.arena),
                 options_timeouts(c, x->cc.arena)[x->identity.role], x->cc.arena);
    x->session.read_only = true;
    return true;
}

/* --- what is said about it ---------------------------------------------------------------------
 */

static void append_quoted(struct buf *out, const char *text)
{
    buf_append_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_append_char(out, '\'');
        buf_append_char(out, *text);
    }
    buf_append_char(out, '\'');
}

static void describe_session(struct explain *x)
{
    buf_printf(&x->out, "session\n  role: %s\n",
               x->session.role[0] != '\0' ? x->session.role : "(the login role)");
    for (size_t i = 0; i < x->session.nsettings; i++) {
        buf_printf(&x->out, "  %s = ", x->session.settings[i].name);
        append_quoted(&x->out, x->session.settings[i].value);
        buf_append_char(&x->out, '\n');
    }
}

/* What the operation has to be allowed, and whether the claims do. */
static void describe_demands(struct explain *x)
{
    if (x->plan->ndemands > 0)
        buf_append_lit(&x->out, "needs\n");
    for (size_t i = 0; i < x->plan->ndemands; i++) {
        const struct plan_demand *d = &x->plan->demands[i];

        buf_printf(&x->out, "  %.*s", STR_ARG(d->what));
        authrule_print(d->rule, &x->out);
        buf_printf(&x->out, "%s\n",
                   authorize_rule(d->rule, &x->identity) ? "" : ": would be refused");
    }
}

static void describe_step(struct explain *x, size_t i)
{
    const struct plan_step *step = &x->plan->steps[i];

    buf_printf(&x->out, "statement %zu\n", i + 1);
    plan_describe_sql(step->statement.sql, &x->out);
    for (size_t p = 0; p < step->statement.nparams; p++) {
        const char *value = x->params[step->first_param + p];

        buf_printf(&x->out, "  $%zu = ", p + 1);
        if (value == NULL)
            buf_append_lit(&x->out, "null");
        else
            append_quoted(&x->out, value);
        buf_append_char(&x->out, '\n');
    }
}

/* A statement's rows of one text, each a line. In the same session as a request's. */
static bool run(struct explain *x, struct str sql, const char *const *params, size_t nparams,
                const char *indent, struct buf *out)
{
    struct pgstatement statement;
    struct pgcall call = {.statement = &statement, .params = params};
    struct pgbatch batch;

    pgstatement_init(&statement, sql, nparams);
    pgbatch_init(&batch, &x->session, &call, 1, x->cc.arena);
    batch.repeatable = true;
    batch.until = deadline_in_ms(x->session.timeout_ms);
    if (!pgpool_run(x->pool, &batch, &x->cc.errs))
        return false;
    CHECK(pgrows_columns(call.rows) == 1);
    for (size_t i = 0; i < pgrows_count(call.rows); i++) {
        struct pgvalue v;

        pgrows_row(call.rows, i, &v);
        buf_printf(out, "%s%.*s\n", indent, (int)v.len, v.data);
    }
    return true;
}

/* The policies of the relations that the statement's plan reads, and the plan. */
static bool explain_step(struct explain *x, size_t i)
{
    const struct plan_step *step = &x->plan->steps[i];
    const char *const *params = x->params + step->first_param;
    struct str sql = step->statement.sql;
    const char *json[1];
    struct buf plan;
    bool ok;

    buf_init(&plan, 0);
    ok = run(x, arena_printf(x->cc.arena, "explain (verbose, format json) %.*s", STR_ARG(sql)),
             params, step->statement.nparams, "", &plan);
    json[0] = buf_cstr(&plan);
    if (ok) {
        buf_append_lit(&x->out, "policies\n");
        ok = run(x, str_of(policies_sql), json, 1, "  ", &x->out);
    }
    buf_fini(&plan);
    if (!ok)
        return false;
    buf_append_lit(&x->out, "plan\n");
    return run(x,
               arena_printf(x->cc.arena, "explain (%s) %.*s",
                            x->analyze ? "analyze, buffers" : "verbose, costs", STR_ARG(sql)),
               params, step->statement.nparams, "  ", &x->out);
}

static bool describe(struct explain *x)
{
    static const char *const kinds[] = {
        [AST_QUERY] = "query", [AST_MUTATION] = "mutation", [AST_SUBSCRIPTION] = "subscription"};

    buf_printf(&x->out, "%s, complexity %llu\n", kinds[x->operation->kind],
               (unsigned long long)x->complexity);
    describe_session(x);
    describe_demands(x);
    for (size_t i = 0; i < x->plan->nsteps; i++) {
        describe_step(x, i);
        if (x->operation->kind == AST_QUERY && !explain_step(x, i))
            return false;
    }
    if (x->plan->nsteps == 0)
        buf_append_lit(&x->out, "no statement: nothing of the database is selected\n");
    return true;
}

static bool explain(struct explain *x)
{
    const struct jval *variables, *claims;

    if (!read_object(x, x->variables_text, "vars", &variables) ||
        !read_object(x, x->claims_text, "claims", &claims) ||
        (x->document_file != NULL && !read_file(x, x->document_file, &x->document)) ||
        !identify(x, claims) || !connect_and_load(x) || !compile(x, variables))
        return false;
    if (x->analyze && x->operation->kind != AST_QUERY) {
        errors_add(&x->cc.errs, BAD_REQUEST, "a mutation is not run: leave out --analyze");
        return false;
    }
    return describe(x);
}

static int run_command(struct explain *x)
{
    int status = command_config_load(&x->cc);

    if (status == EX_OK) {
        log_setup(LOG_ERROR, x->cc.config->log_format, STDERR_FILENO);
        if (!explain(x))
            status = command_status_of(&x->cc.errs, EX_DATAERR);
    }
    if (status != EX_OK)
        command_print_errors(&x->cc.errs);
    else if (fwrite(x->out.data, 1, x->out.len, stdout) != x->out.len || fflush(stdout) != 0)
        status = EX_IOERR;
    plan_unref(x->plan);
    operation_unref(x->operation);
    schema_unref(x->schema);
    auth_free(x->auth);
    if (x->pool != NULL)
        pgpool_free(x->pool);
    return status;
}

/* False: not a flag. */
static bool take_flag(struct explain *x, int c)
{
    switch (c) {
    case 'c':
        x->cc.from.file = optarg;
        return true;
    case FLAG_SET:
        command_config_set(&x->cc, optarg);
        return true;
    case 'e':
        x->document = str_of(optarg);
        return true;
    case 'q':
        x->document_file = optarg;
        return true;
    case FLAG_OPERATION:
        x->operation_name = optarg;
        return true;
    case FLAG_VARS:
        x->variables_text = optarg;
        return true;
    case FLAG_CLAIMS:
        x->claims_text = optarg;
        return true;
    case FLAG_ANALYZE:
        x->analyze = true;
        return true;
    default:
        return false;
    }
}

int command_explain(int argc, char **argv)
{
    struct explain x = {0};
    int status = -1, c;

    command_config_init(&x.cc, argc);
    buf_init(&x.out, 0);
    while (status < 0 && (c = getopt_long(argc, argv, "c:e:q:h", flags, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            status = EX_OK;
        } else if (!take_flag(&x, c)) {
            status = command_usage(argv[0], "wrong arguments");
        }
    }
    if (status < 0 && optind != argc)
        status = command_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (status < 0 && (x.document.data != NULL) == (x.document_file != NULL))
        status = command_usage(argv[0], "give one document, by -e or -q");
    if (status < 0)
        status = run_command(&x);
    buf_fini(&x.out);
    command_config_fini(&x.cc);
    return status;
}
