/*
 * envelope_test.c - what stands around the steps of a plan, and how their answers find back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "execution/envelope.h"

/* Statements named by a letter; rows are told apart by where they are. */
static struct pgstatement named[] = {
    {.sql = STR_INIT("a")},
    {.sql = STR_INIT("b")},
    {.sql = STR_INIT("c")},
};
static char places[8];

static const struct pgrows *rows_at(size_t i)
{
    return (const struct pgrows *)(const void *)&places[i];
}

/* The texts of the calls, "|" behind each, "*" where a Sync follows, "!" before the one that is
 * held. */
static struct str describe(const struct envelope *e, struct arena *a)
{
    struct str s = STR("");

    for (size_t i = 0; i < e->ncalls; i++)
        s = arena_printf(a, "%.*s%s%.*s%s|", STR_ARG(s), e->hold == i && i > 0 ? "!" : "",
                         STR_ARG(e->calls[i].statement->sql), e->calls[i].sync ? "*" : "");
    return s;
}

/* Each call answers; the steps then have, by letter, the position of the call that was theirs. */
static struct str answer(struct envelope *e, struct arena *a)
{
    struct str s = STR("");

    for (size_t i = 0; i < e->ncalls; i++)
        e->calls[i].rows = rows_at(i);
    envelope_read(e);
    for (size_t i = 0; i < e->nsteps; i++)
        s = arena_printf(a, "%.*s%d", STR_ARG(s),
                         e->steps[i].rows != NULL
                             ? (int)((const char *)(const void *)e->steps[i].rows - places)
                             : -1);
    return s;
}

static void calls_stand_around_the_steps(void **state)
{
    static struct pgstatement around[] = {{.sql = STR_INIT("claim")}, {.sql = STR_INIT("store")}};
    static const struct {
        int kind; /* 0: plain, 1: dry run, 2: between */
        bool transaction;
        const char *calls;
        const char *answers;
    } rows[] = {
        {0, false, "a|b|c|",                                                "012"},
        {0, true,  "a|b|c|",                                                "012"},
        {1, false, "begin|a|b|c*|set constraints all immediate*|rollback|", "123"},
        {1, true,  "a|b*|set constraints all immediate*|rollback|",         "013"},
        {2, false, "claim|a|b|c|!store|",                                   "123"},
        {2, true,  "a|claim|b|!store*|c|",                                  "024"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *a = arena_new(0);
        struct pgcall steps[3] = {{&named[0]}, {&named[1]}, {&named[2]}};
        struct envelope e;
        struct pgbatch b = {0};

        if (rows[i].kind == 0)
            envelope_plain(&e, steps, 3, rows[i].transaction);
        else if (rows[i].kind == 1)
            envelope_dry_run(&e, steps, 3, rows[i].transaction, a);
        else
            envelope_between(&e, steps, 3, rows[i].transaction,
                             (struct pgcall){.statement = &around[0]},
                             (struct pgcall){.statement = &around[1]}, a);
        envelope_seal(&e, &b);
        assert_int_equal(b.transaction, rows[i].transaction || rows[i].kind == 1);
        assert_int_equal(b.rolls_back, rows[i].kind == 1);
        assert_int_equal(b.hold > 0, rows[i].kind == 2);
        assert_string_equal(describe(&e, a).data, rows[i].calls);
        assert_string_equal(answer(&e, a).data, rows[i].answers);
        arena_free(a);
    }
}

static void a_failed_call_is_a_step_or_none(void **state)
{
    struct arena *a = arena_new(0);
    struct pgcall steps[2] = {{&named[0]}, {&named[1]}};
    struct envelope e;

    (void)state;
    envelope_plain(&e, steps, 2, false);
    assert_int_equal(envelope_step(&e, 1), 1);
    assert_int_equal(envelope_step(&e, 2), 2);
    assert_int_equal(envelope_step(&e, SIZE_MAX), SIZE_MAX);
    envelope_dry_run(&e, steps, 2, false, a);
    assert_int_equal(envelope_step(&e, 0), 2); /* BEGIN */
    assert_int_equal(envelope_step(&e, 1), 0);
    assert_int_equal(envelope_step(&e, 2), 1);
    assert_int_equal(envelope_step(&e, 3), 2); /* SET CONSTRAINTS */
    assert_int_equal(envelope_step(&e, e.ncalls), 2);
    assert_int_equal(envelope_step(&e, SIZE_MAX), SIZE_MAX);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_stand_around_the_steps),
        cmocka_unit_test(a_failed_call_is_a_step_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
