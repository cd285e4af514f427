/*
 * authorize_test.c - which roles and scopes satisfy a rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/authorize.h"
#include "schema/authrule.h"

#define MAX_WORDS 4

/* "a b" as a list. */
static size_t words(const char *text, struct str *out)
{
    struct str rest = str_of(text), word;
    size_t n = 0;

    while (rest.len > 0) {
        str_cut(rest, ' ', &word, &rest);
        out[n++] = word;
    }
    return n;
}

static void one_role_and_all_scopes_are_needed(void **state)
{
    static const struct {
        const char *roles, *scopes; /* of the rule */
        bool authenticated;
        const char *has_roles, *has_scopes;
        bool allowed;
    } all[] = {
        {"",    "",    true,  "",    "",      true },
        {"",    "",    false, "",    "",      false},
        {"a",   "",    true,  "a",   "",      true },
        {"a b", "",    true,  "b",   "",      true },
        {"a b", "",    true,  "c",   "a b",   false},
        {"a",   "",    true,  "A",   "",      false},
        {"a",   "",    true,  "ab",  "",      false},
        {"a",   "",    false, "a",   "",      false},
        {"",    "x y", true,  "",    "x",     false},
        {"",    "x y", true,  "x y", "",      false},
        {"",    "x y", true,  "",    "y z x", true },
        {"a",   "x",   true,  "a",   "",      false},
        {"a",   "x",   true,  "",    "x",     false},
        {"a",   "x",   true,  "b a", "x",     true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct str lists[4][MAX_WORDS];
        struct auth_rule rule = {lists[0], words(all[i].roles, lists[0]), lists[1],
                                 words(all[i].scopes, lists[1])};
        struct identity who = {.authenticated = all[i].authenticated};

        who.grants = (struct grants){lists[2], words(all[i].has_roles, lists[2]), lists[3],
                                     words(all[i].has_scopes, lists[3])};
        assert_int_equal(authorize_rule(&rule, &who), all[i].allowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_role_and_all_scopes_are_needed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
