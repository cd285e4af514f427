/* opaque_test.c - texts that clients hand back: what is read of good, cut and made-up ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64url.h"
#include "schema/opaque.h"

static struct arena *arena;

static int start(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static struct str encode(struct str json)
{
    struct buf b;
    struct str text;

    buf_init(&b, 0);
    base64url_append(&b, json);
    text = arena_dup(arena, buf_str(&b));
    buf_fini(&b);
    return text;
}

static void values_are_those_of_the_form(void **state)
{
    static const struct codec codec = {.kind = CODEC_TEXT};
    const struct codec *const codecs[] = {&codec, &codec};
    const struct opaque_form form = {.head = STR("Head"), .n = 2, .codecs = codecs};
    /* JSON, is it of the form? */
    static const struct {
        const char *json;
        bool good;
    } rows[] = {
        {"[\"Head\",\"a\",null]",        true },
        {"[\"H\\u0065ad\",{},[1]]",      true }, /* what the values are is asked later */
        {"[\"head\",\"a\",null]",        false},
        {"[\"Head\",\"a\"]",             false},
        {"[\"Head\",\"a\",\"b\",\"c\"]", false},
        {"[1,\"a\",\"b\"]",              false},
        {"[]",                           false},
        {"{}",                           false},
        {"\"Head\"",                     false},
        {"[\"Head\",\"a\",null",         false},
        {"[\"Head\",\"a\",\"\\u0000\"]", false},
        {"",                             false},
    };
    const struct jval *const *values =
        opaque_values(&form, encode(STR("[\"Head\",\"a\",2]")), arena);

    (void)state;
    assert_true(str_is(values[0]->text, "a"));
    assert_true(str_is(values[1]->text, "2"));
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if ((opaque_values(&form, encode(str_of(rows[i].json)), arena) != NULL) != rows[i].good)
            fail_msg("%s", rows[i].json);
    assert_null(opaque_values(&form, STR("no base64!"), arena));
}

static void a_head_is_read_without_the_rest(void **state)
{
    /* JSON, its head; NULL: none */
    static const struct {
        const char *json;
        const char *head;
    } rows[] = {
        {"[\"Project\",\"1\"]",    "Project"},
        {"[\"Project\" and so on", "Project"},
        {"[\"\",1]",               ""       },
        {"[\"Project",             NULL     },
        {"[\"Pro\\u006aect\",1]",  NULL     },
        {" [\"Project\",1]",       NULL     },
        {"[1,\"Project\"]",        NULL     },
        {"{\"Project\":1}",        NULL     },
        {"[\"",                    NULL     },
        {"",                       NULL     },
    };
    char room[OPAQUE_HEAD_MAX + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str head = opaque_head(encode(str_of(rows[i].json)), room);

        if ((head.data == NULL) != (rows[i].head == NULL) ||
            (head.data != NULL && !str_is(head, rows[i].head)))
            fail_msg("%s", rows[i].json);
    }
    assert_null(opaque_head(STR("=="), room).data);
}

/* Of a text of any length, only what has room is looked at. */
static void a_head_has_its_limit(void **state)
{
    char room[OPAQUE_HEAD_MAX + 1];
    struct buf b;

    (void)state;
    buf_init(&b, 0);
    buf_append_lit(&b, "[\"");
    for (size_t n = 0; n < 1000; n++) {
        struct str json, head;
        size_t len = b.len;

        buf_append_lit(&b, "\",1]");
        json = arena_dup(arena, buf_str(&b));
        head = opaque_head(encode(json), room);
        if (n < OPAQUE_HEAD_MAX - 5)
            assert_int_equal(head.len, n);
        else if (n > OPAQUE_HEAD_MAX)
            assert_null(head.data);
        b.len = len;
        buf_append_char(&b, 'x');
    }
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_those_of_the_form, start, stop),
        cmocka_unit_test_setup_teardown(a_head_is_read_without_the_rest, start, stop),
        cmocka_unit_test_setup_teardown(a_head_has_its_limit, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
