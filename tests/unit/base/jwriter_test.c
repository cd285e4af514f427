/*
 * jwriter_test.c - JSON out, checked against the JSON parser.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jval.h"
#include "base/jwriter.h"

static const struct jval_limits limits = {.max_depth = 4, .max_values = 50};

/* Every length around the block sizes, with each byte value at each place. */
static void test_strings_read_back(void **state)
{
    struct buf b = {0};
    char text[40];

    (void)state;
    for (size_t len = 0; len <= sizeof(text); len++) {
        for (size_t at = 0; at < size_max(len, 1); at++) {
            for (unsigned c = 1; c < 0x80; c++) {
                struct arena *a = arena_new(0);
                struct errors errs;
                const struct jval *v;

                memset(text, 'x', sizeof(text));
                if (len > 0)
                    text[at] = (char)c;
                buf_clear(&b);
                jwriter_string(&b, str_make(text, len));
                errors_init(&errs, a);
                assert_true(jval_parse(buf_str(&b), &limits, a, &v, &errs));
                assert_true(str_eq(v->text, str_make(text, len)));
                /* Nothing is escaped that need not be. */
                if (c >= 0x20 && c != '"' && c != '\\')
                    assert_int_equal(b.len, len + 2);
                arena_free(a);
            }
        }
    }
    buf_fini(&b);
}

static void test_escapes_as_expected(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"\b\f\n\r\t\x01\x1f",                 "\\b\\f\\n\\r\\t\\u0001\\u001f" },
        {"\"\\/",                              "\\\"\\\\/"                     },
        {"\x7f\xc3\xa9\xe2\x80\xa8",           "\x7f\xc3\xa9\xe2\x80\xa8"      },
        {"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"",
         "\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\""},
        {"\xff\xfe\x80\x9f\xa0",               "\xff\xfe\x80\x9f\xa0"          }, /* passed through */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = {0};

        jwriter_escape(&b, str_of(cases[i].text));
        assert_string_equal(buf_cstr(&b), cases[i].json);
        buf_fini(&b);
    }
}

static void test_fills_a_buf_to_its_last_byte(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 6);
    jwriter_string(&b, STR("a\nb"));
    assert_true(buf_ok(&b));
    assert_string_equal(buf_cstr(&b), "\"a\\nb\"");
    buf_fini(&b);
    buf_init(&b, 5);
    jwriter_string(&b, STR("a\nb"));
    assert_false(buf_ok(&b));
    buf_fini(&b);
}

static void test_doubles_are_short_and_exact(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0,                      "0"                      },
        {-0.0,                   "-0"                     },
        {1,                      "1"                      },
        {-42,                    "-42"                    },
        {0.1,                    "0.1"                    },
        {-0.5,                   "-0.5"                   },
        {-12.07,                 "-12.07"                 },
        {0.0625,                 "0.0625"                 },
        {1234567.891,            "1234567.891"            },
        {0.00012,                "0.00012"                },
        {0.00001,                "1e-05"                  },
        {9999999999999.94,       "9999999999999.94"       },
        {0.1 + 0.2,              "0.30000000000000004"    },
        {1.0 / 3,                "0.3333333333333333"     },
        {5e-324,                 "5e-324"                 },
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {999999999999999,        "999999999999999"        },
        {1e15,                   "1e+15"                  },
        {1e21,                   "1e+21"                  },
        {NAN,                    "null"                   },
        {INFINITY,               "null"                   },
        {-INFINITY,              "null"                   },
    };
    uint64_t seed = 88172645463325252;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = {0};

        jwriter_double(&b, cases[i].value);
        assert_string_equal(buf_cstr(&b), cases[i].text);
        buf_fini(&b);
    }
    for (int i = -100000; i < 100000; i += 7) {
        struct buf b = {0};
        char expected[32];

        jwriter_double(&b, i / 1000.0);
        snprintf(expected, sizeof(expected), "%.15g", i / 1000.0);
        assert_string_equal(buf_cstr(&b), expected);
        buf_fini(&b);
    }
    for (int i = 0; i < 20000; i++) {
        struct buf b = {0};
        double v;

        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        memcpy(&v, &seed, sizeof(v));
        if (!isfinite(v))
            continue;
        jwriter_double(&b, v);
        assert_true(strtod(buf_cstr(&b), NULL) == v);
        buf_fini(&b);
    }
}

static void test_base64(void **state)
{
    static const struct {
        const char *bytes, *json;
    } cases[] = {
  /* RFC 4648, section 10 */
        {"",             "\"\""        },
        {"f",            "\"Zg==\""    },
        {"fo",           "\"Zm8=\""    },
        {"foo",          "\"Zm9v\""    },
        {"foob",         "\"Zm9vYg==\""},
        {"fooba",        "\"Zm9vYmE=\""},
        {"foobar",       "\"Zm9vYmFy\""},
        {"\xff\xef\xbf", "\"/++/\""    },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buf b = {0};

        jwriter_base64(&b, str_of(cases[i].bytes));
        assert_string_equal(buf_cstr(&b), cases[i].json);
        buf_fini(&b);
    }
}

static void test_keys_and_booleans(void **state)
{
    struct buf b = {0};

    (void)state;
    jwriter_key(&b, STR("a\"b"));
    jwriter_bool(&b, true);
    jwriter_bool(&b, false);
    assert_string_equal(buf_cstr(&b), "\"a\\\"b\":truefalse");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_read_back),
        cmocka_unit_test(test_escapes_as_expected),
        cmocka_unit_test(test_fills_a_buf_to_its_last_byte),
        cmocka_unit_test(test_doubles_are_short_and_exact),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_keys_and_booleans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
