/* printer_test.c - canonical text, and that it reads back as the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "language/parser.h"
#include "language/printer.h"

static const struct parse_limits no_limits;

static void print(struct str text, struct buf *out)
{
    struct arena *a = arena_new(0);
    const struct ast_document *doc;
    struct errors errs;

    errors_init(&errs, a);
    assert_true(parser_parse_schema(text, &no_limits, a, &doc, &errs));
    printer_canonical(doc, out);
    arena_free(a);
}

/* document, its canonical text */
static const struct {
    const char *text, *canonical;
} rows[] = {
    {"query { a , b }",                                                                  "{a b}"                                     },
    {"query Q { a }",                                                                    "query Q{a}"                                },
    {"query @d { a }",                                                                   "query@d{a}"                                },
    {"query($a: Int) { a }",                                                             "query($a:Int){a}"                          },
    {"{ x : a ( b : 1 , c : [ 1 2 , -3 4.0 A B -1 ] ) @d ( e : $f ) { g } }",
     "{x:a(b:1 c:[1 2 -3 4.0 A B -1])@d(e:$f){g}}"                                                                                   },
    {"{ ... F ... on T { a } ... { b } ...@d{c} }",                                      "{...F...on T{a}...{b}...@d{c}}"            },
    {"query Q($a: [Int!]! = [1] @x, $b: B = E) { a }",                                   "query Q($a:[Int!]!=[1]@x$b:B=E){a}"        },
    {"{ a(b: \"\", c: [\"\" \"x\" \"\"\"y\"\"\"]) }",                                    "{a(b:\"\"c:[\"\" \"x\" \"y\"])}"           },
    {"{ a(b: \"\"\"\n  l1\n    l2 \\\"\"\"\n\"\"\") }",                                  "{a(b:\"l1\\n  l2 \\\"\\\"\\\"\")}"         },
    {"{ a(b: \"\\u0007\\u{1F600}\\/\\u007f\") }",                                        "{a(b:\"\\u0007\xF0\x9F\x98\x80/\\u007F\")}"},
    {"{ a(b: {c: null, d: true, e: false, f: {}}) }",                                    "{a(b:{c:null d:true e:false f:{}})}"       },
    {"\"d\" query Q(\"e\" $a: Int) { a } \"f\" fragment F on T { b }",
     "\"d\"query Q(\"e\"$a:Int){a}\"f\"fragment F on T{b}"                                                                           },
    {"mutation { a } subscription S { b } { c }",                                        "mutation{a}subscription S{b}{c}"           },
    {"\"\"\"doc\"\"\" schema @a { query: Q, mutation: M } extend schema @b",
     "\"doc\"schema@a{query:Q mutation:M}extend schema@b"                                                                            },
    {"scalar A scalar B @c { q }",                                                       "scalar A scalar B@c query{q}"              },
    {"type T implements & A & B @d { \"x\" a(\"y\" b: Int = 1 @e): [C!]! @deprecated }",
     "type T implements A&B@d{\"x\"a(\"y\"b:Int=1@e):[C!]!@deprecated}"                                                              },
    {"interface I implements J { a: Int } extend interface I { b: Int }",
     "interface I implements J{a:Int}extend interface I{b:Int}"                                                                      },
    {"union U = | A | B union V",                                                        "union U=A|B union V"                       },
    {"enum E { A \"d\" B @c }",                                                          "enum E{A\"d\"B@c}"                         },
    {"input I { a: Int = 1 b: [I!] = [{a: 2}] }",                                        "input I{a:Int=1 b:[I!]=[{a:2}]}"           },
    {"directive @a(b: Int) repeatable on | FIELD | OBJECT directive @c on QUERY",
     "directive@a(b:Int)repeatable on FIELD|OBJECT directive@c on QUERY"                                                             },
};

static void one_spelling_per_meaning(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf out;

        buf_init(&out, 0);
        print(str_of(rows[i].text), &out);
        assert_string_equal(buf_cstr(&out), rows[i].canonical);
        buf_fini(&out);
    }
}

static void canonical_text_prints_as_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf out;

        buf_init(&out, 0);
        print(str_of(rows[i].canonical), &out);
        assert_string_equal(buf_cstr(&out), rows[i].canonical);
        buf_fini(&out);
    }
}

static void values_and_types_print_alone(void **state)
{
    struct arena *a = arena_new(0);
    const struct ast_document *doc;
    const struct ast_operation *op;
    struct errors errs;
    struct buf out;

    (void)state;
    errors_init(&errs, a);
    buf_init(&out, 0);
    assert_true(parser_parse(STR("query($a: [ Int ! ] = [ 1 ]){a}"), &no_limits, a, &doc, &errs));
    op = doc->definitions[0].operation;
    printer_type(op->variables[0].type, &out);
    buf_append_char(&out, ' ');
    printer_value(op->variables[0].default_value, &out);
    assert_string_equal(buf_cstr(&out), "[Int!] [1]");
    buf_fini(&out);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_spelling_per_meaning),
        cmocka_unit_test(canonical_text_prints_as_itself),
        cmocka_unit_test(values_and_types_print_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
