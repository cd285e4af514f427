/*
 * tracecontext_test.c - headers that say which trace a request belongs to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tracecontext.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ZEROS  "00000000000000000000000000000000"

/* W3C Trace Context, section 3.2 */
static void test_traceparent(void **state)
{
    /* header, is it one, is it sampled */
    static const struct {
        const char *text;
        bool ok, sampled;
    } cases[] = {
        {"00-" TRACE "-" PARENT "-01",                        true,  true },
        {"00-" TRACE "-" PARENT "-00",                        true,  false},
        {"00-" TRACE "-" PARENT "-03",                        true,  true },
        {"00-" TRACE "-" PARENT "-fe",                        true,  false},
        {"01-" TRACE "-" PARENT "-01",                        true,  true },
        {"cc-" TRACE "-" PARENT "-01-what.the.future.brings", true,  true },
        {"cc-" TRACE "-" PARENT "-01.what",                   false, false},
        {"00-" TRACE "-" PARENT "-01-",                       false, false},
        {"00-" TRACE "-" PARENT "-01-00",                     false, false},
        {"00-" TRACE "-" PARENT "-1",                         false, false},
        {"00-" TRACE "-" PARENT "-0x",                        false, false},
        {"00-" TRACE "-" PARENT "-",                          false, false},
        {"00-" TRACE "-" PARENT,                              false, false},
        {"ff-" TRACE "-" PARENT "-01",                        false, false},
        {"0F-" TRACE "-" PARENT "-01",                        false, false},
        {".0-" TRACE "-" PARENT "-01",                        false, false},
        {"00-" ZEROS "-" PARENT "-01",                        false, false},
        {"00-" TRACE "-0000000000000000-01",                  false, false},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false, false},
        {"00-" TRACE "-00F067AA0BA902B7-01",                  false, false},
        {"00-4bf92f3577b34da6a3ce929d0e0e473-" PARENT "-01a", false, false},
        {"00_" TRACE "-" PARENT "-01",                        false, false},
        {"00-" TRACE "_" PARENT "-01",                        false, false},
        {" 00-" TRACE "-" PARENT "-01",                       false, false},
        {"",                                                  false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tracecontext t = {0};
        char again[TRACEPARENT_TEXT + 1];

        if (tracecontext_read_parent(&t, str_of(cases[i].text)) != cases[i].ok)
            fail_msg("%s", cases[i].text);
        assert_int_equal(t.continued, cases[i].ok);
        assert_int_equal(t.sampled, cases[i].sampled);
        assert_string_equal(t.trace_id, cases[i].ok ? TRACE : "");
        if (!cases[i].ok)
            continue;
        t.span = t.parent;
        tracecontext_write(&t, again);
        assert_string_equal(again, cases[i].sampled ? "00-" TRACE "-" PARENT "-01"
                                                    : "00-" TRACE "-" PARENT "-00");
    }
}

/* Section 3.3 */
static void test_tracestate(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"rojo=00f067aa0ba902b7",                   true },
        {"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true },
        {"rojo=1 ,\t congo=2",                      true },
        {"fw529a3039@dt=FfffEEE",                   true },
        {"a_-*/=x y",                               true },
        {"rojo=1,",                                 true },
        {"rojo",                                    false},
        {"rojo=",                                   false},
        {"=1",                                      false},
        {"Rojo=1",                                  false},
        {"ro jo=1",                                 false},
        {"rojo=1=2",                                false},
        {"rojo@=1",                                 false},
        {"@rojo=1",                                 false},
        {"a@b@c=1",                                 false},
        {"rojo=\xc3\xa9",                           false},
        {"rojo=a\x01",                              false},
        {",",                                       false},
        {"",                                        false},
    };
    char many[200] = "", wide[600];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tracecontext t = {0};

        if (tracecontext_read_state(&t, str_of(cases[i].text)) != cases[i].ok)
            fail_msg("%s", cases[i].text);
        assert_int_equal(t.state.data != NULL, cases[i].ok);
    }
    for (size_t i = 0; i < 33; i++)
        memcpy(many + 4 * i, "a=1,", 4);
    assert_false(tracecontext_read_state(&(struct tracecontext){0}, str_make(many, strlen(many))));
    assert_true(tracecontext_read_state(&(struct tracecontext){0}, str_make(many, 4 * 32 - 1)));
    memset(wide, ' ', sizeof(wide));
    memcpy(wide, "a=1", 3);
    assert_true(tracecontext_read_state(&(struct tracecontext){0}, str_make(wide, 512)));
    assert_false(tracecontext_read_state(&(struct tracecontext){0}, str_make(wide, 513)));
}

static void test_amazon(void **state)
{
    static const struct {
        const char *text;
        bool ok, flag, sampled, parent;
    } cases[] = {
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736",                                          true,  false, false, false},
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=1",                                true,  true,  true,  false},
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736; Parent=00f067aa0ba902b7; Sampled=0",      true,  true,
         false,                                                                                                    true },
        {"Self=1-67891234-12456789abcdef012345678;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736",  true,
         false,                                                                                             false, false},
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Sampled=?",                                true,  false, false, false},
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=0000000000000000",                  true,  false, false,
         false                                                                                                          },
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=zz",                                true,  false, false, false},
        {"Root=2-4bf92f35-77b34da6a3ce929d0e0e4736",                                          false, false, false, false},
        {"Root=1-4BF92F35-77b34da6a3ce929d0e0e4736",                                          false, false, false, false},
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e47361",                                         false, false, false, false},
        {"Root=1-4bf92f3577b34da6a3ce929d0e0e4736",                                           false, false, false, false},
        {"Root=1-00000000-000000000000000000000000",                                          false, false, false, false},
        {"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", false,
         false,                                                                                             false, false},
        {"Parent=00f067aa0ba902b7",                                                           false, false, false, false},
        {"",                                                                                  false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tracecontext t = {0};

        if (tracecontext_read_amazon(&t, str_of(cases[i].text)) != cases[i].ok)
            fail_msg("%s", cases[i].text);
        assert_string_equal(t.trace_id, cases[i].ok ? TRACE : "");
        assert_int_equal(t.has_flag, cases[i].flag);
        assert_int_equal(t.sampled, cases[i].sampled);
        assert_int_equal(!span_id_is_zero(t.parent), cases[i].parent);
    }
}

static void test_a_trace_of_its_own(void **state)
{
    struct tracecontext t = {0}, other = {0};

    (void)state;
    tracecontext_begin(&t, STR("01890a5d-ac96-774b-bcce-b302099a8057"));
    assert_string_equal(t.trace_id, "01890a5dac96774bbcceb302099a8057");
    assert_false(t.continued);
    tracecontext_begin(&t, STR("01890a5d-ac96-774b-bcce-b302099a805Z"));
    tracecontext_begin(&other, STR("the client's own"));
    assert_int_equal(strlen(t.trace_id), TRACE_ID_TEXT);
    assert_int_equal(strlen(other.trace_id), TRACE_ID_TEXT);
    assert_string_not_equal(t.trace_id, other.trace_id);
}

static void test_ids_differ(void **state)
{
    struct span_id a = span_id_new(), b = span_id_new();

    (void)state;
    assert_false(span_id_is_zero(a));
    assert_memory_not_equal(a.bytes, b.bytes, sizeof(a.bytes));
}

static void test_ratio_of_traces(void **state)
{
    static const uint64_t all = UINT64_C(1) << 56;
    size_t sampled = 0;

    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        struct tracecontext t = {0};

        tracecontext_begin(&t, STR(""));
        assert_true(tracecontext_within(&t, all));
        assert_false(tracecontext_within(&t, 0));
        sampled += tracecontext_within(&t, all / 10);
    }
    assert_in_range(sampled, 1800, 2200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traceparent), cmocka_unit_test(test_tracestate),
        cmocka_unit_test(test_amazon),      cmocka_unit_test(test_a_trace_of_its_own),
        cmocka_unit_test(test_ids_differ),  cmocka_unit_test(test_ratio_of_traces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
