/* source_test.c - byte offset to line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "language/source.h"

static void a_location_counts_lines_and_code_points(void **state)
{
    /* text, offset, line, column */
    static const struct {
        struct str text;
        size_t offset;
        uint32_t line, column;
    } rows[] = {
        {STR_INIT(""),                  0,  1, 1},
        {STR_INIT("ab"),                1,  1, 2},
        {STR_INIT("a\nb"),              2,  2, 1},
        {STR_INIT("a\rb"),              2,  2, 1},
        {STR_INIT("a\r\nb"),            3,  2, 1},
        {STR_INIT("a\n\nb"),            3,  3, 1},
        {STR_INIT("\xC3\xA9x"),         2,  1, 2},
        {STR_INIT("\xF0\x9F\x98\x80x"), 4,  1, 2},
        {STR_INIT("abc"),               99, 1, 4},
        {STR_INIT("a\r\nb c"),          5,  2, 3},
        {STR_INIT("a\r"),               2,  2, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct location at = source_location(rows[i].text, rows[i].offset);

        assert_int_equal(at.line, rows[i].line);
        assert_int_equal(at.column, rows[i].column);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_counts_lines_and_code_points),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
