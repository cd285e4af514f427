/* pgwait_test.c - tenants take turns, and none runs more than its share. */
#include "pg/pgfixture.h"

#include "pg/pgwait.h"

struct item {
    struct pgbatch batch;
    struct pgsession session;
};

static struct item *item_of(struct arena *a, uint64_t tenant)
{
    struct item *i = ARENA_NEW(a, struct item);

    i->session.role = "";
    i->session.tenant = tenant;
    pgbatch_init(&i->batch, &i->session, NULL, 0, a);
    return i;
}

static size_t pop_all(struct pgwait *w, char *out)
{
    struct pgbatch *b;
    size_t n = 0;

    while ((b = pgwait_pop(w)) != NULL) {
        out[n++] = (char)('a' + b->session->tenant % 26);
        pgwait_end(w, b);
    }
    out[n] = '\0';
    return n;
}

static void push(struct pgwait *w, struct arena *a, const char *tenants)
{
    for (; *tenants != '\0'; tenants++)
        pgwait_push(w, &item_of(a, (uint64_t)(*tenants - 'a'))->batch, false);
}

static void tenants_take_turns_in_their_order(void **state)
{
    const char *cases[][2] = {
        {"bbbbc",  "bcbbb" },
        {"bcd",    "bcd"   },
        {"bbccdd", "bcdbcd"},
        {"aab",    "aba"   },
        {"",       ""      },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *a = arena_new(0);
        struct pgwait w;
        char got[32];

        pgwait_init(&w, 0);
        push(&w, a, cases[i][0]);
        pop_all(&w, got);
        assert_string_equal(got, cases[i][1]);
        pgwait_fini(&w);
        arena_free(a);
    }
}

static void a_tenant_at_its_cap_is_passed_over(void **state)
{
    struct arena *a = arena_new(0);
    struct pgwait w;
    struct pgbatch *running[2];

    (void)state;
    pgwait_init(&w, 2);
    push(&w, a, "bbbb");
    running[0] = pgwait_pop(&w);
    running[1] = pgwait_pop(&w);
    assert_non_null(running[1]);
    assert_null(pgwait_peek(&w));
    push(&w, a, "aaac");
    /* Nobody's batches have no cap. */
    for (size_t i = 0; i < 4; i++) {
        struct pgbatch *b = pgwait_pop(&w);

        assert_non_null(b);
        assert_int_not_equal(b->session->tenant, 1);
    }
    assert_null(pgwait_pop(&w));
    assert_int_equal(w.n, 2);
    pgwait_end(&w, running[0]);
    assert_int_equal(pgwait_peek(&w)->session->tenant, 1);
    for (size_t i = 0; i < 2; i++) {
        running[0] = pgwait_pop(&w);
        pgwait_end(&w, running[0]);
    }
    pgwait_end(&w, running[1]);
    for (size_t i = 0; i < 3; i++)
        pgwait_end(&w, &item_of(a, 0)->batch);
    pgwait_end(&w, &item_of(a, 2)->batch);
    pgwait_fini(&w);
    arena_free(a);
}

static void remove_second(struct pgbatch *b, void *ctx)
{
    if (b->session->timeout_ms == 1)
        pgwait_remove(ctx, b);
}

static void batches_are_removed_from_anywhere(void **state)
{
    struct arena *a = arena_new(0);
    struct pgwait w;
    char got[2000];
    size_t left = 0;

    (void)state;
    pgwait_init(&w, 0);
    for (uint64_t i = 0; i < 1500; i++) {
        struct item *it = item_of(a, i % 700);

        it->session.timeout_ms = i % 3 == 0 || i % 700 == 5 ? 1 : 2;
        left += it->session.timeout_ms == 2;
        pgwait_push(&w, &it->batch, i % 2 == 0);
    }
    pgwait_each(&w, remove_second, &w);
    assert_int_equal(w.n, left);
    assert_int_equal(pop_all(&w, got), left);
    pgwait_fini(&w);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tenants_take_turns_in_their_order),
        cmocka_unit_test(a_tenant_at_its_cap_is_passed_over),
        cmocka_unit_test(batches_are_removed_from_anywhere),
    };

    return cmocka_run_group_tests_name("pgwait", tests, NULL, NULL);
}
