/* resultcache_test.c - whatever an answer depends on makes another key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "cache/resultcache.h"

#define TENANT "00000000-0000-4000-8000-00000000000a"

static const struct str settings[] = {STR_INIT("app.tenant_id"), STR_INIT("app.user_id")};

/* Everything that a key is made of. */
struct asked {
    struct result_rule rule;
    struct pgsession session;
    struct pgsetting settings[3];
    const char *params[3];
    size_t nparams;
    struct str tenant;
};

static struct asked usual(void)
{
    static bool reads[] = {true, false};

    struct asked x = {.nparams = 3, .tenant = STR_INIT(TENANT)};

    x.rule.digest.bytes[0] = 7;
    x.rule.reads = reads;
    x.session.role = "app_user";
    x.session.nsettings = 2;
    x.settings[0] = (struct pgsetting){"app.tenant_id", TENANT};
    x.settings[1] = (struct pgsetting){"app.user_id", "ada"};
    x.params[0] = "a";
    x.params[2] = "";
    return x;
}

static struct resultcache *new_cache(void)
{
    return resultcache_new(&(struct resultcache_options){
        .settings = settings,
        .nsettings = COUNT_OF(settings),
        .tenant_settings = settings,
        .ntenant_settings = 1,
    });
}

static struct flight_key key_of(const struct resultcache *rc, struct asked *asked, struct arena *a)
{
    asked->session.settings = asked->settings;
    return resultcache_key(rc, &asked->rule, asked->params, asked->nparams, &asked->session,
                           asked->tenant, a);
}

static bool same(const struct resultcache *rc, struct asked asked, struct arena *a)
{
    struct asked one = usual();
    struct flight_key k = key_of(rc, &one, a), l = key_of(rc, &asked, a);

    return memcmp(&k, &l, sizeof(k)) == 0;
}

static void what_an_answer_depends_on_is_in_its_key(void **state)
{
    struct resultcache *rc = new_cache();
    struct arena *a = arena_new(0);
    static bool all[] = {true, true};
    struct asked x;

    (void)state;
    assert_true(same(rc, usual(), a));
    x = usual(), x.rule.digest.bytes[31] = 1;
    assert_false(same(rc, x, a));
    x = usual(), x.session.role = "app_admin";
    assert_false(same(rc, x, a));
    x = usual(), x.tenant = STR("00000000-0000-4000-8000-00000000000b");
    assert_false(same(rc, x, a));
    x = usual(), x.settings[0].value = "00000000-0000-4000-8000-00000000000b";
    assert_false(same(rc, x, a));
    /* Nothing reads who the user is. */
    x = usual(), x.settings[1].value = "bob";
    assert_true(same(rc, x, a));
    x.rule.reads = all;
    assert_false(same(rc, x, a));
    /* Nobody has said what reads this one. */
    x = usual(), x.settings[1] = (struct pgsetting){"app.other", "ada"};
    assert_false(same(rc, x, a));
    arena_free(a);
    resultcache_free(rc);
}

static void values_are_told_apart_from_each_other_and_from_none(void **state)
{
    static const char *const others[][3] = {
        {"b",      NULL,    ""  },
        {"a",      "",      ""  },
        {"a",      NULL,    NULL},
        {"a",      "null",  ""  },
        {"a",      "value", ""  },
        {NULL,     NULL,    ""  },
        {"a",      "",      NULL},
        {"avalue", NULL,    ""  },
    };
    struct resultcache *rc = new_cache();
    struct arena *a = arena_new(0);
    struct asked x;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        x = usual();
        memcpy(x.params, others[i], sizeof(x.params));
        assert_false(same(rc, x, a));
    }
    x = usual(), x.nparams = 2;
    assert_false(same(rc, x, a));
    arena_free(a);
    resultcache_free(rc);
}

/* The text of the tenant's column, of a change that was noted, has to be the token's. */
static void a_tenant_is_compared_only_as_postgresql_writes_it(void **state)
{
    static const struct {
        enum tenant_type type;
        const char *tenant;
        bool compared;
    } cases[] = {
        {TENANT_UUID,    TENANT,                                   true },
        {TENANT_UUID,    "00000000-0000-4000-8000-00000000000A",   false},
        {TENANT_UUID,    "0000000000004000800000000000000a",       false},
        {TENANT_UUID,    "{00000000-0000-4000-8000-00000000000a}", false},
        {TENANT_UUID,    "",                                       false},
        {TENANT_INTEGER, "0",                                      true },
        {TENANT_INTEGER, "42",                                     true },
        {TENANT_INTEGER, "-42",                                    true },
        {TENANT_INTEGER, "042",                                    false},
        {TENANT_INTEGER, "-0",                                     false},
        {TENANT_INTEGER, "+42",                                    false},
        {TENANT_INTEGER, " 42",                                    false},
        {TENANT_INTEGER, "-",                                      false},
        {TENANT_INTEGER, "",                                       false},
        {TENANT_TEXT,    "Acme",                                   true },
        {TENANT_TEXT,    "*",                                      false},
        {TENANT_TEXT,    "",                                       false},
        {TENANT_UNKNOWN, TENANT,                                   false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct result_rule r = {.tenant_type = cases[i].type};

        assert_int_equal(result_rule_by_tenant(&r, str_of(cases[i].tenant)), cases[i].compared);
    }
}

static void the_second_time_of_a_key_is_told(void **state)
{
    struct resultcache *rc = new_cache();
    struct flight_key a =
                          {
                              {1, 2, 3}
    },
                      b = {{1, 2, 4}};

    (void)state;
    assert_false(resultcache_touch(rc, &a));
    assert_true(resultcache_touch(rc, &a));
    assert_false(resultcache_touch(rc, &b));
    resultcache_free(rc);
}

static void times_are_spread_around_what_was_chosen(void **state)
{
    struct result_rule r = {.ttl_s = 100}, one = {.ttl_s = 1};
    uint32_t least = UINT32_MAX, most = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        uint32_t ttl = resultcache_ttl_s(&r);

        least = ttl < least ? ttl : least;
        most = ttl > most ? ttl : most;
        assert_int_equal(resultcache_ttl_s(&one), 1);
    }
    assert_in_range(least, 90, 92);
    assert_in_range(most, 108, 110);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_answer_depends_on_is_in_its_key),
        cmocka_unit_test(values_are_told_apart_from_each_other_and_from_none),
        cmocka_unit_test(a_tenant_is_compared_only_as_postgresql_writes_it),
        cmocka_unit_test(the_second_time_of_a_key_is_told),
        cmocka_unit_test(times_are_spread_around_what_was_chosen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
