/* rules_directives_test.c - directives (specification section 5.7). */
#include "validation/verdict.h"

static void directives_are_defined(void **state)
{
    VERDICTS({"{hello @include(if:true)@skip(if:false)}", NULL, 0, 0},
             {"{hello @zed}", "unknown directive \"@zed\"", 1, 8},
             {"query @zed{hello}", "unknown directive", 1, 7});
}

static void directives_are_in_their_places(void **state)
{
    VERDICTS({"query($a:Boolean! @onVariable)@onQuery{hello @onField ...F @onSpread ...@onInline{"
              "hello}a:hello @skip(if:$a)}fragment F on Query @onFragment{hello}",
              NULL, 0, 0},
             {"mutation @onMutation{rename(id:1){name}}", NULL, 0, 0},
             {"subscription @onSubscription{other}", NULL, 0, 0},
             {"query @include(if:true){hello}", "cannot be used on queries", 1, 7},
             {"mutation @onQuery{rename(id:1){name}}", "cannot be used on mutations", 1, 10},
             {"subscription @onQuery{other}", "cannot be used on subscriptions", 1, 14},
             {"{hello @onQuery}", "cannot be used on fields", 1, 8},
             {"{...F}fragment F on Query @skip(if:true){hello}",
              "cannot be used on fragment definitions", 1, 27},
             {"{...F @onField}fragment F on Query{hello}", "on fragment spreads", 1, 7},
             {"{... @onField{hello}}", "on inline fragments", 1, 6},
             {"query($a:Boolean! @onField){hello @skip(if:$a)}", "on variable definitions", 1, 19},
             {"{hello @deprecated}", "cannot be used on fields", 1, 8},
             {"{hello @specifiedBy(url:\"x\")}", "cannot be used on fields", 1, 8},
             {"{hello @oneOf}", "cannot be used on fields", 1, 8});
}

static void directives_are_unique_unless_repeatable(void **state)
{
    VERDICTS({"{hello @tag @tag(name:\"x\")}", NULL, 0, 0},
             {"{hello @skip(if:true)...{hello @skip(if:true)}}", NULL, 0, 0},
             {"{hello @skip(if:true)@skip(if:true)}", "only once", 1, 8},
             {"query @onQuery @onQuery{hello}", "only once", 1, 7});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directives_are_defined),
        cmocka_unit_test(directives_are_in_their_places),
        cmocka_unit_test(directives_are_unique_unless_repeatable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
