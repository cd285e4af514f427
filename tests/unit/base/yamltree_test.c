/*
 * yamltree_test.c - the tree, and places in a text of which YAML is a part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/yamltree.h"

static const struct yamltree_limits limits = {.max_bytes = 200, .max_depth = 4, .max_values = 9};

static void describe(const struct yamltree *v, struct buf *out)
{
    size_t i;

    switch (v->kind) {
    case YAMLTREE_SCALAR:
        buf_printf(out, v->null ? "null" : "%.*s", STR_ARG(v->text));
        break;
    case YAMLTREE_LIST:
        buf_append_char(out, '[');
        for (i = 0; i < v->n; i++) {
            buf_printf(out, "%s", i ? "," : "");
            describe(v->items[i], out);
        }
        buf_append_char(out, ']');
        break;
    case YAMLTREE_MAP:
        buf_append_char(out, '{');
        for (i = 0; i < v->n; i++) {
            buf_printf(out, "%s%.*s@%u:%u=", i ? "," : "", STR_ARG(v->members[i].name),
                       v->members[i].at.line, v->members[i].at.column);
            describe(v->members[i].value, out);
        }
        buf_append_char(out, '}');
        break;
    }
}

/* The part of a text between two bars; its tree, or the place of the error and its beginning. */
static void test_reads_a_part_of_a_text(void **state)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"||",                                "null"                            },
        {"a: 1|b: 2|c: 3",                    "{b@1:6=2}"                       },
        {"x\ny|\nb: [1, {c: ~}]\n|: nothing", "{b@3:1=[1,{c@3:9=null}]}"        },
        {"caf\xc3\xa9 |b: 2|",                "{b@1:7=2}"                       },
        {"|text|",                            "text"                            },
        {"x\n|a: [|",                         "3:1: not valid YAML"             },
        {"x\n y|a: 1, a: 2|",                 "2:11: not valid YAML"            },
        {"x\n y|{a: 1, a: 2}|",               "2:11: duplicate key \"a\""       },
        {"|[[[[[1]]]]]|",                     "1:6: nested deeper than 4 levels"},
        {"|[1,2,3,4,5,6,7,8,9]|",             "1:19: more than 9 values"        },
        {"|a: \xff|",                         "1:2: not UTF-8"                  },
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT_OF(rows); i++) {
        struct str text = str_of(rows[i].text);
        struct sourcetext source = {STR("f"), text, SCHEMA_INVALID};
        size_t from = str_find(text, '|') + 1;
        size_t to = from + str_find(str_sub(text, from, SIZE_MAX), '|');
        struct arena *a = arena_new(0);
        struct buf out = {0};
        const struct yamltree *v;
        struct errors errs;

        errors_init(&errs, a);
        if (yamltree_parse(&source, from, to, &limits, a, &v, &errs)) {
            describe(v, &out);
        } else {
            assert_int_equal(errs.n, 1);
            assert_int_equal(errs.first->code, SCHEMA_INVALID);
            buf_printf(&out, "%u:%u: %.*s", errs.first->locations[0].line,
                       errs.first->locations[0].column, STR_ARG(errs.first->message));
        }
        if (!str_starts(buf_str(&out), str_of(rows[i].expected)))
            fail_msg("case %zu: %s", i, buf_cstr(&out));
        buf_fini(&out);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_part_of_a_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
