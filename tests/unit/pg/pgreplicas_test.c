/* pgreplicas_test.c - positions in the WAL as texts; what is refused. Choices are tested with real
 * standbys: e2e/replicas. */
#include "pg/pgfixture.h"

#include "pg/pgreplicas.h"

static void positions_are_read_and_written_as_postgresql_does(void **state)
{
    static const struct {
        const char *text;
        uint64_t position;
    } cases[] = {
        {"0/0",               0           },
        {"0/1",               1           },
        {"16/B374D848",       0x16B374D848},
        {"1/0",               0x100000000 },
        {"FFFFFFFF/FFFFFFFF", UINT64_MAX  },
    };
    char out[PGPOSITION_TEXT];
    uint64_t position;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(pgposition_parse(str_of(cases[i].text), &position));
        assert_true(position == cases[i].position);
        pgposition_write(position, out);
        assert_string_equal(out, cases[i].text);
    }
    assert_true(pgposition_parse(STR("0000000a/0000000B"), &position));
    assert_true(position == 0xA0000000B);
}

static void what_is_no_position_is_refused(void **state)
{
    static const char *const cases[] = {"",      "/",    "1",    "1/",          "/1",
                                        "1/2/3", "g/1",  "1/g",  "123456789/1", "1/123456789",
                                        "-1/1",  "+1/1", " 1/1", "1/1 ",        "0x1/1"};
    uint64_t position;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_false(pgposition_parse(str_of(cases[i]), &position));
}

static void malformed_urls_are_refused(void **state)
{
    const struct pgpool_options pools[] = {{.url = ""},
                                           {.url = "postgresql://localhost/db?no_such_option=1"}};
    struct pgreplicas_options opt = {.pools = pools, .n = 2, .max_lag_ms = 1000};
    struct arena *a = arena_new(0);
    struct errors errs;

    (void)state;
    errors_init(&errs, a);
    assert_null(pgreplicas_new(&opt, NULL, &errs));
    assert_int_equal(errs.n, 1);
    assert_int_equal(errs.first->code, CONFIG_INVALID);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_are_read_and_written_as_postgresql_does),
        cmocka_unit_test(what_is_no_position_is_refused),
        cmocka_unit_test(malformed_urls_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
