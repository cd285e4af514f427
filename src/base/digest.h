/*
 * digest.h - SHA-256, over bytes or over length-prefixed parts, or with a key (HMAC).
 *
 * Thread:   any.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/library.h"
#include "base/str.h"

#define DIGEST_SIZE 32

struct digest {
    unsigned char bytes[DIGEST_SIZE];
};

struct digest digest_sha256(struct str s);
/* Unambiguous: each part is preceded by its length. */
struct digest digest_parts(const struct str *parts, size_t n);
/* HMAC-SHA256 (RFC 2104); the key is not empty. */
struct digest digest_hmac(struct str key, struct str s);
/* Lower-case hexadecimal, 64 characters and a NUL. */
void digest_hex(const struct digest *d, char out[2 * DIGEST_SIZE + 1]);
/* Without early exit. */
bool digest_eq(const void *a, const void *b, size_t len);
/* Unpredictable bytes; aborts if the system has none. */
void random_bytes(void *out, size_t len);
/* OpenSSL. */
struct library digest_library(void);

#endif
