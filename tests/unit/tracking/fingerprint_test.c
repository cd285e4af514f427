/*
 * fingerprint_test.c - the same error is the same, whatever values it was about.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tracking/fingerprint.h"

static void test_messages(void **state)
{
    /* message, what is left of it */
    static const char *const rows[][2] = {
        {"",                                                                   ""                           },
        {"  too   many\n words ",                                              "too many words"             },
        {"value 42 of 7",                                                      "value # of #"               },
        {"3.14 is not -2e10",                                                  "#.# is not -#e#"            },
        {"in (1, 2, 3) or (4,5)",                                              "in (#) or (#)"              },
        {"duplicate key value violates unique constraint \"users_email_key\"",
         "duplicate key value violates unique constraint \"users_email_key\""                               },
        {"null value in column \"a\" of relation \"log_2026_11\"",
         "null value in column \"a\" of relation \"log_#_#\""                                               },
        {"invalid input syntax for type integer: \"abc\"",
         "invalid input syntax for type integer: \"?\""                                                     },
        {"value \"abc\" is out of range",                                      "value \"?\" is out of range"},
        {"relation \"two words\" is gone",                                     "relation \"?\" is gone"     },
        {"no 'bob' here, nor 'it''s'",                                         "no '?' here, nor '?'"       },
        {"can't stop, won't stop",                                             "can't stop, won't stop"     },
        {"an open 'quote",                                                     "an open 'quote"             },
        {"id 0f8fad5b-d9cb-469f-a165-70867728950e gone",                       "id # gone"                  },
        {"id 0F8FAD5B-D9CB-469F-A165-70867728950E",                            "id #"                       },
        {"digest deadbeef01 but not beef1",                                    "digest # but not beef#"     },
        {"deadbeef is a word",                                                 "deadbeef is a word"         },
        {"at 2026-11-27 08:45:15.5+00",                                        "at #-#-# #:#:#.#+#"         },
        {"größe 5 überschritten",                                           "größe # überschritten"   },
    };
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_string_equal(fingerprint_message(str_of(rows[i][0]), a).data, rows[i][1]);
    arena_free(a);
}

static void test_long_messages_are_cut_between_characters(void **state)
{
    struct arena *a = arena_new(0);
    char text[1000];
    struct str m;

    (void)state;
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "ü", 2);
    m = fingerprint_message(str_make(text + 1, 999), a);
    assert_true(m.len <= 300);
    m = fingerprint_message(str_make(text, 1000), a);
    assert_int_equal(m.len, 300);
    assert_true(str_is_utf8(m));
    arena_free(a);
}

static struct fingerprint_options all_parts(void)
{
    struct fingerprint_options opt = {.environment = STR("production")};

    for (size_t i = 0; i < FINGERPRINT_PARTS; i++)
        opt.parts[i] = true;
    return opt;
}

static struct error_identity make(const struct fingerprint_options *opt, const char *code,
                                  const char *sqlstate, const char *operation, const char *path,
                                  const char *message)
{
    struct error_identity id = {.code = str_of(code),
                                .sqlstate = str_of(sqlstate),
                                .operation = str_of(operation),
                                .path = str_of(path),
                                .message = str_of(message)};

    fingerprint_make(opt, &id);
    return id;
}

static void test_every_part_tells_apart_where_it_is_wanted(void **state)
{
    static const char *const others[FINGERPRINT_PARTS][FINGERPRINT_PARTS] = {
        {"C2", "s",  "o",  "p",  "m" },
        {"c",  "s2", "o",  "p",  "m" },
        {"c",  "s",  "o2", "p",  "m" },
        {"c",  "s",  "o",  "p2", "m" },
        {"c",  "s",  "o",  "p",  "m2"},
    };
    struct fingerprint_options opt = all_parts();
    struct error_identity one = make(&opt, "c", "s", "o", "p", "m");

    (void)state;
    assert_int_equal(strlen(one.fingerprint), FINGERPRINT_TEXT);
    for (size_t i = 0; i < FINGERPRINT_PARTS; i++) {
        const char *const *o = others[i];
        struct error_identity other = make(&opt, o[0], o[1], o[2], o[3], o[4]);

        assert_string_not_equal(one.fingerprint, other.fingerprint);
        opt.parts[i] = false;
        one = make(&opt, "c", "s", "o", "p", "m");
        other = make(&opt, o[0], o[1], o[2], o[3], o[4]);
        assert_string_equal(one.fingerprint, other.fingerprint);
        opt.parts[i] = true;
        one = make(&opt, "c", "s", "o", "p", "m");
    }
    /* What moves from one part to the next is another error. */
    assert_string_not_equal(make(&opt, "ab", "c", "", "", "").fingerprint,
                            make(&opt, "a", "bc", "", "", "").fingerprint);
}

/* A change of these is another FINGERPRINT_VERSION: what was counted before is another group. */
static void test_is_the_same_in_every_release(void **state)
{
    struct fingerprint_options opt = all_parts();
    struct error_identity id =
        make(&opt, "INTERNAL_SERVER_ERROR", "XX000", "Shelf", "broken", "no room in shelf #");

    (void)state;
    assert_int_equal(FINGERPRINT_VERSION, 1);
    assert_string_equal(id.fingerprint, "c3d4a5b5e2322eb52d77198c39a12452");
    /* select fraiseql.error_id('<fingerprint>', 'production') */
    assert_string_equal(id.error_id, "eb7a0f59-5093-89de-8d1a-917cb34c44e6");
    opt.environment = STR("staging");
    assert_string_not_equal(id.error_id, make(&opt, "INTERNAL_SERVER_ERROR", "XX000", "Shelf",
                                              "broken", "no room in shelf #")
                                             .error_id);
}

static void test_errors_of_a_list(void **state)
{
    struct arena *a = arena_new(0);
    struct fingerprint_options opt = all_parts();
    struct path root = {NULL, STR("projects"), -1}, item = {&root, {0}, 3},
                leaf = {&item, STR("name"), -1}, other = {&root, {0}, 4},
                same = {&other, STR("name"), -1};
    const struct error_identity *id;
    struct errors errs;
    struct error *e;

    (void)state;
    opt.codes[INTERNAL_SERVER_ERROR] = true;
    errors_init(&errs, a);
    errors_add(&errs, INTERNAL_SERVER_ERROR, "internal")->path = &leaf;
    e = errors_add(&errs, INTERNAL_SERVER_ERROR, "internal");
    e->path = &same;
    e->cause = STR("shelf 12 is full");
    errors_add(&errs, CONFLICT, "exists already");
    fingerprint_errors(&opt, STR("Few"), &errs);
    id = errs.first->identity;
    assert_string_equal(id->path.data, "projects.name");
    assert_string_equal(id->operation.data, "Few");
    assert_string_equal(id->message.data, "internal");
    assert_string_equal(e->identity->message.data, "shelf # is full");
    assert_null(errs.last->identity);
    e->cause = (struct str){0};
    e->identity = NULL;
    fingerprint_errors(&opt, STR("Another"), &errs);
    assert_ptr_equal(errs.first->identity, id); /* once given it stays */
    e->identity = NULL;
    fingerprint_errors(&opt, STR("Few"), &errs);
    assert_string_equal(e->identity->fingerprint, id->fingerprint); /* indices do not matter */
    arena_free(a);
}

static void test_names_of_parts(void **state)
{
    enum fingerprint_part part;

    (void)state;
    assert_true(fingerprint_part_by_name(STR("sqlstate"), &part));
    assert_int_equal(part, FINGERPRINT_SQLSTATE);
    assert_false(fingerprint_part_by_name(STR("Code"), &part));
    assert_false(fingerprint_part_by_name(STR(""), &part));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_long_messages_are_cut_between_characters),
        cmocka_unit_test(test_every_part_tells_apart_where_it_is_wanted),
        cmocka_unit_test(test_is_the_same_in_every_release),
        cmocka_unit_test(test_errors_of_a_list),
        cmocka_unit_test(test_names_of_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
