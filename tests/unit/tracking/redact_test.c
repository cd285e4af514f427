/*
 * redact_test.c - what is nobody's business is not told, and no more than is allowed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tracking/redact.h"

static const struct str words[] = {STR_INIT("password"), STR_INIT("token")};

static struct str variables(const char *json, enum redact_values values, size_t max,
                            struct arena *a)
{
    static const struct jval_limits limits = {200, 100000};
    struct redact_options opt = {values, words, COUNT_OF(words)};
    const struct jval *v;
    struct errors errs;
    struct buf out;
    struct str text;

    errors_init(&errs, a);
    assert_true(jval_parse(str_of(json), &limits, a, &v, &errs));
    buf_init(&out, 0);
    redact_variables(v, &opt, max, &out);
    text = arena_dup(a, buf_str(&out));
    buf_fini(&out);
    return text;
}

static void test_variables(void **state)
{
    /* variables, as told */
    static const char *const rows[][2] = {
        {"{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":true}",
         "{\"a\":1,\"b\":\"x\",\"c\":null,\"d\":true}"                                                   },
        {"{\"password\":\"hunter2\",\"accessToken\":{\"deep\":1},\"PASSWORD_2\":[1]}",
         "{\"password\":\"[redacted]\",\"accessToken\":\"[redacted]\",\"PASSWORD_2\":\"["
         "redacted]\"}"                                                                                  },
        {"{\"in\":[{\"userPassword\":\"x\",\"n\":1}]}",
         "{\"in\":[{\"userPassword\":\"[redacted]\",\"n\":1}]}"                                          },
        {"{\"any\":\"eyJhbGciOiJub25lIn0.e30.\",\"h\":\"bearer abc\"}",
         "{\"any\":\"[redacted]\",\"h\":\"[redacted]\"}"                                                 },
        {"{\"q\":\"\\\"\"}",                                                           "{\"q\":\"\\\"\"}"},
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(variables(rows[i][0], REDACT_NAMED, 4096, a).data, rows[i][1]);
    assert_string_equal(
        variables("{\"a\":1,\"b\":[\"x\",null],\"password\":\"p\"}", REDACT_TYPES, 4096, a).data,
        "{\"a\":\"Number\",\"b\":[\"String\",null],\"password\":\"[redacted]\"}");
    assert_string_equal(variables("{\"a\":1}", REDACT_ALL, 4096, a).data, "");
    arena_free(a);
}

static void append_many(struct buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_append_str(b, str_of(text));
}

static void test_sizes_are_bounded(void **state)
{
    static const struct jval_limits limits = {200, 100000};
    struct arena *a = arena_new(0);
    const struct jval *v;
    struct errors errs;
    struct buf b;
    struct str text;

    (void)state;
    errors_init(&errs, a);
    buf_init(&b, 0);
    append_many(&b, "{\"a\":[", 1);
    append_many(
        &b, "\"ööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööööö\",", 5000);
    append_many(&b, "1]}", 1);
    text = variables(buf_cstr(&b), REDACT_NAMED, 1000, a);
    assert_true(text.len < 2000);
    assert_true(jval_parse(text, &limits, a, &v, &errs));

    buf_clear(&b);
    append_many(&b, "{\"long\":\"", 1);
    append_many(&b, "äx", 5000);
    append_many(&b, "\",\"n\":", 1);
    append_many(&b, "1", 5000);
    append_many(&b, "}", 1);
    text = variables(buf_cstr(&b), REDACT_NAMED, 1000, a);
    assert_true(text.len < 400);
    assert_true(jval_parse(text, &limits, a, &v, &errs));

    buf_clear(&b);
    append_many(&b, "[", 100);
    append_many(&b, "]", 100);
    text = variables(buf_cstr(&b), REDACT_NAMED, 1000, a);
    assert_string_equal(text.data, "[[[[[[[[\"[cut]\"]]]]]]]]");

    buf_clear(&b);
    append_many(&b, "{", 1);
    for (size_t i = 0; i < 1000; i++)
        buf_printf(&b, "%s\"k%zu\":0", i > 0 ? "," : "", i);
    append_many(&b, "}", 1);
    text = variables(buf_cstr(&b), REDACT_NAMED, 100000, a);
    assert_true(text.len < 1000);
    assert_true(jval_parse(text, &limits, a, &v, &errs));
    buf_fini(&b);
    arena_free(a);
}

static void test_documents(void **state)
{
    /* document, as told */
    static const char *const rows[][2] = {
        {"query A {\n  a(b: \"secret\", c: 5)\n}",                    "query A { a(b: \"?\", c: 5) }"},
        {"{ a # a secret\n b }",                                      "{ a b }"                      },
        {"{ a(b: \"with \\\"quotes\\\" in it\") }",                   "{ a(b: \"?\") }"              },
        {"{ a(b: \"\"\"block \"of\" \\\"\"\" text\"\"\", c: \"\") }", "{ a(b: \"?\", c: \"?\") }"    },
        {"{ a(b: \"does not end) }",                                  "{ a(b: \"?\""                 },
        {"{ a(b: \"ends with \\\\\") c }",                            "{ a(b: \"?\") c }"            },
        {"",                                                          ""                             },
    };
    struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        buf_clear(&out);
        redact_document(str_of(rows[i][0]), 4096, &out);
        assert_string_equal(buf_cstr(&out), rows[i][1]);
    }
    buf_clear(&out);
    redact_document(STR("{ öööö }"), 5, &out);
    assert_string_equal(buf_cstr(&out), "{ ö");
    buf_fini(&out);
}

static void test_words_of_postgresql(void **state)
{
    /* detail, as told */
    static const char *const rows[][2] = {
        {"Key (email)=(bob@example.org) already exists.",       "Key (email)=(?) already exists."},
        {"Key (a, b)=(1, x) y) is not present in table \"t\".",
         "Key (a, b)=(?) is not present in table \"t\"."                                         },
        {"Failing row contains (1, hunter2, (x)).",             "Failing row contains (?)."      },
        {"cannot do that",                                      "cannot do that"                 },
        {"f(x) failed",                                         "f(x) failed"                    },
        {"a =( b",                                              "a =( b"                         },
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(redact_detail(str_of(rows[i][0]), a).data, rows[i][1]);
    assert_string_equal(
        redact_quoted(STR("SQL statement \"select 'x', 'y''z'\" $1 = 'secret"), 100, a).data,
        "SQL statement \"select '?', '?''?'\" $1 = '");
    assert_string_equal(redact_quoted(STR("abcdef"), 3, a).data, "abc");
    arena_free(a);
}

static void test_texts(void **state)
{
    struct arena *a = arena_new(0);

    (void)state;
    assert_string_equal(redact_text(STR("grün"), 100, a).data, "grün");
    assert_int_equal(redact_text(STR("grünü"), 6, a).len, 5);
    assert_string_equal(redact_text(STR("a\0b"), 100, a).data, "a?b");
    assert_string_equal(redact_text(STR("a\xff"
                                        "b"),
                                    100, a)
                            .data,
                        "a?b");
    assert_int_equal(redact_text(STR(""), 100, a).len, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables), cmocka_unit_test(test_sizes_are_bounded),
        cmocka_unit_test(test_documents), cmocka_unit_test(test_words_of_postgresql),
        cmocka_unit_test(test_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
