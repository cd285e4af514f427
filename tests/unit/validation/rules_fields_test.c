/* rules_fields_test.c - fields (specification section 5.3). */
#include "validation/verdict.h"

static void fields_exist_on_their_type(void **state)
{
    VERDICTS({"{dog{name __typename}}", NULL, 0, 0}, {"{__typename}", NULL, 0, 0},
             {"{catOrDog{__typename ...on Dog{barkVolume}}}", NULL, 0, 0},
             {"{__schema{queryType{name}}__type(name:\"Dog\"){name}}", NULL, 0, 0},
             {"{human{query{__schema{queryType{name}}}}}", NULL, 0, 0},
             {"{dog{meows}}", "unknown field \"meows\" on type \"Dog\"", 1, 6},
             {"{dog{x:\n meows}}", "unknown field", 1, 6},
             {"{pet{nickname}}", "unknown field", 1, 6},
             {"{catOrDog{name}}", "unknown field", 1, 11},
             {"{dog{__schema{queryType{name}}}}", "unknown field", 1, 6},
             {"mutation{__schema{queryType{name}}}", "unknown field", 1, 10},
             {"{zzz{yyy{xxx}}}", "unknown field \"zzz\"", 1, 2},
             {"{dog{...F}}fragment F on Dog{meows}", "unknown field", 1, 30});
}

static void leaves_and_only_leaves_have_no_selection(void **state)
{
    VERDICTS({"{dog{name}}", NULL, 0, 0}, {"{dog}", "must have a selection", 1, 2},
             {"{human{pets}}", "must have a selection", 1, 8},
             {"{catOrDog}", "must have a selection", 1, 2},
             {"{dog{name{first}}}", "cannot have a selection", 1, 10},
             {"{cat{furColour{first}}}", "cannot have a selection", 1, 15},
             {"{__typename{a}}", "cannot have a selection", 1, 12});
}

static void introspection_nests_two_lists_at_most(void **state)
{
    VERDICTS(
        {"{__schema{types{fields{type{fields{name}}}}}}", NULL, 0, 0},
        {"{__schema{types{ofType{ofType{ofType{ofType{ofType{name}}}}}}}}", NULL, 0, 0},
        {"{__schema{types{fields{type{fields{type{fields{name}}}}}}}}", "nested too deeply", 1, 2},
        {"{human{query{__type(name:\"A\"){interfaces{possibleTypes{inputFields{name}}}}}}}",
         "nested too deeply", 1, 14},
        {"{__schema{types{...F}}}fragment F on __Type{fields{type{...G}}}"
         "fragment G on __Type{fields{type{interfaces{name}}}}",
         "nested too deeply", 1, 2});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_exist_on_their_type),
        cmocka_unit_test(leaves_and_only_leaves_have_no_selection),
        cmocka_unit_test(introspection_nests_two_lists_at_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
