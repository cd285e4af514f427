/*
 * fuzz_validate.c - random documents and variables against a fixed schema.
 *
 * The input is a document and, behind a NUL, JSON for its variables. What is
 * accepted is printed, and the print is accepted too; values that fit have a
 * skeleton, and coercing them once more gives the same.
 */
#include "base/buf.h"
#include "language/printer.h"
#include "validation/variables.h"

#include "../unit/validation/test_schema.h"

static const struct parse_limits parse_limits = {
    .max_bytes = 1 << 14, .max_tokens = 3000, .max_depth = 60};
static const struct validate_limits limits = {
    .max_depth = 40, .max_aliases = 500, .max_fields = 100000, .max_errors = 20};
static const struct jval_limits json_limits = {.max_depth = 32, .max_values = 2000};

static void check_variables(const struct operation *op, struct str json, struct arena *a)
{
    struct errors errs;
    const struct jval *given;
    struct variables first, again;
    struct jval_member *members = ARENA_ARRAY(a, op->nvariables, struct jval_member);
    struct jval object = {.kind = JVAL_OBJECT, .members = members};
    struct digest x, y;

    errors_init(&errs, a);
    if (!jval_parse(json, &json_limits, a, &given, &errs))
        return;
    if (!variables_coerce(op, given, a, &first, &errs)) {
        CHECK(errs.first->code == BAD_USER_INPUT && errs.first->nlocations == 1);
        return;
    }
    for (size_t i = 0; i < first.n; i++) {
        if (first.values[i])
            members[object.n++] = (struct jval_member){op->variables[i].name, first.values[i]};
    }
    CHECK(variables_coerce(op, &object, a, &again, &errs));
    x = variables_skeleton(op, &first);
    y = variables_skeleton(op, &again);
    CHECK(memcmp(&x, &y, sizeof(x)) == 0);
}

static void check_operation(const struct operation *op, const struct validate_input *in,
                            struct arena *a)
{
    struct validate_input printed = *in;
    struct errors errs;
    const struct operation *again;
    struct buf text;

    errors_init(&errs, a);
    buf_init(&text, 0);
    printer_canonical(op->document, &text);
    printed.text = buf_str(&text);
    printed.operation_name = op->ast->name;
    again = validate(&printed, &errs);
    CHECK(again != NULL || text.len > parse_limits.max_bytes);
    CHECK(again == NULL || again->nvariables == op->nvariables);
    operation_unref(again);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct schema *schema;
    struct str input = str_make((const char *)data, size), document, json;
    struct arena *a = arena_new(0);
    struct validate_input in = {
        .parse_limits = &parse_limits, .limits = &limits, .suggestions = size & 1};
    struct errors errs;
    const struct operation *op;

    if (schema == NULL)
        schema = test_schema_new(test_schema_sdl);
    if (!str_cut(input, '\0', &document, &json)) {
        document = input;
        json = STR("{}");
    }
    in.schema = schema;
    in.text = document;
    errors_init(&errs, a);
    op = validate(&in, &errs);
    CHECK((op != NULL) == !errors_any(&errs));
    if (op) {
        check_operation(op, &in, a);
        check_variables(op, json, a);
    }
    operation_unref(op);
    arena_free(a);
    return 0;
}
