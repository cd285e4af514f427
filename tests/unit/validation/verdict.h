/*
 * verdict.h - tables of documents that are legal or not, and why and where.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "validation/test_schema.h"
#include "validation/validate.h"

static const struct parse_limits verdict_parse_limits;
static const struct validate_limits verdict_limits = {.max_errors = 10};

/*
 * says: part of the one error's message; NULL: the document is legal. Of
 * several operations the first is called A and is the one chosen.
 */
struct verdict {
    const char *document;
    const char *says;
    uint32_t line, column;
};

static void verdict_check_one(const struct schema *schema, const struct verdict *row)
{
    struct arena *a = arena_new(0);
    struct validate_input in = {.schema = schema,
                                .text = str_of(row->document),
                                .parse_limits = &verdict_parse_limits,
                                .limits = &verdict_limits};
    struct errors errs;
    const struct operation *op;

    if (str_starts(in.text, STR("query A")))
        in.operation_name = STR("A");
    errors_init(&errs, a);
    op = validate(&in, &errs);
    if (row->says == NULL && (op == NULL || errors_any(&errs)))
        fail_msg("refused: %s\n%.*s", row->document, STR_ARG(errs.first->message));
    if (row->says) {
        if (op != NULL || errs.n != 1)
            fail_msg("%zu errors: %s", errs.n, row->document);
        assert_int_equal(errs.first->code, GRAPHQL_VALIDATION_FAILED);
        if (strstr(arena_dup(a, errs.first->message).data, row->says) == NULL)
            fail_msg("\"%.*s\" for: %s", STR_ARG(errs.first->message), row->document);
        assert_true(errs.first->nlocations >= 1);
        assert_int_equal(errs.first->locations[0].line, row->line);
        assert_int_equal(errs.first->locations[0].column, row->column);
    }
    operation_unref(op);
    arena_free(a);
}

static inline void verdict_check(const struct verdict *rows, size_t n)
{
    const struct schema *schema = test_schema_new(test_schema_sdl);

    for (size_t i = 0; i < n; i++)
        verdict_check_one(schema, &rows[i]);
    schema_unref(schema);
}

#define VERDICTS(...)                                 \
    do {                                              \
        const struct verdict rows_[] = {__VA_ARGS__}; \
                                                      \
        (void)state;                                  \
        verdict_check(rows_, COUNT_OF(rows_));        \
    } while (0)

#endif
