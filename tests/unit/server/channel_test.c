/*
 * channel_test.c - which channels could send, rows of the table as channels, signatures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/channel.h"

static const struct outbox outbox = {.smtp_url = "smtp://mail.example:25",
                                     .smtp_from = "alerts@example.com"};

/* By openssl dgst -sha256 -hmac key, of "1700000000.{}". */
static void test_the_time_is_signed_with_the_body(void **state)
{
    struct arena *a = arena_new(0);
    struct str s = channel_signature(STR("key"), 1700000000, STR("{}"), a);

    (void)state;
    assert_true(str_is(
        s, "t=1700000000,v1=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"));
    assert_false(str_eq(s, channel_signature(STR("key"), 1700000001, STR("{}"), a)));
    assert_false(str_eq(s, channel_signature(STR("kez"), 1700000000, STR("{}"), a)));
    arena_free(a);
}

static void test_rows_of_the_table(void **state)
{
    static const struct {
        const char *type, *config, *template;
        const char *recipient, *why; /* of these, one is NULL */
    } rows[] = {
        {"webhook",
         "{\"url\":\"https://u:p@h.example/"
         "s?k=secret\",\"headers\":{\"A\":\"b\"},\"method\":\"POST\"}",                              "",                  "h.example",     NULL           },
        {"webhook", "{\"url\":\"https://[2001:db8::1]/\"}",                                          "",                  "[2001:db8::1]", NULL           },
        {"slack",   "{\"webhook_url\":\"https://h.example\",\"channel\":\"#c\",\"username\":\"u\"}",
         "{{message}}",                                                                                                   "h.example",     NULL           },
        {"email",   "{\"to\":\"a@b.c\",\"subject\":\"s\",\"template\":\"t\"}",                       "",                  "a@b.c",         NULL           },
        {"email",   "{\"to\":[\"a@b.c\",\"d@e.f\"],\"subject\":null}",                               "",                  "a@b.c, d@e.f",  NULL           },
        {"notify",  "{\"channel\":\"c\"}",                                                           "",                  "c",             NULL           },
        {"pigeon",  "{}",                                                                            "",                  NULL,            "channel_type" },
        {"webhook", "[]",                                                                            "",                  NULL,            "not an object"},
        {"webhook", "{",                                                                             "",                  NULL,            "not an object"},
        {"webhook", "{}",                                                                            "",                  NULL,            "https://"     },
        {"webhook", "{\"url\":\"http://h.example\"}",                                                "",                  NULL,            "not https"    },
        {"webhook", "{\"url\":\"HTTPS://h.example\"}",                                               "",                  NULL,            "https://"     },
        {"webhook", "{\"url\":\"https://h.example/a b\"}",                                           "",                  NULL,            "none"         },
        {"webhook", "{\"url\":1}",                                                                   "",                  NULL,            "\"url\""      },
        {"webhook", "{\"url\":\"https://h.example\",\"method\":\"PUT\"}",                            "",                  NULL,            "\"method\""   },
        {"webhook", "{\"url\":\"https://h.example\",\"headers\":{\"A\":1}}",                         "",                  NULL,
         "\"headers\""                                                                                                                                    },
        {"webhook", "{\"url\":\"https://h.example\",\"headers\":{\"A\":\"b\\r\\nC: d\"}}",           "",                  NULL,
         "header"                                                                                                                                         },
        {"webhook", "{\"url\":\"https://h.example\",\"headers\":{\"A: b\\r\\nC\":\"d\"}}",           "",                  NULL,
         "header"                                                                                                                                         },
        {"webhook", "{\"url\":\"https://h.example\",\"headers\":{\"X-Fraiseql-Signature\":\"d\"}}",
         "",                                                                                                              NULL,            "header"       },
        {"webhook", "{\"url\":\"https://h.example\"}",                                               "{\"a\":\"{{b}}\"}", NULL,            "{{b}}"        },
        {"webhook", "{\"url\":\"https://h.example\"}",                                               "{{message}}",       NULL,            "JSON"         },
        {"email",   "{\"to\":\"a\"}",                                                                "",                  NULL,            "addresses"    },
        {"email",   "{\"to\":[]}",                                                                   "",                  NULL,            "\"to\""       },
        {"email",   "{\"to\":\"a@b.c\",\"subject\":\"a\\nb\"}",                                      "",                  NULL,            "one line"     },
        {"email",   "{\"to\":\"a@b.c\",\"subject\":\"{{b}}\"}",                                      "",                  NULL,
         "subject: there is no {{b}}"                                                                                                                     },
        {"notify",  "{\"channel\":\"c\",\"url\":\"https://h.example\"}",                             "",                  NULL,            "no url"       },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct arena *a = arena_new(0);
        struct config_channel spec;
        const struct channel *ch = NULL;
        struct str why = STR("");

        if (channel_read_row(str_of(rows[i].type), str_of(rows[i].config), str_of(rows[i].template),
                             a, &spec, &why))
            ch = channel_new(&spec, &outbox, a, &why);
        if ((ch != NULL) != (rows[i].why == NULL))
            fail_msg("%s: %.*s", rows[i].config, STR_ARG(why));
        if (ch != NULL)
            assert_true(str_is(channel_recipient(ch, a), rows[i].recipient));
        else if (memmem(why.data, why.len, rows[i].why, strlen(rows[i].why)) == NULL)
            fail_msg("%s: %.*s", rows[i].config, STR_ARG(why));
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_time_is_signed_with_the_body),
        cmocka_unit_test(test_rows_of_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
