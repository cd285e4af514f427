/* sqlstate_test.c - what clients are told about PostgreSQL's errors. */
#include "pg/pgfixture.h"

#include "pg/sqlstate.h"

static void the_longest_match_decides(void **state)
{
    static const struct {
        const char *sqlstate;
        enum error_code code;
        bool is_public;
        bool ends;
    } cases[] = {
        {"23505", CONFLICT,              false, false},
        {"23503", BAD_USER_INPUT,        false, false},
        {"22P02", BAD_USER_INPUT,        false, false},
        {"22012", BAD_USER_INPUT,        false, false},
        {"42501", FORBIDDEN,             false, false},
        {"44000", BAD_USER_INPUT,        false, false},
        {"42P01", INTERNAL_SERVER_ERROR, false, false},
        {"P0002", NOT_FOUND,             false, false},
        {"P0001", BAD_USER_INPUT,        true,  false},
        {"P0003", INTERNAL_SERVER_ERROR, false, false},
        {"QL404", BAD_USER_INPUT,        true,  false},
        {"57014", TIMEOUT,               false, false},
        {"57P01", SERVICE_UNAVAILABLE,   false, true },
        {"57P02", SERVICE_UNAVAILABLE,   false, true },
        {"57P03", SERVICE_UNAVAILABLE,   false, true },
        {"57P04", SERVICE_UNAVAILABLE,   false, true },
        {"57P05", SERVICE_UNAVAILABLE,   false, true },
        {"40001", CONFLICT,              false, false},
        {"40P01", CONFLICT,              false, false},
        {"53300", SERVICE_UNAVAILABLE,   false, false},
        {"08006", SERVICE_UNAVAILABLE,   false, true },
        {"25006", SERVICE_UNAVAILABLE,   false, true },
        {"XX000", INTERNAL_SERVER_ERROR, false, false},
        {"",      INTERNAL_SERVER_ERROR, false, false},
        {"22",    INTERNAL_SERVER_ERROR, false, false},
        {"zzzzz", INTERNAL_SERVER_ERROR, false, false},
        {"00000", INTERNAL_SERVER_ERROR, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (sqlstate_code(cases[i].sqlstate) != cases[i].code ||
            sqlstate_message_is_public(cases[i].sqlstate) != cases[i].is_public ||
            sqlstate_ends_connection(cases[i].sqlstate) != cases[i].ends)
            fail_msg("%s", cases[i].sqlstate);
    }
}

static struct error *error_of(enum pgbatch_outcome outcome, const char *sqlstate, bool repeatable,
                              bool read_only, struct errors *errs)
{
    struct pgsession session = {.role = "", .read_only = read_only};
    struct pgbatch b;

    pgbatch_init(&b, &session, NULL, 0, errs->arena);
    b.outcome = outcome;
    b.repeatable = repeatable;
    snprintf(b.sqlstate, sizeof(b.sqlstate), "%s", sqlstate);
    b.message = STR("words of the server");
    b.hint = STR("try this");
    b.constraint = STR("a_key");
    return sqlstate_error(&b, errs);
}

static void postgresqls_words_reach_the_log_and_only_authors_words_the_client(void **state)
{
    static const struct {
        enum pgbatch_outcome outcome;
        const char *sqlstate;
        bool repeatable;
        bool read_only;
        enum error_code code;
        bool words;
    } cases[] = {
        {PGBATCH_FAILED,      "23505", false, false, CONFLICT,              false},
        {PGBATCH_FAILED,      "P0001", false, false, BAD_USER_INPUT,        true },
        {PGBATCH_FAILED,      "42703", true,  false, INTERNAL_SERVER_ERROR, false},
        {PGBATCH_FAILED,      "25006", false, false, SERVICE_UNAVAILABLE,   false},
        {PGBATCH_FAILED,      "25006", true,  true,  INTERNAL_SERVER_ERROR, false},
        {PGBATCH_UNAVAILABLE, "",      true,  false, SERVICE_UNAVAILABLE,   false},
        {PGBATCH_TIMEOUT,     "",      true,  false, TIMEOUT,               false},
        {PGBATCH_FULL,        "",      true,  false, SERVICE_UNAVAILABLE,   false},
        {PGBATCH_CANCELLED,   "57014", true,  false, TIMEOUT,               false},
        {PGBATCH_LOST,        "57P01", true,  false, SERVICE_UNAVAILABLE,   false},
        {PGBATCH_LOST,        "57P01", false, false, UNKNOWN_OUTCOME,       false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new(0);
        struct errors errs;
        struct error *e;

        errors_init(&errs, a);
        e = error_of(cases[i].outcome, cases[i].sqlstate, cases[i].repeatable, cases[i].read_only,
                     &errs);
        assert_int_equal(errs.n, 1);
        assert_int_equal(e->code, cases[i].code);
        assert_string_equal(e->sqlstate, cases[i].sqlstate);
        assert_int_equal(str_is(e->message, "words of the server"), cases[i].words);
        assert_int_equal(str_is(e->hint, "try this"), cases[i].words);
        assert_true(str_starts(e->detail, STR("words of the server")));
        arena_free(a);
    }
}

static void syntax_errors_of_values_are_the_clients(void **state)
{
    static const struct {
        const char *sqlstate;
        const char *message;
        enum error_code code;
    } cases[] = {
        {"42601", "syntax error at end of jsonpath input", BAD_USER_INPUT       },
        {"42601", "syntax error in tsquery: \"a b\"",      BAD_USER_INPUT       },
        {"42601", "syntax error at or near \"form\"",      INTERNAL_SERVER_ERROR},
        {"42601", "",                                      INTERNAL_SERVER_ERROR},
        {"42883", "operator does not exist: jsonpath",     INTERNAL_SERVER_ERROR},
    };
    struct pgsession session = {.role = ""};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new(0);
        struct errors errs;
        struct pgbatch b;

        errors_init(&errs, a);
        pgbatch_init(&b, &session, NULL, 0, a);
        b.outcome = PGBATCH_FAILED;
        snprintf(b.sqlstate, sizeof(b.sqlstate), "%s", cases[i].sqlstate);
        b.message = str_of(cases[i].message);
        assert_int_equal(sqlstate_error(&b, &errs)->code, cases[i].code);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_match_decides),
        cmocka_unit_test(postgresqls_words_reach_the_log_and_only_authors_words_the_client),
        cmocka_unit_test(syntax_errors_of_values_are_the_clients),
    };

    return cmocka_run_group_tests_name("sqlstate", tests, NULL, NULL);
}
