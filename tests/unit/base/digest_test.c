/*
 * digest_test.c - digests with a key, against the vectors of RFC 4231.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

static void test_hmac_is_that_of_the_standard(void **state)
{
    static const char long_key[131] = {[0 ... 130] = '\xaa'};
    const struct {
        struct str key, text;
        const char *expected;
    } rows[] = {
        {STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
         STR("Hi There"),                                                    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {                 STR("Jefe"),                                                    STR("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"                                                                  },
        { str_make(long_key,                           sizeof(long_key)),
         STR("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct digest d = digest_hmac(rows[i].key, rows[i].text);
        char text[2 * DIGEST_SIZE + 1];

        digest_hex(&d, text);
        assert_string_equal(text, rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_is_that_of_the_standard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
