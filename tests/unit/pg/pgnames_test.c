/* pgnames_test.c - which statements a connection has prepared. */
#include "pg/pgfixture.h"

#include "pg/pgnames.h"

static void equal_texts_share_a_name_and_roles_do_not(void **state)
{
    struct pgnames *one = pgnames_new();
    struct pgnames *two = pgnames_new();
    struct pgstatement first;
    struct pgstatement same;
    struct pgstatement other;
    const char *name;

    (void)state;
    pgstatement_init(&first, STR("select $1"), 1);
    pgstatement_init(&same, STR("select $1"), 1);
    pgstatement_init(&other, STR("select $2"), 2);
    assert_memory_equal(first.hash, same.hash, sizeof(first.hash));
    assert_memory_not_equal(first.hash, other.hash, sizeof(first.hash));
    name = pgnames_add(one, first.hash, 1, NULL)->name;
    assert_null(pgnames_find(one, first.hash, 2));
    assert_ptr_equal(pgnames_find(one, same.hash, 1)->name, name);
    /* Another connection may be the same to the server. */
    assert_string_equal(pgnames_add(two, same.hash, 1, NULL)->name, name);
    assert_string_not_equal(pgnames_add(two, same.hash, 2, NULL)->name, name);
    assert_string_not_equal(pgnames_add(two, other.hash, 1, NULL)->name, name);
    pgnames_free(one);
    pgnames_free(two);
}

static void a_stale_name_is_not_given_again(void **state)
{
    struct pgnames *p = pgnames_new();
    const uint64_t hash[2] = {1, 2};
    struct pgslot *s = pgnames_add(p, hash, 0, NULL);
    uint16_t index = pgnames_index(p, s);
    uint32_t serial = s->serial;
    char name[64];

    (void)state;
    memcpy(name, s->name, sizeof(name));
    pgnames_remove(p, s, false);
    assert_null(pgnames_at(p, index, serial));
    s = pgnames_add(p, hash, 0, NULL);
    assert_string_equal(s->name, name);
    assert_null(pgnames_at(p, index, serial));
    pgnames_remove(p, s, true);
    assert_string_not_equal(pgnames_add(p, hash, 0, NULL)->name, name);
    pgnames_free(p);
}

static void the_oldest_that_is_ready_gives_way(void **state)
{
    struct pgnames *p = pgnames_new();
    uint64_t hash[2] = {0, 7};

    (void)state;
    assert_null(pgnames_oldest(p));
    for (uint64_t i = 0; i < PGNAMES_MAX; i++) {
        struct pgslot *s;

        hash[0] = i;
        s = pgnames_add(p, hash, i * 512, NULL);
        assert_non_null(s);
        s->ready = i != 0; /* The first is still being prepared. */
    }
    assert_null(pgnames_add(p, (uint64_t[]){1, 1}, 0, NULL));
    hash[0] = 1;
    assert_non_null(pgnames_find(p, hash, 512)); /* Used just now. */
    assert_int_equal(pgnames_oldest(p)->hash[0], 2);
    for (uint64_t i = 2; i < 100; i++) {
        assert_int_equal(pgnames_oldest(p)->hash[0], i);
        pgnames_remove(p, pgnames_oldest(p), false);
    }
    assert_int_equal(pgnames_count(p), PGNAMES_MAX - 98);
    hash[0] = 50;
    assert_null(pgnames_find(p, hash, 50 * 512));
    hash[0] = 150;
    assert_non_null(pgnames_find(p, hash, 150 * 512));
    pgnames_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_share_a_name_and_roles_do_not),
        cmocka_unit_test(a_stale_name_is_not_given_again),
        cmocka_unit_test(the_oldest_that_is_ready_gives_way),
    };

    return cmocka_run_group_tests_name("pgnames", tests, NULL, NULL);
}
