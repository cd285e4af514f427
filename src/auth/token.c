/*
 * token.c - a compact JWS (RFC 7515) taken apart, and its signature checked.
 *
 * Thread:   any.
 * Memory:   decoded parts are in the arena given.
 * Not here: which claims are acceptable (identity.c), keys (keys.c).
 *
 * libjwt does none of this: 1.10 takes the algorithm from the token, ignores
 * "crit" and reads an array payload as an empty object.
 */
#include "auth/token.h"

#include "base/base64url.h"

static const struct jval_limits token_limits = {.max_depth = 16, .max_values = 1024};

static bool decode_part(struct str text, struct arena *a, struct str *out)
{
    unsigned char *bytes = arena_alloc_raw(a, text.len + 1);
    size_t len;

    if (text.len == 0 || !base64url_decode(text, bytes, &len))
        return false;
    *out = str_make((const char *)bytes, len);
    return true;
}

static bool decode_object(struct str text, struct arena *a, const struct jval **out)
{
    struct str json;
    struct errors errs;

    errors_init(&errs, a);
    return decode_part(text, a, &json) && jval_parse(json, &token_limits, a, out, &errs) &&
           (*out)->kind == JVAL_OBJECT;
}

static const char *check_header(const struct jval *header, struct token *out)
{
    const struct jval *alg = jval_get(header, STR("alg"));
    const struct jval *kid = jval_get(header, STR("kid"));
    const struct jval *typ = jval_get(header, STR("typ"));

    if (alg == NULL || alg->kind != JVAL_STRING)
        return "the token names no algorithm";
    if (jval_get(header, STR("crit")) != NULL)
        return "the token has critical extensions, which are not supported";
    if (kid != NULL && kid->kind != JVAL_STRING)
        return "the token's key id is no string";
    if (typ != NULL && (typ->kind != JVAL_STRING || !(str_eq_nocase(typ->text, STR("JWT")) ||
                                                      str_eq_nocase(typ->text, STR("at+jwt")))))
        return "the token is of another type";
    out->alg = alg->text;
    out->kid = kid ? kid->text : (struct str){0};
    return NULL;
}

const char *token_parse(struct str text, struct arena *a, struct token *out)
{
    struct str header, rest, payload, signature;

    *out = (struct token){0};
    if (!str_cut(text, '.', &header, &rest) || !str_cut(rest, '.', &payload, &signature) ||
        str_find(signature, '.') != signature.len)
        return "the token does not have three parts";
    out->signing_input = str_make(text.data, header.len + 1 + payload.len);
    if (!decode_object(header, a, &out->header))
        return "the token's header is malformed";
    if (!decode_object(payload, a, &out->payload))
        return "the token's payload is malformed";
    if (!decode_part(signature, a, &out->signature))
        return "the token's signature is malformed";
    return check_header(out->header, out);
}

bool token_verify(const struct token *t, const struct keys *keys)
{
    return keys_verify(keys, t->alg, t->kid, t->signing_input, t->signature);
}
