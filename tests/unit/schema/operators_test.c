/* operators_test.c - the table of filter operators. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/operators.h"

static const unsigned combinations[] = {
    FILTER_ANY,
    FILTER_ANY | FILTER_EQUAL,
    FILTER_ANY | FILTER_EQUAL | FILTER_ORDERED,
    FILTER_ANY | FILTER_EQUAL | FILTER_ORDERED | FILTER_STRING,
    FILTER_ANY | FILTER_EQUAL | FILTER_ARRAY,
    FILTER_ANY | FILTER_EQUAL | FILTER_JSON,
};

static void a_column_has_one_operator_of_a_name(void **state)
{
    size_t i, c;

    (void)state;
    for (c = 0; c < COUNT_OF(combinations); c++)
        for (i = 0; i < operator_count(); i++)
            if (operator_at(i)->classes & combinations[c])
                assert_ptr_equal(operator_find(operator_at(i)->name, combinations[c]),
                                 operator_at(i));
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
        if (op->operand != OPERAND_VALUE && op->operand != OPERAND_LIST && !boolean)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_column_has_one_operator_of_a_name),
        cmocka_unit_test(every_pattern_has_what_its_operand_needs),
        cmocka_unit_test(classes_decide),
    };

    return cmocka_run_group_tests_name("operators", tests, NULL, NULL);
}
