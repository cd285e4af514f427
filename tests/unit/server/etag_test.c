/* etag_test.c - entity tags, and whether a client has one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/etag.h"

static void representations_have_different_tags(void **state)
{
    struct etag one = etag_of(STR("{}"), 0, false);
    struct etag same = etag_of(STR("{}"), 0, false);
    struct etag other = etag_of(STR("{ }"), 0, false);
    struct etag media = etag_of(STR("{}"), 1, false);
    struct etag gzip = etag_of(STR("{}"), 0, true);

    (void)state;
    assert_string_equal(one.text, same.text);
    assert_string_not_equal(one.text, other.text);
    assert_string_not_equal(one.text, media.text);
    assert_string_not_equal(one.text, gzip.text);
    assert_int_equal(strlen(one.text), 34);
    assert_int_equal(strlen(gzip.text), 37);
    assert_int_equal(one.text[0], '"');
    assert_int_equal(gzip.text[36], '"');
}

static void if_none_match_is_a_list_of_tags_or_a_star(void **state)
{
    static const struct etag tag = {"\"abc\""};
    static const struct {
        const char *header;
        bool matches;
    } rows[] = {
        {"\"abc\"",           true },
        {"W/\"abc\"",         true },
        {"\"x\", \"abc\"",    true },
        {"\"x\" ,W/\"abc\" ", true },
        {"*",                 true },
        {"",                  false},
        {"abc",               false},
        {"\"ab\"",            false},
        {"\"abcd\"",          false},
        {"w/\"abc\"",         false},
        {"\"x\",,\"y\"",      false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (etag_matches(str_of(rows[i].header), &tag) != rows[i].matches)
            fail_msg("If-None-Match: %s", rows[i].header);
    assert_false(etag_matches(str_make(NULL, 0), &tag));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(representations_have_different_tags),
        cmocka_unit_test(if_none_match_is_a_list_of_tags_or_a_star),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
