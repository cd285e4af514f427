/*
 * claims_test.c - where roles and scopes are among claims, and what is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/claims.h"
#include "base/buf.h"

static const struct jval_limits limits = {16, 1000};

static void append(struct buf *out, const struct str *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%.*s", i > 0 ? "|" : "", STR_ARG(items[i]));
}

static void grants_are_taken_from_claims(void **state)
{
    static const struct {
        const char *claims, *roles_path, *scopes_path, *expected;
    } all[] = {
        {"{}",                                      "",            "",  "/"     },
        {"{\"roles\":[\"a\",\"b\"]}",               "",            "",  "a|b/"  },
        {"{\"roles\":\"a b\"}",                     "",            "",  "a b/"  },
        {"{\"roles\":[\"a\",1,null,[\"b\"],\"\"]}", "",            "",  "a/"    },
        {"{\"roles\":{\"a\":true}}",                "",            "",  "/"     },
        {"{\"roles\":[\"a\"]}",                     "realm.roles", "",  "/"     },
        {"{\"realm\":{\"roles\":[\"a\"]}}",         "realm.roles", "",  "a/"    },
        {"{\"x.y\":[\"a\"],\"x\":{\"y\":[\"b\"]}}", "x.y",         "",  "a/"    },
        {"{\"scope\":\" a  b:c \"}",                "",            "",  "/a|b:c"},
        {"{\"scope\":[\"a b\",\"c\"]}",             "",            "",  "/a b|c"},
        {"{\"scp\":[\"a\"]}",                       "",            "",  "/a"    },
        {"{\"scp\":\"a b\"}",                       "",            "",  "/a|b"  },
        {"{\"scope\":\"\",\"scp\":\"a\"}",          "",            "",  "/"     },
        {"{\"scope\":null,\"scp\":\"a\"}",          "",            "",  "/"     },
        {"{\"scope\":\"a\",\"p\":\"b\"}",           "",            "p", "/b"    },
        {"{\"scope\":\"a\"}",                       "",            "p", "/"     },
        {"{\"scope\":7,\"roles\":7}",               "",            "",  "/"     },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct auth_issuer_options opt = {.roles_path = str_of(all[i].roles_path),
                                          .scopes_path = str_of(all[i].scopes_path)};
        struct arena *a = arena_new(0);
        const struct jval *claims;
        struct errors errs;
        struct grants g;
        struct buf text;

        errors_init(&errs, a);
        assert_true(jval_parse(str_of(all[i].claims), &limits, a, &claims, &errs));
        claims_grants(&opt, claims, a, &g);
        buf_init(&text, 0);
        append(&text, g.roles, g.nroles);
        buf_append_char(&text, '/');
        append(&text, g.scopes, g.nscopes);
        assert_string_equal(buf_cstr(&text), all[i].expected);
        buf_fini(&text);
        arena_free(a);
    }
}

static void a_name_with_a_nul_is_none(void **state)
{
    const struct jval item = {.kind = JVAL_STRING, .text = str_make("a\0hr", 4)};
    const struct jval *items[] = {&item};
    const struct jval list = {.kind = JVAL_ARRAY, .n = 1, .items = items};
    struct jval_member member = {.name = STR("roles"), .value = &list};
    const struct jval claims = {.kind = JVAL_OBJECT, .n = 1, .members = &member};
    const struct auth_issuer_options opt = {0};
    struct arena *a = arena_new(0);
    struct grants g;

    (void)state;
    claims_grants(&opt, &claims, a, &g);
    assert_int_equal(g.nroles, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_are_taken_from_claims),
        cmocka_unit_test(a_name_with_a_nul_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
