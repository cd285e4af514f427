/* rules_variables_test.c - variables in documents (specification section 5.8). */
#include "validation/verdict.h"

static void variables_are_unique(void **state)
{
    VERDICTS(
        {"query($a:Int,$b:Int){arguments{int(a:$a)x:int(a:$b)}}", NULL, 0, 0},
        {"query($a:Int,$a:Int){arguments{int(a:$a)}}", "only one variable named \"$a\"", 1, 7});
}

static void variables_are_of_input_types(void **state)
{
    VERDICTS({"query($a:[Complex!]!){arguments{x:json(a:{b:$a})}}", NULL, 0, 0},
             {"query($a:Dog){arguments{json(a:{b:$a})}}", "no input type", 1, 10},
             {"query($a:[CatOrDog!]){arguments{json(a:{b:$a})}}", "no input type", 1, 10},
             {"query($a:[Zed]){arguments{json(a:{b:$a})}}", "unknown type \"Zed\"", 1, 11},
             {"query($a:[[[[[[[[[[[[[[[[Int]]]]]]]]]]]]]]]]){arguments{json(a:{b:$a})}}",
              "levels of lists", 1, 25});
}

static void used_variables_are_defined(void **state)
{
    VERDICTS({"query A($a:Int){...F}query B($a:Int){...F}fragment F on Query{arguments{int(a:$a)}}",
              NULL, 0, 0},
             {"{arguments{int(a:$a)}}", "\"$a\" is not defined", 1, 18},
             {"query A{arguments{list(a:[$a])}}", "not defined by operation \"A\"", 1, 27},
             {"query A($a:Int){...F}query B{...F}fragment F on Query{...G}"
              "fragment G on Query{arguments{int(a:$a)}}",
              "not defined by operation \"B\"", 1, 96},
             {"{hello @skip(if:$a)}", "not defined", 1, 17});
}

static void defined_variables_are_used(void **state)
{
    VERDICTS(
        {"query($a:Int){...F}fragment F on Query{arguments{complex(a:{required:true int:$a})}}",
         NULL, 0, 0},
        {"query($a:Int){hello}", "\"$a\" is never used", 1, 7},
        {"query A($a:Int){...F}query B{hello}fragment F on Query{hello}", "never used", 1, 9});
}

static void variables_fit_where_they_are_used(void **state)
{
    VERDICTS(
        {"query($a:Int!){arguments{int(a:$a)}}", NULL, 0, 0},
        {"query($a:Int=1){arguments{nonNull(a:$a)}}", NULL, 0, 0},
        {"query($a:Int){arguments{optional(b:$a)}}", NULL, 0, 0},
        {"query($a:Boolean){arguments{complex(a:{required:true nonNull:$a})}}", NULL, 0, 0},
        {"query($a:[String!]!){arguments{list(a:$a)}}", NULL, 0, 0},
        {"query($a:String){arguments{list(a:[$a])}}", NULL, 0, 0},
        {"query($a:Int){arguments{nonNull(a:$a)}}", "of type \"Int\" cannot be used where \"Int!\"",
         1, 7},
        {"query($a:Int=null){arguments{nonNull(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:String){arguments{int(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:String){arguments{list(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:[String]){arguments{string(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:[String]){arguments{nonNullList(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:[String]=[]){arguments{nonNullList(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:[Int]){arguments{jsons(a:$a)}}", "cannot be used where", 1, 7},
        {"query($a:Int){arguments{json(a:[$a])}}", "cannot be used where", 1, 7},
        {"query($a:Boolean){arguments{complex(a:{required:$a})}}", "cannot be used where", 1, 7},
        {"query($a:Boolean){hello @skip(if:$a)}", "cannot be used where", 1, 7},
        {"query($a:String){...F}fragment F on Query{arguments{int(a:$a)}}", "cannot be used where",
         1, 7});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_unique),
        cmocka_unit_test(variables_are_of_input_types),
        cmocka_unit_test(used_variables_are_defined),
        cmocka_unit_test(defined_variables_are_used),
        cmocka_unit_test(variables_fit_where_they_are_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
