/* rules_arguments_test.c - arguments (specification section 5.4). */
#include "validation/verdict.h"

static void arguments_are_known(void **state)
{
    VERDICTS({"{dog{doesKnow(command:SIT)}}", NULL, 0, 0},
             {"{dog @skip(if:true){name}}", NULL, 0, 0},
             {"{dog{doesKnow(command:SIT,how:1)}}",
              "unknown argument \"how\" on field \"doesKnow\"", 1, 27},
             {"{dog @skip(if:true when:1){name}}",
              "unknown argument \"when\" on directive \"@skip\"", 1, 20},
             {"{__schema(a:1){queryType{name}}}", "unknown argument", 1, 11});
}

static void arguments_are_unique(void **state)
{
    VERDICTS({"{dog{isAtLocation(x:1,y:1)}}", NULL, 0, 0},
             {"{dog{isAtLocation(x:1,x:1)}}", "only one argument named \"x\"", 1, 19},
             {"{dog @tag(name:\"a\" name:\"b\"){name}}", "only one argument named", 1, 11});
}

static void required_arguments_are_given(void **state)
{
    VERDICTS({"{arguments{two(a:1,b:2)optional nonNull(a:1)}}", NULL, 0, 0},
             {"{arguments{two(a:1)}}", "requires the argument \"b\" of type \"Int!\"", 1, 12},
             {"{arguments{nonNull}}", "field \"nonNull\" requires", 1, 12},
             {"{dog @include{name}}", "directive \"@include\" requires", 1, 6},
             {"{__type{name}}", "requires the argument \"name\"", 1, 2});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_known),
        cmocka_unit_test(arguments_are_unique),
        cmocka_unit_test(required_arguments_are_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
