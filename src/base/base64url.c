/*
 * base64url.c - base64 for URLs (RFC 4648 section 5), without padding.
 *
 * Thread:   any.
 */
#include "base/base64url.h"

/* 0..63, or 64 for a byte that is no base64url character. */
static unsigned sextet(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26u;
    if (c >= '0' && c <= '9')
        return c - '0' + 52u;
    if (c == '-')
        return 62;
    if (c == '_')
        return 63;
    return 64;
}

bool base64url_decode(struct str text, unsigned char *out, size_t *len)
{
    uint32_t bits = 0;
    unsigned nbits = 0;
    size_t n = 0;

    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned v = sextet((unsigned char)text.data[i]);

        if (v > 63)
            return false;
        bits = (bits << 6) | v;
        nbits += 6;
        if (nbits >= 8) {
            nbits -= 8;
            out[n++] = (unsigned char)(bits >> nbits);
        }
    }
    if ((bits & ((1u << nbits) - 1)) != 0)
        return false; /* unused bits set: a second spelling of the same bytes */
    *len = n;
    return true;
}

void base64url_append(struct buf *b, struct str bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *p = (const unsigned char *)bytes.data;
    size_t size, left;
    char *to;

    CHECK(size_mul((bytes.len + 2) / 3, 4, &size));
    to = buf_reserve(b, size);
    if (to == NULL)
        return;
    for (left = bytes.len; left > 0;) {
        size_t n = left < 3 ? left : 3;
        uint32_t v = (uint32_t)p[0] << 16;

        v |= (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
        for (size_t i = 0; i <= n; i++)
            *to++ = digits[v >> (18 - 6 * i) & 63];
        p += n;
        left -= n;
    }
    b->len = (size_t)(to - b->data);
}
