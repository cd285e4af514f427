/*
 * jwriter.c - strings, numbers and bytes as JSON.
 *
 * Thread:   any.
 * Memory:   the caller's buf.
 *
 * Most of what the daemon sends passes through jwriter_escape(), and nearly
 * all of it needs no escape: bytes are copied and looked at in the same pass,
 * sixteen or eight at a time, from one that needs an escape to the next.
 */
#include <endian.h>
#include <float.h>
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/digits.h"
#include "base/jwriter.h"

#define BLOCK ((size_t)16)

/* What follows the backslash; 'u': "\u00XX"; 0: needs no escape. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n', 'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* One bit of each byte that needs an escape, at least up to the first of them; the first byte is
 * the lowest. */
static inline uint64_t word_escapes(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = w ^ (ones * '"');
    uint64_t backslash = w ^ (ones * '\\');

    /* The borrow of one byte reaches the next only if that one byte was itself a hit. */
    return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
            ((backslash - ones) & ~backslash)) &
           (ones * 0x80);
}

/* Copies sixteen bytes; how many come before the first that needs an escape. */
static inline size_t copy_block(const char *from, char *to)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
    /* min(v, 0x1f) == v: v <= 0x1f, unsigned */
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    int hits = _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));

    _mm_storeu_si128((__m128i *)(void *)to, v);
    return hits == 0 ? BLOCK : (size_t)__builtin_ctz((unsigned)hits);
#else
    uint64_t w[2], hits[2];

    memcpy(w, from, BLOCK);
    memcpy(to, w, BLOCK);
    hits[0] = word_escapes(le64toh(w[0]));
    hits[1] = word_escapes(le64toh(w[1]));
    if (hits[0] != 0)
        return (size_t)__builtin_ctzll(hits[0]) / 8;
    return hits[1] == 0 ? BLOCK : 8 + (size_t)__builtin_ctzll(hits[1]) / 8;
#endif
}

/* Copies 4 to 15 bytes as two words that overlap; false: one of them needs an escape. */
static inline bool copy_short(const char *from, char *to, size_t n)
{
    uint64_t first, last;
    uint32_t half[2];

    if (n >= 8) {
        memcpy(&first, from, 8);
        memcpy(&last, from + n - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + n - 8, &last, 8);
        return (word_escapes(first) | word_escapes(last)) == 0;
    }
    memcpy(&half[0], from, 4);
    memcpy(&half[1], from + n - 4, 4);
    memcpy(to, &half[0], 4);
    memcpy(to + n - 4, &half[1], 4);
    return word_escapes((uint64_t)half[0] << 32 | half[1]) == 0;
}

/* One escaped byte; false when the buf is full. `left`: bytes still to come. */
static bool put_escape(struct buf *b, unsigned char c, size_t left)
{
    static const char hex[] = "0123456789abcdef";
    size_t n = escapes[c] == 'u' ? 6 : 2;
    char *to = buf_reserve(b, n + left);

    if (to == NULL)
        return false;
    to[0] = '\\';
    to[1] = escapes[c];
    if (n == 6) {
        to[2] = '0';
        to[3] = '0';
        to[4] = hex[c >> 4];
        to[5] = hex[c & 15];
    }
    b->len += n;
    return true;
}

/* Byte by byte. */
static bool escape_bytes(struct buf *b, const char *from, size_t left, size_t after)
{
    for (; left > 0; left--) {
        unsigned char c = (unsigned char)*from++;

        if (escapes[c] == 0)
            b->data[b->len++] = (char)c;
        else if (!put_escape(b, c, left - 1 + after))
            return false;
    }
    return true;
}

/* There is room for the text and `after` more, and stays so; false when the buf is full. */
static bool escape(struct buf *b, struct str s, size_t after)
{
    const char *from = s.data;
    size_t left = s.len;

    while (left >= BLOCK) {
        size_t n = copy_block(from, b->data + b->len);

        b->len += n;
        from += n;
        left -= n;
        if (n == BLOCK)
            continue;
        if (!put_escape(b, (unsigned char)*from++, --left + after))
            return false;
    }
    if (left >= 4 && copy_short(from, b->data + b->len, left)) {
        b->len += left;
        return true;
    }
    return escape_bytes(b, from, left, after);
}

void jwriter_escape(struct buf *b, struct str s)
{
    if (s.len > 0 && buf_reserve(b, s.len) != NULL)
        escape(b, s, 0);
}

void jwriter_string(struct buf *b, struct str s)
{
    if (buf_reserve(b, s.len + 2) == NULL)
        return;
    b->data[b->len++] = '"';
    if (escape(b, s, 1))
        b->data[b->len++] = '"';
}

void jwriter_key(struct buf *b, struct str name)
{
    jwriter_string(b, name);
    buf_append_char(b, ':');
}

void jwriter_bool(struct buf *b, bool v)
{
    if (v)
        buf_append_lit(b, "true");
    else
        buf_append_lit(b, "false");
}

/* At least one digit before the point; n is below 1e15, decimals are at most 8. */
static void put_fixed(struct buf *b, bool negative, uint64_t n, int decimals)
{
    static const uint32_t scales[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    char *to;

    if (negative)
        buf_append_char(b, '-');
    buf_append_u64(b, n / scales[decimals]);
    to = buf_reserve(b, 1 + (size_t)decimals);
    if (to == NULL)
        return;
    *to++ = '.';
    digits_put(to, n % scales[decimals], (unsigned)decimals);
    b->len += 1 + (size_t)decimals;
}

/*
 * Most doubles that are not whole were once written with a few decimals. A
 * whole number below 2^53 divided by a power of ten is rounded correctly, and
 * so is the double nearest to that decimal: no need to print and read back.
 */
static bool put_decimal(struct buf *b, double v)
{
    double scale = 1;

    if (fabs(v) < 1e-4) /* an exponent is shorter */
        return false;
    for (int decimals = 1; decimals <= 8; decimals++) {
        double r;

        scale *= 10;
        r = rint(v * scale);
        if (fabs(r) >= 1e15)
            return false;
        if (r / scale != v)
            continue;
        put_fixed(b, v < 0, (uint64_t)fabs(r), decimals);
        return true;
    }
    return false;
}

void jwriter_double(struct buf *b, double v)
{
    char text[32];
    int len = 0;

    if (!isfinite(v)) {
        buf_append_lit(b, "null");
        return;
    }
    /* Most doubles met are small whole numbers. -0.0 keeps its sign. */
    if (fabs(v) < 1e15 && v == (double)(int64_t)v && !(v == 0 && signbit(v))) {
        buf_append_i64(b, (int64_t)v);
        return;
    }
    if (put_decimal(b, v))
        return;
    /* Fifteen digits are exact for every text of fifteen, but for the few of a subnormal. */
    for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        len = snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_append(b, text, (size_t)len);
}

void jwriter_base64(struct buf *b, struct str bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.data;
    size_t left = bytes.len;
    size_t size;
    char *to;

    CHECK(size_mul((bytes.len + 2) / 3, 4, &size) && size_add(size, 2, &size));
    to = buf_reserve(b, size);
    if (to == NULL)
        return;
    *to++ = '"';
    for (; left >= 3; left -= 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

        *to++ = base64_digits[v >> 18];
        *to++ = base64_digits[v >> 12 & 63];
        *to++ = base64_digits[v >> 6 & 63];
        *to++ = base64_digits[v & 63];
    }
    if (left > 0) {
        uint32_t v = (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0);

        *to++ = base64_digits[v >> 18];
        *to++ = base64_digits[v >> 12 & 63];
        *to++ = left == 2 ? base64_digits[v >> 6 & 63] : '=';
        *to++ = '=';
    }
    *to = '"';
    b->len += size;
}
