/*
 * template_test.c - substitution, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jwriter.h"
#include "base/template.h"

static const struct str names[] = {STR_INIT("code"), STR_INIT("message"), STR_INIT("count")};
static const struct str values[] = {STR_INIT("A"), STR_INIT("say \"{{code}}\" {{"), STR_INIT("10")};

static void test_values_stand_in_for_names(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"",                              ""                         },
        {"plain",                         "plain"                    },
        {"{{code}}",                      "A"                        },
        {"{{ code }}:{{count}}.",         "A:10."                    },
        {"{{code}}{{code}}",              "AA"                       },
        {"{code} { {code} } }}",          "{code} { {code} } }}"     },
        {"{\"a\":{\"b\":\"{{count}}\"}}", "{\"a\":{\"b\":\"10\"}}"   },
 /* What a value says is never looked at again. */
        {"<{{message}}>",                 "<say \\\"{{code}}\\\" {{>"},
        {"{{{code}}}",                    NULL                       },
        {"{{nothing}}",                   NULL                       },
        {"{{Code}}",                      NULL                       },
        {"{{}}",                          NULL                       },
        {"{{code",                        NULL                       },
        {"{{code}",                       NULL                       },
        {"a {{code}} {{",                 NULL                       },
        {"{{code.length}}",               NULL                       },
        {"{{#if code}}",                  NULL                       },
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str why = {0};
        const struct template *t =
            template_parse(str_of(rows[i].text), names, COUNT_OF(names), a, &why);
        struct buf out = {0};

        if (rows[i].expected == NULL) {
            assert_null(t);
            assert_true(why.len > 0);
            continue;
        }
        assert_non_null(t);
        template_render(t, values, jwriter_escape, &out);
        assert_string_equal(buf_cstr(&out), rows[i].expected);
        buf_fini(&out);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_stand_in_for_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
