/*
 * sqlbuf_test.c - names are quoted, values become parameters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "planner/sqlbuf.h"

struct fixture {
    struct arena *arena;
    struct sqlparams params;
    struct sqlbuf b;
};

static void setup(struct fixture *f)
{
    f->arena = arena_new(0);
    sqlparams_init(&f->params, f->arena);
    sqlbuf_init(&f->b, &f->params);
}

static void expect(struct fixture *f, const char *sql)
{
    assert_string_equal(arena_dup(f->arena, str_make(f->b.data, f->b.len)).data, sql);
    f->b.len = 0;
}

static void identifiers_are_quoted(void **state)
{
    static const struct {
        const char *name;
        const char *sql;
    } table[] = {
        {"name",                   "\"name\""                      },
        {"Name with space",        "\"Name with space\""           },
        {"a\"b",                   "\"a\"\"b\""                    },
        {"\"",                     "\"\"\"\""                      },
        {"\"\"; drop table x; --", "\"\"\"\"\"; drop table x; --\""},
        {"select",                 "\"select\""                    },
        {"\xc3\xa9",               "\"\xc3\xa9\""                  },
    };
    struct fixture f;

    (void)state;
    setup(&f);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        sqlbuf_identifier(&f.b, str_of(table[i].name));
        expect(&f, table[i].sql);
    }
    sqlbuf_qualified(&f.b, STR("a\"b"), STR("c"));
    expect(&f, "\"a\"\"b\".\"c\"");
    arena_free(f.arena);
}

static void keys_are_literals(void **state)
{
    static const struct {
        const char *name;
        const char *sql;
    } table[] = {
        {"name",               "'name'"               },
        {"it's",               "'it''s'"              },
        {"'; drop table x --", "'''; drop table x --'"},
        {"a\\'b",              "E'a\\\\''b'"          },
        {"\"$1\"",             "'\"$1\"'"             },
        {"",                   "''"                   },
    };
    struct fixture f;

    (void)state;
    setup(&f);
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        sqlbuf_literal(&f.b, str_of(table[i].name));
        expect(&f, table[i].sql);
    }
    arena_free(f.arena);
}

static void parts_are_taken_of_their_column(void **state)
{
    static const struct codec text = {.kind = CODEC_TEXT, .json = JSON_TEXT};
    static const struct codec any = {.kind = CODEC_JSONB, .json = JSON_ANY};
    const struct column value = {.name = STR("v")};
    const struct column data = {.name = STR("data"), .document = true};
    const struct column city = {.name = STR("a \"b\""), .of = &value};
    const struct column object = {
        .name = STR("it's"), .of = &data, .document = true, .codec = &any};
    const struct column key = {
        .name = STR("n"), .of = &object, .codec = &text, .type_sql = STR("int4")};
    const struct column json = {
        .name = STR("j"), .of = &data, .codec = &any, .type_sql = STR("jsonb")};
    struct fixture f;

    (void)state;
    setup(&f);
    sqlbuf_column(&f.b, 1, &city);
    expect(&f, "(t1.\"v\").\"a \"\"b\"\"\"");
    sqlbuf_column(&f.b, 2, &key);
    expect(&f, "(t2.\"data\"->'it''s'->>'n')::int4");
    sqlbuf_column(&f.b, 2, &object);
    expect(&f, "(nullif(t2.\"data\"->'it''s', 'null'))");
    sqlbuf_column(&f.b, 2, &json);
    expect(&f, "(nullif(t2.\"data\"->'j', 'null'))");
    arena_free(f.arena);
}

static void integers_are_digits(void **state)
{
    struct fixture f;

    (void)state;
    setup(&f);
    sqlbuf_integer(&f.b, 0);
    expect(&f, "0");
    sqlbuf_integer(&f.b, INT64_MAX);
    expect(&f, "9223372036854775807");
    sqlbuf_alias(&f.b, 12);
    expect(&f, "t12");
    arena_free(f.arena);
}

static void equal_parameters_share_a_number(void **state)
{
    static const uint32_t steps[] = {1, 2};
    static const uint32_t other_steps[] = {1, 3};
    static const struct type string = {.name = STR_INIT("String")};
    struct plan_param x = {.variable = -1, .constant = STR_INIT("x")};
    struct plan_param null = {.variable = -1};
    struct plan_param empty = {.variable = -1, .constant = STR_INIT("")};
    struct plan_param contains = {
        .form = PARAM_CONTAINS, .variable = -1, .constant = STR_INIT("x")};
    struct plan_param v = {.variable = 0, .steps = steps, .nsteps = 2, .type = {.type = &string}};
    struct plan_param w = {
        .variable = 0, .steps = other_steps, .nsteps = 2, .type = {.type = &string}};
    struct fixture f;

    (void)state;
    setup(&f);
    sqlbuf_parameter(&f.b, &x, STR("text"), false);
    expect(&f, "$1::text");
    sqlbuf_parameter(&f.b, &x, STR("text"), false);
    expect(&f, "$1::text");
    /* PostgreSQL gives a parameter one type: another cast is another parameter. */
    sqlbuf_parameter(&f.b, &x, STR("uuid"), false);
    expect(&f, "$2::uuid");
    sqlbuf_parameter(&f.b, &x, STR("uuid"), true);
    expect(&f, "$3::uuid[]");
    sqlbuf_parameter(&f.b, &contains, STR("text"), false);
    expect(&f, "$4::text");
    sqlbuf_parameter(&f.b, &null, STR("text"), false);
    expect(&f, "$5::text");
    sqlbuf_parameter(&f.b, &empty, STR("text"), false);
    expect(&f, "$6::text");
    sqlbuf_parameter(&f.b, &v, STR("text"), false);
    expect(&f, "$7::text");
    sqlbuf_parameter(&f.b, &w, STR("text"), false);
    expect(&f, "$8::text");
    sqlbuf_parameter(&f.b, &v, STR("text"), false);
    expect(&f, "$7::text");
    assert_int_equal(f.params.n, 8);
    assert_false(f.params.overflow);
    arena_free(f.arena);
}

static void patterns_take_column_and_operands(void **state)
{
    struct fixture f;
    struct sqlbuf column, first, second;
    struct column text = {0}, path = {.operators = STR("\"my ext\"")};
    struct sqlpattern with = {
        &text, &column, {&first, &second}
    };

    (void)state;
    setup(&f);
    sqlbuf_init(&column, &f.params);
    sqlbuf_init(&first, &f.params);
    sqlbuf_init(&second, &f.params);
    sqlbuf_identifier(&column, STR("100%p"));
    sqlbuf_text(&first, "$1::text");
    sqlbuf_text(&second, "$2::text");
    sqlbuf_pattern(&f.b, "%c %{=} %p and %c % 2 or %q %", &with);
    expect(&f, "\"100%p\" = $1::text and \"100%p\" % 2 or $2::text %");
    with.type = &path;
    f.b.len = 0;
    sqlbuf_pattern(&f.b, "%c %{@>} %p, %s.nlevel(%c)", &with);
    expect(&f, "\"100%p\" operator(\"my ext\".@>) $1::text, \"my ext\".nlevel(\"100%p\")");
    arena_free(f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identifiers_are_quoted),
        cmocka_unit_test(keys_are_literals),
        cmocka_unit_test(parts_are_taken_of_their_column),
        cmocka_unit_test(integers_are_digits),
        cmocka_unit_test(equal_parameters_share_a_number),
        cmocka_unit_test(patterns_take_column_and_operands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
