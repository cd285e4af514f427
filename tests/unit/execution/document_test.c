/*
 * document_test.c - keys are found where they are, values are of the kind declared, and nothing
 * is read that is not there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/document.h"

/* A copy without a byte behind it, for the sanitizer to see what is read. */
static struct str exact(struct arena *a, const char *text)
{
    struct str s = str_of(text);

    return str_make(s.len > 0 ? arena_copy(a, s.data, s.len) : "", s.len);
}

static void keys_are_found_in_any_order(void **state)
{
    static const struct str keys[] = {STR_INIT("a"), STR_INIT("b"), STR_INIT("z"), STR_INIT("aa"),
                                      STR_INIT("we\\\"ird")};
    static const char *const objects[] = {
        "{\"a\": 1, \"b\": null, \"c\": {\"a\": 2}, \"aa\": [\"}\", {\"z\": \"]\"}], "
        "\"we\\\"ird\": \"\\\\\"}",
        " { \"we\\\"ird\" : \"\\\\\" ,\"aa\":[\"}\", {\"z\": \"]\"}],\"c\":\"a\",\"b\":null,\"a\" "
        ": 1 } ",
    };
    struct pgvalue out[COUNT_OF(keys)];
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(objects); i++) {
        assert_true(document_find(exact(a, objects[i]), keys, COUNT_OF(keys), out));
        assert_true(str_is(str_make(out[0].data, (size_t)out[0].len), "1"));
        assert_int_equal(out[1].len, -1);
        assert_int_equal(out[2].len, -1);
        assert_true(str_is(str_make(out[3].data, (size_t)out[3].len), "[\"}\", {\"z\": \"]\"}]"));
        assert_true(str_is(str_make(out[4].data, (size_t)out[4].len), "\"\\\\\""));
    }
    assert_true(document_find(exact(a, "{}"), keys, COUNT_OF(keys), out));
    assert_int_equal(out[0].len, -1);
    assert_true(document_find(exact(a, "{\"a\": \"x\"}"), keys, 0, out));
    arena_free(a);
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "{",
                                      "[]",
                                      "1",
                                      "\"a\"",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\": 1",
                                      "{\"a\": 1,",
                                      "{\"a\": \"x",
                                      "{\"a\": \"x\\\"}",
                                      "{\"a\": [1, {}",
                                      "{\"a",
                                      "{\"a\\",
                                      "{a: 1}",
                                      "{\"a\": 1 \"b\": 2}",
                                      "{\"a\": {\"b\": \"}",
                                      "{,}"};
    static const struct str keys[] = {STR_INIT("a")};
    struct pgvalue out[1];
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(document_find(exact(a, bad[i]), keys, 1, out));
    arena_free(a);
}

static size_t count_items(struct str json)
{
    struct document_items it;
    struct str item;
    bool more;
    size_t n = 0;

    if (!document_begin(json, &it))
        return SIZE_MAX;
    for (;; n++) {
        if (!document_next(&it, &item, &more))
            return SIZE_MAX;
        if (!more)
            return n;
        assert_true(item.len > 0);
    }
}

static void lists_have_items(void **state)
{
    static const struct {
        const char *json;
        size_t n;
    } rows[] = {
        {"[]",                                        0       },
        {"[ ]",                                       0       },
        {"[1]",                                       1       },
        {"[1, null, \"],\", [2, [3]], {\"a\": [4]}]", 5       },
        {"[[], [[]]]",                                2       },
        {"[",                                         SIZE_MAX},
        {"[1",                                        SIZE_MAX},
        {"[1,",                                       SIZE_MAX},
        {"[1 2]",                                     SIZE_MAX},
        {"[\"]",                                      SIZE_MAX},
        {"{}",                                        SIZE_MAX},
        {"",                                          SIZE_MAX},
        {"null",                                      SIZE_MAX},
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(count_items(exact(a, rows[i].json)), rows[i].n);
    arena_free(a);
}

static void jsonb_begins_with_its_version(void **state)
{
    struct str json;

    (void)state;
    assert_true(document_open((struct pgvalue){"\1{}", 3, 0}, &json));
    assert_true(str_is(json, "{}"));
    assert_false(document_open((struct pgvalue){"\2{}", 3, 0}, &json));
    assert_false(document_open((struct pgvalue){"\1", 1, 0}, &json));
    assert_false(document_open((struct pgvalue){"", 0, 0}, &json));
}

static void values_are_of_the_kind_declared(void **state)
{
    static const struct enum_value labels[] = {
        {.name = STR_INIT("IN_PROGRESS"), .label = STR_INIT("in progress") },
        {.name = STR_INIT("SO"),          .label = STR_INIT("say \"so\"\\")},
    };
    static const struct type type = {.kind = TYPE_ENUM, .values = labels, .nvalues = 2};
    static const struct {
        enum json_form form;
        const char *json;
        const char *out; /* NULL: refused */
    } rows[] = {
        {JSON_ANY,            "{\"a\": [1, null]}",                       "{\"a\": [1, null]}"           },
        {JSON_TEXT,           "\"a\\\"\"",                                "\"a\\\"\""                    },
        {JSON_TEXT,           "1",                                        NULL                           },
        {JSON_TEXT,           "\"",                                       NULL                           },
        {JSON_ID,             "12",                                       "\"12\""                       },
        {JSON_ID,             "-7.000",                                   "\"-7\""                       },
        {JSON_ID,             "\"x\"",                                    "\"x\""                        },
        {JSON_ID,             "1.5",                                      NULL                           },
        {JSON_ID,             "true",                                     NULL                           },
        {JSON_BOOLEAN,        "true",                                     "true"                         },
        {JSON_BOOLEAN,        "\"true\"",                                 NULL                           },
        {JSON_BOOLEAN,        "0",                                        NULL                           },
        {JSON_INT,            "2147483647",                               "2147483647"                   },
        {JSON_INT,            "-2147483648",                              "-2147483648"                  },
        {JSON_INT,            "2147483648",                               NULL                           },
        {JSON_INT,            "3.00",                                     "3"                            },
        {JSON_INT,            "3.01",                                     NULL                           },
        {JSON_INT,            "\"3\"",                                    NULL                           },
        {JSON_BIGINT,         "9223372036854775807",                      "\"9223372036854775807\""      },
        {JSON_BIGINT,         "\"-5\"",                                   "\"-5\""                       },
        {JSON_BIGINT,         "9223372036854775808",                      NULL                           },
        {JSON_BIGINT_NUMBER,  "\"5\"",                                    "5"                            },
        {JSON_FLOAT,          "1.5",                                      "1.5"                          },
        {JSON_FLOAT,          "\"NaN\"",                                  NULL                           },
        {JSON_DECIMAL,        "1.50",                                     "\"1.50\""                     },
        {JSON_DECIMAL,        "\"1.50\"",                                 "\"1.50\""                     },
        {JSON_DECIMAL,        "\"NaN\"",                                  "\"NaN\""                      },
        {JSON_DECIMAL,        "\"x\"",                                    NULL                           },
        {JSON_DECIMAL_NUMBER, "1.50",                                     "1.50"                         },
        {JSON_ENUM,           "\"in progress\"",                          "\"IN_PROGRESS\""              },
        {JSON_ENUM,           "\"say \\\"so\\\"\\\\\"",                   "\"SO\""                       },
        {JSON_ENUM,           "\"IN_PROGRESS\"",                          NULL                           },
        {JSON_ENUM,           "1",                                        NULL                           },
        {JSON_BYTES,          "\"\\\\x00ff\"",                            "\"AP8=\""                     },
        {JSON_BYTES,          "\"\\\\x\"",                                "\"\""                         },
        {JSON_BYTES,          "\"\\\\x0\"",                               NULL                           },
        {JSON_BYTES,          "\"00ff\"",                                 NULL                           },
        {JSON_BYTES,          "\"",                                       NULL                           },
        {JSON_UUID,           "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"",
         "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""                                                      },
        {JSON_UUID,           "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1\"",  NULL                           },
        {JSON_DATE,           "\"2024-02-29\"",                           "\"2024-02-29\""               },
        {JSON_DATE,           "\"2023-02-29\"",                           NULL                           },
        {JSON_TIME,           "\"11:00\"",                                "\"11:00\""                    },
        {JSON_DATETIME,       "\"2024-02-29T11:00:00+01:00\"",            "\"2024-02-29T11:00:00+01:00\""},
        {JSON_DATETIME,       "\"2024-02-29T11:00:00\"",                  NULL                           },
        {JSON_LOCAL_DATETIME, "\"2024-02-29T11:00:00\"",                  "\"2024-02-29T11:00:00\""      },
        {JSON_INTERVAL,       "\"P1D\"",                                  "\"P1D\""                      },
        {JSON_INTERVAL,       "\"1 day\"",                                NULL                           },
        {JSON_ADDRESS,        "\"::1\"",                                  "\"::1\""                      },
        {JSON_NETWORK,        "\"10.0.0.1/8\"",                           NULL                           },
        {JSON_MAC,            "\"08:00:2b:01:02:03\"",                    "\"08:00:2b:01:02:03\""        },
    };
    struct arena *a = arena_new(0);
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct codec c = {.json = rows[i].form, .enum_type = &type};
        bool ok;

        buf_init(&out, 0);
        ok = document_value(&c, exact(a, rows[i].json), &out);
        if (ok != (rows[i].out != NULL) || (ok && !str_is(buf_str(&out), rows[i].out)))
            fail_msg("%s as form %d: %s", rows[i].json, rows[i].form,
                     ok ? buf_cstr(&out) : "refused");
        buf_fini(&out);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_in_any_order),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(lists_have_items),
        cmocka_unit_test(jsonb_begins_with_its_version),
        cmocka_unit_test(values_are_of_the_kind_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
