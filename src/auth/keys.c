/*
 * keys.c - the keys that may sign tokens; each is bound to one algorithm.
 *
 * Thread:   any; constant once made.
 * Memory:   owns copies of the secrets and wipes them.
 *
 * The algorithm of a key comes from the configuration or the key set, never from a
 * token: a token that names another algorithm finds no key (RFC 8725 section 3.1).
 */
#include "auth/keys.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define MIN_RSA_BITS 2048

enum family {
    FAMILY_HMAC,
    FAMILY_RSA,
    FAMILY_PSS,
    FAMILY_EC,
    FAMILY_ED,
};

struct algorithm {
    const char *name;
    enum family family;
    const char *md;    /* NULL: the algorithm's own */
    size_t size;       /* HMAC: of the signature, and the least of the secret; EC: of r, and of s */
    const char *group; /* EC: the curve */
};

/* name, family, hash, size, curve */
static const struct algorithm algorithms[] = {
    {"HS256", FAMILY_HMAC, "SHA256", 32, NULL        },
    {"HS384", FAMILY_HMAC, "SHA384", 48, NULL        },
    {"HS512", FAMILY_HMAC, "SHA512", 64, NULL        },
    {"RS256", FAMILY_RSA,  "SHA256", 0,  NULL        },
    {"RS384", FAMILY_RSA,  "SHA384", 0,  NULL        },
    {"RS512", FAMILY_RSA,  "SHA512", 0,  NULL        },
    {"PS256", FAMILY_PSS,  "SHA256", 0,  NULL        },
    {"PS384", FAMILY_PSS,  "SHA384", 0,  NULL        },
    {"PS512", FAMILY_PSS,  "SHA512", 0,  NULL        },
    {"ES256", FAMILY_EC,   "SHA256", 32, "prime256v1"},
    {"ES384", FAMILY_EC,   "SHA384", 48, "secp384r1" },
    {"ES512", FAMILY_EC,   "SHA512", 66, "secp521r1" },
    {"EdDSA", FAMILY_ED,   NULL,     64, NULL        },
};

struct signing_key {
    const struct algorithm *algorithm;
    struct str kid;
    struct str secret; /* owned, wiped */
    EVP_MAC_CTX *mac;  /* owned; keyed once, duplicated for each use */
    EVP_PKEY *pkey;    /* retained */
    EVP_MD *md;        /* owned; fetched once, since fetching takes locks */
};

struct keys {
    uint32_t references; /* atomic */
    size_t n;
    size_t cap;
    struct signing_key *items;
};

/* --- the set ---------------------------------------------------------------------------- */

struct keys *keys_new(void)
{
    struct keys *k = xcalloc(1, sizeof(*k));

    k->references = 1;
    return k;
}

const struct keys *keys_ref(const struct keys *k)
{
    uint32_t *references = (uint32_t *)(uintptr_t)&k->references;

    __atomic_fetch_add(references, 1, __ATOMIC_RELAXED);
    return k;
}

static void free_bytes(struct str s)
{
    char *p;

    memcpy(&p, &s.data, sizeof(p));
    OPENSSL_cleanse(p, s.len);
    xfree(p);
}

void keys_unref(const struct keys *k)
{
    struct keys *mine = (struct keys *)(uintptr_t)k;

    if (mine == NULL || __atomic_sub_fetch(&mine->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < mine->n; i++) {
        struct signing_key *key = &mine->items[i];

        free_bytes(key->kid);
        free_bytes(key->secret);
        EVP_MAC_CTX_free(key->mac);
        EVP_PKEY_free(key->pkey);
        EVP_MD_free(key->md);
    }
    xfree(mine->items);
    xfree(mine);
}

size_t keys_count(const struct keys *k)
{
    return k->n;
}

static const struct algorithm *algorithm_find(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(algorithms); i++)
        if (str_is(name, algorithms[i].name))
            return &algorithms[i];
    return NULL;
}

bool keys_knows(struct str alg)
{
    return algorithm_find(alg) != NULL;
}

static struct str copy_bytes(struct str s)
{
    char *p = xmalloc(s.len + 1);

    if (s.len)
        memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return str_make(p, s.len);
}

static struct signing_key *add(struct keys *k, const struct algorithm *alg, struct str kid,
                               struct str secret)
{
    struct signing_key *key;

    if (k->n == k->cap) {
        struct signing_key *more;

        k->cap = k->cap ? 2 * k->cap : 4;
        more = xcalloc(k->cap, sizeof(*more));
        if (k->n)
            memcpy(more, k->items, k->n * sizeof(*more));
        xfree(k->items);
        k->items = more;
    }
    key = &k->items[k->n++];
    *key = (struct signing_key){
        .algorithm = alg, .kid = copy_bytes(kid), .secret = copy_bytes(secret)};
    return key;
}

/* --- making keys --------------------------------------------------------------------------- */

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
    snprintf(digest, sizeof(digest), "%s", alg->md);
    params[0] = OSSL_PARAM_construct_utf8_string("digest", digest, 0);
    params[1] = OSSL_PARAM_construct_end();
    CHECK(EVP_MAC_init(ctx, (const unsigned char *)secret.data, secret.len, params) == 1);
    return ctx;
}

const char *keys_add_secret(struct keys *k, struct str alg, struct str kid, struct str secret)
{
    const struct algorithm *a = algorithm_find(alg);
    struct signing_key *key;

    if (a == NULL)
        return "unknown algorithm";
    if (a->family != FAMILY_HMAC)
        return "the algorithm wants a public key, not a secret";
    if (secret.len < a->size)
        return "the secret is shorter than the algorithm's hash";
    key = add(k, a, kid, secret);
    key->mac = mac_new(a, secret);
    return NULL;
}

static bool is_of_group(EVP_PKEY *pkey, const char *group)
{
    char name[64];
    size_t len;

    return EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len) == 1 && strcmp(name, group) == 0;
}

static const char *check_type(const struct algorithm *a, EVP_PKEY *pkey)
{
    switch (a->family) {
    case FAMILY_HMAC:
        return "the algorithm wants a secret, not a public key";
    case FAMILY_RSA:
    case FAMILY_PSS:
        if (!EVP_PKEY_is_a(pkey, "RSA"))
            return "the algorithm wants an RSA key";
        return EVP_PKEY_get_bits(pkey) >= MIN_RSA_BITS ? NULL : "the key has less than 2048 bits";
    case FAMILY_EC:
        if (!EVP_PKEY_is_a(pkey, "EC") || !is_of_group(pkey, a->group))
            return "the algorithm wants a key of another curve";
        return NULL;
    case FAMILY_ED:
        return EVP_PKEY_is_a(pkey, "ED25519") ? NULL : "the algorithm wants a key of Ed25519";
    }
    return "unknown algorithm";
}

const char *keys_add_public(struct keys *k, struct str alg, struct str kid, EVP_PKEY *pkey)
{
    const struct algorithm *a = algorithm_find(alg);
    const char *why = a == NULL ? "unknown algorithm" : check_type(a, pkey);
    struct signing_key *key;

    if (why != NULL)
        return why;
    key = add(k, a, kid, STR(""));
    CHECK(EVP_PKEY_up_ref(pkey) == 1);
    key->pkey = pkey;
    if (a->md != NULL) {
        key->md = EVP_MD_fetch(NULL, a->md, NULL);
        CHECK(key->md != NULL);
    }
    return NULL;
}

static EVP_PKEY *read_pem(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *pkey;
    X509 *certificate;

    CHECK(bio != NULL);
    pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    if (pkey == NULL && BIO_reset(bio) >= 0) {
        certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        pkey = certificate != NULL ? X509_get_pubkey(certificate) : NULL;
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

const char *keys_add_pem(struct keys *k, struct str alg, struct str kid, struct str pem)
{
    EVP_PKEY *pkey;
    const char *why;

    if (pem.len > (size_t)64 * 1024)
        return "the PEM is too long";
    pkey = read_pem(pem);
    if (pkey == NULL)
        return "no PEM of a public key or certificate";
    why = keys_add_public(k, alg, kid, pkey);
    EVP_PKEY_free(pkey);
    return why;
}

/* --- verifying -------------------------------------------------------------------------------- */

void keys_add_all(struct keys *k, const struct keys *from)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct signing_key *key = &from->items[i];
        struct str alg = str_of(key->algorithm->name);

        /* They were good there. */
        CHECK((key->pkey != NULL ? keys_add_public(k, alg, key->kid, key->pkey)
                                 : keys_add_secret(k, alg, key->kid, key->secret)) == NULL);
    }
}

static bool verify_mac(const struct signing_key *key, struct str input, struct str signature)
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

static bool verify_with_key(const struct signing_key *key, struct str input,
                            const unsigned char *signature, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* ctx's */
    bool ok;

    CHECK(ctx != NULL);
    ok = EVP_DigestVerifyInit(ctx, &pctx, key->md, NULL, key->pkey) == 1;
    if (ok && key->algorithm->family == FAMILY_PSS)
        /* RFC 7518 section 3.5: the salt is as long as the hash. */
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    ok = ok &&
         EVP_DigestVerify(ctx, signature, len, (const unsigned char *)input.data, input.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok;
}

/* r and s of fixed length, one behind the other (RFC 7518 section 3.4), as OpenSSL wants them. */
static bool verify_ec(const struct signing_key *key, struct str input, struct str signature)
{
    size_t size = key->algorithm->size;
    const unsigned char *raw = (const unsigned char *)signature.data;
    ECDSA_SIG *sig;
    unsigned char *der = NULL;
    bool ok = false;
    int len;

    if (signature.len != 2 * size)
        return false;
    sig = ECDSA_SIG_new();
    CHECK(sig != NULL);
    CHECK(ECDSA_SIG_set0(sig, BN_bin2bn(raw, (int)size, NULL),
                         BN_bin2bn(raw + size, (int)size, NULL)) == 1);
    len = i2d_ECDSA_SIG(sig, &der);
    if (len > 0)
        ok = verify_with_key(key, input, der, (size_t)len);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    return ok;
}

static bool verify_with(const struct signing_key *key, struct str input, struct str signature)
{
    switch (key->algorithm->family) {
    case FAMILY_HMAC:
        return verify_mac(key, input, signature);
    case FAMILY_EC:
        return verify_ec(key, input, signature);
    case FAMILY_RSA:
    case FAMILY_PSS:
    case FAMILY_ED:
        break;
    }
    return verify_with_key(key, input, (const unsigned char *)signature.data, signature.len);
}

static bool is_asked(const struct signing_key *key, struct str alg, struct str kid)
{
    return str_is(alg, key->algorithm->name) &&
           (kid.data == NULL || key->kid.len == 0 || str_eq(kid, key->kid));
}

bool keys_has(const struct keys *k, struct str alg, struct str kid)
{
    for (size_t i = 0; i < k->n; i++)
        if (is_asked(&k->items[i], alg, kid))
            return true;
    return false;
}

bool keys_verify(const struct keys *k, struct str alg, struct str kid, struct str input,
                 struct str signature)
{
    for (size_t i = 0; i < k->n; i++)
        if (is_asked(&k->items[i], alg, kid) && verify_with(&k->items[i], input, signature))
            return true;
    return false;
}
