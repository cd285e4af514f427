/*
 * driver.c - says what the parser, the validator and the coercion of variables make of documents.
 *
 *   driver SCHEMA --sdl              the schema as text
 *   driver SCHEMA                    answers documents from standard input, until it ends
 *   driver SCHEMA --parse FILE N     parses a document N times: microseconds of processor time of
 * each driver SCHEMA --validate FILE N  parses and validates it
 *
 * SCHEMA is a catalog document (JSON), or "test": the schema of the unit tests of src/validation.
 *
 * A document comes as three texts (document, operation name, variables as JSON, which may be
 * empty), each behind its length in a line of its own. The answer is one line of JSON:
 * {"verdict", "errors": [{"code", "message", "locations": [[line, column]]}], "variables"}; verdict
 * is "parse", "validation" or "limit", whichever refused it, or "ok"; variables tells whether the
 * values fit, null when there were none to judge.
 *
 * Thread:   main.
 * Memory:   an arena for each document.
 * Not here: what is right (run.mjs asks graphql-js).
 */
#include "base/jwriter.h"
#include "schema/catalog.h"
#include "schema/sdlprint.h"
#include "validation/variables.h"

#include "../unit/validation/test_schema.h"

#include <sysexits.h>
#include <time.h>

#define MAX_TEXT (64u << 20)

static const struct parse_limits no_parse_limits;
static const struct validate_limits no_limits;
static const struct jval_limits json_limits = {.max_depth = 100, .max_values = 100000};

static struct str read_file(const char *path, struct arena *a)
{
    FILE *f = fopen(path, "r");
    struct buf b;
    struct str text;
    char part[4096];
    size_t n;

    CHECK(f != NULL);
    buf_init(&b, 0);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        buf_append(&b, part, n);
    fclose(f);
    text = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void print_errors(const struct errors *errs)
{
    for (const struct error *e = errs->first; e != NULL; e = e->next)
        fprintf(stderr, "driver: %.*s\n", STR_ARG(e->message));
}

static const struct schema *load_schema(const char *from, struct arena *a)
{
    struct schema_options options = schema_options_default();
    struct errors errs;
    const struct schema *s;

    if (strcmp(from, "test") == 0)
        return test_schema_new(test_schema_sdl);
    errors_init(&errs, a);
    s = schema_from_catalog(read_file(from, a), &options, &errs);
    print_errors(&errs);
    return s;
}

static void print_sdl(const char *from, const struct schema *s)
{
    struct buf out;

    if (strcmp(from, "test") == 0) { /* it has directives of its own, which nothing prints */
        fputs(test_schema_sdl, stdout);
        return;
    }
    buf_init(&out, 0);
    schema_print(s, &out);
    fputs(buf_cstr(&out), stdout);
    buf_fini(&out);
}

/* False: the input has ended. */
static bool read_text(struct arena *a, struct str *out)
{
    char line[32], *data;
    unsigned long n;

    if (fgets(line, sizeof(line), stdin) == NULL)
        return false;
    n = strtoul(line, NULL, 10);
    CHECK(n <= MAX_TEXT);
    data = arena_alloc(a, n + 1);
    CHECK(fread(data, 1, n, stdin) == n);
    *out = str_make(data, n);
    return true;
}

/* The operation's name comes last: that there is none of it is no matter of validation. */
static const char *verdict(const struct errors *errs)
{
    if (!errors_any(errs) || errs->first->code == OPERATION_RESOLUTION_FAILURE)
        return "ok";
    for (const struct error *e = errs->first; e != NULL; e = e->next)
        if (e->code == QUERY_TOO_COMPLEX)
            return "limit";
    return errs->first->code == GRAPHQL_PARSE_FAILED ? "parse" : "validation";
}

static void write_error(const struct error *e, struct buf *out)
{
    buf_append_lit(out, "{\"code\":");
    jwriter_string(out, str_of(error_code_info(e->code)->name));
    buf_append_lit(out, ",\"message\":");
    jwriter_string(out, e->message);
    buf_append_lit(out, ",\"locations\":[");
    for (size_t i = 0; i < e->nlocations; i++)
        buf_printf(out, "%s[%u,%u]", i ? "," : "", e->locations[i].line, e->locations[i].column);
    buf_append_lit(out, "]}");
}

static const char *judge_variables(const struct operation *op, struct str json, struct arena *a)
{
    const struct jval *given;
    struct variables values;
    struct errors errs;

    errors_init(&errs, a);
    if (op == NULL || json.len == 0)
        return "null";
    if (!jval_parse(json, &json_limits, a, &given, &errs))
        return "\"no JSON\"";
    return variables_coerce(op, given, a, &values, &errs) ? "true" : "false";
}

static void answer(const struct schema *s, struct str document, struct str name, struct str json,
                   struct arena *a)
{
    struct validate_input in = {.schema = s,
                                .text = document,
                                .operation_name = name,
                                .parse_limits = &no_parse_limits,
                                .limits = &no_limits};
    const struct operation *op;
    struct errors errs;
    struct buf out;

    errors_init(&errs, a);
    buf_init(&out, 0);
    op = validate(&in, &errs);
    buf_printf(&out, "{\"verdict\":\"%s\",\"errors\":[", verdict(&errs));
    for (const struct error *e = errs.first; e != NULL; e = e->next) {
        write_error(e, &out);
        if (e->next != NULL)
            buf_append_char(&out, ',');
    }
    buf_printf(&out, "],\"variables\":%s}\n", judge_variables(op, json, a));
    fputs(buf_cstr(&out), stdout);
    fflush(stdout);
    buf_fini(&out);
    operation_unref(op);
}

static int serve(const struct schema *s)
{
    struct str document, name, json;

    for (;;) {
        struct arena *a = arena_new(0);
        bool more = read_text(a, &document) && read_text(a, &name) && read_text(a, &json);

        if (more)
            answer(s, document, name, json, a);
        arena_free(a);
        if (!more)
            return EX_OK;
    }
}

static bool parse_once(const struct validate_input *in, struct errors *errs)
{
    struct arena *a = arena_new(0);
    const struct ast_document *doc;
    bool ok = parser_parse(in->text, in->parse_limits, a, &doc, errs);

    arena_free(a);
    return ok;
}

static bool validate_once(const struct validate_input *in, struct errors *errs)
{
    const struct operation *op = validate(in, errs);

    operation_unref(op);
    return op != NULL;
}

/* Of this process, whatever else runs. */
static uint64_t cpu_ns(void)
{
    struct timespec t;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* N turns, ten times: of these the best. */
static int bench(const struct schema *s, const char *path, unsigned long n,
                 bool (*once)(const struct validate_input *, struct errors *))
{
    struct arena *a = arena_new(0);
    struct validate_input in = {
        .schema = s, .parse_limits = &no_parse_limits, .limits = &no_limits};
    uint64_t best = UINT64_MAX;
    struct errors errs;

    xmalloc_setup(); /* as the daemon has it */
    in.text = read_file(path, a);
    errors_init(&errs, a);
    for (int batch = 0; batch < 10; batch++) {
        uint64_t start = cpu_ns(), took;

        for (unsigned long i = 0; i < n; i++) {
            if (!once(&in, &errs)) {
                print_errors(&errs);
                return EX_DATAERR;
            }
        }
        took = cpu_ns() - start;
        best = took < best ? took : best;
    }
    printf("%.3f\n", (double)best / (double)n / 1e3);
    arena_free(a);
    return EX_OK;
}

int main(int argc, char **argv)
{
    struct arena *a = arena_new(0);
    const struct schema *s = argc > 1 ? load_schema(argv[1], a) : NULL;
    int status = EX_USAGE;

    if (argc == 2 && s != NULL) {
        status = serve(s);
    } else if (argc == 3 && s != NULL && strcmp(argv[2], "--sdl") == 0) {
        print_sdl(argv[1], s);
        status = EX_OK;
    } else if (argc == 5 && s != NULL && strcmp(argv[2], "--parse") == 0) {
        status = bench(s, argv[3], strtoul(argv[4], NULL, 10), parse_once);
    } else if (argc == 5 && s != NULL && strcmp(argv[2], "--validate") == 0) {
        status = bench(s, argv[3], strtoul(argv[4], NULL, 10), validate_once);
    } else {
        fputs("usage: driver SCHEMA [--sdl | --parse FILE N | --validate FILE N]\n", stderr);
    }
    schema_unref(s);
    arena_free(a);
    return status;
}
