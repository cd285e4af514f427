/*
 * str_test.c - slices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

static void test_trims_and_cuts(void **state)
{
    struct str head, tail;

    (void)state;
    assert_true(str_is(str_trim(STR(" \t a b\r\n")), "a b"));
    assert_true(str_is(str_trim(STR(" \n ")), ""));
    assert_true(str_cut(STR("key=a=b"), '=', &head, &tail));
    assert_true(str_is(head, "key") && str_is(tail, "a=b"));
    assert_false(str_cut(STR("key"), '=', &head, &tail));
    assert_true(str_is(head, "key") && tail.len == 0);
    assert_true(str_cut(STR("="), '=', &head, &tail));
    assert_true(head.len == 0 && tail.len == 0);
    assert_false(str_cut(str_of(NULL), '=', &head, &tail));
    assert_true(str_is(str_sub(STR("abcdef"), 2, 3), "cde"));
    assert_true(str_is(str_sub(STR("abcdef"), 4, SIZE_MAX), "ef"));
    assert_int_equal(str_sub(STR("abcdef"), 9, 1).len, 0);
}

static void test_compares(void **state)
{
    (void)state;
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR(""), STR("a")) < 0);
    assert_int_equal(str_cmp(STR("a\xff"), STR("a\xff")), 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_true(str_eq_nocase(STR("Content-Type"), STR("content-tYPE")));
    assert_false(str_eq_nocase(STR("[" /* 0x5b */), STR("{" /* 0x7b */)));
    /* Every pair of bytes, at the places of short and long texts. */
    for (size_t len = 1; len < 20; len += 6) {
        char a[20], b[20];

        memset(a, 'x', sizeof(a));
        memset(b, 'X', sizeof(b));
        for (unsigned at = 0; at < len; at++) {
            for (unsigned i = 0; i < 256 * 256; i++) {
                unsigned c = i / 256, d = i % 256;
                bool same = c == d || ((c ^ d) == 0x20 && (c | 0x20) >= 'a' && (c | 0x20) <= 'z');

                a[at] = (char)c;
                b[at] = (char)d;
                if (str_eq_nocase(str_make(a, len), str_make(b, len)) != same)
                    fail_msg("%02x and %02x", c, d);
            }
            a[at] = 'x';
            b[at] = 'X';
        }
    }
    assert_true(str_starts(STR("v_user"), STR("v_")));
    assert_false(str_starts(STR("v"), STR("v_")));
    assert_true(str_ends(STR("user_internal"), STR("_internal")));
    assert_false(str_ends(STR("al"), STR("internal")));
}

static void test_reads_integers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0",                    true,  0        },
        {"-1",                   true,  -1       },
        {"9223372036854775807",  true,  INT64_MAX},
        {"-9223372036854775808", true,  INT64_MIN},
        {"9223372036854775808",  false, 0        },
        {"-9223372036854775809", false, 0        },
        {"99999999999999999999", false, 0        },
        {"",                     false, 0        },
        {"-",                    false, 0        },
        {"+1",                   false, 0        },
        {" 1",                   false, 0        },
        {"1 ",                   false, 0        },
        {"1.0",                  false, 0        },
        {"0x10",                 false, 0        },
    };
    uint64_t u;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t v = 0;

        if (str_to_i64(str_of(cases[i].text), &v) != cases[i].ok || v != cases[i].value)
            fail_msg("\"%s\" gave %lld", cases[i].text, (long long)v);
    }
    assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(str_to_u64(STR("18446744073709551616"), &u));
    assert_false(str_to_u64(STR("-1"), &u));
}

static void test_matches_globs(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"v_*",        "v_user",       true },
        {"v_*",        "tv_user",      false},
        {"*_internal", "v_x_internal", true },
        {"*_internal", "v_internal_x", false},
        {"*",          "",             true },
        {"",           "",             true },
        {"",           "a",            false},
        {"?",          "",             false},
        {"a?c*",       "abcdef",       true },
        {"*a*b*c*",    "xxaxxbxxcxx",  true },
        {"*a*b*c",     "abcabd",       false},
        {"[a]",        "a",            false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (str_glob(str_of(cases[i].pattern), str_of(cases[i].text)) != cases[i].matches)
            fail_msg("\"%s\" on \"%s\"", cases[i].pattern, cases[i].text);
}

static void test_knows_utf8(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"",                                                                      true },
        {"plain",                                                                 true },
        {"caf\xc3\xa9",                                                           true },
        {"\xe2\x82\xac and \xf0\x9f\x98\x80 in a text longer than sixteen bytes", true },
        {"\xf4\x8f\xbf\xbf",                                                      true }, /* U+10FFFF */
        {"\xf4\x90\x80\x80",                                                      false}, /* beyond it */
        {"\xc0\x80",                                                              false}, /* overlong NUL */
        {"\xe0\x80\xaf",                                                          false}, /* overlong '/' */
        {"\xf0\x8f\xbf\xbf",                                                      false}, /* overlong U+FFFF */
        {"\xed\xa0\x80",                                                          false}, /* surrogate */
        {"\xed\x9f\xbf",                                                          true }, /* U+D7FF */
        {"\xc3",                                                                  false}, /* cut */
        {"\xe2\x82",                                                              false},
        {"\xf0\x9f\x98",                                                          false},
        {"\x80",                                                                  false}, /* continuation alone */
        {"\xff",                                                                  false},
        {"0123456789abcdef0123456789abcde\xff",                                   false},
        {"0123456789abcdef\xe2\x28\xa1",                                          false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (str_is_utf8(str_of(cases[i].text)) != cases[i].ok)
            fail_msg("case %zu", i);
}

static void test_measures_distance(void **state)
{
    char longest[200];

    (void)state;
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(str_distance(STR("max_conection"), STR("max_connections"), 3), 2);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 5), 3);
    assert_int_equal(str_distance(STR("kitten"), STR("sitting"), 2), 3);
    assert_int_equal(str_distance(STR(""), STR("abc"), 5), 3);
    assert_int_equal(str_distance(STR("same"), STR("same"), 0), 0);
    assert_int_equal(str_distance(STR("port"), STR("something else"), 2), 3);
    assert_int_equal(str_distance(str_make(longest, 200), str_make(longest, 199), 2), 3);
}

static void test_hashes_by_content(void **state)
{
    char copy[] = "tenant";

    (void)state;
    assert_true(str_hash(STR("tenant")) == str_hash(str_of(copy)));
    assert_true(str_hash(STR("tenant")) != str_hash(STR("tenanu")));
    assert_true(str_hash(STR("")) == str_hash(str_of(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trims_and_cuts),    cmocka_unit_test(test_compares),
        cmocka_unit_test(test_reads_integers),    cmocka_unit_test(test_matches_globs),
        cmocka_unit_test(test_knows_utf8),        cmocka_unit_test(test_measures_distance),
        cmocka_unit_test(test_hashes_by_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
