/*
 * minting.h - what the tests of src/auth share: signed tokens, and an auth to try them on.
 */
#ifndef TESTS_AUTH_MINTING_H
#define TESTS_AUTH_MINTING_H

#include "auth/auth.h"
#include "base/deadline.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define TENANT "11111111-2222-3333-4444-555555555555"

static const char secret[] = "0123456789abcdef0123456789abcdef";

/* --- minting -------------------------------------------------------------------- */

static inline void append_base64url(struct buf *b, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *p = data;

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        size_t n = len - i < 3 ? len - i : 3;

        v |= n > 1 ? (uint32_t)p[i + 1] << 8 : 0;
        v |= n > 2 ? p[i + 2] : 0;
        for (size_t j = 0; j <= n; j++)
            buf_append_char(b, digits[(v >> (18 - 6 * j)) & 63]);
    }
}

static inline struct str mint_with(struct arena *a, const char *header, const char *payload,
                                   const char *key, const EVP_MD *md)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct buf b;
    struct str out;

    buf_init(&b, 0);
    append_base64url(&b, header, strlen(header));
    buf_append_char(&b, '.');
    append_base64url(&b, payload, strlen(payload));
    assert_non_null(HMAC(md, key, (int)strlen(key), (unsigned char *)b.data, b.len, mac, &len));
    buf_append_char(&b, '.');
    append_base64url(&b, mac, len);
    out = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return out;
}

static inline struct str mint(struct arena *a, const char *header, const char *payload)
{
    return mint_with(a, header, payload, secret, EVP_sha256());
}

static inline struct str bearer(struct arena *a, struct str token)
{
    return arena_printf(a, "Bearer %.*s", STR_ARG(token));
}

/* "@+60" in a payload stands for now + 60 seconds. */
static inline const char *with_times(struct arena *a, const char *payload)
{
    struct buf b;
    struct str out;

    buf_init(&b, 0);
    for (const char *p = payload; *p;) {
        if (*p == '@') {
            char *end;
            long offset = strtol(p + 1, &end, 10);

            buf_append_i64(&b, wall_clock_us() / 1000000 + offset);
            p = end;
        } else {
            buf_append_char(&b, *p++);
        }
    }
    out = arena_dup(a, buf_str(&b));
    buf_fini(&b);
    return out.data;
}

/* --- fixtures --------------------------------------------------------------------- */

struct fixture {
    struct arena *arena;
    struct auth *auth;
    struct identity identity;
    struct errors errs;
};

static inline void open_fixture(struct fixture *f, const struct auth_options *opt)
{
    f->arena = arena_new(0);
    errors_init(&f->errs, f->arena);
    f->auth = auth_new(opt, &f->errs);
    assert_non_null(f->auth);
}

static inline void close_fixture(struct fixture *f)
{
    auth_free(f->auth);
    arena_free(f->arena);
}

static inline bool identify(struct fixture *f, struct str authorization)
{
    errors_init(&f->errs, f->arena);
    return identity_from_token(f->auth, authorization, f->arena, &f->identity, &f->errs);
}

static inline const char *setting(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->identity.nsettings; i++)
        if (strcmp(f->identity.settings[i].name, name) == 0)
            return f->identity.settings[i].value;
    return NULL;
}

#endif
