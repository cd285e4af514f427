/* lexer_test.c - characters to tokens (specification section 2.1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "language/lexer.h"

static struct token next(struct lexer *lx)
{
    struct token t;

    lexer_next(lx, &t);
    return t;
}

static enum token_kind first_kind(struct str text)
{
    struct lexer lx;

    lexer_init(&lx, text);
    return next(&lx).kind;
}

static void every_kind_of_token_is_recognised(void **state)
{
    static const enum token_kind expected[] = {
        TOKEN_BANG,      TOKEN_DOLLAR,  TOKEN_AMP,    TOKEN_PAREN_L,      TOKEN_PAREN_R,
        TOKEN_SPREAD,    TOKEN_COLON,   TOKEN_EQUALS, TOKEN_AT,           TOKEN_BRACKET_L,
        TOKEN_BRACKET_R, TOKEN_BRACE_L, TOKEN_PIPE,   TOKEN_BRACE_R,      TOKEN_NAME,
        TOKEN_INT,       TOKEN_FLOAT,   TOKEN_STRING, TOKEN_BLOCK_STRING, TOKEN_EOF,
        TOKEN_EOF,
    };
    struct lexer lx;

    (void)state;
    lexer_init(&lx, STR("!$&()...:=@[]{|}_a9 -1 1.5e3\"s\"\"\"\"b\"\"\""));
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_int_equal(next(&lx).kind, expected[i]);
}

static void ignored_characters_separate_tokens_only(void **state)
{
    struct lexer lx;
    struct token t;

    (void)state;
    lexer_init(&lx, STR("\xEF\xBB\xBF # note \xC3\xA9 {\r,\t,a\xEF\xBB\xBF#x\nb #"));
    t = next(&lx);
    assert_true(str_eq(lexer_text(&lx, t), STR("a")));
    assert_int_equal(t.offset, 19);
    t = next(&lx);
    assert_true(str_eq(lexer_text(&lx, t), STR("b")));
    assert_int_equal(next(&lx).kind, TOKEN_EOF);
}

static void numbers_follow_their_grammar(void **state)
{
    static const struct {
        struct str text;
        enum token_kind kind;
    } rows[] = {
        {STR_INIT("0"),      TOKEN_INT  },
        {STR_INIT("-0"),     TOKEN_INT  },
        {STR_INIT("12"),     TOKEN_INT  },
        {STR_INIT("0.5"),    TOKEN_FLOAT},
        {STR_INIT("1e9"),    TOKEN_FLOAT},
        {STR_INIT("1E+9"),   TOKEN_FLOAT},
        {STR_INIT("1.5e-9"), TOKEN_FLOAT},
        {STR_INIT("0)"),     TOKEN_INT  },
        {STR_INIT("00"),     TOKEN_ERROR},
        {STR_INIT("01"),     TOKEN_ERROR},
        {STR_INIT("-"),      TOKEN_ERROR},
        {STR_INIT("-a"),     TOKEN_ERROR},
        {STR_INIT("+1"),     TOKEN_ERROR},
        {STR_INIT("1."),     TOKEN_ERROR},
        {STR_INIT("1.a"),    TOKEN_ERROR},
        {STR_INIT(".1"),     TOKEN_ERROR},
        {STR_INIT("1e"),     TOKEN_ERROR},
        {STR_INIT("1e+"),    TOKEN_ERROR},
        {STR_INIT("1.2.3"),  TOKEN_ERROR},
        {STR_INIT("1..."),   TOKEN_ERROR},
        {STR_INIT("0xF"),    TOKEN_ERROR},
        {STR_INIT("1a"),     TOKEN_ERROR},
        {STR_INIT("1_"),     TOKEN_ERROR},
        {STR_INIT("1.5e3f"), TOKEN_ERROR},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(first_kind(rows[i].text), rows[i].kind);
}

static void strings_are_decoded(void **state)
{
    static const struct {
        struct str text, value;
    } rows[] = {
        {STR_INIT("\"\""),                                    STR_INIT("")                    },
        {STR_INIT("\"a b\""),                                 STR_INIT("a b")                 },
        {STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),          STR_INIT("\"\\/\b\f\n\r\t")     },
        {STR_INIT("\"\\u00e9\""),                             STR_INIT("\xC3\xA9")            },
        {STR_INIT("\"\\u{1F600}\""),                          STR_INIT("\xF0\x9F\x98\x80")    },
        {STR_INIT("\"\\u{0000041}\""),                        STR_INIT("A")                   },
        {STR_INIT("\"\\uD83D\\uDE00\""),                      STR_INIT("\xF0\x9F\x98\x80")    },
        {STR_INIT("\"\\u0000\""),                             STR_INIT("\0")                  },
        {STR_INIT("\"\\uFFFF\\u07ff\""),                      STR_INIT("\xEF\xBF\xBF\xDF\xBF")},
        {STR_INIT("\"\xE2\x82\xAC\t\x01\""),                  STR_INIT("\xE2\x82\xAC\t\x01")  },
        {STR_INIT("\"#not a comment\""),                      STR_INIT("#not a comment")      },
        {STR_INIT("\"\"\"\"\"\""),                            STR_INIT("")                    },
        {STR_INIT("\"\"\"a\"\"\""),                           STR_INIT("a")                   },
        {STR_INIT("\"\"\" a \"\"\""),                         STR_INIT(" a ")                 },
        {STR_INIT("\"\"\"\n    a\n      b\n\n    c\n\"\"\""), STR_INIT("a\n  b\n\nc")         },
        {STR_INIT("\"\"\"a\r\n  b\r  c\"\"\""),               STR_INIT("a\nb\nc")             },
        {STR_INIT("\"\"\"\n\n  \n a\n \t\n\"\"\""),           STR_INIT("a")                   },
        {STR_INIT("\"\"\"\n  a\n b\n\"\"\""),                 STR_INIT(" a\nb")               },
        {STR_INIT("\"\"\"\n\ta\n \n\t\tb\"\"\""),             STR_INIT("a\n\n\tb")            },
        {STR_INIT("\"\"\" \n \t \r\n\"\"\""),                 STR_INIT("")                    },
        {STR_INIT("\"\"\"\\\"\"\"\"\"\""),                    STR_INIT("\"\"\"")              },
        {STR_INIT("\"\"\"\\n \\\\\"\" \"\"\""),               STR_INIT("\\n \\\\\"\" ")       },
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lexer lx;
        struct token t;
        struct str value;

        lexer_init(&lx, rows[i].text);
        t = next(&lx);
        assert_true(t.kind == TOKEN_STRING || t.kind == TOKEN_BLOCK_STRING);
        assert_int_equal(t.len, rows[i].text.len);
        value = lexer_string(&lx, t, a);
        assert_non_null(value.data);
        assert_int_equal(value.len, rows[i].value.len);
        assert_memory_equal(value.data, rows[i].value.data, value.len);
    }
    arena_free(a);
}

static void errors_name_their_byte(void **state)
{
    static const struct {
        struct str text;
        uint32_t offset;
    } rows[] = {
        {STR_INIT("\"abc"),                4},
        {STR_INIT("\"a\nb\""),             2},
        {STR_INIT("\"a\rb\""),             2},
        {STR_INIT("\"\\q\""),              1},
        {STR_INIT("\"\\"),                 1},
        {STR_INIT("\"\\u12\""),            1},
        {STR_INIT("\"\\u{}\""),            1},
        {STR_INIT("\"\\u{110000}\""),      1},
        {STR_INIT("\"\\u{D800}\""),        1},
        {STR_INIT("\"\\u{000000041}\""),   1},
        {STR_INIT("\"\\u{41\""),           1},
        {STR_INIT("\"\\uD83D\""),          1},
        {STR_INIT("\"\\uDE00\""),          1},
        {STR_INIT("\"\\uD83D\\uD83D\""),   1},
        {STR_INIT("\"\\uD83D\\n\""),       1},
        {STR_INIT("\"\xFF\""),             1},
        {STR_INIT("\"\xC0\x80\""),         1},
        {STR_INIT("\"\xED\xA0\x80\""),     1},
        {STR_INIT("\"\xF4\x90\x80\x80\""), 1},
        {STR_INIT("\"\xE2\x82"),           1},
        {STR_INIT("\"\"\"a"),              4},
        {STR_INIT("\"\"\"\\\"\"\""),       7},
        {STR_INIT("\"\"\"\x80\"\"\""),     3},
        {STR_INIT("#\x80"),                1},
        {STR_INIT(".."),                   0},
        {STR_INIT("%"),                    0},
        {STR_INIT("\0"),                   0},
        {STR_INIT("\xEF\xBB\xBE"),         0},
        {STR_INIT("\xC3\xA9"),             0},
        {STR_INIT("'a'"),                  0},
        {STR_INIT("\x7F"),                 0},
        {STR_INIT("\x0B"),                 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lexer lx;
        struct token t;

        lexer_init(&lx, rows[i].text);
        t = next(&lx);
        assert_int_equal(t.kind, TOKEN_ERROR);
        assert_non_null(lx.error);
        assert_int_equal(t.offset, rows[i].offset);
        assert_int_equal(next(&lx).kind, TOKEN_ERROR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_token_is_recognised),
        cmocka_unit_test(ignored_characters_separate_tokens_only),
        cmocka_unit_test(numbers_follow_their_grammar),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(errors_name_their_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
