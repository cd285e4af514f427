/*
 * jwriter.c - strings, numbers and bytes as JSON.
 *
 * Thread:   any.
 * Memory:   the caller's buf.
 *
 * Most of what the daemon sends passes through jwriter_escape(), and nearly
 * all of it needs no escape: bytes are copied and looked at in the same pass,
 * sixteen or eight at a time, and only a block with something to escape in it
 * is taken apart.
 */
#include <float.h>
#include <math.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/jwriter.h"

/* What follows the backslash; 'u': "\u00XX"; 0: needs no escape. */
static const char escapes[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b',         't',           'n', 'u',
    'f', 'r', 'u', 'u', 'u', 'u', 'u', 'u', 'u',         'u',           'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\',
};

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Does a byte of these eight need an escape? */
static inline bool word_needs_escape(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = w ^ (ones * '"');
    uint64_t backslash = w ^ (ones * '\\');

    /* The borrow of one byte reaches the next only if that one byte was itself a hit. */
    return (((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
            ((backslash - ones) & ~backslash)) &
           (ones * 0x80);
}

static inline bool block_needs_escape(const char *from, char *to)
{
#ifdef __SSE2__
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)from);
    /* min(v, 0x1f) == v: v <= 0x1f, unsigned */
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
    __m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

    _mm_storeu_si128((__m128i *)(void *)to, v);
    return _mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))) != 0;
#else
    uint64_t w[2];

    memcpy(w, from, 16);
    memcpy(to, w, 16);
    return word_needs_escape(w[0]) || word_needs_escape(w[1]);
#endif
}

/* One escaped byte; false when the buf is full. `left`: unescaped bytes still to come. */
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

/* Byte by byte. There is room for `left` bytes, and stays so. */
static bool escape_bytes(struct buf *b, const char *from, size_t n, size_t left)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)from[i];

        left--;
        if (escapes[c] == 0)
            b->data[b->len++] = from[i];
        else if (!put_escape(b, c, left))
            return false;
    }
    return true;
}

void jwriter_escape(struct buf *b, struct str s)
{
    const char *from = s.data;
    size_t left = s.len;
    uint64_t w;

    if (left == 0 || buf_reserve(b, left) == NULL)
        return;
    for (; left >= 16; from += 16, left -= 16) {
        if (!block_needs_escape(from, b->data + b->len))
            b->len += 16;
        else if (!escape_bytes(b, from, 16, left))
            return;
    }
    if (left >= 8) {
        memcpy(&w, from, 8);
        if (word_needs_escape(w)) {
            if (!escape_bytes(b, from, 8, left))
                return;
        } else {
            memcpy(b->data + b->len, &w, 8);
            b->len += 8;
        }
        from += 8;
        left -= 8;
    }
    if (left >= 4) {
        uint32_t half;

        memcpy(&half, from, 4);
        w = half | UINT64_C(0x2020202000000000);
        if (word_needs_escape(w)) {
            if (!escape_bytes(b, from, 4, left))
                return;
        } else {
            memcpy(b->data + b->len, &half, 4);
            b->len += 4;
        }
        from += 4;
        left -= 4;
    }
    escape_bytes(b, from, left, left);
}

void jwriter_string(struct buf *b, struct str s)
{
    buf_append_char(b, '"');
    jwriter_escape(b, s);
    buf_append_char(b, '"');
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

/* At least one digit before the point; n is below 1e15. */
static void put_fixed(struct buf *b, bool negative, uint64_t n, int decimals)
{
    char text[24];
    size_t at = sizeof(text);

    for (int i = 0; i <= decimals || n > 0; i++) {
        if (i == decimals)
            text[--at] = '.';
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    }
    if (negative)
        text[--at] = '-';
    buf_append(b, text + at, sizeof(text) - at);
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
