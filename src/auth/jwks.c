/*
 * jwks.c - JSON Web Key Sets (RFC 7517) to keys.
 *
 * Thread:   any.
 * Memory:   an arena of its own for each set.
 */
#include "auth/jwks.h"

#include "base/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#define MAX_KEYS 1000

static const struct jval_limits set_limits = {.max_depth = 16, .max_values = 100000};

/* A member that is a string; data NULL: it is not there, or no string. */
static struct str member(const struct jval *key, const char *name)
{
    const struct jval *v = jval_get(key, str_of(name));

    return v != NULL && v->kind == JVAL_STRING ? v->text : str_make(NULL, 0);
}

/* The bytes of a member in base64url. False: not there, or malformed. */
static bool bytes_of(const struct jval *key, const char *name, struct arena *a, struct str *out)
{
    struct str text = member(key, name);
    unsigned char *bytes;
    size_t len;

    if (text.len == 0)
        return false;
    bytes = arena_alloc_raw(a, text.len + 1);
    if (!base64url_decode(text, bytes, &len))
        return false;
    *out = str_make((const char *)bytes, len);
    return true;
}

static EVP_PKEY *from_data(const char *type, OSSL_PARAM_BLD *b)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;

    CHECK(ctx != NULL);
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    ERR_clear_error();
    return pkey;
}

static EVP_PKEY *rsa_key(const struct jval *key, struct arena *a)
{
    struct str n, e;
    OSSL_PARAM_BLD *b;
    BIGNUM *bn, *be;
    EVP_PKEY *pkey = NULL;

    if (!bytes_of(key, "n", a, &n) || !bytes_of(key, "e", a, &e) || n.len > 2048 || e.len > 8)
        return NULL;
    b = OSSL_PARAM_BLD_new();
    bn = BN_bin2bn((const unsigned char *)n.data, (int)n.len, NULL);
    be = BN_bin2bn((const unsigned char *)e.data, (int)e.len, NULL);
    CHECK(b != NULL && bn != NULL && be != NULL);
    if (OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
        OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be) == 1)
        pkey = from_data("RSA", b);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn);
    BN_free(be);
    return pkey;
}

/* crv, OpenSSL's name, bytes of a coordinate */
static const struct curve {
    const char *crv;
    const char *group;
    size_t size;
} curves[] = {
    {"P-256", "prime256v1", 32},
    {"P-384", "secp384r1",  48},
    {"P-521", "secp521r1",  66},
};

static const struct curve *curve_of(const struct jval *key)
{
    struct str crv = member(key, "crv");

    for (size_t i = 0; i < COUNT_OF(curves); i++)
        if (str_is(crv, curves[i].crv))
            return &curves[i];
    return NULL;
}

static EVP_PKEY *ec_key(const struct jval *key, struct arena *a)
{
    const struct curve *c = curve_of(key);
    unsigned char point[1 + 2 * 66];
    struct str x, y;
    OSSL_PARAM_BLD *b;
    EVP_PKEY *pkey = NULL;

    if (c == NULL || !bytes_of(key, "x", a, &x) || !bytes_of(key, "y", a, &y) || x.len != c->size ||
        y.len != c->size)
        return NULL;
    point[0] = 4; /* uncompressed; that it lies on the curve is checked with it */
    memcpy(point + 1, x.data, c->size);
    memcpy(point + 1 + c->size, y.data, c->size);
    b = OSSL_PARAM_BLD_new();
    CHECK(b != NULL);
    if (OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * c->size) == 1)
        pkey = from_data("EC", b);
    OSSL_PARAM_BLD_free(b);
    return pkey;
}

static EVP_PKEY *ed_key(const struct jval *key, struct arena *a)
{
    struct str x;
    EVP_PKEY *pkey;

    if (!str_is(member(key, "crv"), "Ed25519") || !bytes_of(key, "x", a, &x))
        return NULL;
    pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.data, x.len);
    ERR_clear_error();
    return pkey;
}

/* --- one key -------------------------------------------------------------------------------- */

/* Is it for signatures, and to be verified with (RFC 7517 sections 4.2 and 4.3)? */
static bool may_verify(const struct jval *key)
{
    const struct jval *ops = jval_get(key, STR("key_ops"));
    struct str use = member(key, "use");

    if (use.data != NULL && !str_is(use, "sig"))
        return false;
    if (ops == NULL)
        return true;
    for (size_t i = 0; ops->kind == JVAL_ARRAY && i < ops->n; i++)
        if (ops->items[i]->kind == JVAL_STRING && str_is(ops->items[i]->text, "verify"))
            return true;
    return false;
}

/* Type of key, and how it is read; of the algorithms whose names begin so. */
static const struct key_type {
    const char *kty;
    const char *prefixes[2];
    EVP_PKEY *(*read)(const struct jval *key, struct arena *a); /* NULL: a secret */
} key_types[] = {
    {"RSA", {"RS", "PS"}, rsa_key},
    {"EC",  {"ES", NULL}, ec_key },
    {"OKP", {"Ed", NULL}, ed_key },
    {"oct", {"HS", NULL}, NULL   },
};

static const struct key_type *type_of(const struct jval *key)
{
    struct str kty = member(key, "kty");

    for (size_t i = 0; i < COUNT_OF(key_types); i++)
        if (str_is(kty, key_types[i].kty))
            return &key_types[i];
    return NULL;
}

static bool is_of_type(const struct key_type *t, struct str alg)
{
    for (size_t i = 0; i < COUNT_OF(t->prefixes); i++)
        if (t->prefixes[i] != NULL && str_starts(alg, str_of(t->prefixes[i])))
            return true;
    return false;
}

/* For each of the algorithms that it may be for. False: none takes it. */
static bool add_key(const struct jval *key, const struct str *algorithms, size_t n, bool secrets,
                    struct keys *into, struct arena *a)
{
    const struct key_type *t = type_of(key);
    struct str alg = member(key, "alg"), kid = member(key, "kid"), secret = {0};
    EVP_PKEY *pkey = NULL;
    size_t before = keys_count(into);

    if (t == NULL || !may_verify(key))
        return false;
    if (t->read == NULL ? !secrets || !bytes_of(key, "k", a, &secret)
                        : (pkey = t->read(key, a)) == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if ((alg.data != NULL && !str_eq(alg, algorithms[i])) || !is_of_type(t, algorithms[i]))
            continue;
        if (pkey != NULL)
            (void)keys_add_public(into, algorithms[i], kid, pkey);
        else
            (void)keys_add_secret(into, algorithms[i], kid, secret);
    }
    EVP_PKEY_free(pkey);
    return keys_count(into) > before;
}

bool jwks_read(struct str json, const struct str *algorithms, size_t nalgorithms, bool secrets,
               struct keys *into, size_t *skipped, struct errors *errs)
{
    struct arena *a = arena_new(0);
    const struct jval *set, *keys = NULL;
    struct errors own;
    bool ok;

    errors_init(&own, a);
    *skipped = 0;
    ok = jval_parse(json, &set_limits, a, &set, &own);
    if (ok)
        keys = jval_get(set, STR("keys"));
    ok = ok && keys != NULL && keys->kind == JVAL_ARRAY && keys->n <= MAX_KEYS;
    if (!ok)
        errors_add(errs, BAD_REQUEST, "no JSON Web Key Set");
    for (size_t i = 0; ok && i < keys->n; i++)
        *skipped += !add_key(keys->items[i], algorithms, nalgorithms, secrets, into, a);
    arena_free(a);
    return ok;
}
