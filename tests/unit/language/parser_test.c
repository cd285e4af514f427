/* parser_test.c - text to tree: what is accepted, what is refused and where (appendix C). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "language/ast_types.h"
#include "language/parser.h"

static const struct parse_limits no_limits;

struct fixture {
    struct arena *arena;
    struct errors errs;
    const struct ast_document *doc;
};

static bool parse(struct fixture *f, struct str text, const struct parse_limits *lim, bool schema)
{
    f->arena = arena_new(0);
    f->doc = NULL;
    errors_init(&f->errs, f->arena);
    return schema ? parser_parse_schema(text, lim, f->arena, &f->doc, &f->errs)
                  : parser_parse(text, lim, f->arena, &f->doc, &f->errs);
}

static void executable_documents_are_accepted(void **state)
{
    static const char *const rows[] = {
        "{a}",
        "query{a}",
        "query Q{a}",
        "mutation M{a}subscription S{b}",
        "query on{on}",
        "query query{query fragment:fragment true null}",
        "{a:b(c:1,d:$e)@f(g:h){i}}",
        "{...F ...on T{a}...{b}...@include(if:true){c}}",
        "{...on2}",
        "fragment F on on{a}",
        "fragment fragment on fragment @a @a{a}",
        "query($a:Int,$b:[Int!]!=[1 2]@d,$c:[[A]]){a}",
        "{a(b:[]c:{}d:{e:[{f:null}]}g:TRUE h:\"\" i:\"\"\"x\"\"\" j:-1.5e3)}",
        "\"about Q\" query Q(\"about a\" $a:Int){a}",
        "\"\"\"about F\"\"\" fragment F on T{a}",
        "\xEF\xBB\xBF{a}#",
        "{type schema:scalar extend directive input enum union interface}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;

        assert_true(parse(&f, str_of(rows[i]), &no_limits, false));
        assert_non_null(f.doc);
        assert_false(errors_any(&f.errs));
        arena_free(f.arena);
    }
}

static void bad_documents_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
    } rows[] = {
        {"",                           1, 1 },
        {" # nothing\n",               2, 1 },
        {"{",                          1, 2 },
        {"{}",                         1, 2 },
        {"{a",                         1, 3 },
        {"{a}}",                       1, 4 },
        {"a",                          1, 1 },
        {"{a(}",                       1, 4 },
        {"{a()}",                      1, 4 },
        {"{a(b)}",                     1, 5 },
        {"{a(b:)}",                    1, 6 },
        {"{a(b:[1)}",                  1, 8 },
        {"{a(b:{c})}",                 1, 8 },
        {"{a(b:{c:1]})}",              1, 10},
        {"{a:}",                       1, 4 },
        {"{a:b:c}",                    1, 5 },
        {"{a@}",                       1, 4 },
        {"{a{}}",                      1, 4 },
        {"{...}",                      1, 5 },
        {"{...on}",                    1, 7 },
        {"{...on T}",                  1, 9 },
        {"{...on{a}}",                 1, 7 },
        {"{..a}",                      1, 2 },
        {"{a}\n\"d\" {b}",             2, 1 },
        {"fragment on on T{a}",        1, 10},
        {"fragment F{a}",              1, 11},
        {"fragment F on T",            1, 16},
        {"fragment F(a:Int) on T{a}",  1, 11},
        {"query Q(){a}",               1, 9 },
        {"query Q($a){a}",             1, 11},
        {"query Q($a:){a}",            1, 12},
        {"query Q($a:[Int){a}",        1, 16},
        {"query Q($a:Int!!){a}",       1, 16},
        {"query Q($a:Int=$b){a}",      1, 16},
        {"query Q($a:Int=[$b]){a}",    1, 17},
        {"query Q($a:Int@d(b:$c)){a}", 1, 20},
        {"query Q Q{a}",               1, 9 },
        {"query Q",                    1, 8 },
        {"notanoperation Foo{a}",      1, 1 },
        {"{a(b:\"\\x\")}",             1, 7 },
        {"{a(b:01)}",                  1, 7 },
        {"{ a\n  b(c: ?) }",           2, 8 },
        {"type T{a:Int}",              1, 1 },
        {"{a}extend type T{a:Int}",    1, 4 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;

        assert_false(parse(&f, str_of(rows[i].text), &no_limits, false));
        assert_int_equal(f.errs.n, 1);
        assert_int_equal(f.errs.first->code, GRAPHQL_PARSE_FAILED);
        assert_int_equal(f.errs.first->nlocations, 1);
        assert_int_equal(f.errs.first->locations[0].line, rows[i].line);
        assert_int_equal(f.errs.first->locations[0].column, rows[i].column);
        arena_free(f.arena);
    }
}

static void a_syntax_error_says_what_was_expected(void **state)
{
    struct fixture f;

    (void)state;
    assert_false(parse(&f, STR("{a:}"), &no_limits, false));
    assert_true(str_eq(f.errs.first->message, STR("syntax error: expected name, found \"}\"")));
    arena_free(f.arena);
    assert_false(parse(&f, STR("{a"), &no_limits, false));
    assert_true(
        str_eq(f.errs.first->message, STR("syntax error: expected name, found end of document")));
    arena_free(f.arena);
    assert_false(parse(&f, STR("query A 12{a}"), &no_limits, false));
    assert_true(
        str_eq(f.errs.first->message, STR("syntax error: expected \"{\", found integer \"12\"")));
    arena_free(f.arena);
}

static void type_system_documents(void **state)
{
    static const struct {
        const char *text;
        bool accepted;
    } rows[] = {
        {"schema{query:Q mutation:M subscription:S}",                true },
        {"\"d\" schema @a{query:Q}",                                 true },
        {"schema @a",                                                false},
        {"schema{}",                                                 false},
        {"schema{select:Q}",                                         false},
        {"extend schema @a",                                         true },
        {"extend schema{mutation:M}",                                true },
        {"extend schema",                                            false},
        {"scalar S",                                                 true },
        {"scalar S @specifiedBy(url:\"u\")",                         true },
        {"extend scalar S @a",                                       true },
        {"extend scalar S",                                          false},
        {"type T",                                                   true },
        {"type T{}",                                                 false},
        {"type T implements A&B{a:Int}",                             true },
        {"type T implements &A @d{a(\"x\" b:Int=1@c,d:[E!]!):F!@g}", true },
        {"type T implements A B{a:Int}",                             false},
        {"type T implements{a:Int}",                                 false},
        {"type T{a()}",                                              false},
        {"type T{a(b:Int=$c):Int}",                                  false},
        {"extend type T implements A",                               true },
        {"extend type T",                                            false},
        {"\"d\" extend type T{a:Int}",                               false},
        {"interface I implements J{a:Int}",                          true },
        {"union U=A|B",                                              true },
        {"union U=|A",                                               true },
        {"union U",                                                  true },
        {"union U=",                                                 false},
        {"extend union U=C",                                         true },
        {"enum E{A \"d\" B@deprecated}",                             true },
        {"enum E{true}",                                             false},
        {"enum E{null}",                                             false},
        {"input I{a:Int=1,\"d\" b:[I]={a:1}}",                       true },
        {"input I @oneOf{a:Int}",                                    true },
        {"input I{a(b:Int):Int}",                                    false},
        {"extend input I{c:Int}",                                    true },
        {"directive @a on FIELD",                                    true },
        {"directive @a(b:Int) repeatable on|FIELD|OBJECT",           true },
        {"directive @a on NOWHERE",                                  false},
        {"directive @a on",                                          false},
        {"directive a on FIELD",                                     false},
        {"extend directive @a on FIELD",                             false},
        {"extend query Q{a}",                                        false},
        {"scalar A{a}type T{a:Int}",                                 true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;

        assert_int_equal(parse(&f, str_of(rows[i].text), &no_limits, true), rows[i].accepted);
        assert_int_equal(errors_any(&f.errs), !rows[i].accepted);
        arena_free(f.arena);
    }
}

static void the_tree_holds_what_was_written(void **state)
{
    struct fixture f;
    const struct ast_operation *op;
    const struct ast_selection *a, *spread, *inline_fragment;

    (void)state;
    assert_true(parse(&f,
                      STR("\"d\" query Q($v: [Int!] = [1]) @x {\n  k: a(b: $v, c: {d: \"e\\n\"}) "
                          "@include(if: true) { id }\n  ...F\n ... on T { z }\n}\n"
                          "fragment F on T { id }"),
                      &no_limits, false));
    assert_int_equal(f.doc->n, 2);
    assert_int_equal(f.doc->noperations, 1);
    assert_int_equal(f.doc->nfragments, 1);
    assert_int_equal(f.doc->ndirectives, 2);
    op = ast_find_operation(f.doc, STR("Q"));
    assert_ptr_equal(op, ast_find_operation(f.doc, STR("")));
    assert_null(ast_find_operation(f.doc, STR("R")));
    assert_non_null(ast_find_fragment(f.doc, STR("F")));
    assert_null(ast_find_fragment(f.doc, STR("G")));
    assert_int_equal(op->offset, 0);
    assert_int_equal(op->name_offset, 10);
    assert_true(str_eq(op->description, STR("d")));
    assert_int_equal(op->nvariables, 1);
    assert_int_equal(op->variables[0].type->kind, AST_LIST_TYPE);
    assert_true(op->variables[0].type->of->non_null);
    assert_int_equal(op->variables[0].default_value->items[0]->kind, AST_INT);
    assert_int_equal(op->selections.n, 3);
    a = op->selections.items[0];
    assert_true(str_eq(ast_response_key(a), STR("k")));
    assert_true(str_eq(a->name, STR("a")));
    assert_int_equal(a->arguments.n, 2);
    assert_int_equal(a->arguments.items[0].value->kind, AST_VARIABLE);
    assert_true(str_eq(a->arguments.items[0].value->text, STR("v")));
    assert_true(str_eq(a->arguments.items[1].value->fields[0].value->text, STR("e\n")));
    assert_int_equal(a->selections.n, 1);
    spread = op->selections.items[1];
    assert_int_equal(spread->kind, AST_FRAGMENT_SPREAD);
    assert_true(str_eq(spread->name, STR("F")));
    inline_fragment = op->selections.items[2];
    assert_int_equal(inline_fragment->kind, AST_INLINE_FRAGMENT);
    assert_true(str_eq(inline_fragment->name, STR("T")));
    arena_free(f.arena);
}

static void a_list_longer_than_the_stack_of_items_is_complete(void **state)
{
    struct buf b;
    struct fixture f;
    const struct ast_value *list;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "{a(b:[");
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "%d ", i);
    buf_append_lit(&b, "])}");
    assert_true(parse(&f, buf_str(&b), &no_limits, false));
    list = f.doc->definitions[0].operation->selections.items[0]->arguments.items[0].value;
    assert_int_equal(list->n, 5000);
    assert_true(str_eq(list->items[0]->text, STR("0")));
    assert_true(str_eq(list->items[4999]->text, STR("4999")));
    arena_free(f.arena);
    buf_fini(&b);
}

static void limits_are_refused_as_too_complex(void **state)
{
    static const struct {
        struct parse_limits limits;
        const char *text;
        bool accepted;
    } rows[] = {
        {{.max_bytes = 3},  "{a}",                  true },
        {{.max_bytes = 2},  "{a}",                  false},
        {{.max_tokens = 3}, "{,a,#x\n}",            true },
        {{.max_tokens = 2}, "{a}",                  false},
        {{.max_tokens = 2}, "{a b c d e f g",       false},
        {{.max_depth = 2},  "{a{b}}",               true },
        {{.max_depth = 1},  "{a{b}}",               false},
        {{.max_depth = 3},  "{a(b:[{c:1}])}",       true },
        {{.max_depth = 2},  "{a(b:[{c:1}])}",       false},
        {{.max_depth = 1},  "query($a:[[Int]]){a}", false},
        {{.max_depth = 2},  "query($a:[[Int]]){a}", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture f;

        assert_int_equal(parse(&f, str_of(rows[i].text), &rows[i].limits, false), rows[i].accepted);
        if (!rows[i].accepted) {
            assert_int_equal(f.errs.n, 1);
            assert_int_equal(f.errs.first->code, QUERY_TOO_COMPLEX);
        }
        arena_free(f.arena);
    }
}

static void nesting_is_bounded_even_without_a_limit(void **state)
{
    static const char *const openings[] = {"{a", "{a(b:[", "{a(b:{c:", "query($a:["};
    static const char *const repeated[] = {"{a", "[", "{c:", "["};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(openings); i++) {
        struct buf b;
        struct fixture f;

        buf_init(&b, 0);
        buf_append_str(&b, str_of(openings[i]));
        for (int k = 0; k < 100000; k++)
            buf_append_str(&b, str_of(repeated[i]));
        assert_false(parse(&f, buf_str(&b), &no_limits, true));
        assert_int_equal(f.errs.first->code, QUERY_TOO_COMPLEX);
        arena_free(f.arena);
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executable_documents_are_accepted),
        cmocka_unit_test(bad_documents_are_refused_with_their_place),
        cmocka_unit_test(a_syntax_error_says_what_was_expected),
        cmocka_unit_test(type_system_documents),
        cmocka_unit_test(the_tree_holds_what_was_written),
        cmocka_unit_test(a_list_longer_than_the_stack_of_items_is_complete),
        cmocka_unit_test(limits_are_refused_as_too_complex),
        cmocka_unit_test(nesting_is_bounded_even_without_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
