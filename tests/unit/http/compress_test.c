/* compress_test.c - gzip: when it is wanted, and what comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "http/compress.h"
#include "http/quality.h"

static const struct {
    const char *accept_encoding;
    bool wanted;
} wishes[] = {
    {"",                              false},
    {"gzip",                          true },
    {"GZip",                          true },
    {"x-gzip",                        true },
    {"gzip, deflate, br, zstd",       true },
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", true },
    {"deflate , gzip ; q=0.5",        true },
    {"*",                             true },
    {"*;q=0.1",                       true },
    {"br, *;q=0",                     false},
    {"gzip;q=0",                      false},
    {"gzip;q=0.000",                  false},
    {"gzip;q=0.001",                  true },
    {"gzip;q=0, *",                   false},
    {"identity",                      false},
    {"identity;q=0.5, gzip",          true },
    {"identity, gzip;q=0.5",          false},
    {"identity;q=0",                  false},
    {"deflate, br",                   false},
    {"gzipped",                       false},
    {"not-gzip",                      false},
    {",,;q=0,gzip",                   true },
};

static void gzip_is_used_where_the_client_prefers_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wishes); i++)
        if (compress_wanted(str_of(wishes[i].accept_encoding)) != wishes[i].wanted)
            fail_msg("Accept-Encoding: %s", wishes[i].accept_encoding);
    assert_false(compress_wanted((struct str){0}));
}

static const struct {
    const char *parameters;
    unsigned q;
} qualities[] = {
    {"",                     1000},
    {"q=1",                  1000},
    {"q=1.000",              1000},
    {"q=0",                  0   },
    {"q=0.5",                500 },
    {"Q=0.25",               250 },
    {"q=0.999",              999 },
    {"q=0.9999",             999 },
    {"charset=utf-8; q=0.1", 100 },
    {"q=x",                  1000},
    {"q=",                   1000},
    {";;",                   1000},
};

static void qualities_are_thousandths(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(qualities); i++)
        if (quality_of(str_of(qualities[i].parameters)) != qualities[i].q)
            fail_msg("%s: %u", qualities[i].parameters,
                     quality_of(str_of(qualities[i].parameters)));
}

static void inflate_whole(const struct buf *packed, char *out, size_t size)
{
    z_stream z = {.next_in = (unsigned char *)packed->data, .avail_in = (unsigned)packed->len};

    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)size;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, size);
    assert_int_equal(z.avail_in, 0);
    inflateEnd(&z);
}

/* One compressor for several bodies, as a worker uses it. */
static void what_is_compressed_inflates_to_what_it_was(void **state)
{
    struct compressor *c = compressor_new(4);

    (void)state;
    for (size_t size = 200; size < 3000000; size *= 7) {
        char *text = xmalloc(size);
        char *again = xmalloc(size);
        struct buf body;

        for (size_t i = 0; i < size; i++)
            text[i] = (char)('a' + (i * i / 7) % 13);
        buf_init(&body, 0);
        buf_append(&body, text, size);
        assert_true(compress_gzip(c, &body));
        assert_true(body.len < size);
        inflate_whole(&body, again, size);
        assert_memory_equal(again, text, size);
        buf_fini(&body);
        xfree(again);
        xfree(text);
    }
    compressor_free(c);
}

static void a_body_that_would_grow_stays_as_it_was(void **state)
{
    struct compressor *c = compressor_new(9);
    uint32_t x = 1;

    (void)state;
    for (size_t size = 0; size <= 4096; size = size * 2 + 1) {
        struct buf body;
        struct buf copy;

        buf_init(&body, 0);
        buf_init(&copy, 0);
        for (size_t i = 0; i < size; i++) {
            x = x * 1664525 + 1013904223;
            buf_append_char(&body, (char)(x >> 24));
        }
        buf_append_str(&copy, buf_str(&body));
        assert_false(compress_gzip(c, &body));
        assert_true(str_eq(buf_str(&body), buf_str(&copy)));
        buf_fini(&body);
        buf_fini(&copy);
    }
    compressor_free(c);
    compressor_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_is_used_where_the_client_prefers_it),
        cmocka_unit_test(qualities_are_thousandths),
        cmocka_unit_test(what_is_compressed_inflates_to_what_it_was),
        cmocka_unit_test(a_body_that_would_grow_stays_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
