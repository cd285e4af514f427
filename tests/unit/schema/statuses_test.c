/* statuses_test.c - the table of status words, against the list it was made from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "schema/statuses.h"

/* Word for word what FraiseQL documents, all versions together. */
static const char *const successes[] = {
    "success", "completed", "ok",     "done",    "new",       "existing",
    "updated", "deleted",   "synced", "created", "cancelled",
};

static const struct status errors[] = {
    {"error",            500},
    {"failed",           500},
    {"validation",       422},
    {"invalid",          422},
    {"unauthorized",     401},
    {"forbidden",        403},
    {"not_found",        404},
    {"timeout",          408},
    {"conflict",         409},
    {"duplicate",        409},
    {"exists",           409},
    {"noop",             422},
    {"blocked",          422},
    {"skipped",          422},
    {"ignored",          422},
    {"validation_error", 422},
};

static int code_of(const char *word)
{
    for (size_t i = 0; statuses_at(i) != NULL; i++)
        if (strcmp(statuses_at(i)->word, word) == 0)
            return statuses_at(i)->code;
    return -1;
}

static void every_documented_word_is_there_and_no_other(void **state)
{
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(successes); i++)
        assert_int_equal(code_of(successes[i]), 0);
    for (size_t i = 0; i < COUNT_OF(errors); i++)
        assert_int_equal(code_of(errors[i].word), errors[i].code);
    while (statuses_at(n) != NULL)
        n++;
    assert_int_equal(n, COUNT_OF(successes) + COUNT_OF(errors));
    assert_int_equal(code_of("surprise"), -1);
}

static void assert_words(const struct status *(*at)(size_t i))
{
    for (size_t i = 0; at(i) != NULL; i++) {
        assert_true(strspn(at(i)->word, "abcdefghijklmnopqrstuvwxyz_") == strlen(at(i)->word));
        assert_true(at(i)->code == 0 || (at(i)->code >= 400 && at(i)->code < 600));
        if (i > 0)
            assert_true(strcmp(at(i - 1)->word, at(i)->word) < 0);
    }
}

static void words_are_sorted_and_in_lower_case(void **state)
{
    (void)state;
    assert_words(statuses_at);
    assert_words(error_classes_at);
}

static void no_error_class_is_a_success(void **state)
{
    size_t n = 0;

    (void)state;
    for (; error_classes_at(n) != NULL; n++)
        assert_true(error_classes_at(n)->code >= 400);
    assert_int_equal(n, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_word_is_there_and_no_other),
        cmocka_unit_test(words_are_sorted_and_in_lower_case),
        cmocka_unit_test(no_error_class_is_a_success),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
