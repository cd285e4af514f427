/*
 * jval_test.c - what is JSON to us, and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jval.h"

static const struct jval_limits limits = {.max_depth = 4, .max_values = 50};

/* clang-format off */
/* text, canonical form or NULL when it must be refused */
static const struct {
    const char *text, *canonical;
} cases[] = {
    {"null", "null"},
    {" true ", "true"},
    {"false", "false"},
    {"0", "0"},
    {"-0.0e+10", "-0.0e+10"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"1e400", "1e400"},
    {"\"\"", "\"\""},
    {"\"caf\xc3\xa9 \\u00e9 \\n\\t\\/\\\"\\\\\"", "\"caf\xc3\xa9 \xc3\xa9 \\n\\t/\\\"\\\\\""},
    {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\\\\ud800\"", "\"\\\\ud800\""},
    {"\"\\\\\\u00e9\"", "\"\\\\\xc3\xa9\""},
    {"\"\\u0001\"", "\"\\u0001\""},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[1, [2, []], {\"a\": [3]}]", "[1,[2,[]],{\"a\":[3]}]"},
    {"{\"b\": 1, \"a\": {\"b\": [true, null, \"x\"]}, \"\": 2}", "{\"b\":1,\"a\":{\"b\":[true,null,\"x\"]},\"\":2}"},
    {"[[[[1]]]]", "[[[[1]]]]"},

    {"", NULL},
    {"\f[]", NULL},
    {"[]\v", NULL},
    {"\"\f\"", NULL},
    {"[]\"", NULL},
    {"[] \"a", NULL},
    {"\"a\"\"", NULL},
    {"1 \"]", NULL},
    {"{}n", NULL},
    {"{}1", NULL},
    {"[]-", NULL},
    {"  ", NULL},
    {"[[[[[]]]]]", NULL},
    {"{\"a\":1,\"a\":2}", NULL},
    {"{\"a\":1,\"\\u0061\":2}", NULL},
    {"{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", NULL},
    {"\"\\u0000\"", NULL},
    {"{\"\\u0000\":1}", NULL},
    {"\"\\ud800\"", NULL},
    {"\"\\udc00\"", NULL},
    {"\"\\ud800\\ud800\"", NULL},
    {"\"\\ud800x\"", NULL},
    {"\"\\udc00\\ud800\"", NULL},
    {"\"\\\\\\ud800\"", NULL},
    {"\"\\uD83D\\n\"", NULL},
    {"\"\xff\"", NULL},
    {"\"\xc0\x80\"", NULL},
    {"\"\xed\xa0\x80\"", NULL},
    {"\xef\xbb\xbf{}", NULL},
    {"1 2", NULL},
    {"{} x", NULL},
    {"[1,]", NULL},
    {"{\"a\":1,}", NULL},
    {"[1 /* c */]", NULL},
    {"[1] // c", NULL},
    {"{a:1}", NULL},
    {"{'a':1}", NULL},
    {"01", NULL},
    {"-", NULL},
    {"1.", NULL},
    {".5", NULL},
    {"+1", NULL},
    {"1e", NULL},
    {"NaN", NULL},
    {"nul", NULL},
    {"\"a\nb\"", NULL},
    {"\"\\x\"", NULL},
    {"\"\\u12\"", NULL},
    {"\"open", NULL},
    {"[", NULL},
    {"{\"a\"", NULL},
    {"]", NULL},
};
/* clang-format on */

static void test_accepts_and_refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new(0);
        struct buf out = {0};
        struct errors errs;
        const struct jval *v = NULL;
        bool ok;

        errors_init(&errs, a);
        ok = jval_parse(str_of(cases[i].text), &limits, a, &v, &errs);
        if (ok != (cases[i].canonical != NULL) || errors_any(&errs) == ok)
            fail_msg("case %zu: %s", i, cases[i].text);
        if (ok) {
            jval_write(v, &out);
            assert_string_equal(buf_cstr(&out), cases[i].canonical);
        } else {
            assert_int_equal(errs.first->code, BAD_REQUEST);
        }
        buf_fini(&out);
        arena_free(a);
    }
}

static bool parses(struct str text, const struct jval_limits *lim, struct buf *message)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    const struct jval *v;
    bool ok;

    errors_init(&errs, a);
    ok = jval_parse(text, lim, a, &v, &errs);
    if (!ok && message != NULL)
        buf_append_str(message, errs.first->message);
    arena_free(a);
    return ok;
}

static void test_counts_values(void **state)
{
    const struct jval_limits three = {.max_depth = 4, .max_values = 3};

    (void)state;
    assert_true(parses(STR("[1,2]"), &three, NULL));
    assert_false(parses(STR("[1,2,3]"), &three, NULL));
    assert_false(parses(STR("{\"a\":{\"b\":{\"c\":1}}}"), &three, NULL));
}

static void test_sees_duplicates_among_many(void **state)
{
    const struct jval_limits many = {.max_depth = 4, .max_values = 1000};
    struct buf b = {0};

    (void)state;
    buf_append_lit(&b, "{");
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "\"k%d\":%d,", i, i);
    buf_append_lit(&b, "\"last\":1}");
    assert_true(parses(buf_str(&b), &many, NULL));
    b.len -= strlen("\"last\":1}");
    buf_append_lit(&b, "\"k50\":1}");
    assert_false(parses(buf_str(&b), &many, NULL));
    buf_fini(&b);
}

static void test_message_echoes_nothing(void **state)
{
    static const char *const texts[] = {"{\"a\": hunter2 }", "[\"hunter2", "hunter2",
                                        "{\"hunter2\":1,\"hunter2\":2}"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct buf message = {0};

        assert_false(parses(str_of(texts[i]), &limits, &message));
        assert_true(message.len > strlen("invalid JSON: "));
        assert_null(strstr(buf_cstr(&message), "hunter"));
        buf_fini(&message);
    }
}

static void test_deep_text_is_refused_early(void **state)
{
    static char deep[1000000];

    (void)state;
    memset(deep, '[', sizeof(deep));
    assert_false(parses(str_make(deep, sizeof(deep)), &limits, NULL));
}

static void test_gets_members(void **state)
{
    struct arena *a = arena_new(0);
    struct errors errs;
    const struct jval *v;

    (void)state;
    errors_init(&errs, a);
    assert_true(jval_parse(STR("{\"a\":{\"b\":\"x\"}}"), &limits, a, &v, &errs));
    assert_true(str_is(jval_get(jval_get(v, STR("a")), STR("b"))->text, "x"));
    assert_null(jval_get(v, STR("b")));
    assert_null(jval_get(NULL, STR("b")));
    assert_null(jval_get(jval_get(jval_get(v, STR("a")), STR("b")), STR("c")));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts_and_refuses),
        cmocka_unit_test(test_counts_values),
        cmocka_unit_test(test_sees_duplicates_among_many),
        cmocka_unit_test(test_message_echoes_nothing),
        cmocka_unit_test(test_deep_text_is_refused_early),
        cmocka_unit_test(test_gets_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
