/*
 * notice_test.c - bodies of notifications: JSON whatever the values are, and within limits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/jval.h"
#include "server/notice.h"

static const struct jval_limits limits = {16, 1000};

static const struct jval *parse(const struct buf *b, struct arena *a)
{
    const struct jval *v = NULL;
    struct errors errs;

    errors_init(&errs, a);
    if (!jval_parse(buf_str(b), &limits, a, &v, &errs))
        fail_msg("no JSON: %.*s", (int)b->len, b->data);
    return v;
}

static struct str member(const struct jval *v, const char *name)
{
    const struct jval *m = jval_get(v, str_of(name));

    return m != NULL ? m->text : STR("(absent)");
}

static void test_values_are_read_by_name(void **state)
{
    struct arena *a = arena_new(0);
    struct notice n;

    (void)state;
    assert_true(notice_parse(STR("{\"error_type\":\"A\",\"occurrence_count\":12,\"reopened\":true,"
                                 "\"release\":null,\"tags\":[],\"further\":{\"a\":1}}"),
                             a, &n));
    assert_true(str_is(n.values[NOTICE_ERROR_TYPE], "A"));
    assert_true(str_is(n.values[NOTICE_OCCURRENCE_COUNT], "12"));
    assert_true(str_is(n.values[NOTICE_REOPENED], "true"));
    assert_int_equal(n.values[NOTICE_RELEASE].len, 0);
    assert_int_equal(n.values[NOTICE_MESSAGE].len, 0);
    assert_false(notice_parse(STR("[]"), a, &n));
    assert_false(notice_parse(STR("{"), a, &n));
    arena_free(a);
}

static void test_escapes_fit_their_places(void **state)
{
    static const struct {
        template_escape *escape;
        const char *value, *expected;
    } rows[] = {
        {notice_escape_json,  "a\"b\\\n\x01",              "a\\\"b\\\\\\n\\u0001"},
        {notice_escape_text,  "a\r\n\tb\x1b[31m\x7f",      "a\n\tb[31m"          },
        {notice_escape_line,  "a\r\nBcc: b\x7f",           "a  Bcc: b "          },
        {notice_escape_slack, "<!channel> & <http://x|y>",
         "&lt;!channel&gt; &amp; &lt;http://x|y&gt;"                             },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b = {0};

        rows[i].escape(&b, str_of(rows[i].value));
        assert_string_equal(buf_cstr(&b), rows[i].expected);
        buf_fini(&b);
    }
}

static void test_slack_gets_blocks(void **state)
{
    struct arena *a = arena_new(0);
    const struct jval *v, *blocks;
    struct buf b = {0};
    struct notice n;

    (void)state;
    notice_sample(&n);
    n.values[NOTICE_MESSAGE] = STR("<!here> \"quoted\"");
    notice_slack_body(&n, NULL, STR("#alerts"), STR(""), &b);
    v = parse(&b, a);
    assert_true(str_is(member(v, "channel"), "#alerts"));
    assert_true(str_is(member(v, "username"), "(absent)"));
    blocks = jval_get(v, STR("blocks"));
    assert_int_equal(blocks->n, 4);
    assert_true(str_is(member(blocks->items[0], "type"), "header"));
    assert_true(str_is(member(jval_get(blocks->items[1], STR("text")), "text"),
                       "&lt;!here&gt; \"quoted\""));
    assert_int_equal(jval_get(blocks->items[2], STR("fields"))->n, 6);
    assert_true(str_is(member(blocks->items[3], "type"), "context"));
    buf_fini(&b);
    arena_free(a);
}

static void test_slack_gets_a_template_as_text(void **state)
{
    struct arena *a = arena_new(0);
    const struct template *t;
    const struct jval *v;
    struct buf b = {0};
    struct notice n;
    struct str why;

    (void)state;
    notice_sample(&n);
    n.values[NOTICE_ERROR_TYPE] = STR("A<B");
    t = template_parse(STR("<https://wiki|{{error_type}}>"), notice_names, NOTICE_NAMES, a, &why);
    notice_slack_body(&n, t, STR(""), STR("bot"), &b);
    v = parse(&b, a);
    assert_true(str_is(member(v, "text"), "<https://wiki|A&lt;B>"));
    assert_true(str_is(member(v, "username"), "bot"));
    assert_null(jval_get(v, STR("blocks")));
    buf_fini(&b);
    arena_free(a);
}

/* Slack refuses a block that is too long, and NOTIFY a payload; neither a character is halved. */
static void test_long_values_are_cut(void **state)
{
    static char text[9001];
    static const char *const units[] = {"x", "<", "\xe2\x82\xac", "\x01", "\""};
    struct arena *a = arena_new(0);

    (void)state;
    for (size_t u = 0; u < COUNT_OF(units); u++) {
        size_t len = strlen(units[u]);
        struct buf b = {0};
        struct notice n;
        const struct jval *v;
        struct str shown;

        for (size_t i = 0; i + len < sizeof(text); i += len)
            memcpy(text + i, units[u], len);
        notice_sample(&n);
        for (size_t i = 0; i < NOTICE_NAMES; i++)
            if (i != NOTICE_OCCURRENCE_COUNT && i != NOTICE_THRESHOLD)
                n.values[i] = str_make(text, 9000);
        notice_slack_body(&n, NULL, STR(""), STR(""), &b);
        v = jval_get(parse(&b, a), STR("blocks"));
        shown = member(jval_get(v->items[1], STR("text")), "text");
        assert_true(shown.len <= 3000 && shown.len > 2990);
        assert_true(str_is_utf8(shown));
        assert_true(str_find(shown, '&') == shown.len || shown.data[shown.len - 1] == ';');
        n.values[NOTICE_NOTIFICATION_ID] = n.values[NOTICE_ERROR_ID] =
            STR("00000000-0000-0000-0000-000000000000");
        buf_clear(&b);
        notice_payload(&n, &b);
        (void)parse(&b, a);
        assert_true(b.len < 8000);
        buf_fini(&b);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_read_by_name),
        cmocka_unit_test(test_escapes_fit_their_places),
        cmocka_unit_test(test_slack_gets_blocks),
        cmocka_unit_test(test_slack_gets_a_template_as_text),
        cmocka_unit_test(test_long_values_are_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
