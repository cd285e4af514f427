/* rules_operations_test.c - operations (specification section 5.2). */
#include "validation/verdict.h"

static void type_definitions_are_not_executable(void **state)
{
    VERDICTS({"{hello}", NULL, 0, 0}, {"{hello}\ntype T{a:Int}", "not executable", 2, 1},
             {"{hello} extend type Query{a:Int}", "not executable", 1, 9});
}

static void operation_names_are_unique(void **state)
{
    VERDICTS({"query A{hello}", NULL, 0, 0},
             {"query A{hello}\nmutation A{rename(id:1){name}}", "only one operation named", 1, 7});
}

static void an_anonymous_operation_is_alone(void **state)
{
    VERDICTS({"{...F}fragment F on Query{hello}", NULL, 0, 0},
             {"{hello}\nquery B{hello}", "must be the only operation", 1, 1});
}

static void an_operation_has_a_root_type(void **state)
{
    const struct schema *queries_only = test_schema_new("type Query{a:Int}");
    const struct verdict rows[] = {
        {"{a}",                          NULL,                              0, 0 },
        {"mutation{a}",                  "the schema has no mutations",     1, 1 },
        {"query A{a} subscription B{a}", "the schema has no subscriptions", 1, 12},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        verdict_check_one(queries_only, &rows[i]);
    schema_unref(queries_only);
}

static void a_subscription_has_one_root_field(void **state)
{
    VERDICTS({"subscription{important}", NULL, 0, 0},
             {"subscription{important important}", NULL, 0, 0},
             {"subscription{...F ...F}fragment F on Subscription{important}", NULL, 0, 0},
             {"subscription{important other}", "only one root field", 1, 24},
             {"subscription{important ...F}fragment F on Subscription{...{other}}",
              "only one root field", 1, 60},
             {"subscription{__typename}", "introspection field", 1, 14},
             {"subscription($a:Boolean!){important @include(if:$a)}", "@skip or @include", 1, 37},
             {"subscription($a:Boolean!){...@skip(if:$a){important}}", "@skip or @include", 1, 30});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(type_definitions_are_not_executable),
        cmocka_unit_test(operation_names_are_unique),
        cmocka_unit_test(an_anonymous_operation_is_alone),
        cmocka_unit_test(an_operation_has_a_root_type),
        cmocka_unit_test(a_subscription_has_one_root_field),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
