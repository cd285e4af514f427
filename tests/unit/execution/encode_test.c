/*
 * encode_test.c - values in PostgreSQL's binary format become the JSON they should.
 *
 * The bytes were captured from PostgreSQL 15 with the types' send functions, and the
 * expected text compared with to_json() of the same values.
 */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "execution/encode.h"

static const struct codec int4_codec = {.kind = CODEC_INT4};
static const struct codec text_codec = {.kind = CODEC_TEXT};
static const struct codec int4_array = {.kind = CODEC_ARRAY, .element = &int4_codec};
static const struct codec text_array = {.kind = CODEC_ARRAY, .element = &text_codec};

static const struct enum_value role_values[] = {
    {.name = STR_INIT("owner"),           .label = STR_INIT("owner")          },
    {.name = STR_INIT("BILLING_CONTACT"), .label = STR_INIT("billing contact")},
};
static const struct type role_type = {.kind = TYPE_ENUM, .values = role_values, .nvalues = 2};

#define KIND(k)                  \
    &(const struct codec)        \
    {                            \
        .kind = k, .element = 0, \
    }

struct row {
    const struct codec *codec;
    const char *hex;
    const char *json; /* NULL: refused */
};

/* clang-format off */
static const struct row rows[] = {
    /* codec, bytes, JSON */
    {KIND(CODEC_BOOL), "01", "true"},
    {KIND(CODEC_BOOL), "00", "false"},
    {KIND(CODEC_INT2), "8000", "-32768"},
    {KIND(CODEC_INT2), "7fff", "32767"},
    {KIND(CODEC_ID_INT2), "0007", "\"7\""},
    {KIND(CODEC_INT4), "7fffffff", "2147483647"},
    {KIND(CODEC_INT4), "80000000", "-2147483648"},
    {KIND(CODEC_INT4), "00000000", "0"},
    {KIND(CODEC_ID_INT4), "00000029", "\"41\""},
    {KIND(CODEC_INT8_STRING), "8000000000000000", "\"-9223372036854775808\""},
    {KIND(CODEC_INT8_STRING), "0020000000000001", "\"9007199254740993\""},
    {KIND(CODEC_INT8_NUMBER), "0020000000000001", "9007199254740993"},
    {KIND(CODEC_ID_INT8), "0020000000000001", "\"9007199254740993\""},
    {KIND(CODEC_FLOAT4), "3dcccccd", "0.1"},
    {KIND(CODEC_FLOAT4), "4b800000", "16777216"},
    {KIND(CODEC_FLOAT4), "7f7fffff", "3.4028235e+38"},
    {KIND(CODEC_FLOAT4), "7fc00000", NULL}, /* NaN */
    {KIND(CODEC_FLOAT8), "3fb999999999999a", "0.1"},
    {KIND(CODEC_FLOAT8), "7e37e43c8800759c", "1e+300"},
    {KIND(CODEC_FLOAT8), "8000000000000000", "-0"},
    {KIND(CODEC_FLOAT8), "7ff8000000000000", NULL}, /* NaN */
    {KIND(CODEC_FLOAT8), "7ff0000000000000", NULL}, /* Infinity */
    {KIND(CODEC_TEXT), "", "\"\""},
    {KIND(CODEC_TEXT), "6122620a63", "\"a\\\"b\\nc\""},
    {KIND(CODEC_TEXT_NUMBER), "302e30", "0.0"},
    {KIND(CODEC_TEXT), "c3a9", "\"\xc3\xa9\""},
    {KIND(CODEC_TEXT_NUMBER), "2d31322e3330", "-12.30"},
    {KIND(CODEC_TEXT_NUMBER), "4e614e", "\"NaN\""},
    {KIND(CODEC_TEXT_NUMBER), "2d496e66696e697479", "\"-Infinity\""},
    {KIND(CODEC_TEXT_NUMBER), "2d", "\"-\""},
    {KIND(CODEC_UUID), "00112233445566778899aabbccddeeff", "\"00112233-4455-6677-8899-aabbccddeeff\""},
    {KIND(CODEC_DATE), "0000265f", "\"2026-11-23\""},
    {KIND(CODEC_DATE), "0000003b", "\"2000-02-29\""},
    {KIND(CODEC_DATE), "ffffffff", "\"1999-12-31\""},
    {KIND(CODEC_DATE), "fff4dbf9", "\"0001-01-01\""},
    {KIND(CODEC_DATE), "fff49d7b", "\"0044-03-15 BC\""},
    {KIND(CODEC_DATE), "ffda97cd", "\"4713-01-01 BC\""},
    {KIND(CODEC_DATE), "7fda970c", "\"5874897-12-31\""},
    {KIND(CODEC_DATE), "7fffffff", "\"infinity\""},
    {KIND(CODEC_DATE), "80000000", "\"-infinity\""},
    {KIND(CODEC_TIME), "0000000536329e40", "\"06:13:04.123456\""},
    {KIND(CODEC_TIME), "0000000000000000", "\"00:00:00\""},
    {KIND(CODEC_TIME), "000000141dd76000", "\"24:00:00\""},
    {KIND(CODEC_TIME), "00000005363242a0", "\"06:13:04.1\""},
    {KIND(CODEC_TIME), "000000141dd76001", NULL},
    {KIND(CODEC_TIME), "ffffffffffffffff", NULL},
    {KIND(CODEC_TIMETZ), "00000005363290c0ffffb2a8", "\"06:13:04.12+05:30\""},
    {KIND(CODEC_TIMETZ), "000000053630bc0000007080", "\"06:13:04-08:00\""},
    {KIND(CODEC_TIMETZ), "000000053630bc00ffffffe2", "\"06:13:04+00:00:30\""},
    {KIND(CODEC_TIMETZ), "000000053630bc0080000000", NULL},
    {KIND(CODEC_TIMESTAMP), "000303ea415f3e40", "\"2026-11-23T06:13:04.123456\""},
    {KIND(CODEC_TIMESTAMP), "fffca2fec4c81fff", "\"1969-12-31T23:59:59.999999\""},
    {KIND(CODEC_TIMESTAMP), "ff1af9e8fb46d000", "\"0044-03-15T12:00:00 BC\""},
    {KIND(CODEC_TIMESTAMP), "7fffff5bb3b29fff", "\"294276-12-31T23:59:59.999999\""},
    {KIND(CODEC_TIMESTAMPTZ), "000303e894379aa0", "\"2026-11-23T04:13:04.1Z\""},
    {KIND(CODEC_TIMESTAMPTZ), "0000000000000000", "\"2000-01-01T00:00:00Z\""},
    {KIND(CODEC_TIMESTAMPTZ), "fd0f7fbdaf17e000", "\"4713-01-01T00:00:00Z BC\""},
    {KIND(CODEC_TIMESTAMPTZ), "7fffffffffffffff", "\"infinity\""},
    {KIND(CODEC_TIMESTAMPTZ), "8000000000000000", "\"-infinity\""},
    {KIND(CODEC_INTERVAL), "000000036c966ee0000000030000000e", "\"P1Y2M3DT4H5M6.7S\""},
    {KIND(CODEC_INTERVAL), "00000000000000000000000000000000", "\"PT0S\""},
    {KIND(CODEC_INTERVAL), "fffffffc93743f7f00000003fffffff2", "\"P-1Y-2M3DT-4H-5M-6.000001S\""},
    {KIND(CODEC_INTERVAL), "fffffffffff85ee00000000000000000", "\"PT-0.5S\""},
    {KIND(CODEC_INTERVAL), "0000000000000000ffffffff00000001", "\"P1M-1D\""},
    {KIND(CODEC_INTERVAL), "80000000000000008000000080000001", "\"P-178956970Y-7M-2147483648DT-2562047788H-54.775808S\""},
    {KIND(CODEC_JSON), "207b2261223a205b312c206e756c6c5d7d", " {\"a\": [1, null]}"},
    {KIND(CODEC_JSON), "", NULL},
    {KIND(CODEC_JSONB), "017b2261223a205b312c206e756c6c5d7d", "{\"a\": [1, null]}"},
    {KIND(CODEC_JSONB), "0131", "1"},
    {KIND(CODEC_JSONB), "0231", NULL}, /* a version there is not */
    {KIND(CODEC_JSONB), "01", NULL},
    {KIND(CODEC_BYTEA), "", "\"\""},
    {KIND(CODEC_BYTEA), "00ff10", "\"AP8Q\""},
    {&(const struct codec){.kind = CODEC_ENUM, .enum_type = &role_type}, "62696c6c696e6720636f6e74616374", "\"BILLING_CONTACT\""},
    {&(const struct codec){.kind = CODEC_ENUM, .enum_type = &role_type}, "6f776e6572", "\"owner\""},
    {&(const struct codec){.kind = CODEC_ENUM, .enum_type = &role_type}, "6f776e", NULL},
    {&(const struct codec){.kind = CODEC_ENUM}, "6f776e", "\"own\""},
    {&int4_array, "000000000000000000000017", "[]"},
    {&int4_array, "00000001000000010000001700000003000000010000000400000001ffffffff0000000400000003", "[1,null,3]"},
    {&int4_array, "000000020000000000000017000000020000000100000002000000010000000400000001000000040000000200000004000000030000000400000004", "[[1,2],[3,4]]"},
    {&int4_array, "000000010000000000000017000000020000000500000004000000010000000400000002", "[1,2]"},
    {&int4_array, "000000030000000100000017000000020000000100000002000000010000000100000001000000040000000100000004000000020000000400000003ffffffff", "[[[1],[2]],[[3],[null]]]"},
    {&text_array, "00000001000000010000001900000004000000010000000361206200000002712200000000ffffffff", "[\"a b\",\"q\\\"\",\"\",null]"},
    /* hostile arrays: seven dimensions; a negative size; a size with nothing behind it; bytes left over */
    {&int4_array, "000000070000000000000017", NULL},
    {&int4_array, "000000010000000000000017ffffffff00000001", NULL},
    {&int4_array, "0000000100000000000000177fffffff00000001", NULL},
    {&int4_array, "0000000200000000000000177fffffff000000010000000000000001", NULL},
    {&int4_array, "00000000000000000000001700", NULL},
    {&int4_array, "0000000100000000000000170000000100000001fffffffe", NULL},
    {&int4_array, "00000001000000000000001700000001000000017fffffff00000001", NULL},
    {&int4_array, "000000010000000000000017000000010000000100000003000000", NULL},
};
/* clang-format on */

/* On the heap and exactly as long, so that ASan sees a read past the end. */
static struct pgvalue bytes_of(const char *hex, size_t n)
{
    char *data = test_malloc(n ? n : 1);

    for (size_t i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        data[i] = (char)strtoul(two, NULL, 16);
    }
    return (struct pgvalue){data, (int32_t)n};
}

static void release(struct pgvalue v)
{
    union {
        const char *from;
        char *to;
    } data = {v.data};

    test_free(data.to);
}

static void values_become_json(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct pgvalue v = bytes_of(rows[i].hex, strlen(rows[i].hex) / 2);
        bool ok;

        buf_clear(&out);
        ok = encode_value(rows[i].codec, v, &out);
        if (ok != (rows[i].json != NULL) || (ok && strcmp(buf_cstr(&out), rows[i].json) != 0))
            fail_msg("row %zu (%s): %s", i, rows[i].hex, ok ? buf_cstr(&out) : "refused");
        release(v);
    }
    buf_fini(&out);
}

/* Every codec, every shorter length and each byte changed: no crash, nothing read outside. */
static void no_bytes_make_it_read_outside(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t n = strlen(rows[i].hex) / 2;

        for (size_t len = 0; len < n; len++) {
            struct pgvalue v = bytes_of(rows[i].hex, len);
            bool ignored = encode_value(rows[i].codec, v, &out);

            (void)ignored;
            release(v);
        }
        for (size_t at = 0; at < n; at++) {
            static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

            for (size_t j = 0; j < COUNT_OF(values); j++) {
                struct pgvalue v = bytes_of(rows[i].hex, n);
                bool ignored;

                ((char *)(uintptr_t)v.data)[at] = (char)values[j];
                buf_clear(&out);
                ignored = encode_value(rows[i].codec, v, &out);
                (void)ignored;
                release(v);
            }
        }
    }
    buf_fini(&out);
}

static void fixed_lengths_are_exact(void **state)
{
    static const struct {
        enum codec_kind kind;
        size_t size;
    } fixed[] = {
        {CODEC_BOOL,        1 },
        {CODEC_INT2,        2 },
        {CODEC_INT4,        4 },
        {CODEC_INT8_STRING, 8 },
        {CODEC_FLOAT4,      4 },
        {CODEC_FLOAT8,      8 },
        {CODEC_INT8_NUMBER, 8 },
        {CODEC_ID_INT2,     2 },
        {CODEC_ID_INT4,     4 },
        {CODEC_ID_INT8,     8 },
        {CODEC_UUID,        16},
        {CODEC_DATE,        4 },
        {CODEC_TIME,        8 },
        {CODEC_TIMETZ,      12},
        {CODEC_TIMESTAMP,   8 },
        {CODEC_TIMESTAMPTZ, 8 },
        {CODEC_INTERVAL,    16},
    };
    static const char zeros[] = "0000000000000000000000000000000000000000";
    struct buf out;

    (void)state;
    buf_init(&out, 0);
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        struct codec c = {.kind = fixed[i].kind};

        for (size_t n = 0; n <= 20; n++) {
            struct pgvalue v = bytes_of(zeros, n);

            assert_int_equal(encode_value(&c, v, &out), n == fixed[i].size);
            release(v);
        }
    }
    buf_fini(&out);
}

static void records_give_their_fields(void **state)
{
    struct pgvalue v =
        bytes_of("0000000300000017000000040000000100000019ffffffff000000190000000178", 33);
    struct pgvalue fields[3];

    (void)state;
    assert_int_equal(encode_record(v, fields, 3), 3);
    assert_int_equal(fields[0].len, 4);
    assert_int_equal(fields[0].data[3], 1);
    assert_int_equal(fields[1].len, -1);
    assert_int_equal(fields[2].len, 1);
    assert_int_equal(fields[2].data[0], 'x');
    assert_int_equal(encode_record(v, fields, 2), -1);
    for (int32_t n = 0; n < v.len; n++) {
        struct pgvalue shorter = bytes_of(
            "0000000300000017000000040000000100000019ffffffff000000190000000178", (size_t)n);

        assert_int_equal(encode_record(shorter, fields, 3), -1);
        release(shorter);
    }
    release(v);
    v = bytes_of("00000000", 4);
    assert_int_equal(encode_record(v, fields, 0), 0);
    release(v);
    v = bytes_of("ffffffff", 4);
    assert_int_equal(encode_record(v, fields, 3), -1);
    release(v);
    v = bytes_of("0000000000", 5);
    assert_int_equal(encode_record(v, fields, 3), -1);
    release(v);
}

static void arrays_of_records_are_walked(void **state)
{
    static const char hex[] = "0000000100000000000008c9000000020000000100000010000000010000001700"
                              "00000400000001000000100000000100000017000000040000000"
                              "2";
    size_t n = strlen(hex) / 2;
    struct pgvalue v = bytes_of(hex, n);
    struct encode_array it;
    struct pgvalue record, field;

    (void)state;
    assert_true(encode_array_begin(v, &it));
    assert_int_equal(it.left, 2);
    for (int i = 1; i <= 2; i++) {
        assert_true(encode_array_next(&it, &record));
        assert_int_equal(encode_record(record, &field, 1), 1);
        assert_int_equal(field.data[3], i);
    }
    assert_int_equal(it.left, 0);
    release(v);
    for (size_t len = 0; len < n; len++) {
        bool all = true;

        v = bytes_of(hex, len);
        all = encode_array_begin(v, &it);
        while (all && it.left > 0)
            all = encode_array_next(&it, &record);
        assert_false(all);
        release(v);
    }
    v = bytes_of("0000000000000000000008c9", 12);
    assert_true(encode_array_begin(v, &it));
    assert_int_equal(it.left, 0);
    release(v);
}

/* 13,000 years from PostgreSQL's first day on, looked at every few weeks and around new years. */
static void all_days_follow_each_other(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    char expected[32];
    int year = -4712, month = 1, day = 1; /* 0 is 1 BC */
    struct buf out = {0};

    (void)state;
    for (int32_t at = -2451507, n = 0; n < 5000000; n++, at++) {
        bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        uint32_t wire = htobe32((uint32_t)at);

        if (n % 23 == 0 || (month == 12 && day > 29) || (month < 4 && day < 3)) {
            buf_clear(&out);
            assert_true(
                encode_value(KIND(CODEC_DATE), (struct pgvalue){(char *)&wire, 4, 0}, &out));
            snprintf(expected, sizeof(expected), "\"%04d-%02d-%02d%s\"", year < 1 ? 1 - year : year,
                     month, day, year < 1 ? " BC" : "");
            assert_string_equal(buf_cstr(&out), expected);
        }
        if (++day > lengths[month - 1] + (month == 2 && leap)) {
            day = 1;
            if (++month > 12) {
                month = 1;
                year++;
            }
        }
    }
    buf_fini(&out);
}

static void a_full_buf_is_not_a_bad_value(void **state)
{
    struct pgvalue v = bytes_of("00112233445566778899aabbccddeeff", 16);
    struct buf out;

    (void)state;
    buf_init(&out, 10);
    assert_true(encode_value(KIND(CODEC_UUID), v, &out));
    assert_false(buf_ok(&out));
    buf_fini(&out);
    release(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_become_json),
        cmocka_unit_test(no_bytes_make_it_read_outside),
        cmocka_unit_test(fixed_lengths_are_exact),
        cmocka_unit_test(records_give_their_fields),
        cmocka_unit_test(arrays_of_records_are_walked),
        cmocka_unit_test(all_days_follow_each_other),
        cmocka_unit_test(a_full_buf_is_not_a_bad_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
