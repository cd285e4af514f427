/*
 * issuers_test.c - several issuers: none of them can speak for another, and each has its own
 * claims.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/minting.h"

#define A_SECRET "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B_SECRET "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define B_LONG   "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define A_ISS    "https://a.example/"
#define B_ISS    "https://b.example/"

#define HS256 "{\"alg\":\"HS256\",\"kid\":\"k\"}"
#define HS384 "{\"alg\":\"HS384\",\"kid\":\"k\"}"

enum which {
    A,
    B,
};

static const struct str tenant_settings[] = {STR_INIT("app.tenant_id")};
static const struct str user_settings[] = {STR_INIT("app.user_id")};
static const struct str partner_settings[] = {STR_INIT("app.partner_id")};

/* What the database gets; then where A has it, and B. */
static const struct auth_claim_options all_claims[] = {
    {STR_INIT("tenant_id"),  STR_INIT("tenant_id"),  tenant_settings,  1, CLAIM_UUID, false},
    {STR_INIT("user_id"),    STR_INIT("sub"),        user_settings,    1, CLAIM_TEXT, false},
    {STR_INIT("partner_id"), STR_INIT("partner_id"), partner_settings, 1, CLAIM_TEXT, false},
};
static const struct auth_claim_options a_claims[] = {
    {STR_INIT("tenant_id"),  STR_INIT("tenant_id"), tenant_settings,  1, CLAIM_UUID, false},
    {STR_INIT("user_id"),    STR_INIT("sub"),       user_settings,    1, CLAIM_TEXT, false},
    {STR_INIT("partner_id"), STR_INIT(""),          partner_settings, 1, CLAIM_TEXT, false},
};
static const struct auth_claim_options b_claims[] = {
    {STR_INIT("tenant_id"),  STR_INIT("org.tenant"), tenant_settings,  1, CLAIM_UUID, false},
    {STR_INIT("user_id"),    STR_INIT(""),           user_settings,    1, CLAIM_TEXT, false},
    {STR_INIT("partner_id"), STR_INIT("sub"),        partner_settings, 1, CLAIM_TEXT, true },
};
static const struct auth_key_options a_keys[] = {
    {STR_INIT("k"), STR_INIT("HS256"), STR_INIT(A_SECRET), STR_INIT("")},
};
static const struct auth_key_options b_keys[] = {
    {STR_INIT("k"), STR_INIT("HS256"), STR_INIT(B_SECRET), STR_INIT("")},
    {STR_INIT("k"), STR_INIT("HS384"), STR_INIT(B_LONG),   STR_INIT("")},
};
static const struct str algorithms[] = {STR_INIT("HS256"), STR_INIT("HS384")};
static const struct str a_audiences[] = {STR_INIT("api-of-a")};
static const struct str roles[] = {STR_INIT("app_user"), STR_INIT("app_partner")};

/* A: HS256, roles app_user and app_partner, audience; B: HS384 too, app_partner only. */
static void make_issuers(struct auth_issuer_options *out)
{
    out[A] = (struct auth_issuer_options){
        .iss = STR(A_ISS),
        .algorithms = algorithms,
        .nalgorithms = 1,
        .audiences = a_audiences,
        .naudiences = 1,
        .keys = a_keys,
        .nkeys = 1,
        .claims = a_claims,
        .role_path = STR("role"),
        .roles = roles,
        .nroles = 2,
    };
    out[B] = (struct auth_issuer_options){
        .iss = STR(B_ISS),
        .algorithms = algorithms,
        .nalgorithms = 2,
        .keys = b_keys,
        .nkeys = 2,
        .claims = b_claims,
        .roles_path = STR("groups"),
        .role_path = STR("as"),
        .roles = &roles[1],
        .nroles = 1,
    };
}

static struct auth_options options_of(const struct auth_issuer_options *issuers)
{
    return (struct auth_options){
        .mode = AUTH_REQUIRED,
        .by_issuer = issuers,
        .nby_issuer = 2,
        .leeway_s = 30,
        .require_exp = true,
        .max_token_bytes = 8192,
        .claims = all_claims,
        .nclaims = COUNT_OF(all_claims),
        .roles = roles,
        .nroles = 2,
        .tenancy = true,
        .tenant_claim = STR("tenant_id"),
    };
}

/* Both of them, with tokens remembered or not. */
static void open_two(struct fixture *f, size_t cache_entries, bool key_sets)
{
    struct auth_issuer_options issuers[2];
    struct auth_options opt;

    make_issuers(issuers);
    for (int i = 0; key_sets && i < 2; i++) {
        issuers[i].nkeys = 0;
        issuers[i].key_sets = true;
    }
    opt = options_of(issuers);
    opt.cache_entries = cache_entries;
    opt.cache_ttl_s = 60;
    open_fixture(f, &opt);
}

/* "iss":…, and what both would accept else. */
static struct str token_of(struct arena *a, const char *header, const char *said, const char *key,
                           const EVP_MD *md)
{
    struct str payload =
        arena_printf(a,
                     "{\"exp\":@+60,\"sub\":\"u\",\"aud\":\"api-of-a\",\"tenant_id\":\"" TENANT
                     "\",\"org\":{\"tenant\":\"" TENANT "\"}%s%s}",
                     said[0] != '\0' ? "," : "", said);

    return bearer(a, mint_with(a, header, with_times(a, payload.data), key, md));
}

static bool accepts(struct fixture *f, const char *header, const char *said, const char *key,
                    const EVP_MD *md)
{
    bool ok = identify(f, token_of(f->arena, header, said, key, md));

    assert_true(ok || f->errs.first->code == UNAUTHENTICATED);
    assert_int_equal(f->identity.authenticated, ok);
    return ok;
}

static void nobody_speaks_for_another(void **state)
{
    static const struct {
        const char *header;
        const char *said;
        const char *key;
        bool ok;
    } rows[] = {
        {HS256,                                                     "\"iss\":\"" A_ISS "\"",                             A_SECRET, true },
        {HS256,                                                     "\"iss\":\"" B_ISS "\"",                             B_SECRET, true },
        {HS384,                                                     "\"iss\":\"" B_ISS "\"",                             B_LONG,   true },
 /* the other's key, under the same kid and under none */
        {HS256,                                                     "\"iss\":\"" A_ISS "\"",                             B_SECRET, false},
        {HS256,                                                     "\"iss\":\"" B_ISS "\"",                             A_SECRET, false},
        {"{\"alg\":\"HS256\"}",                                     "\"iss\":\"" A_ISS "\"",                             B_SECRET, false},
        {"{\"alg\":\"HS256\"}",                                     "\"iss\":\"" B_ISS "\"",                             A_SECRET, false},
 /* the other's algorithm, with its key and with one's own */
        {HS384,                                                     "\"iss\":\"" A_ISS "\"",                             B_LONG,   false},
        {HS384,                                                     "\"iss\":\"" A_ISS "\"",                             A_SECRET, false},
        {"{\"alg\":\"none\"}",                                      "\"iss\":\"" A_ISS "\"",                             A_SECRET, false},
 /* no issuer, or none that is one text */
        {HS256,                                                     "",                                                  A_SECRET, false},
        {HS256,                                                     "\"iss\":null",                                      A_SECRET, false},
        {HS256,                                                     "\"iss\":\"\"",                                      A_SECRET, false},
        {HS256,                                                     "\"iss\":7",                                         A_SECRET, false},
        {HS256,                                                     "\"iss\":true",                                      A_SECRET, false},
        {HS256,                                                     "\"iss\":[\"" A_ISS "\"]",                           A_SECRET, false},
        {HS256,                                                     "\"iss\":[\"" A_ISS "\",\"" B_ISS "\"]",             B_SECRET, false},
        {HS256,                                                     "\"iss\":{\"iss\":\"" A_ISS "\"}",                   A_SECRET, false},
        {HS256,                                                     "\"Iss\":\"" A_ISS "\"",                             A_SECRET, false},
 /* two of them, in any order */
        {HS256,                                                     "\"iss\":\"" A_ISS "\",\"iss\":\"" B_ISS "\"",       A_SECRET, false},
        {HS256,                                                     "\"iss\":\"" A_ISS "\",\"iss\":\"" B_ISS "\"",       B_SECRET, false},
        {HS256,                                                     "\"iss\":\"" B_ISS "\",\"iss\":\"" A_ISS "\"",       A_SECRET, false},
        {HS256,                                                     "\"iss\":\"" A_ISS "\",\"\\u0069ss\":\"" B_ISS "\"", A_SECRET, false},
 /* nearly the name */
        {HS256,                                                     "\"iss\":\"https://A.example/\"",                    A_SECRET, false},
        {HS256,                                                     "\"iss\":\"HTTPS://a.example/\"",                    A_SECRET, false},
        {HS256,                                                     "\"iss\":\"https://a.example\"",                     A_SECRET, false},
        {HS256,                                                     "\"iss\":\"https://a.example//\"",                   A_SECRET, false},
        {HS256,                                                     "\"iss\":\" https://a.example/\"",                   A_SECRET, false},
        {HS256,                                                     "\"iss\":\"https://a.example/ \"",                   A_SECRET, false},
        {HS256,                                                     "\"iss\":\"https://a.example/\\u0000\"",             A_SECRET, false},
        {HS256,                                                     "\"iss\":\"https://c.example/\"",                    A_SECRET, false},
 /* the same name, written otherwise in JSON, is the same */
        {HS256,                                                     "\"iss\":\"https:\\/\\/a.ex\\u0061mple\\/\"",        A_SECRET, true },
 /* the header says nothing of who it is */
        {"{\"alg\":\"HS256\",\"kid\":\"k\",\"iss\":\"" A_ISS "\"}", "",                                                  A_SECRET, false},
        {"{\"alg\":\"HS256\",\"kid\":\"k\",\"iss\":\"" A_ISS "\"}", "\"iss\":\"" B_ISS "\"",
         A_SECRET,                                                                                                                 false},
    };
    struct fixture f;

    (void)state;
    open_two(&f, 0, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool long_hash = strstr(rows[i].header, "HS384") != NULL;
        bool ok = accepts(&f, rows[i].header, rows[i].said, rows[i].key,
                          long_hash ? EVP_sha384() : EVP_sha256());

        if (ok != rows[i].ok)
            fail_msg("row %zu: %s %s", i, rows[i].header, rows[i].said);
    }
    close_fixture(&f);
}

static void who_is_not_known_is_told_what_anybody_of_another_issuer_is(void **state)
{
    struct fixture f;

    (void)state;
    open_two(&f, 0, false);
    assert_false(accepts(&f, HS256, "\"iss\":\"https://c.example/\"", A_SECRET, EVP_sha256()));
    assert_string_equal(f.errs.first->message.data, "the token is from another issuer");
    close_fixture(&f);
}

static void an_audience_is_asked_of_the_issuer_that_has_one(void **state)
{
    struct fixture f;
    struct str payload;

    (void)state;
    open_two(&f, 0, false);
    for (int b = 0; b < 2; b++) {
        payload = arena_printf(f.arena,
                               "{\"exp\":@+60,\"iss\":\"%s\",\"sub\":\"u\",\"aud\":\"other\","
                               "\"tenant_id\":\"" TENANT "\",\"org\":{\"tenant\":\"" TENANT "\"}}",
                               b ? B_ISS : A_ISS);
        assert_int_equal(
            identify(&f,
                     bearer(f.arena, mint_with(f.arena, HS256, with_times(f.arena, payload.data),
                                               b ? B_SECRET : A_SECRET, EVP_sha256()))),
            b);
    }
    close_fixture(&f);
}

static void each_has_its_own_claims_and_the_settings_of_all(void **state)
{
    struct fixture f;
    struct str subject;

    (void)state;
    open_two(&f, 0, false);
    assert_true(accepts(&f, HS256, "\"iss\":\"" A_ISS "\",\"partner_id\":\"p\",\"roles\":[\"hr\"]",
                        A_SECRET, EVP_sha256()));
    assert_int_equal(f.identity.nsettings, 3);
    assert_string_equal(setting(&f, "app.tenant_id"), TENANT);
    assert_string_equal(setting(&f, "app.user_id"), "u");
    assert_string_equal(setting(&f, "app.partner_id"), "");
    assert_int_equal(f.identity.grants.nroles, 1);
    subject = arena_dup(f.arena, f.identity.subject);

    assert_true(accepts(&f, HS256,
                        "\"iss\":\"" B_ISS "\",\"roles\":[\"hr\"],\"groups\":[\"x\",\"y\"]",
                        B_SECRET, EVP_sha256()));
    assert_int_equal(f.identity.nsettings, 3);
    assert_string_equal(setting(&f, "app.tenant_id"), TENANT);
    assert_string_equal(setting(&f, "app.user_id"), "");
    assert_string_equal(setting(&f, "app.partner_id"), "u");
    assert_int_equal(f.identity.grants.nroles, 2);
    assert_true(str_is(f.identity.grants.roles[0], "x"));
    /* "u" of A and "u" of B are not one and the same. */
    assert_true(subject.len > 0 && f.identity.subject.len > 0);
    assert_false(str_eq(subject, f.identity.subject));
    close_fixture(&f);
}

static void the_tenant_is_where_its_issuer_has_it(void **state)
{
    struct fixture f;
    struct str token;

    (void)state;
    open_two(&f, 0, false);
    token = mint_with(f.arena, HS256,
                      with_times(f.arena, "{\"exp\":@+60,\"iss\":\"" B_ISS
                                          "\",\"sub\":\"u\",\"tenant_id\":\"" TENANT "\"}"),
                      B_SECRET, EVP_sha256());
    assert_false(identify(&f, bearer(f.arena, token)));
    assert_int_equal(f.errs.first->code, FORBIDDEN);
    close_fixture(&f);
}

static void a_role_is_one_that_its_issuer_may_name(void **state)
{
    struct fixture f;

    (void)state;
    open_two(&f, 0, false);
    assert_true(
        accepts(&f, HS256, "\"iss\":\"" A_ISS "\",\"role\":\"app_user\"", A_SECRET, EVP_sha256()));
    assert_int_equal(f.identity.role, 1);
    assert_true(accepts(&f, HS256, "\"iss\":\"" A_ISS "\",\"role\":\"app_partner\"", A_SECRET,
                        EVP_sha256()));
    assert_int_equal(f.identity.role, 2);
    /* Positions are those of all roles, not of its own. */
    assert_true(
        accepts(&f, HS256, "\"iss\":\"" B_ISS "\",\"as\":\"app_partner\"", B_SECRET, EVP_sha256()));
    assert_int_equal(f.identity.role, 2);
    assert_true(
        accepts(&f, HS256, "\"iss\":\"" B_ISS "\",\"role\":\"app_user\"", B_SECRET, EVP_sha256()));
    assert_int_equal(f.identity.role, 0);
    assert_false(identify(&f, token_of(f.arena, HS256, "\"iss\":\"" B_ISS "\",\"as\":\"app_user\"",
                                       B_SECRET, EVP_sha256())));
    assert_int_equal(f.errs.first->code, FORBIDDEN);
    close_fixture(&f);
}

/* --- key sets ------------------------------------------------------------------------- */

static struct str set_of(struct arena *a, const char *key)
{
    struct buf b;
    struct str out;

    buf_init(&b, 0);
    buf_append_lit(&b, "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\",\"alg\":\"HS256\",\"k\":\"");
    append_base64url(&b, key, strlen(key));
    buf_append_lit(&b, "\"}]}");
    out = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return out;
}

static void set_keys(struct fixture *f, size_t issuer, const char *key)
{
    size_t usable, skipped;

    assert_true(auth_set_jwks(f->auth, issuer, set_of(f->arena, key), &usable, &skipped, &f->errs));
    assert_int_equal(usable, 1);
}

static void on_unknown(void *ctx)
{
    ++*(int *)ctx;
}

static void key_sets_with_the_same_kid_do_not_meet(void **state)
{
    static const char a_says[] = "\"iss\":\"" A_ISS "\"", b_says[] = "\"iss\":\"" B_ISS "\"";
    static const char a_next[] = "cccccccccccccccccccccccccccccccc";
    struct fixture f;
    int asked[2] = {0, 0};

    (void)state;
    open_two(&f, 100, true);
    auth_on_unknown_key(f.auth, A, on_unknown, &asked[A]);
    auth_on_unknown_key(f.auth, B, on_unknown, &asked[B]);

    /* Those of the one are there, those of the other are not: not 401 for what is not known yet. */
    set_keys(&f, A, A_SECRET);
    assert_true(accepts(&f, HS256, a_says, A_SECRET, EVP_sha256()));
    assert_false(identify(&f, token_of(f.arena, HS256, b_says, A_SECRET, EVP_sha256())));
    assert_int_equal(f.errs.first->code, SERVICE_UNAVAILABLE);
    assert_int_equal(asked[A], 0);
    assert_int_equal(asked[B], 1);

    set_keys(&f, B, B_SECRET);
    assert_true(accepts(&f, HS256, a_says, A_SECRET, EVP_sha256()));
    assert_true(accepts(&f, HS256, b_says, B_SECRET, EVP_sha256()));
    assert_false(accepts(&f, HS256, a_says, B_SECRET, EVP_sha256()));
    assert_false(accepts(&f, HS256, b_says, A_SECRET, EVP_sha256()));

    /* A's keys are others now; what was remembered of it is gone, B's are as they were. */
    set_keys(&f, A, a_next);
    assert_false(accepts(&f, HS256, a_says, A_SECRET, EVP_sha256()));
    assert_true(accepts(&f, HS256, a_says, a_next, EVP_sha256()));
    assert_true(accepts(&f, HS256, b_says, B_SECRET, EVP_sha256()));

    /* Only its own issuer is asked for a key that is not known, and nobody for a stranger. */
    assert_false(
        accepts(&f, "{\"alg\":\"HS256\",\"kid\":\"new\"}", a_says, A_SECRET, EVP_sha256()));
    assert_int_equal(asked[A], 1);
    assert_int_equal(asked[B], 1);
    assert_false(accepts(&f, "{\"alg\":\"HS256\",\"kid\":\"new\"}", "\"iss\":\"x\"", A_SECRET,
                         EVP_sha256()));
    assert_int_equal(asked[A], 1);
    assert_int_equal(asked[B], 1);

    auth_drop_jwks(f.auth, A);
    assert_false(identify(&f, token_of(f.arena, HS256, a_says, a_next, EVP_sha256())));
    assert_int_equal(f.errs.first->code, SERVICE_UNAVAILABLE);
    assert_true(accepts(&f, HS256, b_says, B_SECRET, EVP_sha256()));
    close_fixture(&f);
}

static void remembered_tokens_stay_with_their_issuer(void **state)
{
    struct fixture f;

    (void)state;
    open_two(&f, 4, false); /* all in one set */
    for (int round = 0; round < 3; round++) {
        assert_true(accepts(&f, HS256, "\"iss\":\"" A_ISS "\"", A_SECRET, EVP_sha256()));
        assert_string_equal(setting(&f, "app.user_id"), "u");
        assert_string_equal(setting(&f, "app.partner_id"), "");
        assert_true(accepts(&f, HS256, "\"iss\":\"" B_ISS "\"", B_SECRET, EVP_sha256()));
        assert_string_equal(setting(&f, "app.user_id"), "");
        assert_string_equal(setting(&f, "app.partner_id"), "u");
        assert_false(accepts(&f, HS256, "\"iss\":\"" B_ISS "\"", A_SECRET, EVP_sha256()));
    }
    close_fixture(&f);
}

static void claims_without_a_token_name_their_issuer(void **state)
{
    static const struct jval_limits limits = {.max_depth = 8, .max_values = 100};
    static const char *const rows[] = {
        "{\"sub\":\"u\",\"tenant_id\":\"" TENANT "\"}",
        "{\"sub\":\"u\",\"tenant_id\":\"" TENANT "\",\"iss\":\"" A_ISS "\"}",
    };
    struct fixture f;

    (void)state;
    open_two(&f, 0, false);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct jval *claims;

        assert_true(jval_parse(str_of(rows[i]), &limits, f.arena, &claims, &f.errs));
        assert_int_equal(identity_from_claims(f.auth, claims, f.arena, &f.identity, &f.errs), i);
    }
    close_fixture(&f);
}

/* --- options -------------------------------------------------------------------------- */

static void issuers_that_make_no_sense_are_refused(void **state)
{
    static const struct str public_only[] = {STR_INIT("HS256")};
    struct auth_claim_options nowhere[COUNT_OF(b_claims)];
    struct auth_issuer_options issuers[2];
    struct auth_options opt;
    struct arena *a = arena_new(0);
    struct errors errs;

    (void)state;
    memcpy(nowhere, b_claims, sizeof(nowhere));
    nowhere[0].path = STR("");
    for (int i = 0; i < 7; i++) {
        struct auth *auth;

        make_issuers(issuers);
        opt = options_of(issuers);
        errors_init(&errs, a);
        if (i == 1)
            issuers[B].iss = STR(A_ISS);
        else if (i == 2)
            issuers[B].iss = STR("");
        else if (i == 3)
            issuers[A].nkeys = 0;
        else if (i == 4)
            issuers[B].nalgorithms = 1; /* its key of HS384 is of no use */
        else if (i == 5)
            issuers[B].claims = nowhere; /* nobody of B would have a tenant */
        else if (i == 6) {
            issuers[A].key_sets = issuers[A].key_sets_open = true;
            issuers[A].algorithms = public_only;
        }
        auth = auth_new(&opt, &errs);
        assert_int_equal(auth != NULL, i == 0);
        if (i > 0)
            assert_int_equal(errs.first->code, CONFIG_INVALID);
        auth_free(auth);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_speaks_for_another),
        cmocka_unit_test(who_is_not_known_is_told_what_anybody_of_another_issuer_is),
        cmocka_unit_test(an_audience_is_asked_of_the_issuer_that_has_one),
        cmocka_unit_test(each_has_its_own_claims_and_the_settings_of_all),
        cmocka_unit_test(the_tenant_is_where_its_issuer_has_it),
        cmocka_unit_test(a_role_is_one_that_its_issuer_may_name),
        cmocka_unit_test(key_sets_with_the_same_kid_do_not_meet),
        cmocka_unit_test(remembered_tokens_stay_with_their_issuer),
        cmocka_unit_test(claims_without_a_token_name_their_issuer),
        cmocka_unit_test(issuers_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
