/* rules_fragments_test.c - fragments (specification section 5.5). */
#include "validation/verdict.h"

static void fragment_names_are_unique(void **state)
{
    VERDICTS({"{...A ...B}fragment A on Query{hello}fragment B on Query{hello}", NULL, 0, 0},
             {"{...A}fragment A on Query{hello}\nfragment A on Query{hello}",
              "only one fragment named \"A\"", 1, 16});
}

static void fragments_are_on_composite_types(void **state)
{
    VERDICTS({"{pet{...on Pet{name}...on Dog{name}...on CatOrDog{__typename}}}", NULL, 0, 0},
             {"{dog{...on Zed{name}}}", "unknown type \"Zed\"", 1, 12},
             {"{dog{...F}}fragment F on Zed{name}", "unknown type \"Zed\"", 1, 26},
             {"{dog{...on Int{name}}}", "which has no fields", 1, 12},
             {"{dog{...F}}fragment F on Complex{name}", "which has no fields", 1, 26});
}

static void spread_fragments_exist(void **state)
{
    VERDICTS({"{...F}fragment F on Query{hello}", NULL, 0, 0},
             {"{...F}", "unknown fragment \"F\"", 1, 5});
}

static void fragments_are_used(void **state)
{
    VERDICTS({"{...F}fragment F on Query{...G}fragment G on Query{hello}", NULL, 0, 0},
             {"{hello}fragment F on Query{hello}", "never used", 1, 8});
}

static void spreads_are_possible(void **state)
{
    VERDICTS({"{dog{...on Dog{name}...on Pet{name}...on CatOrDog{__typename}}}", NULL, 0, 0},
             {"{pet{...on Being{name}...on Canine{name}}}", NULL, 0, 0},
             {"{humanOrAlien{...on Being{name}...on DogOrHuman{__typename}}}", NULL, 0, 0},
             {"{dog{...on Cat{name}}}", "no \"Dog\" is a \"Cat\"", 1, 6},
             {"{dog{...F}}fragment F on Cat{name}", "fragment \"F\" cannot be spread", 1, 6},
             {"{pet{...on Human{name}}}", "cannot be spread", 1, 6},
             {"{catOrDog{...on HumanOrAlien{__typename}}}", "cannot be spread", 1, 11},
             {"{pet{...on HumanOrAlien{__typename}}}", "cannot be spread", 1, 6});
}

static void fragments_form_no_cycles(void **state)
{
    VERDICTS({"{dog{...A ...B}}fragment A on Dog{name ...B}fragment B on Dog{name}", NULL, 0, 0},
             {"{dog{...A}}fragment A on Dog{...A}", "cannot spread itself", 1, 30},
             {"{dog{...A}}fragment A on Dog{mother{...A}}", "cannot spread itself", 1, 37},
             {"{dog{...A}}fragment A on Dog{...B}fragment B on Dog{...on Dog{...C}}"
              "fragment C on Dog{owner{name}...A}",
              "cannot spread itself", 1, 98});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragment_names_are_unique),
        cmocka_unit_test(fragments_are_on_composite_types),
        cmocka_unit_test(spread_fragments_exist),
        cmocka_unit_test(fragments_are_used),
        cmocka_unit_test(spreads_are_possible),
        cmocka_unit_test(fragments_form_no_cycles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
