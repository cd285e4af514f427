/*
 * mail_test.c - mails as text: no value ends a header, no line is too long.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/mail.h"

static const struct str to[] = {STR_INIT("a@example.com"), STR_INIT("b@example.org")};

static void compose(const char *subject, const char *body, struct buf *out)
{
    *out = (struct buf){0};
    mail_compose(&(struct mail){.from = STR("alerts@example.com"),
                                .to = to,
                                .nto = COUNT_OF(to),
                                .subject = str_of(subject),
                                .body = str_of(body),
                                .id = STR("n-1"),
                                .thread = STR("e-1"),
                                .at_us = INT64_C(1700000000) * 1000000},
                 out);
}

/* In the text as it is sent. */
static void assert_has(const struct buf *b, const char *part)
{
    if (memmem(b->data, b->len, part, strlen(part)) == NULL)
        fail_msg("\"%s\" is not in:\n%.*s", part, (int)b->len, b->data);
}

static void assert_lines(const struct buf *b)
{
    struct str rest = buf_str(b), line;

    while (str_cut(rest, '\n', &line, &rest)) {
        assert_true(line.len <= 77);
        assert_true(line.len > 0 && line.data[line.len - 1] == '\r');
        assert_int_equal(str_find(str_sub(line, 0, line.len - 1), '\r'), line.len - 1);
    }
    assert_int_equal(line.len, 0);
}

static void test_header_and_body(void **state)
{
    struct buf b;

    (void)state;
    compose("Error Alert: INTERNAL", "one\ntwo = 2\n", &b);
    assert_has(&b, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n");
    assert_has(&b, "\r\nFrom: fraiseqld <alerts@example.com>\r\n");
    assert_has(&b, "\r\nTo: a@example.com,\r\n b@example.org\r\n");
    assert_has(&b, "\r\nSubject: Error Alert: INTERNAL\r\n");
    assert_has(&b, "\r\nMessage-ID: <n-1@example.com>\r\nReferences: <e-1@example.com>\r\n");
    assert_has(&b, "\r\n\r\none\r\ntwo =3D 2\r\n");
    assert_lines(&b);
    buf_fini(&b);
}

static void test_subjects(void **state)
{
    static const struct {
        const char *subject, *expected;
    } rows[] = {
        {"plain",                   "Subject: plain\r\n"                                   },
        {"Grüße",                 "Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n"                },
 /* What looks like an encoded word is not left to be read as one. */
        {"=?UTF-8?B?",              "Subject: =?UTF-8?B?PT9VVEYtOD9CPw==?=\r\n"            },
        {"a\r\nBcc: x@example.com", "Subject: =?UTF-8?B?YQ0KQmNjOiB4QGV4YW1wbGUuY29t?=\r\n"},
        {"",                        "Subject: \r\n"                                        },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf b;

        compose(rows[i].subject, "", &b);
        assert_has(&b, rows[i].expected);
        assert_lines(&b);
        buf_fini(&b);
    }
}

static void test_long_subjects_are_folded_between_characters(void **state)
{
    char subject[3 * 400 + 1];
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof(subject) - 1; i += 3)
        memcpy(subject + i, "\xe2\x82\xac", 3);
    subject[sizeof(subject) - 1] = '\0';
    compose(subject, "", &b);
    assert_lines(&b);
    /* 13 euro signs are 39 bytes. */
    assert_has(&b,
               "Subject: =?UTF-8?B?4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs4oKs?=\r\n ");
    buf_fini(&b);
}

static void test_bodies_are_quoted_printable(void **state)
{
    static const struct {
        const char *body, *expected;
    } rows[] = {
        {"ü",           "\r\n\r\n=C3=BC\r\n"           },
        {"end \nnext\t", "\r\n\r\nend=20\r\nnext=09\r\n"},
        {"a\rb",         "\r\n\r\na=0Db\r\n"            },
        {".",            "\r\n\r\n.\r\n"                },
    };
    char line[301];
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        compose("s", rows[i].body, &b);
        assert_has(&b, rows[i].expected);
        buf_fini(&b);
    }
    memset(line, '=', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\0';
    compose("s", line, &b);
    assert_lines(&b);
    buf_fini(&b);
    memset(line, 'x', sizeof(line) - 1);
    compose("s", line, &b);
    assert_lines(&b);
    buf_fini(&b);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"a@example.com",                     true },
        {"first.last+tag@a-b.example",        true },
        {"root@localhost",                    true },
        {"",                                  false},
        {"a",                                 false},
        {"@example.com",                      false},
        {"a@",                                false},
        {"a@b@c",                             false},
        {"a b@example.com",                   false},
        {"a@example.com\r\nRCPT TO:<x@evil>", false},
        {"<a@example.com>",                   false},
        {"A <a@example.com>",                 false},
        {"a@example.com, b@example.com",      false},
        {"\"a\"@example.com",                 false},
        {"ä@example.com",                    false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (mail_is_address(str_of(rows[i].text)) != rows[i].ok)
            fail_msg("%s", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header_and_body),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_long_subjects_are_folded_between_characters),
        cmocka_unit_test(test_bodies_are_quoted_printable),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
