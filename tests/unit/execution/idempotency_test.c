/*
 * idempotency_test.c - whose keys they are, and which requests are the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/idempotency.h"

static const struct jval_limits limits = {8, 100};

static struct idempotency key_of(struct arena *a, struct identity who, const char *role,
                                 const char *document, const char *name, const char *variables)
{
    struct idempotency_request r = {
        .key = STR("key"), .document = str_of(document), .operation_name = str_of(name)};
    struct idempotency k;
    struct errors errs;

    errors_init(&errs, a);
    if (variables != NULL)
        assert_true(jval_parse(str_of(variables), &limits, a, &r.variables, &errs));
    idempotency_init(&k, &r, &who, role, 90000, a);
    return k;
}

static void keys_are_of_a_tenant_a_subject_and_a_role(void **state)
{
    static const struct {
        const char *tenant, *subject, *role;
    } all[] = {
        {"t",  "s",  "r" },
        {"t2", "s",  "r" },
        {"t",  "s2", "r" },
        {"t",  "s",  "r2"},
        {"",   "s",  "r" },
        {"t",  "",   "r" },
        {"",   "",   ""  },
        {"ts", "",   "r" },
        {"",   "ts", "r" },
    };
    struct arena *a = arena_new(0);
    const char *scopes[COUNT_OF(all)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct identity who = {.tenant = str_of(all[i].tenant), .subject = str_of(all[i].subject)};
        struct idempotency k = key_of(a, who, all[i].role, "d", "n", "{}");

        scopes[i] = k.claim[0];
        assert_ptr_equal(k.claim[0], k.store[0]);
        assert_ptr_equal(k.claim[0], k.read[0]);
        assert_int_equal(strlen(scopes[i]), 64);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(scopes[i], scopes[j]);
    }
    arena_free(a);
}

static void requests_are_the_same_by_document_name_and_variables(void **state)
{
    static const struct {
        const char *document, *name, *variables;
    } all[] = {
        {"d",  "n",  "{\"a\":1}"    },
        {"d ", "n",  "{\"a\":1}"    },
        {"d",  "n2", "{\"a\":1}"    },
        {"d",  "n",  "{\"a\":2}"    },
        {"d",  "n",  "{\"a\":\"1\"}"},
        {"d",  "n",  "{\"a\":null}" },
        {"d",  "n",  "{}"           },
        {"dn", "",   "{\"a\":1}"    },
    };
    struct arena *a = arena_new(0);
    struct identity who = {.tenant = STR("t"), .subject = STR("s")};
    const char *requests[COUNT_OF(all)];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        struct idempotency k = key_of(a, who, "r", all[i].document, all[i].name, all[i].variables);

        requests[i] = k.claim[2];
        assert_string_equal(k.claim[1], "key");
        assert_string_equal(k.claim[3], "90000 milliseconds");
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(requests[i], requests[j]);
        /* Blanks between are none of the variables'. */
        assert_string_equal(
            key_of(a, who, "r", all[i].document, all[i].name, all[i].variables).claim[2],
            requests[i]);
    }
    assert_string_equal(key_of(a, who, "r", "d", "n", " { \"a\" : 1 } ").claim[2], requests[0]);
    arena_free(a);
}

static void a_claim_fails_for_what_it_is(void **state)
{
    static const struct {
        const char *sqlstate;
        enum idempotency_claimed why;
    } rows[] = {
        {"22012", IDEMPOTENCY_TAKEN  },
        {"3F000", IDEMPOTENCY_MISSING},
        {"42883", IDEMPOTENCY_MISSING},
        {"42501", IDEMPOTENCY_MISSING},
        {"40001", IDEMPOTENCY_ERROR  },
        {"57014", IDEMPOTENCY_ERROR  },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pgbatch b = {0};

        memcpy(b.sqlstate, rows[i].sqlstate, 6);
        assert_int_equal(idempotency_claim_failure(&b), rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_of_a_tenant_a_subject_and_a_role),
        cmocka_unit_test(requests_are_the_same_by_document_name_and_variables),
        cmocka_unit_test(a_claim_fails_for_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
