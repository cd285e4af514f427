/* base64url_test.c - base64 for URLs, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64url.h"

static void base64url_is_strict(void **state)
{
    static const struct {
        const char *text;
        int len; /* -1: refused */
    } rows[] = {
        {"AA",    1 },
        {"AAA",   2 },
        {"AAAA",  3 },
        {"A",     -1},
        {"AAAAA", -1},
        {"AB",    -1},
        {"AAB",   -1},
        {"A=",    -1},
        {"AA==",  -1},
        {"A+",    -1},
        {"A/",    -1},
        {"A A",   -1},
        {"-_",    -1},
        {"-_8",   2 },
        {"",      0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char out[16];
        size_t len = 0;
        bool ok = base64url_decode(str_of(rows[i].text), out, &len);

        if (ok != (rows[i].len >= 0) || (ok && len != (size_t)rows[i].len))
            fail_msg("\"%s\"", rows[i].text);
    }
}

static void what_is_encoded_decodes_to_the_same(void **state)
{
    unsigned char bytes[40], back[40];
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 250);
    buf_init(&b, 0);
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        size_t len = 99;

        buf_clear(&b);
        buf_append_char(&b, 'x');
        base64url_append(&b, str_make((const char *)bytes, n));
        assert_true(base64url_decode(str_sub(buf_str(&b), 1, b.len), back, &len));
        assert_int_equal(len, n);
        assert_memory_equal(back, bytes, n);
    }
    buf_clear(&b);
    base64url_append(&b, str_make("\xfb\xff\xfe", 3));
    assert_string_equal(buf_cstr(&b), "-__-");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(what_is_encoded_decodes_to_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
