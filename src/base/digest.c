/*
 * digest.c - SHA-256 by OpenSSL.
 *
 * Thread:   any; each has a context of its own.
 * Memory:   the algorithm is fetched once and kept (a fetch takes locks in
 *           OpenSSL 3); contexts are freed when their thread ends.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/digest.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t context_key;
static EVP_MD *sha256;

static void free_context(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    CHECK(sha256 != NULL);
    CHECK(pthread_key_create(&context_key, free_context) == 0);
}

static EVP_MD_CTX *start(void)
{
    EVP_MD_CTX *ctx;

    pthread_once(&once, fetch);
    ctx = pthread_getspecific(context_key);
    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        CHECK(ctx != NULL && pthread_setspecific(context_key, ctx) == 0);
    }
    CHECK(EVP_DigestInit_ex2(ctx, sha256, NULL) == 1);
    return ctx;
}

static struct digest finish(EVP_MD_CTX *ctx)
{
    struct digest d;
    unsigned len;

    CHECK(EVP_DigestFinal_ex(ctx, d.bytes, &len) == 1 && len == DIGEST_SIZE);
    return d;
}

struct digest digest_sha256(struct str s)
{
    EVP_MD_CTX *ctx = start();

    CHECK(EVP_DigestUpdate(ctx, s.data, s.len) == 1);
    return finish(ctx);
}

struct digest digest_parts(const struct str *parts, size_t n)
{
    EVP_MD_CTX *ctx = start();

    for (size_t i = 0; i < n; i++) {
        unsigned char length[8];

        for (int k = 0; k < 8; k++)
            length[k] = (unsigned char)((uint64_t)parts[i].len >> (56 - 8 * k));
        CHECK(EVP_DigestUpdate(ctx, length, sizeof(length)) == 1);
        CHECK(EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1);
    }
    return finish(ctx);
}

struct digest digest_hmac(struct str key, struct str s)
{
    struct digest d;
    unsigned len = 0;

    CHECK(key.len <= INT_MAX && s.data != NULL);
    CHECK(HMAC(EVP_sha256(), key.data, (int)key.len, (const unsigned char *)s.data, s.len, d.bytes,
               &len) != NULL &&
          len == DIGEST_SIZE);
    return d;
}

void digest_hex(const struct digest *d, char out[2 * DIGEST_SIZE + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        out[2 * i] = hex[d->bytes[i] >> 4];
        out[2 * i + 1] = hex[d->bytes[i] & 15];
    }
    out[(size_t)2 * DIGEST_SIZE] = '\0';
}

bool digest_eq(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

void random_bytes(void *out, size_t len)
{
    unsigned char *p = out;

    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);

        CHECK(n > 0 || errno == EINTR);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}

struct library digest_library(void)
{
    struct library l = {.name = "OpenSSL"};

    snprintf(l.compiled, sizeof(l.compiled), "%s", OPENSSL_VERSION_STR);
    snprintf(l.running, sizeof(l.running), "%s", OpenSSL_version(OPENSSL_VERSION_STRING));
    return l;
}
