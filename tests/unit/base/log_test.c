/*
 * log_test.c - a line is one line, in every format.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/jval.h"
#include "base/log.h"

static char line[20000];

/* What one call wrote. */
static void read_line(int fd)
{
    ssize_t n = read(fd, line, sizeof(line) - 1);

    assert_true(n > 0);
    line[n] = '\0';
    /* Exactly one newline, at the end. */
    assert_ptr_equal(strchr(line, '\n'), line + n - 1);
    line[n - 1] = '\0';
}

static const struct log_field fields[] = {
    {"host",    LOG_FIELD_STR,  STR_INIT("db1"),                      0      },
    {"attempt", LOG_FIELD_INT,  {0},                                  -3     },
    {"took_ms", LOG_FIELD_MS,   {0},                                  1234567},
    {"ok",      LOG_FIELD_BOOL, {0},                                  0      },
    {"text",    LOG_FIELD_STR,  STR_INIT("a \"b\"\n\x1b[0m\xc2\x9b"), 0      },
};

static void test_writes_json(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_INFO, LOG_FORMAT_JSON, ends[1]);
    log_write(LOG_WARN, "could not connect", fields, COUNT_OF(fields));
    read_line(ends[0]);
    assert_memory_equal(line, "{\"ts\":\"20", 9);
    assert_string_equal(strstr(line, "\"level\""),
                        "\"level\":\"warn\",\"msg\":\"could not connect\",\"host\":\"db1\","
                        "\"attempt\":-3,\"took_ms\":1.234,\"ok\":false,"
                        "\"text\":\"a \\\"b\\\"\\n\\u001b[0m\\u009b\"}");
    close(ends[0]);
    close(ends[1]);
}

static void test_writes_logfmt_and_text(void **state)
{
    static const char tail[] = "host=db1 attempt=-3 took_ms=1.234 ok=false "
                               "text=\"a \\\"b\\\"\\n\\u001b[0m\\u009b\"";
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_INFO, LOG_FORMAT_LOGFMT, ends[1]);
    log_write(LOG_WARN, "could not connect", fields, COUNT_OF(fields));
    read_line(ends[0]);
    assert_memory_equal(line, "ts=20", 5);
    assert_memory_equal(strstr(line, "level="), "level=warn msg=\"could not connect\" ", 35);
    assert_string_equal(strstr(line, "host="), tail);
    log_setup(LOG_INFO, LOG_FORMAT_TEXT, ends[1]);
    log_write(LOG_INFO, "started", fields, COUNT_OF(fields));
    read_line(ends[0]);
    assert_non_null(strstr(line, "Z info  started host=db1"));
    assert_string_equal(strstr(line, "host="), tail);
    close(ends[0]);
    close(ends[1]);
}

static void test_level_decides(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    log_setup(LOG_WARN, LOG_FORMAT_TEXT, ends[1]);
    LOG(LOG_INFO, "not seen", LOG_INT("n", 1));
    LOG(LOG_ERROR, "seen");
    read_line(ends[0]);
    assert_non_null(strstr(line, "error seen"));
    log_set_level(LOG_DEBUG);
    assert_true(log_enabled(LOG_DEBUG));
    close(ends[0]);
    close(ends[1]);
}

/* Hostile and endless values still give one valid line of JSON. */
static void test_long_and_bad_values_stay_valid(void **state)
{
    static const enum log_format formats[] = {LOG_FORMAT_JSON, LOG_FORMAT_LOGFMT, LOG_FORMAT_TEXT};
    static const char *const units[] = {
        "x", "\n", "\xff", "\xe2\x82\xac", "\"", "\xf0\x9f\x98\x80"};
    const struct jval_limits limits = {4, 100};
    static char text[12000];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    for (size_t f = 0; f < COUNT_OF(formats); f++) {
        for (size_t u = 0; u < COUNT_OF(units); u++) {
            for (size_t len = 0; len < sizeof(text); len += len < 6000 ? 997 : 61) {
                size_t unit = strlen(units[u]);
                size_t n = 0;
                struct log_field some[3] = {
                    {"a", LOG_FIELD_STR, {text, 0}, 0},
                    LOG_CSTR("b", "short"), LOG_INT("c", 1)
                };

                for (; n + unit <= len; n += unit)
                    memcpy(text + n, units[u], unit);
                some[0].text.len = n;
                log_setup(LOG_INFO, formats[f], ends[1]);
                log_write(LOG_INFO, "m", some, COUNT_OF(some));
                read_line(ends[0]);
                assert_true(strlen(line) < 8192);
                assert_true(str_is_utf8(str_of(line)));
                if (formats[f] == LOG_FORMAT_JSON) {
                    struct arena *a = arena_new(0);
                    struct errors errs;
                    const struct jval *v;

                    errors_init(&errs, a);
                    assert_true(jval_parse(str_of(line), &limits, a, &v, &errs));
                    assert_true(jval_get(v, STR("c")) != NULL || jval_get(v, STR("cut")) != NULL);
                    if (len > 8200)
                        assert_non_null(jval_get(v, STR("cut")));
                    arena_free(a);
                }
            }
        }
    }
    close(ends[0]);
    close(ends[1]);
}

/* Is it the journal's? Then lines begin with their priority, whatever the format. */
static void test_tells_the_journal_priorities(void **state)
{
    static const char *const begin[] = {"<7>{", "<6>{", "<4>{", "<3>{"};
    struct stat st;
    char own[64];
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &st), 0);
    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    log_setup(LOG_DEBUG, LOG_FORMAT_JSON, ends[1]);
    log_setup_journal(own);
    for (size_t level = 0; level < COUNT_OF(begin); level++) {
        log_write((enum log_level)level, "x", NULL, 0);
        read_line(ends[0]);
        assert_memory_equal(line, begin[level], 4);
    }
    /* The variable is another stream's, or not set. */
    log_setup(LOG_DEBUG, LOG_FORMAT_JSON, ends[1]);
    log_setup_journal("1:1");
    log_setup_journal(NULL);
    log_write(LOG_ERROR, "x", NULL, 0);
    read_line(ends[0]);
    assert_int_equal(line[0], '{');
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writes_json),
        cmocka_unit_test(test_writes_logfmt_and_text),
        cmocka_unit_test(test_level_decides),
        cmocka_unit_test(test_long_and_bad_values_stay_valid),
        cmocka_unit_test(test_tells_the_journal_priorities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
