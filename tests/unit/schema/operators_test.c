/* operators_test.c - the table of filter operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/operators.h"

#define PAGE "docs/operators.md"

/* What columns can have: those of each scalar, of text that is searched, of lists, of enums, of the
 * rest. */
static const struct {
    const char *name;
    unsigned classes;
} others[] = {
    {"String that can be searched",
     FILTER_ANY | FILTER_EQUAL | FILTER_ORDERED | FILTER_STRING | FILTER_FULL_TEXT},
    {"lists",                           FILTER_ANY | FILTER_EQUAL | FILTER_ARRAY  },
    {"enums, and other types with `=`", FILTER_ANY | FILTER_EQUAL                 },
    {"other types",                     FILTER_ANY                                },
};

static size_t kinds(void)
{
    return scalar_count() + COUNT_OF(others);
}

static unsigned kind_classes(size_t i)
{
    return i < scalar_count() ? scalar_at(i)->filters : others[i - scalar_count()].classes;
}

static struct str kind_name(size_t i)
{
    return i < scalar_count() ? scalar_at(i)->name : str_of(others[i - scalar_count()].name);
}

static void a_column_has_one_operator_of_a_name(void **state)
{
    (void)state;
    for (size_t k = 0; k < kinds(); k++)
        for (size_t i = 0; i < operator_count(); i++)
            if (operator_at(i)->classes & kind_classes(k))
                assert_ptr_equal(operator_find(operator_at(i)->name, kind_classes(k)),
                                 operator_at(i));
}

static void every_operator_is_of_some_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < operator_count(); i++) {
        size_t k = 0;

        while (k < kinds() && !(operator_at(i)->classes & kind_classes(k)))
            k++;
        assert_true(k < kinds());
    }
}

static void every_pattern_has_what_its_operand_needs(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < operator_count(); i++) {
        const struct filter_operator *op = operator_at(i);
        bool boolean = op->operand == OPERAND_BOOLEAN;

        assert_non_null(strstr(op->sql, "%c"));
        assert_int_equal(strstr(op->sql, "%p") == NULL, boolean);
        assert_int_equal(op->sql_false != NULL, boolean);
        assert_true(op->sql_null == NULL || strstr(op->sql_null, "%p") == NULL);
        assert_non_null(op->description);
        assert_int_equal(op->operand == OPERAND_PAIR, op->pair != NULL);
        assert_int_equal(op->operand == OPERAND_PAIR, strstr(op->sql, "%q") != NULL);
        if (op->operand >= OPERAND_TEXT && op->operand <= OPERAND_ENDS)
            assert_non_null(op->cast);
    }
}

static void classes_decide(void **state)
{
    (void)state;
    assert_non_null(operator_find(STR("icontains"), FILTER_STRING));
    assert_null(operator_find(STR("icontains"), FILTER_ORDERED));
    assert_null(operator_find(STR("eq"), FILTER_ANY));
    assert_non_null(operator_find(STR("isnull"), FILTER_ANY));
    assert_null(operator_find(STR("nothing"), ~0u));
    assert_true(operator_find(STR("contains"), FILTER_ARRAY) !=
                operator_find(STR("contains"), FILTER_STRING));
}

/* --- the page of the documentation -------------------------------------------------------------
 */

/* In a cell of a table. */
static void append_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i]);
    }
}

static void describe_types(struct buf *out)
{
    buf_append_lit(out, "| Type | Operators |\n|---|---|\n");
    for (size_t k = 0; k < kinds(); k++) {
        buf_printf(out, "| %.*s |", STR_ARG(kind_name(k)));
        for (size_t i = 0; i < operator_count(); i++)
            if (operator_at(i)->classes & kind_classes(k))
                buf_printf(out, " `%.*s`", STR_ARG(operator_at(i)->name));
        buf_append_lit(out, " |\n");
    }
}

/* The pattern with x for the column and $1, $2 for the operands. */
static void describe_sql(struct buf *out, const char *pattern)
{
    struct buf sql = {0};

    for (const char *p = pattern; *p != '\0'; p++) {
        if (p[0] == '%' && p[1] == '{') {
            for (p += 2; *p != '}'; p++)
                buf_append_char(&sql, *p);
        } else if (p[0] == '%' && p[1] == 's') {
            p += 2;
        } else if (p[0] == '%') {
            p++;
            buf_append_str(&sql, *p == 'c' ? STR("x") : *p == 'p' ? STR("$1") : STR("$2"));
        } else {
            buf_append_char(&sql, *p);
        }
    }
    append_cell(out, buf_str(&sql));
    buf_fini(&sql);
}

static void describe_operators(struct buf *out)
{
    buf_append_lit(out, "| Operator | Meaning | SQL |\n|---|---|---|\n");
    for (size_t i = 0; i < operator_count(); i++) {
        const struct filter_operator *op = operator_at(i);

        buf_printf(out, "| `%.*s`", STR_ARG(op->name));
        if (op->pair != NULL)
            buf_printf(out, " `{%.*s, %.*s}`", STR_ARG(op->pair->members[0].name),
                       STR_ARG(op->pair->members[1].name));
        buf_append_lit(out, " | ");
        append_cell(out, str_of(op->description));
        buf_append_lit(out, " | `");
        describe_sql(out, op->sql);
        buf_append_lit(out, "` |\n");
    }
}

/* OPERATORS_UPDATE=1 in the environment writes the page instead of comparing. */
static void the_documentation_says_what_the_table_says(void **state)
{
    char have[65536];
    struct buf page = {0};
    FILE *f;

    (void)state;
    buf_append_lit(
        &page,
        "# Filter operators\n"
        "\n"
        "Made of the program's own tables. `null` as an operand is an error but for `eq` and "
        "`neq`. "
        "Operands are\nparameters; operators of extensions are named with their schema. "
        "Where `x` is null a condition does not hold, but for\n`isnull`, and `neq` and `nin` under "
        "`schema.filters.null_safe`.\n\n");
    describe_types(&page);
    buf_append_char(&page, '\n');
    describe_operators(&page);
    if (getenv("OPERATORS_UPDATE") != NULL) {
        f = fopen(PAGE, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(page.data, 1, page.len, f), page.len);
        fclose(f);
    }
    f = fopen(PAGE, "r");
    assert_non_null(f);
    have[fread(have, 1, sizeof(have) - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(have, buf_cstr(&page));
    buf_fini(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_has_one_operator_of_a_name),
        cmocka_unit_test(every_operator_is_of_some_type),
        cmocka_unit_test(every_pattern_has_what_its_operand_needs),
        cmocka_unit_test(classes_decide),
        cmocka_unit_test(the_documentation_says_what_the_table_says),
    };

    return cmocka_run_group_tests_name("operators", tests, NULL, NULL);
}
