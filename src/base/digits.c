/*
 * digits.c - numbers as digits, two at a time.
 *
 * Thread:   any.
 * Memory:   none.
 */
#include "base/digits.h"

/* clang-format off */
const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324"
    "25262728293031323334353637383940414243444546474849"
    "50515253545556575859606162636465666768697071727374"
    "75767778798081828384858687888990919293949596979899";

const char hex_pairs[] =
    "000102030405060708090a0b0c0d0e0f"
    "101112131415161718191a1b1c1d1e1f"
    "202122232425262728292a2b2c2d2e2f"
    "303132333435363738393a3b3c3d3e3f"
    "404142434445464748494a4b4c4d4e4f"
    "505152535455565758595a5b5c5d5e5f"
    "606162636465666768696a6b6c6d6e6f"
    "707172737475767778797a7b7c7d7e7f"
    "808182838485868788898a8b8c8d8e8f"
    "909192939495969798999a9b9c9d9e9f"
    "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
    "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
    "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
    "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
    "e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
    "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
/* The least number of more than so many digits. */
static const uint64_t powers[] = {
    0, UINT64_C(10), UINT64_C(100), UINT64_C(1000),
    UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000),
    UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
    UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
    UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000), UINT64_C(10000000000000000000),
};
/* clang-format on */

unsigned digits_count(uint64_t v)
{
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1);
    unsigned n = bits * 1233 >> 12; /* log10(2), rounded down to one too few at most */

    return n + (v >= powers[n]);
}

char *digits_put(char *to, uint64_t v, unsigned count)
{
    char *at = to + count;

    while (at - to >= 2) {
        at -= 2;
        digits_pair(at, (unsigned)(v % 100));
        v /= 100;
    }
    if (at > to)
        *to = (char)('0' + v % 10);
    return to + count;
}

/* Two bytes at a time: n is even. */
static inline char *put_hex(char *to, const unsigned char *from, size_t n)
{
#pragma GCC unroll 3
    for (size_t i = 0; i < n; i += 2)
        to = digits_hex(digits_hex(to, from[i]), from[i + 1]);
    return to;
}

char *digits_uuid(char *to, const unsigned char *from)
{
    to = put_hex(to, from, 4);
    *to++ = '-';
    to = put_hex(to, from + 4, 2);
    *to++ = '-';
    to = put_hex(to, from + 6, 2);
    *to++ = '-';
    to = put_hex(to, from + 8, 2);
    *to++ = '-';
    return put_hex(to, from + 10, 6);
}
