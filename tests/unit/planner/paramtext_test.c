/*
 * paramtext_test.c - pattern escaping, array and record literals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "planner/paramtext.h"

static void patterns_match_literally(void **state)
{
    static const struct {
        enum param_form form;
        const char *text;
        const char *pattern;
    } table[] = {
        {PARAM_CONTAINS, "abc",    "%abc%"         },
        {PARAM_STARTS,   "abc",    "abc%"          },
        {PARAM_ENDS,     "abc",    "%abc"          },
        {PARAM_TEXT,     "50%_\\", "50%_\\"        },
        {PARAM_CONTAINS, "50%_\\", "%50\\%\\_\\\\%"},
        {PARAM_CONTAINS, "",       "%%"            },
        {PARAM_STARTS,   "%%%",    "\\%\\%\\%%"    },
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        assert_string_equal(paramtext_pattern(table[i].form, str_of(table[i].text), a).data,
                            table[i].pattern);
    arena_free(a);
}

static void arrays_quote_every_item(void **state)
{
    const struct str items[] = {
        STR("a"), STR("NULL"), STR("a\"b\\c{,}"), STR(""), {NULL, 0}
    };
    struct arena *a = arena_new(0);

    (void)state;
    assert_string_equal(paramtext_array(items, 0, a).data, "{}");
    assert_string_equal(paramtext_array(items, 5, a).data,
                        "{\"a\",\"NULL\",\"a\\\"b\\\\c{,}\",\"\",NULL}");
    assert_string_equal(paramtext_array(items + 4, 1, a).data, "{NULL}");
    arena_free(a);
}

static void records_leave_nulls_empty(void **state)
{
    const struct str items[] = {
        STR_INIT("a"), {NULL, 0},
         STR_INIT(""), STR_INIT("x\"y\\(,)")
    };
    struct arena *a = arena_new(0);

    (void)state;
    assert_string_equal(paramtext_record(items, 0, a).data, "()");
    assert_string_equal(paramtext_record(items, 4, a).data, "(\"a\",,\"\",\"x\\\"y\\\\(,)\")");
    assert_string_equal(paramtext_record(items + 1, 1, a).data, "()");
    arena_free(a);
}

static void leaves_become_text(void **state)
{
    static const struct type unknown = {.kind = TYPE_SCALAR, .name = STR_INIT("Ghstore")};
    static const struct type object = {.kind = TYPE_INPUT_OBJECT};
    const struct jval number = {.kind = JVAL_NUMBER, .text = STR_INIT("1.50")};
    const struct jval nul = {
        .kind = JVAL_STRING, .text = {"a\0b", 3}
    };
    const struct jval yes = {.kind = JVAL_BOOL, .boolean = true};
    const struct jval list = {.kind = JVAL_ARRAY};
    const struct ast_value literal = {.kind = AST_STRING, .text = STR_INIT("x")};
    const struct ast_value nul_literal = {
        .kind = AST_STRING, .text = {"a\0b", 3}
    };
    struct arena *a = arena_new(0);
    struct str s;

    (void)state;
    assert_true(paramtext_leaf(&unknown, &number, a, &s));
    assert_true(str_is(s, "1.50"));
    assert_true(paramtext_leaf(&unknown, &yes, a, &s));
    assert_true(str_is(s, "true"));
    assert_false(paramtext_leaf(&unknown, &nul, a, &s)); /* PostgreSQL has no NUL */
    assert_false(paramtext_leaf(&unknown, &list, a, &s));
    assert_false(paramtext_leaf(&object, &number, a, &s));
    assert_true(paramtext_literal(&unknown, &literal, a, &s));
    assert_true(str_is(s, "x"));
    assert_false(paramtext_literal(&unknown, &nul_literal, a, &s));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_literally),
        cmocka_unit_test(arrays_quote_every_item),
        cmocka_unit_test(records_leave_nulls_empty),
        cmocka_unit_test(leaves_become_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
