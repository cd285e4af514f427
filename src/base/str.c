/*
 * str.c - slices: compare, cut, match, check, hash.
 *
 * Thread:   any; the hash secret is drawn before main() and constant afterwards.
 * Memory:   allocates nothing.
 */
#include <xxhash.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <errno.h>
#include <sys/random.h>

#include "base/str.h"

static unsigned char hash_secret[XXH3_SECRET_SIZE_MIN];

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Before main(), so that readers need no lock: a hash may be wanted by any thread at any time. */
__attribute__((constructor)) static void draw_secret(void)
{
    size_t got = 0;

    while (got < sizeof(hash_secret)) {
        ssize_t n = getrandom(hash_secret + got, sizeof(hash_secret) - got, 0);

        CHECK(n > 0 || errno == EINTR);
        if (n > 0)
            got += (size_t)n;
    }
}

bool str_is_among(struct str s, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], s))
            return true;
    return false;
}

/* Eight bytes with the letters of ASCII in lower case. */
static inline uint64_t lower_word(uint64_t w)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    uint64_t low = w & ~highs;
    uint64_t from_a = low + ones * (0x80 - 'A');
    uint64_t past_z = low + ones * (0x80 - 'Z' - 1);

    return w | ((from_a & ~past_z & ~w & highs) >> 2);
}

static inline uint64_t load_word(const char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

bool str_eq_nocase(struct str a, struct str b)
{
    size_t n = a.len;

    if (n != b.len)
        return false;
    if (n < 8) {
        for (size_t i = 0; i < n; i++)
            if (lower(a.data[i]) != lower(b.data[i]))
                return false;
        return true;
    }
    for (size_t i = 0; i < n - 8; i += 8)
        if (lower_word(load_word(a.data + i)) != lower_word(load_word(b.data + i)))
            return false;
    return lower_word(load_word(a.data + n - 8)) == lower_word(load_word(b.data + n - 8));
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq(str_make(s.data, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

int str_cmp(struct str a, struct str b)
{
    size_t len = size_min(a.len, b.len);
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

    if (order != 0)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

int str_cmp_length(struct str a, struct str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len > 0 ? memcmp(a.data, b.data, a.len) : 0;
}

struct str str_sub(struct str s, size_t offset, size_t len)
{
    if (s.len == 0)
        return s;
    offset = size_min(offset, s.len);
    return str_make(s.data + offset, size_min(len, s.len - offset));
}

size_t str_find(struct str s, char c)
{
    const char *at = s.len > 0 ? memchr(s.data, c, s.len) : NULL;

    return at != NULL ? (size_t)(at - s.data) : s.len;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

bool str_cut(struct str s, char c, struct str *head, struct str *tail)
{
    size_t at = str_find(s, c);
    bool found = at < s.len;

    *head = str_sub(s, 0, at);
    *tail = str_sub(s, found ? at + 1 : at, SIZE_MAX);
    return found;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.data[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
    bool negative = s.len > 0 && s.data[0] == '-';
    uint64_t v;

    if (!str_to_u64(negative ? str_sub(s, 1, SIZE_MAX) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

int str_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool str_glob(struct str pattern, struct str s)
{
    size_t p = 0, i = 0;
    size_t star = SIZE_MAX, resume = 0; /* last '*', and what it has swallowed up to */

    while (i < s.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = p++;
            resume = i;
        } else if (p < pattern.len && (pattern.data[p] == '?' || pattern.data[p] == s.data[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.data[p] == '*')
        p++;
    return p == pattern.len;
}

/* Length of the well-formed sequence at p (RFC 3629 section 4), or 0. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        n = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        n = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        n = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Bytes below 0x80 from p on, in steps of what the processor takes at once. */
static size_t ascii_run(const unsigned char *p, size_t left)
{
    size_t n = 0;

#ifdef __SSE2__
    while (left - n >= 16) {
        if (_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(p + n))) != 0)
            break;
        n += 16;
    }
#else
    while (left - n >= 8) {
        uint64_t eight;

        memcpy(&eight, p + n, 8);
        if ((eight & UINT64_C(0x8080808080808080)) != 0)
            break;
        n += 8;
    }
#endif
    return n;
}

bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t i = 0;

    while (i < s.len) {
        size_t n = ascii_run(p + i, s.len - i);

        i += n;
        /* Stay with single sequences for a while: texts that are not ASCII seldom become so. */
        for (int k = 0; k < 16 && i < s.len; k++) {
            n = utf8_sequence(p + i, s.len - i);
            if (n == 0)
                return false;
            i += n;
        }
    }
    return true;
}

size_t str_distance(struct str a, struct str b, size_t limit)
{
    enum {
        LONGEST = 127
    };
    size_t row[LONGEST + 1];
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;

    if (gap > limit || a.len > LONGEST || b.len > LONGEST)
        return limit + 1;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        size_t best = row[0] = i;

        for (size_t j = 1; j <= b.len; j++) {
            size_t substituted = diagonal + (a.data[i - 1] != b.data[j - 1]);

            diagonal = row[j];
            row[j] = size_min(substituted, size_min(row[j], row[j - 1]) + 1);
            best = size_min(best, row[j]);
        }
        if (best > limit)
            return limit + 1;
    }
    return size_min(row[b.len], limit + 1);
}

uint64_t str_hash(struct str s)
{
    return XXH3_64bits_withSecret(s.data, s.len, hash_secret, sizeof(hash_secret));
}
