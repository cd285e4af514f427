/*
 * keys.c - the keys that may sign tokens; each is bound to one algorithm.
 *
 * Thread:   any; constant once made.
 * Memory:   owns copies of the secrets and wipes them.
 * Not here: parsing tokens (token.c).
 *
 * The algorithm of a key comes from the configuration, never from a token: a
 * token that names another algorithm finds no key (RFC 8725 section 3.1).
 */
#include "auth/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct algorithm {
    const char *name;
    const EVP_MD *(*md)(void);
    size_t size; /* of the signature, and the least of the secret */
};

/* name, hash, bytes */
static const struct algorithm algorithms[] = {
    {"HS256", EVP_sha256, 32},
    {"HS384", EVP_sha384, 48},
    {"HS512", EVP_sha512, 64},
};

struct signing_key {
    const struct algorithm *algorithm;
    struct str kid;
    struct str secret; /* owned, wiped */
    EVP_MAC_CTX *mac;  /* owned; keyed once, duplicated for each use */
};

struct keys {
    size_t n;
    struct signing_key *items;
};

static const struct algorithm *algorithm_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (str_is(name, algorithms[i].name))
            return &algorithms[i];
    return NULL;
}

static struct str copy_bytes(struct str s)
{
    char *p = xmalloc(s.len + 1);

    if (s.len)
        memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return str_make(p, s.len);
}

static EVP_MAC_CTX *mac_new(const struct algorithm *alg, struct str secret)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx;
    char digest[16];
    OSSL_PARAM params[2];

    CHECK(mac != NULL);
    ctx = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    CHECK(ctx != NULL);
    snprintf(digest, sizeof(digest), "%s", EVP_MD_get0_name(alg->md()));
    params[0] = OSSL_PARAM_construct_utf8_string("digest", digest, 0);
    params[1] = OSSL_PARAM_construct_end();
    CHECK(EVP_MAC_init(ctx, (const unsigned char *)secret.data, secret.len, params) == 1);
    return ctx;
}

struct keys *keys_new(const struct auth_key_options *options, size_t n, struct errors *errs)
{
    struct keys *k = xcalloc(1, sizeof(*k));
    size_t before = errs->n;

    k->items = xcalloc(n ? n : 1, sizeof(*k->items));
    for (size_t i = 0; i < n; i++) {
        const struct algorithm *alg = algorithm_find(options[i].alg);

        if (alg == NULL) {
            errors_add(errs, CONFIG_INVALID, "auth.jwt.keys[%zu]: unknown algorithm \"%.*s\"", i,
                       STR_ARG(options[i].alg));
            continue;
        }
        if (options[i].secret.len < alg->size) {
            errors_add(errs, CONFIG_INVALID,
                       "auth.jwt.keys[%zu]: the secret has %zu bytes, %s needs at least %zu", i,
                       options[i].secret.len, alg->name, alg->size);
            continue;
        }
        k->items[k->n].algorithm = alg;
        k->items[k->n].kid = copy_bytes(options[i].kid);
        k->items[k->n].secret = copy_bytes(options[i].secret);
        k->items[k->n].mac = mac_new(alg, options[i].secret);
        k->n++;
    }
    if (errs->n == before)
        return k;
    keys_free(k);
    return NULL;
}

static void free_bytes(struct str s)
{
    char *p;

    memcpy(&p, &s.data, sizeof(p));
    OPENSSL_cleanse(p, s.len);
    xfree(p);
}

void keys_free(struct keys *k)
{
    if (k == NULL)
        return;
    for (size_t i = 0; i < k->n; i++) {
        free_bytes(k->items[i].kid);
        free_bytes(k->items[i].secret);
        EVP_MAC_CTX_free(k->items[i].mac);
    }
    xfree(k->items);
    xfree(k);
}

static bool verify_with(const struct signing_key *key, struct str input, struct str signature)
{
    unsigned char expected[EVP_MAX_MD_SIZE];
    size_t len = 0;
    EVP_MAC_CTX *ctx;
    bool ok;

    if (signature.len != key->algorithm->size)
        return false;
    ctx = EVP_MAC_CTX_dup(key->mac);
    CHECK(ctx != NULL);
    ok = EVP_MAC_update(ctx, (const unsigned char *)input.data, input.len) == 1 &&
         EVP_MAC_final(ctx, expected, &len, sizeof(expected)) == 1 && len == signature.len &&
         CRYPTO_memcmp(expected, signature.data, len) == 0;
    EVP_MAC_CTX_free(ctx);
    return ok;
}

bool keys_verify(const struct keys *k, struct str alg, struct str kid, struct str input,
                 struct str signature)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct signing_key *key = &k->items[i];

        if (!str_is(alg, key->algorithm->name))
            continue;
        if (kid.data != NULL && key->kid.len > 0 && !str_eq(kid, key->kid))
            continue;
        if (verify_with(key, input, signature))
            return true;
    }
    return false;
}
