/* identity_test.c - tokens to identities: what is accepted, what is refused, and what becomes a
 * setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/minting.h"
#include "auth/token.h"

static const struct str tenant_settings[] = {STR_INIT("app.current_tenant_id"),
                                             STR_INIT("app.tenant_id")};
static const struct str user_settings[] = {STR_INIT("app.user_id")};
static const struct str role_settings[] = {STR_INIT("app.roles")};
static const struct str algorithms[] = {STR_INIT("HS256")};
static const struct str issuers[] = {STR_INIT("https://issuer.example")};
static const struct str audiences[] = {STR_INIT("api"), STR_INIT("web")};

static const struct auth_claim_options claims[] = {
    {STR_INIT("tenant_id"), STR_INIT("tenant_id"),   tenant_settings, 2, CLAIM_UUID, false},
    {STR_INIT("user_id"),   STR_INIT("sub"),         user_settings,   1, CLAIM_TEXT, false},
    {STR_INIT("roles"),     STR_INIT("realm.roles"), role_settings,   1, CLAIM_TEXT, false},
};

static struct auth_options default_options(void)
{
    static const struct auth_key_options keys[] = {
        {STR_INIT("k1"), STR_INIT("HS256"), STR_INIT("0123456789abcdef0123456789abcdef"),
         STR_INIT("")},
    };

    return (struct auth_options){
        .mode = AUTH_OPTIONAL,
        .algorithms = algorithms,
        .nalgorithms = 1,
        .leeway_s = 30,
        .require_exp = true,
        .max_token_bytes = 8192,
        .keys = keys,
        .nkeys = 1,
        .claims = claims,
        .nclaims = COUNT_OF(claims),
        .tenancy = true,
        .tenant_claim = STR("tenant_id"),
    };
}

/* --- tests --------------------------------------------------------------------------- */

static void a_good_token_fills_every_setting(void **state)
{
    struct auth_options opt = default_options();
    struct fixture f;
    struct str token;

    (void)state;
    open_fixture(&f, &opt);
    token = mint(f.arena, "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
                 with_times(f.arena, "{\"exp\":@+60,\"sub\":\"u1\",\"tenant_id\":\"" TENANT
                                     "\",\"realm\":{\"roles\":[\"a\",\"b\"]}}"));
    assert_true(identify(&f, bearer(f.arena, token)));
    assert_true(f.identity.authenticated);
    assert_true(str_is(f.identity.tenant, TENANT));
    assert_true(str_is(f.identity.subject, "u1"));
    assert_string_equal(setting(&f, "app.current_tenant_id"), TENANT);
    assert_string_equal(setting(&f, "app.tenant_id"), TENANT);
    assert_string_equal(setting(&f, "app.user_id"), "u1");
    assert_string_equal(setting(&f, "app.roles"), "[\"a\",\"b\"]");
    close_fixture(&f);
}

static void absent_claims_are_empty_settings(void **state)
{
    struct auth_options opt = default_options();
    struct fixture f;

    (void)state;
    open_fixture(&f, &opt);
    assert_true(
        identify(&f, bearer(f.arena, mint(f.arena, "{\"alg\":\"HS256\"}",
                                          with_times(f.arena, "{\"exp\":@+60,\"sub\":null,"
                                                              "\"tenant_id\":\"" TENANT "\"}")))));
    assert_int_equal(f.identity.nsettings, 4);
    assert_string_equal(setting(&f, "app.user_id"), "");
    assert_string_equal(setting(&f, "app.roles"), "");
    close_fixture(&f);
}

struct refusal {
    const char *header;
    const char *payload;
    enum error_code code;
};

#define GOOD   "{\"exp\":@+60,\"tenant_id\":\"" TENANT "\"}"
#define HEADER "{\"alg\":\"HS256\"}"

static const struct refusal refusals[] = {
    {"{\"alg\":\"none\"}",                       GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"hs256\"}",                      GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"HS512\"}",                      GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"RS256\"}",                      GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":1}",                              GOOD,                                                                       UNAUTHENTICATED},
    {"{}",                                       GOOD,                                                                       UNAUTHENTICATED},
    {"[]",                                       GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",    GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"HS256\",\"crit\":[\"x\"]}",     GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"HS256\",\"kid\":\"k2\"}",       GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"HS256\",\"kid\":7}",            GOOD,                                                                       UNAUTHENTICATED},
    {"{\"alg\":\"HS256\",\"typ\":\"dpop+jwt\"}", GOOD,                                                                       UNAUTHENTICATED},
    {HEADER,                                     "[]",                                                                       UNAUTHENTICATED},
    {HEADER,                                     "{\"tenant_id\":\"" TENANT "\"}",                                           UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@-31,\"tenant_id\":\"" TENANT "\"}",                              UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":\"@+60\",\"tenant_id\":\"" TENANT "\"}",                          UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":1e99,\"tenant_id\":\"" TENANT "\"}",                              UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@+60,\"nbf\":@+40,\"tenant_id\":\"" TENANT "\"}",                 UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@+60,\"iat\":@+40,\"tenant_id\":\"" TENANT "\"}",                 UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@+60,\"tenant_id\":\"not-a-uuid\"}",                              UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@+60,\"tenant_id\":42}",                                          UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@+60,\"tenant_id\":\"" TENANT "\",\"tenant_id\":\"" TENANT "\"}",
     UNAUTHENTICATED                                                                                                                        },
    {HEADER,                                     "{\"exp\":@+60,\"tenant_id\":\"" TENANT "\\u0000\"}",                       UNAUTHENTICATED},
    {HEADER,                                     "{\"exp\":@+60}",                                                           FORBIDDEN      },
    {HEADER,                                     "{\"exp\":@+60,\"tenant_id\":null}",                                        FORBIDDEN      },
    {HEADER,                                     "{\"exp\":@+60,\"tenant_id\":\"\"}",                                        FORBIDDEN      },
};

static void bad_tokens_are_refused(void **state)
{
    struct auth_options opt = default_options();
    struct fixture f;

    (void)state;
    open_fixture(&f, &opt);
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct str token =
            mint(f.arena, refusals[i].header, with_times(f.arena, refusals[i].payload));

        if (identify(&f, bearer(f.arena, token)))
            fail_msg("accepted: %s . %s", refusals[i].header, refusals[i].payload);
        assert_int_equal(f.errs.n, 1);
        if (f.errs.first->code != refusals[i].code)
            fail_msg("%s for %s . %s", error_code_info(f.errs.first->code)->name,
                     refusals[i].header, refusals[i].payload);
        assert_false(f.identity.authenticated);
        assert_string_equal(setting(&f, "app.tenant_id"), "");
    }
    /* the table is not refused for a reason all rows share */
    assert_true(identify(&f, bearer(f.arena, mint(f.arena, HEADER, with_times(f.arena, GOOD)))));
    close_fixture(&f);
}

static void every_changed_byte_is_noticed(void **state)
{
    struct auth_options opt = default_options();
    struct fixture f;
    struct str token;

    (void)state;
    open_fixture(&f, &opt);
    token = mint(f.arena, HEADER, with_times(f.arena, GOOD));
    for (size_t i = 0; i < token.len; i++) {
        char *copy = arena_copy(f.arena, token.data, token.len);

        copy[i] = copy[i] == 'A' ? 'B' : 'A';
        assert_false(identify(&f, bearer(f.arena, str_make(copy, token.len))));
    }
    for (size_t len = 0; len < token.len; len++)
        assert_false(identify(&f, bearer(f.arena, str_make(token.data, len))));
    close_fixture(&f);
}

static void another_secret_is_refused(void **state)
{
    struct auth_options opt = default_options();
    struct fixture f;

    (void)state;
    open_fixture(&f, &opt);
    assert_false(
        identify(&f, bearer(f.arena, mint_with(f.arena, HEADER, with_times(f.arena, GOOD),
                                               "0123456789abcdef0123456789abcdeX", EVP_sha256()))));
    assert_false(identify(&f, bearer(f.arena, mint_with(f.arena, HEADER, with_times(f.arena, GOOD),
                                                        secret, EVP_sha512()))));
    close_fixture(&f);
}

static void the_header_must_be_bearer(void **state)
{
    static const char *const values[] = {"",           "Bearer",         "Bearer ",   "Basic dTpw",
                                         "Bearer a.b", "Bearer a.b.c.d", "Bearer ..", "bearer"};
    struct auth_options opt = default_options();
    struct fixture f;
    struct str token;

    (void)state;
    open_fixture(&f, &opt);
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_false(identify(&f, str_of(values[i])));
        assert_int_equal(f.errs.first->code, UNAUTHENTICATED);
    }
    token = mint(f.arena, HEADER, with_times(f.arena, GOOD));
    assert_true(identify(&f, arena_printf(f.arena, "bEARER   %.*s", STR_ARG(token))));
    opt.max_token_bytes = token.len - 1;
    close_fixture(&f);
    open_fixture(&f, &opt);
    token = mint(f.arena, HEADER, with_times(f.arena, GOOD));
    assert_false(identify(&f, bearer(f.arena, token)));
    close_fixture(&f);
}

static void a_remembered_token_is_the_same_identity_until_it_expires(void **state)
{
    struct auth_options opt = default_options();
    struct fixture f;
    struct str good, expiring;

    (void)state;
    opt.cache_entries = 8;
    opt.cache_ttl_s = 60;
    opt.leeway_s = 0;
    open_fixture(&f, &opt);
    good = bearer(f.arena, mint(f.arena, HEADER,
                                with_times(f.arena, "{\"exp\":@+60,\"sub\":\"u1\",\"tenant_id\":"
                                                    "\"" TENANT "\"}")));
    for (int i = 0; i < 3; i++) {
        assert_true(identify(&f, good));
        assert_true(f.identity.authenticated);
        assert_true(str_is(f.identity.subject, "u1"));
        assert_true(str_is(f.identity.tenant, TENANT));
        assert_int_equal(f.identity.nsettings, 4);
        assert_string_equal(setting(&f, "app.tenant_id"), TENANT);
        assert_string_equal(setting(&f, "app.user_id"), "u1");
        assert_string_equal(setting(&f, "app.roles"), "");
    }
    /* more tokens than the cache holds, each with its own user */
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 40; i++) {
            struct str payload = arena_printf(
                f.arena, "{\"exp\":@+60,\"sub\":\"user %d\",\"tenant_id\":\"" TENANT "\"}", i);
            struct str user = arena_printf(f.arena, "user %d", i);

            assert_true(identify(
                &f, bearer(f.arena, mint(f.arena, HEADER, with_times(f.arena, payload.data)))));
            assert_string_equal(setting(&f, "app.user_id"), user.data);
        }
    expiring =
        bearer(f.arena, mint(f.arena, HEADER,
                             with_times(f.arena, "{\"exp\":@+1,\"tenant_id\":\"" TENANT "\"}")));
    assert_true(identify(&f, expiring));
    for (uint64_t until = monotonic_ns() + UINT64_C(3000000000); monotonic_ns() < until;)
        if (!identify(&f, expiring))
            break;
    assert_false(identify(&f, expiring));
    assert_true(identify(&f, good));
    close_fixture(&f);
}

static void the_role_is_one_that_is_allowed(void **state)
{
    static const struct str roles[] = {STR_INIT("editor"), STR_INIT("Read \"er\"")};
    static const struct {
        const char *claim;
        int role; /* -1: refused */
    } rows[] = {
        {"",                                              0 },
        {",\"app\":{\"role\":null}",                      0 },
        {",\"app\":{}",                                   0 },
        {",\"app\":{\"role\":\"editor\"}",                1 },
        {",\"app\":{\"role\":\"Read \\\"er\\\"\"}",       2 },
        {",\"app\":{\"role\":\"Editor\"}",                -1},
        {",\"app\":{\"role\":\"editor \"}",               -1},
        {",\"app\":{\"role\":\"\"}",                      -1},
        {",\"app\":{\"role\":\"none\"}",                  -1},
        {",\"app\":{\"role\":\"postgres\"}",              -1},
        {",\"app\":{\"role\":1}",                         -1},
        {",\"app\":{\"role\":[\"editor\"]}",              -1},
        {",\"app\":{\"role\":{\"editor\":true}}",         -1},
        {",\"app.role\":\"editor\",\"app\":{\"role\":1}", 1 },
    };
    struct auth_options opt = default_options();
    struct fixture f;

    (void)state;
    opt.role_path = STR("app.role");
    opt.roles = roles;
    opt.nroles = COUNT_OF(roles);
    opt.cache_entries = 100;
    opt.cache_ttl_s = 60;
    open_fixture(&f, &opt);
    for (size_t round = 0; round < 3; round++)
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            struct str payload = arena_printf(
                f.arena, "{\"exp\":@+60,\"tenant_id\":\"" TENANT "\"%s}", rows[i].claim);
            bool ok = identify(
                &f, bearer(f.arena, mint(f.arena, HEADER, with_times(f.arena, payload.data))));

            if (ok != (rows[i].role >= 0) || (ok && f.identity.role != (size_t)rows[i].role))
                fail_msg("row %zu", i);
            if (!ok) {
                assert_int_equal(f.errs.first->code, FORBIDDEN);
                assert_int_equal(f.identity.role, 0);
            }
        }
    close_fixture(&f);
    /* Not looked at, unless some are allowed. */
    opt.nroles = 0;
    open_fixture(&f, &opt);
    assert_true(identify(
        &f, bearer(f.arena, mint(f.arena, HEADER,
                                 with_times(f.arena, "{\"exp\":@+60,\"tenant_id\":\"" TENANT
                                                     "\",\"app\":{\"role\":\"x\"}}")))));
    assert_int_equal(f.identity.role, 0);
    close_fixture(&f);
}

static void issuer_and_audience_are_exact(void **state)
{
    static const struct {
        const char *payload;
        bool ok;
    } rows[] = {
        {"\"iss\":\"https://issuer.example\",\"aud\":\"web\"",         true },
        {"\"iss\":\"https://issuer.example\",\"aud\":[\"x\",\"api\"]", true },
        {"\"iss\":\"https://issuer.example/\",\"aud\":\"web\"",        false},
        {"\"iss\":\"https://issuer.example\",\"aud\":\"Web\"",         false},
        {"\"iss\":\"https://issuer.example\",\"aud\":[]",              false},
        {"\"iss\":\"https://issuer.example\"",                         false},
        {"\"aud\":\"web\"",                                            false},
        {"\"iss\":[\"https://issuer.example\"],\"aud\":\"web\"",       false},
    };
    struct auth_options opt = default_options();
    struct fixture f;

    (void)state;
    opt.issuers = issuers;
    opt.nissuers = 1;
    opt.audiences = audiences;
    opt.naudiences = 2;
    open_fixture(&f, &opt);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str payload = arena_printf(f.arena, "{\"exp\":@+60,\"tenant_id\":\"" TENANT "\",%s}",
                                          rows[i].payload);

        assert_int_equal(
            identify(&f, bearer(f.arena, mint(f.arena, HEADER, with_times(f.arena, payload.data)))),
            rows[i].ok);
    }
    close_fixture(&f);
}

static void anonymous_depends_on_mode_and_tenancy(void **state)
{
    static const struct {
        enum auth_mode mode;
        bool tenancy;
        bool ok;
    } rows[] = {
        {AUTH_NONE,     false, true },
        {AUTH_OPTIONAL, false, true },
        {AUTH_OPTIONAL, true,  false},
        {AUTH_REQUIRED, false, false},
        {AUTH_REQUIRED, true,  false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct auth_options opt = default_options();
        struct fixture f;

        opt.mode = rows[i].mode;
        opt.tenancy = rows[i].tenancy;
        open_fixture(&f, &opt);
        assert_int_equal(identify(&f, (struct str){0}), rows[i].ok);
        assert_int_equal(f.identity.nsettings, 4);
        for (size_t s = 0; s < f.identity.nsettings; s++)
            assert_string_equal(f.identity.settings[s].value, "");
        if (!rows[i].ok)
            assert_int_equal(f.errs.first->code, UNAUTHENTICATED);
        close_fixture(&f);
    }
}

static void options_that_make_no_sense_are_refused(void **state)
{
    static const struct str reserved[] = {STR_INIT("role")};
    static const struct str login[] = {STR_INIT("none")};
    static const struct str ours[] = {STR_INIT("fraiseql.version")};
    static const struct str ours_too[] = {STR_INIT("FraiseQL.key1")};
    static const struct auth_key_options weak[] = {
        {STR_INIT(""), STR_INIT("HS256"), STR_INIT("short"), STR_INIT("")}
    };
    static const struct auth_key_options unknown[] = {
        {STR_INIT(""), STR_INIT("none"), STR_INIT("0123456789abcdef0123456789abcdef"),
         STR_INIT("")}
    };
    struct auth_claim_options claim = claims[0];
    struct arena *a = arena_new(0);
    struct auth_options opt;
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
#define REFUSED()                                          \
    do {                                                   \
        size_t before = errs.n;                            \
        assert_null(auth_new(&opt, &errs));                \
        assert_true(errs.n > before);                      \
        assert_int_equal(errs.last->code, CONFIG_INVALID); \
    } while (0)
    opt = default_options();
    opt.roles = login;
    opt.nroles = 1;
    REFUSED();
    opt = default_options();
    opt.keys = weak;
    REFUSED();
    opt = default_options();
    opt.keys = unknown;
    REFUSED();
    opt = default_options();
    opt.nkeys = 0;
    REFUSED();
    opt = default_options();
    opt.mode = AUTH_NONE;
    REFUSED();
    opt = default_options();
    opt.tenant_claim = STR("nothing");
    REFUSED();
    opt = default_options();
    opt.claims = &claim;
    opt.nclaims = 1;
    claim.settings = reserved;
    claim.nsettings = 1;
    REFUSED();
    claim.settings = ours;
    REFUSED();
    claim.settings = ours_too;
    REFUSED();
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_token_fills_every_setting),
        cmocka_unit_test(absent_claims_are_empty_settings),
        cmocka_unit_test(bad_tokens_are_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(another_secret_is_refused),
        cmocka_unit_test(the_header_must_be_bearer),
        cmocka_unit_test(a_remembered_token_is_the_same_identity_until_it_expires),
        cmocka_unit_test(the_role_is_one_that_is_allowed),
        cmocka_unit_test(issuer_and_audience_are_exact),
        cmocka_unit_test(anonymous_depends_on_mode_and_tenancy),
        cmocka_unit_test(options_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
